/**
 * The deliveries that wait for one step in one run, first in first out, and how many of its workers are busy.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as MutableList from "effect/MutableList"
import * as Queue from "effect/Queue"
import { PreventSchedulerYield } from "effect/Scheduler"
import type { Node } from "../../graph/graph.ts"
import type { Delivery } from "../scope/delivery.ts"

/** Makes a delivery of what waited as no more than its input. */
export interface Making {
  delivery(node: Node, input: unknown): Delivery
}

export class Lane {
  readonly node: Node
  /** How many deliveries wait, those called off not counted. */
  waiting = 0
  busy = 0
  /** How many times the step has returned nothing and emitted nothing, although it may emit. */
  silent = 0
  /** Whether the lane stands in the list of runnable lanes, and which stands behind it. */
  listed = false
  following: Lane | undefined
  private readonly context: Context.Context<never>
  /** Where there is one, inputs wait and not deliveries: a fan-out of a million takes 333 MiB so, and not 500. */
  private readonly making: Making | undefined
  // What is next stands outside the queue: where one at a time waits, no queue is ever made.
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
  take(): Delivery | undefined {
    while (this.head !== undefined) {
      const { head, making } = this
      // As `Queue.takeUnsafe`, without an Exit for each and a look for whoever waits for room: 0.01 µs less.
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

/** `Queue.unbounded` needs a fiber, which ends at once where the scheduler does not make it yield. */
const makeQueue = (context: Context.Context<never>): Queue.Queue<unknown> => {
  const fiber = Effect.runForkWith(context)(Queue.unbounded<unknown>())
  const exit = fiber.pollUnsafe()
  if (exit !== undefined) return (exit as Exit.Success<Queue.Queue<unknown>>).value
  fiber.interruptUnsafe()
  return makeQueue(Context.add(context, PreventSchedulerYield, true))
}
