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

/** Creates a delivery for an input that waited without one. */
export interface Making {
  delivery(node: Node, input: unknown): Delivery
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
  /** If set, inputs wait instead of deliveries: a fan-out of a million then takes 333 MiB instead of 500. */
  private readonly making: Making | undefined
  // The next entry is outside the queue: a lane with one entry at a time never creates a queue.
  private head: unknown
  private queue: Queue.Queue<unknown> | undefined

  constructor(node: Node, context: Context.Context<never>, making: Making | undefined) {
    this.node = node
    this.context = context
    this.making = making
  }

  get runnable(): boolean {
    return this.waiting > 0 && this.busy < this.node.workers
  }

  get takesInputs(): boolean {
    return this.making !== undefined
  }

  /** A delivery, or its input if the lane `takesInputs`. */
  push(waiting: unknown): void {
    this.waiting++
    if (this.head === undefined) this.head = waiting
    else {
      this.queue ??= makeQueue(this.context)
      Queue.offerUnsafe(this.queue, waiting)
    }
  }

  /** The next delivery that has not been cancelled. */
  take(): Delivery | undefined {
    while (this.head !== undefined) {
      const { head, making } = this
      // Like `Queue.takeUnsafe`, without an Exit per item and a check for waiting offers: 0.01 µs less.
      const next = this.queue === undefined ? MutableList.Empty : MutableList.take(this.queue.messages)
      this.head = next === MutableList.Empty ? undefined : next
      const delivery = making === undefined ? (head as Delivery) : making.delivery(this.node, head)
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
