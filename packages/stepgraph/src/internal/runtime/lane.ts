/**
 * The deliveries that wait for one step in one run, first in first out, and how many of its workers are busy.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import { PreventSchedulerYield } from "effect/Scheduler"
import type { Node } from "../graph/graph.ts"
import { invocationId } from "./ids.ts"
import type { Place } from "./place.ts"
import type { Flight, Scope } from "./scope.ts"

/** Whoever has a delivery at the moment: the run while it waits, its invocation while it runs. */
export interface Holder {
  callOff(delivery: Delivery): void
}

/** One event, or one batch of an intake, on its way to one step. */
export class Delivery implements Flight {
  readonly lane: Lane
  /** What the step's function is given. */
  readonly input: unknown
  readonly scope: Scope
  readonly place: Place
  calledOff = false
  underWay = false
  private holder: Holder
  /** The ids of the invocation it makes and of the events it is made of, where the run is recorded. */
  id: string | undefined
  events: ReadonlyArray<string> | undefined

  constructor(lane: Lane, input: unknown, scope: Scope, place: Place, holder: Holder) {
    this.lane = lane
    this.input = input
    this.scope = scope
    this.place = place
    this.holder = holder
  }

  get node(): Node {
    return this.lane.node
  }

  name(events: ReadonlyArray<string>, causes = events): void {
    // Frozen, as whoever observes the run is given it.
    this.events = Object.freeze(events)
    this.id = invocationId(this.lane.node.name, causes)
  }

  /** From now on its invocation has it. */
  start(holder: Holder): void {
    this.holder = holder
    this.underWay = true
  }

  cancel(): void {
    this.holder.callOff(this)
  }
}

export class Lane {
  readonly node: Node
  /** How many deliveries wait, those called off not counted. */
  waiting = 0
  busy = 0
  /** Whether the lane stands in the dispatcher's list of runnable lanes. */
  listed = false
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
      const next = this.queue === undefined ? undefined : Queue.takeUnsafe(this.queue)
      this.head = next?._tag === "Success" ? next.value : undefined
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
