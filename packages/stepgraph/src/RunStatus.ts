/**
 * The status of a run as data.
 */
import type { OpenQuestion, Waiting } from "./Waiting.ts"

/** How one step of a run stands. */
export interface StepStatus {
  /** How many deliveries it has queued. */
  readonly queued: number
  /** How many of its invocations run. One that waits for an answer does not. */
  readonly running: number
  /** How many of those wait for a limit, by its name; left out if none does. */
  readonly limited?: Readonly<Record<string, number>>
}

/** How a run stands at one moment. */
export interface RunStatus {
  /** `ending`: an outcome has been reached, and what is still running is waited for. */
  readonly state: "running" | "ending" | "ended"
  /** Whether events can still come from outside. */
  readonly inputs: "open" | "closed"
  readonly steps: Readonly<Record<string, StepStatus>>
  /** What the intakes hold, and what they still need. Of a run that has ended: what was left over. */
  readonly waiting: ReadonlyArray<Waiting>
  /** The questions that steps have asked with `ctx.ask`, and that nobody has answered yet, oldest first. */
  readonly questions: ReadonlyArray<OpenQuestion>
}
