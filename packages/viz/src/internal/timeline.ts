/**
 * What is known of a run: the one model that every drawing of it is made of.
 */

/** How an invocation, or one attempt of it, ended. */
export type Outcome = "succeeded" | "failed" | "interrupted" | "to be retried" | "running"

/** A moment of a run: on the clock, and in the order of the trace. */
export interface Moment {
  /** Milliseconds since the run began. */
  readonly at: number
  readonly seq: number
}

export interface TimelineAttempt {
  readonly start: Moment
  readonly end: Moment
  readonly outcome: Outcome
  readonly error: string | null
}

/** One invocation of a step. */
export interface TimelineInvocation {
  readonly id: string
  readonly step: string
  /** Which of the step's workers ran it, counted from 0. */
  readonly row: number
  /** When the first of its events came. Earlier than `ready` where an intake waited for more. */
  readonly since: Moment
  /** When it could have begun, had a worker been free. */
  readonly ready: Moment
  readonly start: Moment
  readonly end: Moment
  readonly outcome: Outcome
  readonly error: string | null
  readonly attempts: ReadonlyArray<TimelineAttempt>
  /** The ids of the events it was given. */
  readonly events: ReadonlyArray<string>
  /** The ids of the events it emitted. */
  readonly emitted: ReadonlyArray<string>
  /** Whether an intake gave it its events. */
  readonly intake: boolean
  /** The invocation whose end let its intake run, where not an event but quiet did. */
  readonly quietAfter: string | null
  /** The event that opened its scope; `null` for the run's own. */
  readonly scope: string | null
}

export interface TimelineEvent {
  readonly id: string
  readonly tag: string
  /** The invocation that emitted it; `null` for what came from outside. */
  readonly cause: string | null
  readonly at: Moment
  readonly data: unknown
}

export interface TimelineDrop {
  readonly event: string
  readonly step: string | null
  readonly reason: "raced" | "ended" | "left over" | "late"
  /** Since when it had waited for a worker; `null` where it did not. */
  readonly since: Moment | null
  readonly at: Moment
}

/** A stretch of the longest chain of causes: what the run would have been shorter without. */
export interface CriticalPart {
  readonly invocation: string
  readonly step: string
  /** `waiting`: for a free worker; `collecting`: for its intake to be complete. */
  readonly doing: "running" | "waiting" | "collecting"
  readonly from: Moment
  readonly to: Moment
}

/** What one step did in a run. Times are in milliseconds. */
export interface TimelineStep {
  readonly name: string
  /** The step's `workers`, where the workflow was given with the trace. */
  readonly workers: number | "unbounded" | undefined
  /** How many of them were at work at once. */
  readonly rows: number
  readonly invocations: number
  /** How long its workers were at work, all together. */
  readonly busy: number
  /** The share of its workers' time in which they were at work, from 0 to 1. */
  readonly utilisation: number
  /** How long events waited for a free worker, all together, and the longest of them. */
  readonly waited: number
  readonly longestWait: number
  /** How much of the critical path was its invocations running, and how much their waiting for a free worker. */
  readonly critical: { readonly running: number; readonly waiting: number }
  readonly failed: number
  readonly retried: number
  readonly interrupted: number
  readonly dropped: number
  /** How many of those that were dropped had waited for a worker. */
  readonly unserved: number
}

export interface Timeline {
  readonly kind: "timeline"
  readonly workflow: string
  readonly run: string
  readonly parent: { readonly run: string; readonly workflow: string; readonly invocation: string } | null
  /** When the run began, in milliseconds of the `Clock`. */
  readonly began: number
  /** How long it took, in milliseconds. */
  readonly duration: number
  /** How many entries its trace has. */
  readonly entries: number
  readonly outcome: "stopped" | "failed" | "interrupted" | "running"
  /** The stop event, where one came. */
  readonly stop: string | null
  readonly error: string | null
  readonly steps: ReadonlyArray<TimelineStep>
  /** In the order in which they began. */
  readonly invocations: ReadonlyArray<TimelineInvocation>
  readonly events: ReadonlyMap<string, TimelineEvent>
  readonly drops: ReadonlyArray<TimelineDrop>
  readonly finalizerFailures: ReadonlyArray<{
    readonly invocation: string
    readonly error: string
    readonly at: Moment
  }>
  readonly critical: ReadonlyArray<CriticalPart>
  /** Where more workers would have helped most, in words; `undefined` where nothing waited for one. */
  readonly hint: string | undefined
  /** The runs that were started inside this one's steps. */
  readonly nested: ReadonlyArray<Timeline>
}

export const isTimeline = (what: unknown): what is Timeline =>
  typeof what === "object" && what !== null && "kind" in what && what.kind === "timeline"
