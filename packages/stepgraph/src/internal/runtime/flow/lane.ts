/**
 * The deliveries that wait for one step in one run, first in first out, and the number of its busy workers.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as MutableList from "effect/MutableList"
import * as Queue from "effect/Queue"
import { PreventSchedulerYield } from "effect/Scheduler"
import type { Node } from "../../graph/graph.ts"
import type { Delivery } from "../scope/delivery.ts"
import type { Position } from "../scope/position.ts"
import type { Scope } from "../scope/scope.ts"

/** Makes deliveries. */
export interface Factory {
  make(node: Node, input: unknown, scope: Scope, position: Position | undefined): Delivery
  /** Of what waited as no more than its input. */
  ofInput(node: Node, input: unknown): Delivery
}

export class Lane {
  readonly node: Node
  /** Number of waiting deliveries, without cancelled ones. */
  waiting = 0
  busy = 0
  /** How often the step returned and emitted nothing although it may emit. */
  silent = 0
  /** Whether the lane is in the list of runnable lanes, and the lane after it. */
  listed = false
  following: Lane | undefined
  private readonly context: Context.Context<never>
  /** Whether inputs wait and not deliveries: a fan-out of a million takes 333 MiB so, and not 500. */
  readonly takesInputs: boolean
  // What is next stands outside the queue: where one at a time waits, no queue is ever made.
  private head: unknown
  private queue: Queue.Queue<unknown> | undefined

  constructor(node: Node, context: Context.Context<never>, takesInputs: boolean) {
    this.node = node
    this.context = context
    this.takesInputs = takesInputs
  }

  get runnable(): boolean {
    return this.waiting > 0 && this.busy < this.node.workers
  }

  /** A delivery, or where the lane `takesInputs` the input of one. */
  push(waiting: unknown): void {
    this.waiting++
    if (this.head === undefined) this.head = waiting
    else {
      this.queue ??= makeQueue(this.context)
      Queue.offerUnsafe(this.queue, waiting)
    }
  }

  /** The next delivery that has not been called off. */
  take(factory: Factory): Delivery | undefined {
    while (this.head !== undefined) {
      const { head, takesInputs } = this
      // As `Queue.takeUnsafe`, without an Exit for each and a look for whoever waits for room: 0.01 µs less.
      const next = this.queue === undefined ? MutableList.Empty : MutableList.take(this.queue.messages)
      this.head = next === MutableList.Empty ? undefined : next
      const delivery = takesInputs ? factory.ofInput(this.node, head) : (head as Delivery)
      if (delivery.calledOff) continue
      this.waiting--
      return delivery
    }
    return undefined
  }
}

/** `Queue.unbounded` needs a fiber, which ends at once unless the scheduler makes it yield. */
const makeQueue = (context: Context.Context<never>): Queue.Queue<unknown> => {
  const fiber = Effect.runForkWith(context)(Queue.unbounded<unknown>())
  const exit = fiber.pollUnsafe()
  if (exit !== undefined) return (exit as Exit.Success<Queue.Queue<unknown>>).value
  fiber.interruptUnsafe()
  return makeQueue(Context.add(context, PreventSchedulerYield, true))
}
