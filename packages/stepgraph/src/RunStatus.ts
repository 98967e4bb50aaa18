/**
 * The status of a run as data.
 */
import type { OpenQuestion, Waiting } from "./Waiting.ts"

/** The status of one step of a run. */
export interface StepStatus {
  /** Number of queued deliveries. */
  readonly queued: number
  /** Number of running invocations, without those that wait for an answer. */
  readonly running: number
  /** Number of those that wait for a limit, by its name; left out if none does. */
  readonly limited?: Readonly<Record<string, number>>
}

/** The status of a run at one moment. */
export interface RunStatus {
  /** `ending`: an outcome has been reached, and running work is being interrupted. */
  readonly state: "running" | "ending" | "ended"
  /** Whether events can still come from outside. */
  readonly inputs: "open" | "closed"
  readonly steps: Readonly<Record<string, StepStatus>>
  /** The events that intakes hold and still need; after the run's end, the leftover events. */
  readonly waiting: ReadonlyArray<Waiting>
  /** The open questions that steps have asked with `ctx.ask`, oldest first. */
  readonly questions: ReadonlyArray<OpenQuestion>
}
