/**
 * What a trace says of a run, its steps, invocations and events.
 */
import type { TraceEntry } from "../../Trace.ts"

export type Entry<Tag extends TraceEntry["_tag"]> = Extract<TraceEntry, { readonly _tag: Tag }>

/** A moment of a run: on the clock, and in the order of the trace. */
export interface Moment {
  /** Milliseconds since the run began, or since the first entry that there is. */
  readonly at: number
  readonly seq: number
}

export interface AttemptModel {
  readonly start: Moment
  /** `null` while it runs. */
  readonly end: Moment | null
  readonly outcome: Entry<"InvocationEnded">["outcome"] | "running"
  readonly error: string | null
}

/** One invocation of a step. */
export interface InvocationModel {
  readonly id: string
  readonly step: string
  /** Which of the step's workers runs it, counted from 0: the lowest that was free. */
  readonly row: number
  /** When the first of its events came. Earlier than `ready` if an intake waited for more. */
  readonly since: Moment
  /** When it could have begun, had a worker been free. */
  readonly ready: Moment
  readonly start: Moment
  /** `null` while it runs. */
  readonly end: Moment | null
  readonly outcome: AttemptModel["outcome"]
  readonly error: string | null
  readonly attempts: ReadonlyArray<AttemptModel>
  /** The ids of the events it was given: it came of these. */
  readonly events: ReadonlyArray<string>
  /** The ids of the events it emitted: it led to these. */
  readonly emitted: ReadonlyArray<string>
  /** Whether an intake gave it its events. */
  readonly intake: boolean
  /** The invocation whose end let its intake run, if not an event did but quiet. */
  readonly quietAfter: string | null
  /** The event that opened its scope; `null` for the run's own. */
  readonly scope: string | null
}

export interface EventModel {
  readonly id: string
  readonly tag: string
  /** The invocation that emitted it: it came of this one. `null` for an event from outside. */
  readonly cause: string | null
  readonly at: Moment
  readonly data: Entry<"EventEmitted">["data"]
  /** The steps it was delivered to. */
  readonly to: ReadonlyArray<string>
  /** The invocations that were given it: it led to these. */
  readonly takenBy: ReadonlyArray<string>
  /** In how many of the steps it still waits, in an intake or for a worker. */
  readonly waiting: number
}

export interface DropModel {
  readonly event: string
  readonly step: string | null
  readonly reason: Entry<"EventDropped">["reason"]
  /** Since when it had waited for a worker; `null` if it did not. */
  readonly since: Moment | null
  readonly at: Moment
}

export interface FinalizerFailureModel {
  readonly invocation: string
  readonly step: string
  readonly error: string
  readonly at: Moment
}

/** How one step stands, and what it has done. Times are in milliseconds. */
export interface StepModel {
  readonly name: string
  /** Whether it has an intake; without a graph this is known once the intake has fired. */
  readonly intake: boolean
  /** Events that its intake holds, or that wait for a worker if it has none: by their ids, with when they came. */
  readonly waiting: ReadonlyMap<string, Moment>
  /** How many events its intake holds. */
  readonly held: number
  /** How many events wait for a worker; a batch of an intake counts once. */
  readonly queued: number
  readonly running: number
  /** How many were running at once, at most. */
  readonly most: number
  /** How often its intake was complete. */
  readonly fired: number
  /** How many have begun, and how they ended. */
  readonly invocations: number
  readonly succeeded: number
  readonly failed: number
  readonly interrupted: number
  /** How many attempts failed and were tried again. */
  readonly retried: number
  /** How many events were dropped on their way to it. */
  readonly dropped: number
  /** How often something was dropped while it waited for a worker; a batch of an intake counts once. */
  readonly unserved: number
  /** How long its workers were at work, all together, with what has ended. */
  readonly busy: number
  /** How long events waited for a free worker, all together, and the longest of them. */
  readonly waited: number
  readonly longestWait: number
}
