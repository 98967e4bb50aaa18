/**
 * The deliveries that wait for one step in one run, first in first out, and the number of its busy workers.
 */
import * as MutableList from "effect/MutableList"
import type { Node } from "../../graph/graph.ts"
import type { Delivery } from "../scope/delivery.ts"
import type { Position } from "../scope/position.ts"
import type { Scope } from "../scope/scope.ts"

/** Makes deliveries. */
export interface Factory {
  make(node: Node, input: unknown, scope: Scope, position: Position | undefined): Delivery
  /** Makes the delivery of an input that waited alone. */
  ofInput(node: Node, input: unknown): Delivery
}

export class Lane {
  readonly node: Node
  /** Number of waiting deliveries, without cancelled ones. */
  waiting = 0
  busy = 0
  /** How often the step returned and emitted nothing although it may emit. */
  silent = 0
  /** Number of busy workers that wait for a limit, by its name. */
  limited: Map<string, number> | undefined
  /** Whether the lane is in the list of runnable lanes, and the lane after it. */
  listed = false
  following: Lane | undefined
  /** Whether inputs wait instead of deliveries: a fan-out of a million then takes 333 MiB instead of 500. */
  readonly takesInputs: boolean
  // The next item is kept outside the list: if only one waits at a time, no list is ever made.
  private head: unknown
  private rest: MutableList.MutableList<unknown> | undefined

  constructor(node: Node, takesInputs: boolean) {
    this.node = node
    this.takesInputs = takesInputs
  }

  get runnable(): boolean {
    return this.waiting > 0 && this.busy < this.node.workers
  }

  /** Adds a delivery, or only its input if the lane `takesInputs`. */
  push(waiting: unknown): void {
    this.waiting++
    if (this.head === undefined) this.head = waiting
    else {
      this.rest ??= MutableList.make()
      MutableList.append(this.rest, waiting)
    }
  }

  /** Puts a delivery first in line. */
  pushFirst(delivery: Delivery): void {
    this.waiting++
    if (this.head !== undefined) {
      this.rest ??= MutableList.make()
      MutableList.prepend(this.rest, this.head)
    }
    this.head = delivery
  }

  /** The next delivery that has not been cancelled. */
  take(factory: Factory): Delivery | undefined {
    while (this.head !== undefined) {
      const { head, takesInputs } = this
      const next = this.rest === undefined ? MutableList.Empty : MutableList.take(this.rest)
      this.head = next === MutableList.Empty ? undefined : next
      const delivery = takesInputs ? factory.ofInput(this.node, head) : (head as Delivery)
      if (delivery.cancelled) continue
      this.waiting--
      return delivery
    }
    return undefined
  }
}
