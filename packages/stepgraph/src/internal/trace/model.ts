/**
 * The model of a run: its steps, invocations and events.
 */
import type { TraceEntry } from "../../Trace.ts"

export type Entry<Tag extends TraceEntry["_tag"]> = Extract<TraceEntry, { readonly _tag: Tag }>

/** A moment of a run: its time, and its position in the trace. */
export interface Moment {
  /** Milliseconds since the run began, or since the first known entry. */
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

/** A question that an invocation has asked with `ctx.ask`. */
export interface QuestionModel {
  /** Its number within the invocation. */
  readonly number: number
  /** The id of the event that it emitted. */
  readonly event: string
  /** The types of the answers that it waits for. */
  readonly awaits: ReadonlyArray<string>
  readonly start: Moment
  /** `null` while it is open. */
  readonly end: Moment | null
  readonly outcome: Entry<"QuestionEnded">["outcome"] | "open"
  /** The event that answered it. */
  readonly answer: string | null
}

/** A wait for a limit. */
export interface LimitModel {
  readonly limit: string
  /** The key of its `by`, as text. */
  readonly key: string | null
  readonly from: Moment
  /** `null` while it waits. */
  readonly to: Moment | null
}

/** One invocation of a step. */
export interface InvocationModel {
  readonly id: string
  readonly step: string
  /** Its row, counted from 0: the lowest free one. A worker each, unless some wait for an answer, which takes no worker. */
  readonly row: number
  /** When its first event arrived. Earlier than `ready` if an intake waited for more. */
  readonly since: Moment
  /** When it could have started with a free worker. */
  readonly ready: Moment
  readonly start: Moment
  /** `null` while it runs. */
  readonly end: Moment | null
  readonly outcome: AttemptModel["outcome"]
  readonly error: string | null
  readonly attempts: ReadonlyArray<AttemptModel>
  readonly questions: ReadonlyArray<QuestionModel>
  /** Its waits for limits. */
  readonly limits: ReadonlyArray<LimitModel>
  /** Ids of the events it was given: its causes. */
  readonly events: ReadonlyArray<string>
  /** Ids of the events it emitted: its effects. */
  readonly emitted: ReadonlyArray<string>
  /** Whether its events came from an intake. */
  readonly intake: boolean
  /** The invocation whose end let its intake run, if quiet rather than an event did so. */
  readonly quietAfter: string | null
  /** The event that opened its scope; `null` for the scope of the run. */
  readonly scope: string | null
}

export interface EventModel {
  readonly id: string
  readonly tag: string
  /** The invocation that emitted it; `null` for an event from outside. */
  readonly cause: string | null
  /** The attempt that emitted it, for one that was heard at once though the attempt might fail. */
  readonly attempt: number | null
  readonly at: Moment
  readonly data: Entry<"EventEmitted">["data"]
  /** The steps it was delivered to. */
  readonly to: ReadonlyArray<string>
  /** The invocations that it was given to. */
  readonly takenBy: ReadonlyArray<string>
  /** The number of steps in which it still waits, in an intake or for a worker. */
  readonly waiting: number
}

export interface DropModel {
  readonly event: string
  readonly step: string | null
  readonly reason: Entry<"EventDropped">["reason"]
  /** When it started waiting for a worker; `null` if it did not wait. */
  readonly since: Moment | null
  readonly at: Moment
}

export interface FinalizerFailureModel {
  readonly invocation: string
  readonly step: string
  readonly error: string
  readonly at: Moment
}

/** The state and history of one step. Times are in milliseconds. */
export interface StepModel {
  readonly name: string
  /** Whether it has an intake; without a graph, this is known once the intake has fired. */
  readonly intake: boolean
  /** Events in its intake, or waiting for a worker if it has none: ids with arrival times. */
  readonly waiting: ReadonlyMap<string, Moment>
  /** Number of events in its intake. */
  readonly held: number
  /** Number of events that wait for a worker; a batch counts once. */
  readonly queued: number
  readonly running: number
  /** Number of those of them that have no worker: they wait for an answer, or for a worker after it. */
  readonly paused: number
  /** The largest number of workers at work at once. */
  readonly busiest: number
  /** The largest number of simultaneous invocations. */
  readonly most: number
  /** How often its intake was complete. */
  readonly fired: number
  /** Number of started invocations, and their outcomes. */
  readonly invocations: number
  readonly succeeded: number
  readonly failed: number
  readonly interrupted: number
  /** Number of failed attempts that were retried. */
  readonly retried: number
  /** Number of events dropped on their way to it. */
  readonly dropped: number
  /** How often something waiting for a worker was dropped; a batch counts once. */
  readonly unserved: number
  /** Total busy time of its workers, over ended invocations. */
  readonly busy: number
  /** The total and the longest time that events waited for a free worker. */
  readonly waited: number
  readonly longestWait: number
}
