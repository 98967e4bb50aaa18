/**
 * The deliveries that wait for one step in one run, first in first out, and how many of its workers are busy.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as MutableList from "effect/MutableList"
import * as Queue from "effect/Queue"
import { PreventSchedulerYield } from "effect/Scheduler"
import type { Node } from "../graph/graph.ts"
import type { Delivery } from "./delivery.ts"

export class Lane {
  readonly node: Node
  /** How many deliveries wait, those called off not counted. */
  waiting = 0
  busy = 0
  /** Whether the lane stands in the list of runnable lanes, and which stands behind it. */
  listed = false
  following: Lane | undefined
  private readonly context: Context.Context<never>
  // The delivery that is next stands outside the queue: where one at a time waits, no queue is ever made.
  private head: Delivery | undefined
  private queue: Queue.Queue<Delivery> | undefined

  constructor(node: Node, context: Context.Context<never>) {
    this.node = node
    this.context = context
  }

  get runnable(): boolean {
    return this.waiting > 0 && this.busy < this.node.workers
  }

  push(delivery: Delivery): void {
    this.waiting++
    if (this.head === undefined) this.head = delivery
    else {
      this.queue ??= makeQueue(this.context)
      Queue.offerUnsafe(this.queue, delivery)
    }
  }

  /** The next delivery that has not been called off. */
  take(): Delivery | undefined {
    while (this.head !== undefined) {
      const delivery = this.head
      // As `Queue.takeUnsafe`, without an Exit for each and a look for whoever waits for room: 0.01 µs less.
      const next = this.queue === undefined ? MutableList.Empty : MutableList.take(this.queue.messages)
      this.head = next === MutableList.Empty ? undefined : next
      if (delivery.calledOff) continue
      this.waiting--
      return delivery
    }
    return undefined
  }
}

/** `Queue.unbounded` needs a fiber, which ends at once where the scheduler does not make it yield. */
const makeQueue = (context: Context.Context<never>): Queue.Queue<Delivery> => {
  const fiber = Effect.runForkWith(context)(Queue.unbounded<Delivery>())
  const exit = fiber.pollUnsafe()
  if (exit !== undefined) return (exit as Exit.Success<Queue.Queue<Delivery>>).value
  fiber.interruptUnsafe()
  return makeQueue(Context.add(context, PreventSchedulerYield, true))
}
