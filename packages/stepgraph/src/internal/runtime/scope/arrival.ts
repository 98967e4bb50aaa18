/**
 * An event that has come to an intake, and its origin.
 */
import type { AnyEvent } from "../../../Event.ts"
import type { Position } from "./position.ts"
import type { Scope } from "./scope.ts"

export interface Arrival {
  readonly event: AnyEvent
  /** If the run is recorded. */
  readonly id: string | undefined
  readonly scope: Scope
  /** If the order of emission is needed: owned by the intake while it holds the event. */
  readonly position: Position | undefined
}
