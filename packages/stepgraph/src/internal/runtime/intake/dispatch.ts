/**
 * The run that an intake belongs to.
 */
import type { Node } from "../../graph/graph.ts"
import type { Arrival } from "../scope/arrival.ts"
import type { Position } from "../scope/position.ts"
import type { Scope } from "../scope/scope.ts"
import type { Scopes } from "../scope/scopes.ts"
import type { Recorder } from "../trace/recorder.ts"

/** A running timer. */
export interface Timer {
  cancel(): void
}

export interface Dispatch {
  readonly scopes: Scopes
  readonly recorder: Recorder | undefined
  readonly router: {
    /** Makes the step runnable with a batch; `round` distinguishes empty batches. */
    push(
      node: Node,
      input: unknown,
      scope: Scope,
      position: Position | undefined,
      from: ReadonlyArray<Arrival>,
      round: number
    ): void
  }
  readonly timers: {
    now(): number
    /**
     * Calls back when `millis` have passed since an event has come; until then something can still happen at the step.
     * `unwanted` is asked when a race downstream has been decided.
     */
    after(
      node: Node,
      first: Arrival,
      millis: number,
      then: () => void,
      cancelled: () => void,
      unwanted: () => boolean
    ): Timer
  }
  /** The context that the run was started in. */
  readonly ambient: { enter<A>(work: () => A): A }
  /** Whether an event needs no `Arrival`: there is one scope, and neither order nor ids are needed. */
  readonly plain: boolean
}
