/**
 * One event, or one batch of an intake, for one step: on its way there, and then at work there.
 */
import type { Flight } from "./scope.ts"

export interface Delivery extends Flight {
  /** What the step's function is given. */
  readonly input: unknown
  /** Whether a race or the end of the run has called it off, so that nothing it still emits is wanted. */
  readonly calledOff: boolean
  /** The ids of the invocation it makes and of the events it is made of, where the run is recorded. */
  readonly id: string | undefined
  readonly events: ReadonlyArray<string> | undefined
  /** Gives it its id, by the events that it is made of, or by other causes where there are none. */
  name(events: ReadonlyArray<string>, causes?: ReadonlyArray<string>): void
  /** Lets a worker begin with it. */
  start(): void
}
