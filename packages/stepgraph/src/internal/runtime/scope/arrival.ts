/**
 * An event that has come to an intake, and where it was emitted.
 */
import type { AnyEvent } from "../../../Event.ts"
import type { Place } from "./position.ts"
import type { Scope } from "./scope.ts"

export interface Arrival {
  readonly event: AnyEvent
  /** Where the run is recorded. */
  readonly id: string | undefined
  readonly scope: Scope
  /** Where somebody asks for the order of emissions: the intake's own, as long as it holds the event. */
  readonly place: Place | undefined
}
