/**
 * One event, or one batch of an intake, for one step: on its way there, and then at work there.
 */
import type { Node } from "../graph/graph.ts"
import { invocationId } from "./ids.ts"
import type { Place } from "./place.ts"
import type { Flight, Scope } from "./scope.ts"

export abstract class Delivery implements Flight {
  readonly node: Node
  /** What the step's function is given. */
  readonly input: unknown
  readonly scope: Scope
  readonly place: Place
  /** Whether a race or the end of the run has called it off, so that nothing it still emits is wanted. */
  calledOff = false
  /** The ids of the invocation it makes and of the events it is made of, where the run is recorded. */
  id: string | undefined
  events: ReadonlyArray<string> | undefined

  constructor(node: Node, input: unknown, scope: Scope, place: Place) {
    this.node = node
    this.input = input
    this.scope = scope
    this.place = place
  }

  name(events: ReadonlyArray<string>, causes = events): void {
    // Frozen, as whoever observes the run is given it.
    this.events = Object.freeze(events)
    this.id = invocationId(this.node.name, causes)
  }

  /** Begins its invocation. */
  abstract start(): void
  abstract get underWay(): boolean
  abstract cancel(): void
}
