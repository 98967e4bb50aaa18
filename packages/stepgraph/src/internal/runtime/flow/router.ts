/**
 * Where an event goes: to every step that accepts it, into its intake or its lane, and in a scope of its own where it opens one.
 */

import * as Exit from "effect/Exit"
import { InvalidEmission, OutsideScope, StepDefect } from "../../../Errors.ts"
import { type AnyEvent, isLatest } from "../../../Event.ts"
import { isOf } from "../../../Look.ts"
import type { Node, Route } from "../../graph/graph.ts"
import type { Collector } from "../intake/collector.ts"
import type { Intakes } from "../intake/intakes.ts"
import type { Arrival } from "../scope/arrival.ts"
import type { Delivery } from "../scope/delivery.ts"
import type { Position } from "../scope/position.ts"
import type { Scope } from "../scope/scope.ts"
import type { Scopes } from "../scope/scopes.ts"
import { eventId } from "../trace/ids.ts"
import type { Recorder } from "../trace/recorder.ts"
import type { Factory, Lane } from "./lane.ts"
import type { Loop } from "./loop.ts"
import type { Outcome } from "./outcome.ts"
import type { Ready } from "./ready.ts"

/** Where an emission goes. Throws `InvalidEmission` where its step has not declared it. */
const routeOf = ({ first, routes }: Node, value: unknown): Route => {
  const tag = (value as AnyEvent | undefined)?._tag as string
  if (first !== undefined && first.tag === tag) return first
  const route = routes.get(tag)
  if (route === undefined) throw new InvalidEmission({ emitted: value, declared: [...routes.keys()] })
  return route
}

/** The event that a value stands for: itself where its definition has made it, otherwise a literal that is to be checked. */
const eventOf = ({ def, recognizes }: Route, value: unknown): AnyEvent =>
  isLatest(def, value) || recognizes(value as AnyEvent) ? (value as AnyEvent) : def(value)

/** The event that a step may emit as this value. Throws where there is none. */
export const emissionOf = (node: Node, value: unknown): AnyEvent => eventOf(routeOf(node, value), value)

/** The invocation that emits. */
export interface Emitting extends Delivery {
  /** Whether its function is done, so that what its emissions decide has nothing to interrupt here. */
  readonly returning: boolean
  /** The position of one more emission. */
  positionOf(last: boolean): Position | undefined
  readonly attempts: number
  /** The number of an emission among those of this invocation. */
  number(): number
  /** The number of an event that came too late. */
  lateNumber(): number
}

/** The attempt of what is heard though it may fail. */
const attemptOf = ({ attempts, node }: Emitting, { tag }: Route): number | undefined =>
  node.streams?.has(tag) === true ? attempts : undefined

/** What a router needs of its run. */
export interface Routed {
  readonly workflow: string
  readonly recorder: Recorder | undefined
  /** Whether somebody asks for the ids of events and invocations. */
  readonly named: boolean
  readonly outcome: Outcome
  readonly lanes: ReadonlyArray<Lane>
  readonly ready: Ready
  readonly loop: Loop
  readonly intakes: Intakes
  readonly scopes: Scopes
  readonly calls: Factory
}

export class Router {
  /** Told each output event, where somebody listens. */
  onOutput: ((event: AnyEvent) => void) | undefined
  private readonly run: Routed
  private readonly recorder: Recorder | undefined
  private readonly named: boolean
  private readonly outcome: Outcome
  private readonly loop: Loop
  private readonly scopes: Scopes
  private readonly lanes: ReadonlyArray<Lane>
  private readonly ready: Ready
  private readonly intakes: Intakes

  constructor(run: Routed) {
    this.run = run
    this.recorder = run.recorder
    this.named = run.named
    this.outcome = run.outcome
    this.loop = run.loop
    this.scopes = run.scopes
    this.lanes = run.lanes
    this.ready = run.ready
    this.intakes = run.intakes
  }

  /** Sends an emission on its way; `last` where it is known to be the last one. Throws where the step may not emit it. */
  emit(from: Emitting, value: unknown, last: boolean): void {
    const route = routeOf(from.node, value)
    const event = eventOf(route, value)
    // Hot: most is returned by a step, at once, and goes on to another. Short enough to be compiled into the step's own call.
    const plainly = from.returning && !route.stop && !route.output && !this.named
    if (plainly && this.loop.inside && !this.outcome.reached && !from.cancelled) {
      this.enter(route, event, undefined, from.scope, from.positionOf(last))
    } else this.emitEvent(from, route, event, last)
  }

  /** Nothing ends the run half-way, such as an observer that aborts it at what it is told. */
  private emitEvent(from: Emitting, route: Route, event: AnyEvent, last: boolean): void {
    const { loop } = this
    const { inside } = loop
    loop.inside = true
    try {
      this.emitInside(from, route, event, last)
    } finally {
      loop.inside = inside
    }
    // What has returned it ends first.
    if (!inside && this.outcome.reached && !from.returning) loop.goOn()
  }

  private emitInside(from: Emitting, route: Route, event: AnyEvent, last: boolean): void {
    const id = this.named ? this.name(route, event, from.id!, from.number(), attemptOf(from, route)) : undefined
    if (this.outcome.reached || from.cancelled) {
      this.recorder?.droppedAtOnce(id!, this.outcome.reached ? "ended" : "raced")
    } else if (route.stop) {
      // What has returned the stop event ends first, and then all others are interrupted.
      this.outcome.stop(event, id, from.returning)
    } else {
      if (route.output) this.onOutput?.(event)
      this.enter(route, event, id, from.scope, from.positionOf(last))
      // What is returned together is delivered together.
      if (!from.returning) this.scopes.decideRaces()
    }
  }

  /** Names what is emitted, by the invocation that emits it or as what comes from outside, and records it. */
  private name(
    { def }: Route,
    event: AnyEvent,
    cause: string | undefined,
    index: number,
    attempt?: number | undefined
  ): string {
    const id = eventId(def.tag, cause ?? "outside", index)
    this.recorder?.emitted(id, def, event, cause ?? null, attempt)
    return id
  }

  /** An invocation that is over, or was cancelled, still emits: that comes to nothing. */
  late(from: Emitting, value: unknown): void {
    const { outcome, recorder } = this
    // Nothing comes after the entry that says that nothing is left running.
    if (recorder === undefined || outcome.finished) return
    try {
      const id = this.name(routeOf(from.node, value), value as AnyEvent, from.id!, from.lateNumber())
      recorder.droppedAtOnce(id, outcome.reached ? "ended" : from.cancelled ? "raced" : "late")
    } catch {
      // It is not an event that could be recorded, and nobody needs it.
    }
  }

  /** Names an event that comes from outside, the start event as number 0. */
  nameFromOutside(route: Route, event: AnyEvent, number: number): string | undefined {
    return this.named ? this.name(route, event, undefined, number) : undefined
  }

  /** Takes in what comes from outside. */
  enterFromOutside(
    route: Route,
    event: AnyEvent,
    id: string | undefined,
    scope: Scope,
    position: Position | undefined
  ): void {
    try {
      this.enter(route, event, id, scope, position)
    } catch (error) {
      if (!isOf(OutsideScope, error)) throw error
      this.outcome.end(Exit.die(new OutsideScope({ ...error, workflow: this.run.workflow })))
    }
  }

  /** Routes an event, in a scope of its own where it opens one. */
  private enter(
    route: Route,
    event: AnyEvent,
    id: string | undefined,
    around: Scope,
    position: Position | undefined
  ): void {
    if (route.opens === 0) {
      this.route(route, event, id, around, position)
      return
    }
    const scope = this.scopes.open(route.opens, around, event, id, position)
    this.route(route, event, id, scope, position)
    this.scopes.release(scope)
  }

  private route(
    { acceptors }: Route,
    event: AnyEvent,
    id: string | undefined,
    scope: Scope,
    around: Position | undefined
  ): void {
    if (acceptors.length === 0) around?.release()
    for (let i = 0; i < acceptors.length; i++) {
      const node = acceptors[i]!
      // Each of several acceptors takes a position of its own, so that what they emit has an order too.
      const position = i === acceptors.length - 1 ? around : around?.before()
      this.recorder?.delivered(id!, node)
      if (node.feeds.length > 0) this.scopes.come(node, scope)
      const collector = this.intakes.of(node)
      if (collector === undefined) this.deliver(node, event, scope, position, id)
      else this.offer(collector, event, id, scope, position)
    }
  }

  private offer(
    collector: Collector,
    event: AnyEvent,
    id: string | undefined,
    scope: Scope,
    position: Position | undefined
  ): void {
    try {
      collector.offer(event, id, scope, position)
    } catch (error) {
      this.recorder?.dropped({ node: collector.node, events: [id!] }, "ended")
      if (isOf(OutsideScope, error)) throw error
      // The intake's own `by` has thrown: that is no fault of whoever emitted.
      const { workflow } = this.run
      const defect = new StepDefect({ workflow, step: collector.node.name, input: event, cause: error })
      this.outcome.end(Exit.die(defect))
    }
  }

  /** Makes a step runnable with a batch of its intake; `round` tells batches of nothing apart. */
  push(
    node: Node,
    input: unknown,
    scope: Scope,
    position: Position | undefined,
    from: ReadonlyArray<Arrival>,
    round: number
  ): void {
    const delivery = this.deliver(node, input, scope, position, undefined)
    if (delivery === undefined || !this.named) return
    const events = from.map(({ id }) => id!)
    // A batch of nothing is named by its scope and round.
    delivery.name(events, events.length > 0 ? events : [scope.opener?.id ?? "", String(round)])
    this.recorder?.fired(delivery)
  }

  /** Gives the delivery, where it is made already. */
  private deliver(
    node: Node,
    input: unknown,
    scope: Scope,
    position: Position | undefined,
    event: string | undefined
  ): Delivery | undefined {
    const lane = this.lanes[node.index]!
    let delivery: Delivery | undefined
    if (lane.takesInputs) lane.push(input)
    else {
      delivery = this.run.calls.make(node, input, scope, position)
      if (event !== undefined) delivery.name([event])
      lane.push(delivery)
      if (this.scopes.counts(delivery)) this.scopes.enter(delivery)
    }
    this.ready.add(lane)
    return delivery
  }
}
