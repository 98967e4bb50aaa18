/**
 * One event, or one batch of an intake, for one step: first on its way, then in progress.
 */
import type { Flight } from "./scope.ts"

export interface Delivery extends Flight {
  /** The input of the step's function. */
  readonly input: unknown
  /** Whether a race or the end of the run has cancelled it, so its emissions are unwanted. */
  readonly cancelled: boolean
  /** The ids of its invocation and of its events, if the run is recorded. */
  readonly id: string | undefined
  readonly events: ReadonlyArray<string> | undefined
  /** Names it by its events, or by other causes if it has none. */
  name(events: ReadonlyArray<string>, causes?: ReadonlyArray<string>): void
  /** Lets a worker begin with it. */
  start(): void
}
