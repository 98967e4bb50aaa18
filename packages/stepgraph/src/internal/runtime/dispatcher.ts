/**
 * The heart of a run: routes what is emitted, and lets the runnable steps take turns until the run ends.
 *
 * One dispatcher serves the whole run. A list of runnable lanes, first in first out, and a flag that makes every nested
 * call return to one loop: no fiber is parked between two events that are ready, and no stack grows.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import * as Random from "effect/Random"
import type { SchedulerDispatcher } from "effect/Scheduler"
import { InvalidEmission, OutsideScope, StepDefect } from "../../Errors.ts"
import type { AnyEvent } from "../../Event.ts"
import { Probe } from "../../Probe.ts"
import { Observer } from "../../Trace.ts"
import type { Graph, Node, Route } from "../graph/graph.ts"
import type { Emission } from "./cell.ts"
import type { Collector, Dispatch } from "./collector.ts"
import { type Ended, Ending } from "./ending.ts"
import { Intakes } from "./intakes.ts"
import { Invocation, type Run } from "./invocation.ts"
import { Lane, type Making } from "./lane.ts"
import { Place } from "./place.ts"
import { Races } from "./races.ts"
import { CurrentInvocation, Recorder } from "./recorder.ts"
import { Room } from "./room.ts"
import { Quietness, Scope, type Watch } from "./scope.ts"
import { type RunStatus, Standing } from "./standing.ts"
import { RunState } from "./state.ts"
import { telemetryOf } from "./telemetry.ts"
import { type Timer, Timers } from "./timers.ts"
import { eventsInTurn, Turns } from "./turns.ts"

/** Where an emission goes. Throws `InvalidEmission` where its step has not declared it. */
const routeOf = ({ first, routes }: Node, value: unknown): Route => {
  const tag = (value as AnyEvent | undefined)?._tag as string
  if (first !== undefined && first.tag === tag) return first
  const route = routes.get(tag)
  if (route === undefined) throw new InvalidEmission({ emitted: value, declared: [...routes.keys()] })
  return route
}

/**
 * What defineEvent makes is frozen; anything else is a literal that nobody has checked yet.
 *
 * Hot: 0.009 µs. A private field on events is found in 0.001, but putting it there made a fan-out of 100,000 slower by a fifth.
 */
const eventOf = ({ def }: Route, value: unknown): AnyEvent =>
  Object.isExtensible(value) ? def(value) : (value as AnyEvent)

export class Dispatcher implements Run, Dispatch, Ended, Making {
  readonly workflow: string
  readonly context: Context.Context<never>
  readonly fiberId: number
  readonly root: Scope
  readonly ordered: boolean
  readonly plain: boolean
  readonly recorder: Recorder | undefined
  readonly probe: Probe | undefined
  readonly state = new RunState()
  readonly ending: Ending
  private readonly graph: Graph
  private readonly scheduler: SchedulerDispatcher
  private readonly lanes: ReadonlyArray<Lane>
  private readonly intakes: Intakes
  private readonly standing: Standing
  private readonly quietness: Quietness
  private readonly races: Races
  private readonly turns = new Turns()
  /** Deliveries that wait or run, and timers: while there is one, something can still happen. */
  private pending = 0
  private readonly invocations = new Set<Invocation>()
  private readonly room: Room
  private readonly timers: Timers
  private draining = false
  private scheduled = false
  /** Counted over all that happens until the scheduler has had a turn: a loop of promises is as endless as any other. */
  private leftInTurn = eventsInTurn
  /** Told each output event, where somebody listens. */
  onOutput: ((event: AnyEvent) => void) | undefined
  private generatedId: string | undefined
  private stopId: string | undefined
  private readonly fromObservers: Array<() => void> = []
  /** Whether events could ever be sent to it. */
  private launched = false
  private inputsOpen = false
  private inputs = 0
  private warned = false

  constructor(graph: Graph, fiber: Fiber<unknown, unknown>) {
    this.graph = graph
    this.workflow = graph.name
    this.context = fiber.context
    this.fiberId = fiber.id
    this.scheduler = fiber.currentDispatcher
    this.ordered = graph.ordered
    this.timers = new Timers(this.context, this.fiberId)
    this.ending = new Ending(this)
    const observer = Context.get(this.context, Observer)
    const telemetry = telemetryOf(graph, fiber)
    if (observer !== undefined || telemetry !== undefined) {
      this.recorder = new Recorder(this.id, observer, telemetry, () => this.timers.now())
    }
    this.plain = !graph.ordered && graph.kinds.length === 1 && this.recorder === undefined
    this.probe = Context.get(this.context, Probe)
    this.lanes = graph.nodes.map((node) => {
      // Where a race may have to call it off, each has to be known.
      const making = this.plain && node.feeds.length === 0 ? this : undefined
      return new Lane(node, this.context, making)
    })
    this.room = new Room(this.lanes)
    this.intakes = new Intakes(graph, this)
    this.standing = new Standing(graph, this.lanes, this.intakes)
    this.quietness = new Quietness(graph, (watch) => this.intakes.of(watch.quiet.node)!.quiet(watch))
    this.races = new Races(graph, this.quietness, ({ quiet, scope }) => this.intakes.of(quiet.node)!.drop(scope))
    this.root = new Scope(graph, 0, undefined, undefined, Place.root)
    this.probe?.began(graph.name, () => this.status())
  }

  get id(): string {
    this.generatedId ??= Context.get(this.context, Random.Random).nextIntUnsafe().toString(36).replace("-", "")
    return this.generatedId
  }

  // ---------------------------------------------------------------- from the start to the end

  /** Begins the run with its start event, and works until everything waits for something. */
  begin(start: AnyEvent, timeout: Duration.Input | undefined): void {
    this.inOnePiece(() => {
      const { recorder } = this
      recorder?.record({
        _tag: "RunStarted",
        workflow: this.workflow,
        parent: Context.get(this.context, CurrentInvocation)
      })
      if (this.over) return
      const id = recorder?.emitted(this.graph.start.def, start, null, 0)
      if (timeout !== undefined) {
        const duration = Duration.fromInputUnsafe(timeout)
        this.timers.start(duration, () => this.ending.end(Exit.fail(this.standing.timedOut(duration))))
      }
      this.openScope(this.root)
      this.enterFromOutside(this.graph.start, start, id, Place.root)
      this.quietness.release(this.root)
      this.races.endMoment()
    })
    this.drain()
  }

  /** Lets the run wait for events from outside, until `closeInputs`. */
  openInputs(): void {
    this.launched = true
    this.inputsOpen = true
    this.quietness.openInputs(this.root)
  }

  /** Takes in an event from outside; `false` where it comes too late. */
  input(route: Route, event: AnyEvent): boolean {
    if (!this.inputsOpen || this.over) return false
    this.betweenEntries(() => this.takeIn(route, event))
    return true
  }

  private takeIn(route: Route, event: AnyEvent): void {
    this.inOnePiece(() => {
      const number = ++this.inputs
      const id = this.recorder?.emitted(route.def, event, null, number)
      if (this.over) {
        this.recorder?.droppedAtOnce(id!, "ended")
        return
      }
      // After everything that the start event led to, in the order sent.
      const place = Place.root.child(Number.MAX_SAFE_INTEGER).child(number)
      this.enterFromOutside(route, event, id, place)
    })
    this.wake()
    this.ending.finishIfDone()
  }

  closeInputs(): void {
    if (!this.inputsOpen || this.over) return
    this.inputsOpen = false
    this.betweenEntries(() => {
      if (this.over) return
      this.quietness.closeInputs(this.root)
      this.races.endMoment()
      this.drain()
    })
  }

  /**
   * Does what comes from outside, in the order in which it comes. An observer is told of things when they are half done: what
   * comes from there, and all that comes after it, waits until everybody else has had a turn.
   */
  private betweenEntries(work: () => void): void {
    if (!this.recorder?.telling && this.fromObservers.length === 0) {
      work()
      return
    }
    this.pending++
    this.fromObservers.push(() => {
      this.pending--
      work()
    })
    this.scheduler.scheduleTask(() => this.fromObservers.shift()?.(), 0)
  }

  status(): RunStatus {
    const state = this.ending.finished ? "ended" : this.over ? "ending" : "running"
    return this.standing.status(state, this.inputsOpen && !this.over ? "open" : "closed")
  }

  /** Whether it has an outcome. */
  get over(): boolean {
    return this.ending.outcome !== undefined
  }

  get atWork(): boolean {
    // Ended by an observer in the middle of what it is told of: that is told to its end first.
    return this.draining || this.invocations.size > 0 || this.recorder?.telling === true
  }

  interruptAll(): void {
    this.timers.cancelAll()
    for (const invocation of [...this.invocations]) invocation.interrupt()
  }

  tellEnd(outcome: Exit.Exit<AnyEvent, unknown>): void {
    const { recorder } = this
    if (recorder === undefined) return
    for (const work of this.fromObservers.splice(0)) work()
    for (const lane of this.lanes) {
      for (let left = lane.take(); left !== undefined; left = lane.take()) recorder.dropped(left, "ended")
    }
    for (const left of this.intakes.left()) recorder.dropped(left, "left over")
    recorder.finished(outcome, this.stopId)
  }

  // ---------------------------------------------------------------- events on their way

  accept(node: Node, value: unknown): AnyEvent {
    return eventOf(routeOf(node, value), value)
  }

  emit(from: Invocation, value: unknown, place: Place): void {
    const { node } = from
    const route = routeOf(node, value)
    const event = eventOf(route, value)
    const id = this.recorder?.emitted(route.def, event, from.id!, from.number())
    if (this.over || from.calledOff) {
      this.recorder?.droppedAtOnce(id!, this.over ? "ended" : "raced")
    } else if (route.stop) {
      this.stopId = id
      this.ending.outcome = Exit.succeed(event)
      // What has returned the stop event ends first, and then all others are interrupted.
      if (!from.returning) this.ending.shutDown()
    } else {
      if (route.output) this.onOutput?.(event)
      this.enter(route, event, id, from.scope, place)
      // What is returned together is delivered together.
      if (!from.returning) this.races.endMoment()
    }
  }

  /** Lets nothing end the run half-way, such as an observer that aborts it at what it is told. */
  private inOnePiece(work: () => void): void {
    const { draining } = this
    this.draining = true
    work()
    this.draining = draining
  }

  private enterFromOutside(route: Route, event: AnyEvent, id: string | undefined, place: Place): void {
    try {
      this.enter(route, event, id, this.root, place)
      this.races.endMoment()
    } catch (error) {
      const { workflow } = this
      this.ending.end(Exit.die(error instanceof OutsideScope ? new OutsideScope({ ...error, workflow }) : error))
    }
  }

  /** Routes an event, in a scope of its own where it opens one. */
  private enter(route: Route, event: AnyEvent, id: string | undefined, around: Scope, place: Place): void {
    if (route.opens === 0) {
      this.route(route, event, id, around, place)
      return
    }
    const scope = new Scope(this.graph, route.opens, around, { event, id }, place)
    this.openScope(scope)
    this.route(route, event, id, scope, place)
    this.quietness.release(scope)
  }

  private openScope(scope: Scope): void {
    this.quietness.hold(scope)
    this.intakes.open(scope)
  }

  private route({ acceptors }: Route, event: AnyEvent, id: string | undefined, scope: Scope, around: Place): void {
    for (let i = 0; i < acceptors.length; i++) {
      const node = acceptors[i]!
      // Each of several acceptors takes a place of its own, so that what they emit has an order too.
      const place = acceptors.length === 1 || !this.ordered ? around : around.child(i)
      this.recorder?.record({ _tag: "EventDelivered", event: id!, step: node.name })
      if (node.feeds.length > 0) this.quietness.come(node, scope)
      const collector = this.intakes.of(node)
      if (collector === undefined) this.deliverTo(node, event, scope, place, id)
      else this.offer(collector, event, id, scope, place)
    }
  }

  private offer(collector: Collector, event: AnyEvent, id: string | undefined, scope: Scope, place: Place): void {
    try {
      collector.offer(event, id, scope, place)
    } catch (error) {
      this.recorder?.dropped({ node: collector.node, events: [id!] }, "ended")
      if (error instanceof OutsideScope) throw error
      // The intake's own `by` has thrown: that is no fault of whoever emitted.
      const { workflow } = this
      const defect = new StepDefect({ workflow, step: collector.node.name, event, cause: error })
      this.ending.end(Exit.die(defect))
    }
  }

  push(node: Node, input: unknown, scope: Scope, place: Place, from: ReadonlyArray<Emission>, round: number): void {
    const delivery = this.deliverTo(node, input, scope, place, undefined)
    if (delivery !== undefined) this.recorder?.fired(delivery, from, round)
  }

  /** Gives the delivery, where it is made already. */
  private deliverTo(
    node: Node,
    input: unknown,
    scope: Scope,
    place: Place,
    event: string | undefined
  ): Invocation | undefined {
    const lane = this.lanes[node.index]!
    let delivery: Invocation | undefined
    this.pending++
    if (lane.takesInputs) lane.push(input)
    else {
      delivery = new Invocation(this, node, input, scope, place)
      if (event !== undefined) delivery.name([event])
      lane.push(delivery)
      if (node.feeds.length > 0) this.quietness.enter(delivery)
    }
    this.turns.list(lane)
    return delivery
  }

  delivery(node: Node, input: unknown): Invocation {
    return new Invocation(this, node, input, this.root, Place.root)
  }

  decided(race: Watch, take: () => () => void): void {
    this.races.decided(race, take)
  }

  callOff(delivery: Invocation): void {
    if (delivery.calledOff) return
    delivery.calledOff = true
    this.recorder?.dropped(delivery, "raced")
    this.lanes[delivery.node.index]!.waiting--
    this.pending--
    this.quietness.leave(delivery)
  }

  raced(node: Node, id: string | undefined): void {
    this.recorder?.dropped({ node, events: [id!] }, "raced")
  }

  // ---------------------------------------------------------------- turns

  private drain(): void {
    if (this.draining || this.scheduled) return
    this.draining = true
    while (!this.over) {
      if (this.leftInTurn-- === 0 || (this.probe !== undefined && !this.turns.chosen(this.probe.next))) {
        this.schedule()
        break
      }
      const lane = this.turns.next()
      if (lane !== undefined) this.work(lane)
      else if (!this.room.refill() && !this.room.letThrough()) break
    }
    this.draining = false
    if (this.over) this.ending.finishIfDone()
    else if (this.pending === 0 && !this.inputsOpen) this.ending.end(Exit.fail(this.standing.stalled(this.launched)))
    else if (this.pending === 0 && !this.warned) this.warnOfInputs()
  }

  /** A gather that waits for nothing but the end of the inputs would wait for ever where nobody thinks of closing them. */
  private warnOfInputs(): void {
    for (const { node } of this.quietness.waitingForInputs(this.root)) {
      this.warned = true
      Effect.runForkWith(this.context)(Effect.logWarning(this.standing.waitsForInputs(node)))
    }
  }

  /** Lets one worker of a lane take what is next. */
  private work(lane: Lane): void {
    const delivery = lane.take()
    if (delivery === undefined) return
    lane.busy++
    this.turns.list(lane)
    const hasRoom = this.room.returns(lane)
    delivery.start()
    // Not before: what a producer then emits may decide a race, and call off what has been taken and has not begun.
    if (hasRoom) this.room.refill()
  }

  wake(): void {
    if (this.draining || this.scheduled || this.over) return
    this.schedule()
  }

  private schedule(): void {
    this.scheduled = true
    this.scheduler.scheduleTask(() => {
      this.scheduled = false
      this.leftInTurn = eventsInTurn
      this.drain()
    }, 0)
  }

  // ---------------------------------------------------------------- invocations

  running(invocation: Invocation): void {
    this.invocations.add(invocation)
    // The step's own code may have ended the run, or decided a race, before it came to wait for anything.
    if (this.over || invocation.calledOff) invocation.interrupt()
  }

  contextOf({ id }: Invocation): Context.Context<never> {
    if (this.recorder === undefined) return this.context
    const current = { run: this.id, workflow: this.workflow, invocation: id! }
    const context = Context.add(this.context, CurrentInvocation, current)
    return this.recorder.telemetry?.contextOf(id!, context) ?? context
  }

  settled(invocation: Invocation, exit: Exit.Exit<unknown, unknown>): void {
    const { node } = invocation
    const lane = this.lanes[node.index]!
    this.recorder?.ended(invocation.attempts, invocation, exit, this.over || invocation.calledOff)
    if (Exit.isFailure(exit)) this.failed(invocation, exit.cause)
    // While it still counts as running, so that a run whose last work this is does not look stalled.
    if (!this.over) this.races.endMoment()
    if (this.invocations.size > 0) this.invocations.delete(invocation)
    lane.busy--
    this.pending--
    if (this.over) {
      this.ending.shutDown()
      return
    }
    if (node.feeds.length > 0) {
      this.quietness.leave(invocation)
      this.races.endMoment()
    }
    this.turns.list(lane)
    this.drain()
  }

  private failed(invocation: Invocation, cause: Cause.Cause<unknown>): void {
    if (!this.over && !invocation.calledOff) this.ending.fail(invocation, cause)
    // What stands behind the interruption came of it; what stands before is the step's own failure, already on its way.
    else if (cause.reasons[0]?._tag === "Interrupt" && !Cause.hasInterruptsOnly(cause)) {
      this.recorder?.finalizerFailed(invocation, cause)
      this.ending.finalizerFailed(invocation, cause)
    }
  }

  fail(invocation: Invocation, cause: Cause.Cause<unknown>): void {
    this.ending.fail(invocation, cause)
  }

  collect(invocation: Invocation, tags: ReadonlyArray<string>): ReadonlyArray<AnyEvent> | undefined {
    return this.intakes.byHand(invocation).offer(invocation, tags)
  }

  // ---------------------------------------------------------------- room and time

  hasRoom(node: Node): boolean {
    return this.room.has(node)
  }

  awaitRoom(node: Node): Effect.Effect<void> {
    return this.room.await(node, () => this.wake())
  }

  now(): number {
    return this.timers.now()
  }

  after(node: Node, scope: Scope, millis: number, then: () => void, cancelled: () => void): Timer {
    const flight = { node, scope, underWay: false, cancel: () => timer.cancel() }
    const done = () => {
      this.pending--
      if (this.over) return
      this.quietness.leave(flight)
      this.races.endMoment()
    }
    const fired = () => {
      then()
      done()
      this.drain()
    }
    const timer = this.timers.start(millis, fired, () => {
      cancelled()
      done()
    })
    this.pending++
    this.quietness.enter(flight)
    // An observer may have ended the run meanwhile.
    if (this.over) timer.cancel()
    return timer
  }
}
