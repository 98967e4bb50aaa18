/**
 * Routes an event to every step that accepts it, into its intake or its lane, in a new scope if the event opens one.
 */

import * as Exit from "effect/Exit"
import { InvalidEmission, OutsideScope, StepDefect } from "../../../Errors.ts"
import type { AnyEvent } from "../../../Event.ts"
import { isOf } from "../../../Look.ts"
import { hasMade } from "../../../Made.ts"
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

/** The route of an emission. Throws `InvalidEmission` if its step has not declared the event. */
const routeOf = ({ first, routes }: Node, value: unknown): Route => {
  const tag = (value as AnyEvent | undefined)?._tag as string
  if (first !== undefined && first.tag === tag) return first
  const route = routes.get(tag)
  if (route === undefined) throw new InvalidEmission({ emitted: value, declared: [...routes.keys()] })
  return route
}

/** The event that a value stands for: itself if its definition created it, otherwise a literal, which is checked. */
const eventOf = ({ def, recognizes }: Route, value: unknown): AnyEvent =>
  hasMade(def, value) || recognizes(value as AnyEvent) ? (value as AnyEvent) : def(value)

/** The event that a value stands for. Throws if the step may not emit it. */
export const emissionOf = (node: Node, value: unknown): AnyEvent => eventOf(routeOf(node, value), value)

/** The invocation that emits. */
export interface Emitting extends Delivery {
  /** Whether its function is done, so that a race decided by its emissions need not interrupt it. */
  readonly returning: boolean
  /** Creates the position of the next emission. */
  positionOf(last: boolean): Position | undefined
  readonly attempts: number
  /** The number of the next emission within this invocation. */
  number(): number
  /** The number of an event that came too late. */
  lateNumber(): number
}

/** The current attempt, for an event that is heard even if the attempt fails. */
const attemptOf = ({ attempts, node }: Emitting, { tag }: Route): number | undefined =>
  node.streams?.has(tag) === true ? attempts : undefined

/** The run that a router serves. */
export interface Routed {
  readonly workflow: string
  readonly recorder: Recorder | undefined
  /** Whether ids of events and invocations are needed. */
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
  /** Receives each output event, if anyone listens. */
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

  /** Routes an emission; `last` if it is known to be the last one. Throws if the step may not emit it. */
  emit(from: Emitting, value: unknown, last: boolean): void {
    const route = routeOf(from.node, value)
    const event = eventOf(route, value)
    // Hot: most events are returned by one step and go to another. Short enough to be inlined into the step's call.
    const plainly = from.returning && !route.stop && !route.output && !this.named
    if (plainly && this.loop.inside && !this.outcome.reached && !from.cancelled) {
      this.enter(route, event, undefined, from.scope, from.positionOf(last))
    } else this.emitEvent(from, route, event, last)
  }

  /** Keeps the run from ending half-way, for example if an observer aborts it. */
  private emitEvent(from: Emitting, route: Route, event: AnyEvent, last: boolean): void {
    const { loop } = this
    const { inside } = loop
    loop.inside = true
    try {
      this.emitInside(from, route, event, last)
    } finally {
      loop.inside = inside
    }
    // The invocation that returned it ends first.
    if (!inside && this.outcome.reached && !from.returning) loop.goOn()
  }

  private emitInside(from: Emitting, route: Route, event: AnyEvent, last: boolean): void {
    const id = this.named ? this.name(route, event, from.id!, from.number(), attemptOf(from, route)) : undefined
    if (this.outcome.reached || from.cancelled) {
      this.recorder?.droppedAtOnce(id!, this.outcome.reached ? "ended" : "raced")
    } else if (route.stop) {
      // The invocation that returned the stop event ends first, then all others are interrupted.
      this.outcome.stop(event, id, from.returning)
    } else {
      if (route.output) this.onOutput?.(event)
      this.enter(route, event, id, from.scope, from.positionOf(last))
      // Events returned together are delivered together.
      if (!from.returning) this.scopes.decideRaces()
    }
  }

  /** Gives an event its id, from the invocation that emitted it or as one from outside, and records it. */
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

  /** Drops an emission of an invocation that is over or was cancelled. */
  late(from: Emitting, value: unknown): void {
    const { outcome, recorder } = this
    // The entry for the end of the run is the last one.
    if (recorder === undefined || outcome.finished) return
    try {
      const id = this.name(routeOf(from.node, value), value as AnyEvent, from.id!, from.lateNumber())
      recorder.droppedAtOnce(id, outcome.reached ? "ended" : from.cancelled ? "raced" : "late")
    } catch {
      // Not an event, so there is nothing to record.
    }
  }

  /** Gives an event from outside its id; the start event is number 0. */
  nameFromOutside(route: Route, event: AnyEvent, number: number): string | undefined {
    return this.named ? this.name(route, event, undefined, number) : undefined
  }

  /** Takes in an event from outside. */
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

  /** Routes an event, in a new scope if it opens one. */
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
      // Each of several acceptors gets a separate position, so that their emissions are ordered, too.
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
      // The intake's `by` has thrown, which is not the emitter's fault.
      const { workflow } = this.run
      const defect = new StepDefect({ workflow, step: collector.node.name, input: event, cause: error })
      this.outcome.end(Exit.die(defect))
    }
  }

  /** Makes a step runnable with a batch of its intake; `round` distinguishes empty batches. */
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
    // An empty batch is named by its scope and round.
    delivery.name(events, events.length > 0 ? events : [scope.opener?.id ?? "", String(round)])
    this.recorder?.fired(delivery)
  }

  /** Returns the delivery, if it has been made already. */
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
