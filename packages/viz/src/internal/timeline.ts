/**
 * The model of a run that every drawing uses.
 */

/** The outcome of an invocation or of one attempt. */
export type Outcome = "succeeded" | "failed" | "interrupted" | "retried" | "running"

/** A moment of a run: its time, and its position in the trace. */
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

/** A question that an invocation has asked with `ctx.ask`. */
export interface TimelineQuestion {
  readonly number: number
  readonly event: string
  readonly awaits: ReadonlyArray<string>
  readonly start: Moment
  readonly end: Moment
  readonly outcome: "open" | "answered" | "closed" | "failed" | "interrupted"
  readonly answer: string | null
}

/** A wait for a limit; a worker is kept meanwhile. */
export interface TimelineLimit {
  readonly limit: string
  readonly key: string | null
  readonly from: Moment
  readonly to: Moment
}

/** One invocation of a step. */
export interface TimelineInvocation {
  readonly id: string
  readonly step: string
  /** The worker that ran it, counted from 0. */
  readonly row: number
  /** When its first event arrived. Earlier than `ready` if an intake waited for more. */
  readonly since: Moment
  /** When it could have started with a free worker. */
  readonly ready: Moment
  readonly start: Moment
  readonly end: Moment
  readonly outcome: Outcome
  readonly error: string | null
  readonly attempts: ReadonlyArray<TimelineAttempt>
  readonly questions: ReadonlyArray<TimelineQuestion>
  /** What it waited for before its attempts began: limits of its step. */
  readonly limits: ReadonlyArray<TimelineLimit>
  /** Ids of the events it was given. */
  readonly events: ReadonlyArray<string>
  /** Ids of the events it emitted. */
  readonly emitted: ReadonlyArray<string>
  /** Whether its events came from an intake. */
  readonly intake: boolean
  /** The invocation whose end let the intake run, if quiet rather than an event did so. */
  readonly quietAfter: string | null
  /** The event that opened its scope; `null` for the scope of the run. */
  readonly scope: string | null
}

export interface TimelineEvent {
  readonly id: string
  readonly tag: string
  /** The invocation that emitted it; `null` if it came from outside. */
  readonly cause: string | null
  readonly at: Moment
  readonly data: unknown
}

export interface TimelineDrop {
  readonly event: string
  readonly step: string | null
  readonly reason: "raced" | "ended" | "leftover" | "late"
  /** When it started waiting for a worker; `null` if it did not wait. */
  readonly since: Moment | null
  readonly at: Moment
}

/** A link in the longest chain of causes. Without it, the run would have been shorter. */
export interface CriticalPart {
  readonly invocation: string
  readonly step: string
  /** `waiting`: for a free worker. `collecting`: for its intake to be complete. */
  readonly doing: "running" | "waiting" | "collecting"
  readonly from: Moment
  readonly to: Moment
}

/** A summary of one step in a run. Times are in milliseconds. */
export interface TimelineStep {
  readonly name: string
  /** The step's `workers`, if the workflow was passed with the trace. */
  readonly workers: number | "unbounded" | undefined
  /** The largest number of workers that were busy at once. */
  readonly rows: number
  readonly invocations: number
  /** The total busy time of its workers. */
  readonly busy: number
  /** The share of its workers' time that was busy, from 0 to 1. */
  readonly utilisation: number
  /** The total and the longest time that events waited for a free worker. */
  readonly waited: number
  readonly longestWait: number
  /** Time on the critical path: its invocations running, and waiting for a free worker. */
  readonly critical: { readonly running: number; readonly waiting: number }
  readonly failed: number
  readonly retried: number
  readonly interrupted: number
  readonly dropped: number
  /** How many of the dropped events had waited for a worker. */
  readonly unserved: number
}

export interface Timeline {
  readonly _tag: "Timeline"
  readonly workflow: string
  readonly run: string
  readonly parent: { readonly run: string; readonly workflow: string; readonly invocation: string } | null
  /** When the run began, in milliseconds of the `Clock`. */
  readonly began: number
  /** Duration in milliseconds. */
  readonly duration: number
  /** Number of entries in the trace. */
  readonly entries: number
  readonly outcome: "stopped" | "failed" | "interrupted" | "running"
  /** The stop event, if any. */
  readonly stop: string | null
  readonly error: string | null
  readonly steps: ReadonlyArray<TimelineStep>
  /** In order of their start. */
  readonly invocations: ReadonlyArray<TimelineInvocation>
  readonly events: ReadonlyMap<string, TimelineEvent>
  readonly drops: ReadonlyArray<TimelineDrop>
  readonly finalizerFailures: ReadonlyArray<{
    readonly invocation: string
    readonly error: string
    readonly at: Moment
  }>
  readonly critical: ReadonlyArray<CriticalPart>
  /**
   * A sentence about the step where more workers would have helped most; `undefined` if nothing waited for a worker.
   */
  readonly hint: string | undefined
  /** The runs that this run's steps started. */
  readonly nested: ReadonlyArray<Timeline>
}

export const isTimeline = (what: unknown): what is Timeline =>
  typeof what === "object" && what !== null && "_tag" in what && what._tag === "Timeline"
