/**
 * The heart of a run: routes emissions, and lets the runnable steps take turns until the run ends.
 *
 * One dispatcher serves the whole run. Everything that happens to it is a moment of its `loop.ts`.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import type { SchedulerDispatcher } from "effect/Scheduler"
import { InvalidEmission, OutsideScope, StepDefect } from "../../../Errors.ts"
import { type AnyEvent, type Defs, isLatest } from "../../../Event.ts"
import { Host, type RunHost, type Sleep } from "../../../Host.ts"
import { isOf } from "../../../Look.ts"
import type { RunStatus } from "../../../RunStatus.ts"
import { CurrentInvocation, Observer } from "../../../Trace.ts"
import type { Graph, Node, Route } from "../../graph/graph.ts"
import { Invocation } from "../call/invocation.ts"
import type { Run } from "../call/run.ts"
import { RunState } from "../call/state.ts"
import { Ambient } from "../flow/ambient.ts"
import { type Outlet, Room } from "../flow/back-pressure.ts"
import { Lane, type Making } from "../flow/lane.ts"
import { type Driven, Loop } from "../flow/loop.ts"
import { type Ended, Ending, runDefect } from "../flow/outcome.ts"
import { Turns } from "../flow/ready.ts"
import { aborted } from "../flow/reasons.ts"
import { type Timed, type Timer, Timers } from "../flow/timers.ts"
import type { Collector, Dispatch } from "../intake/collector.ts"
import { Intakes } from "../intake/intakes.ts"
import type { Arrival } from "../scope/arrival.ts"
import { Lifetime } from "../scope/lifetime.ts"
import { Place } from "../scope/position.ts"
import { Quietness } from "../scope/quiescence.ts"
import { Races } from "../scope/races.ts"
import { type Flight, Scope, type Watch } from "../scope/scope.ts"
import { eventId, newRunId } from "../trace/ids.ts"
import { Recorder } from "../trace/recorder.ts"
import { telemetryOf } from "../trace/telemetry.ts"
import { Standing } from "./status.ts"

/** The route of an emission. Throws `InvalidEmission` if its step has not declared it. */
const routeOf = ({ first, routes }: Node, value: unknown): Route => {
  const tag = (value as AnyEvent | undefined)?._tag as string
  if (first !== undefined && first.tag === tag) return first
  const route = routes.get(tag)
  if (route === undefined) throw new InvalidEmission({ emitted: value, declared: [...routes.keys()] })
  return route
}

/** The event for an emitted value: the value itself if its definition made it, otherwise a literal to be checked. */
const eventOf = ({ def, recognizes }: Route, value: unknown): AnyEvent =>
  isLatest(def, value) || recognizes(value as AnyEvent) ? (value as AnyEvent) : def(value)

export class Dispatcher implements Run, Dispatch, Ended, Making, Driven, Timed {
  readonly workflow: string
  readonly context: Context.Context<never>
  readonly fiberId: number
  readonly root: Scope
  /** The end of the order of emission, if the graph needs that order. */
  readonly end: Place | undefined
  readonly plain: boolean
  readonly recorder: Recorder | undefined
  readonly host: RunHost | undefined
  /** Whether somebody asks for the ids of events and invocations. */
  readonly named: boolean
  readonly state = new RunState()
  readonly ending: Ending
  timedOut = false
  private readonly graph: Graph
  private readonly scheduler: SchedulerDispatcher
  private readonly lanes: ReadonlyArray<Lane>
  private readonly intakes: Intakes
  private readonly quietness: Quietness
  private readonly races: Races
  private readonly lifetime: Lifetime
  private readonly turns = new Turns()
  /** Deliveries that wait or run, and timers: while there are any, something can still happen. */
  private pending = 0
  /** Invocations that continue by themselves. A run that never waits has none, so the set is created on demand. */
  private invocations: Set<Invocation> | undefined
  private readonly room: Room
  private readonly timers: Timers
  private readonly loop: Loop
  private readonly ambient = new Ambient()
  private shuttingDown = false
  /** Whether its own machinery has failed, so its counts may be wrong. */
  private broken = false
  /** Receives each output event, if anyone listens. */
  onOutput: ((event: AnyEvent) => void) | undefined
  private generatedId: string | undefined
  private stopId: string | undefined
  private fromObservers: Array<() => void> | undefined
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
    this.host = this.hosted()
    this.timers = new Timers(this.context, this.fiberId, this.host, this)
    this.ending = new Ending(this)
    const observer = Context.get(this.context, Observer)
    const telemetry = telemetryOf(graph, fiber)
    if (observer !== undefined || telemetry !== undefined) {
      const failed = (error: unknown) => this.log(runDefect(this.workflow, "recording its trace", error))
      this.recorder = new Recorder(this.id, observer, telemetry, () => this.timers.now(), failed)
    }
    this.named = this.recorder !== undefined || this.host !== undefined
    this.plain = !graph.ordered && graph.kinds.length === 1 && !this.named
    this.lanes = graph.nodes.map((node) => {
      // If a race may cancel them, each must be known.
      const making = this.plain && node.feeds.length === 0 ? this : undefined
      return new Lane(node, this.context, making)
    })
    this.room = new Room(this.lanes)
    const { scheduler } = fiber.cache
    this.loop = new Loop(this, this.turns, this.room, this.host?.next, this.ambient, scheduler, this.scheduler)
    this.intakes = new Intakes(graph, this)
    this.quietness = new Quietness(this.intakes)
    this.races = new Races(this.quietness)
    this.root = new Scope(graph, 0, undefined, undefined)
    this.lifetime = new Lifetime(this.root, this.intakes)
    this.end = graph.ordered ? Place.end() : undefined
  }

  private hosted(): RunHost | undefined {
    const { context, workflow } = this
    const host = Context.get(context, Host)
    return host?.({ workflow, parent: Context.get(context, CurrentInvocation), status: () => this.status() })
  }

  get id(): string {
    this.generatedId ??= this.host?.runId?.() ?? newRunId()
    return this.generatedId
  }

  // ---------------------------------------------------------------- from the start to the end

  /** Begins the run with its start event, and works until everything waits. */
  begin(start: AnyEvent, timeout: Duration.Input | undefined): void {
    // The emitter calls `by` synchronously.
    if (this.graph.keyed) this.ambient.capture()
    this.loop.moment("beginning", () => {
      const { recorder } = this
      recorder?.began(this.workflow, this.context)
      if (this.over) return
      const id = this.emission(this.graph.start, start, undefined, 0)
      if (timeout !== undefined) this.startTimeout(Duration.fromInputUnsafe(timeout))
      const place = this.end?.before()
      this.openScope(this.root, place)
      this.enterFromOutside(this.graph.start, start, id, place)
      this.quietness.release(this.root)
      this.races.endMoment()
    })
    // Everything from here on comes from another context.
    if (!this.ending.finished) this.ambient.capture()
  }

  inContext<A>(work: () => A): A {
    return this.ambient.enter(work)
  }

  private startTimeout(duration: Duration.Duration): void {
    this.timers.start({ why: "run", id: "timeout", millis: Duration.toMillis(duration) }, () => {
      this.loop.moment("timing out", () => {
        this.timedOut = true
        const error = this.standing.timedOut(duration)
        this.ending.end(Exit.fail(error), error)
      })
    })
  }

  /** Lets the run wait for events from outside, until `closeInputs`. */
  openInputs(): void {
    this.launched = true
    this.inputsOpen = true
    this.quietness.openInputs(this.root)
  }

  /** Takes an event from outside; `false` if it is too late. */
  input(route: Route, event: AnyEvent): boolean {
    if (!this.inputsOpen || this.over) return false
    this.betweenEntries(() => this.takeIn(route, event))
    return true
  }

  private takeIn(route: Route, event: AnyEvent): void {
    const takeIn = () => {
      const number = ++this.inputs
      const id = this.emission(route, event, undefined, number)
      if (this.over) {
        this.recorder?.droppedAtOnce(id!, "ended")
        return
      }
      // After everything that the start event led to, in the order sent.
      this.enterFromOutside(route, event, id, this.end?.before())
    }
    this.inContext(() => this.loop.moment("taking in an input", takeIn, true))
  }

  closeInputs(): void {
    if (!this.inputsOpen || this.over) return
    this.inputsOpen = false
    const close = () => {
      if (this.over) return
      this.quietness.closeInputs(this.root)
      this.races.endMoment()
    }
    this.betweenEntries(() => this.inContext(() => this.loop.moment("closing the inputs", close)))
  }

  /**
   * Handles what comes from outside, in order. An observer runs in the middle of things, so everything that comes from
   * it, and everything after that, waits until all other work has had a turn.
   */
  private betweenEntries(work: () => void): void {
    if (!this.recorder?.telling && !this.fromObservers?.length) {
      work()
      return
    }
    this.fromObservers ??= []
    const { fromObservers } = this
    this.pending++
    fromObservers.push(() => {
      this.pending--
      work()
    })
    const next = () => {
      try {
        fromObservers.shift()?.()
      } catch (error) {
        this.collapse(error, "taking in what an observer sent")
      }
    }
    this.scheduler.scheduleTask(next, 0)
  }

  private get standing(): Standing {
    return new Standing(this.graph, this.lanes, this.intakes)
  }

  status(): RunStatus {
    const state = this.ending.finished ? "ended" : this.over ? "ending" : "running"
    return this.standing.status(state, this.inputsOpen && !this.over ? "open" : "closed")
  }

  /** Reports the events that were left over when it stopped. */
  leftOver(): string | undefined {
    const { outcome } = this.ending
    return outcome !== undefined && Exit.isSuccess(outcome) ? this.standing.leftOver(outcome.value._tag) : undefined
  }

  /** Whether it has an outcome. */
  get over(): boolean {
    return this.ending.outcome !== undefined
  }

  get failing(): boolean {
    return this.ending.failed
  }

  /** Whether an invocation of it continues by itself. */
  private get waits(): boolean {
    return this.invocations !== undefined && this.invocations.size > 0
  }

  get atWork(): boolean {
    if (this.broken) this.forgetEnded()
    // If an observer ended it in the middle of an entry, finish that entry first.
    return this.waits || this.recorder?.telling === true
  }

  /** The invocations whose end was lost half-way. */
  private forgetEnded(): void {
    const { invocations } = this
    for (const invocation of invocations ?? []) if (invocation.ended) invocations!.delete(invocation)
  }

  shutDown(): void {
    if (this.shuttingDown || this.loop.tooDeep()) return
    if (this.waits || !this.timers.none) {
      this.inContext(() => this.interruptAll())
      return
    }
    this.shuttingDown = true
    this.loop.goOn()
  }

  private interruptAll(): void {
    this.loop.moment("interrupting what runs", () => {
      this.shuttingDown = true
      try {
        this.timers.cancelAll()
      } catch (error) {
        this.notInterrupted(error, "cancelling its timers")
      }
      for (const invocation of [...(this.invocations ?? [])]) {
        try {
          invocation.interrupt()
        } catch (error) {
          this.notInterrupted(error, `interrupting step '${invocation.node.name}'`)
        }
      }
    })
  }

  /** The others are interrupted anyway, and this one is tried once more. */
  private notInterrupted(error: unknown, place: string): void {
    if (!this.broken) this.shuttingDown = false
    this.collapse(error, place)
  }

  finish(): void {
    this.shutDown()
    this.ending.finishIfDone()
  }

  broke(error: unknown, place: string): void {
    this.broken = true
    const defect = runDefect(this.workflow, place, error)
    if (this.ending.finished) this.log(defect)
    else this.ending.broke(defect)
  }

  collapse(error: unknown, place: string): void {
    this.loop.collapse(error, place)
  }

  private log(defect: Error): void {
    Effect.runForkWith(this.context)(Effect.logError(defect))
  }

  tellEnd(outcome: Exit.Exit<AnyEvent, unknown>): void {
    const { recorder } = this
    if (recorder === undefined) return
    for (const work of this.fromObservers?.splice(0) ?? []) work()
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

  emit(from: Invocation, value: unknown, last: boolean): void {
    const { node } = from
    const route = routeOf(node, value)
    const event = eventOf(route, value)
    // Hot: most is returned by a step, at once, and goes on to another. Short enough to be compiled into the step's own call.
    const plainly = from.returning && !route.stop && !route.output && !this.named
    if (plainly && this.loop.inside && !this.over && !from.calledOff) {
      this.enter(route, event, undefined, from.scope, from.placeOf(last))
    } else this.emitEvent(from, route, event, last)
  }

  /** Nothing may end the run half-way, such as an observer that aborts it. */
  private emitEvent(from: Invocation, route: Route, event: AnyEvent, last: boolean): void {
    const { loop } = this
    const { inside } = loop
    loop.inside = true
    try {
      this.emitInside(from, route, event, last)
    } finally {
      loop.inside = inside
    }
    // Its emitter ends first.
    if (!inside && this.over && !from.returning) loop.goOn()
  }

  private emitInside(from: Invocation, route: Route, event: AnyEvent, last: boolean): void {
    const id = this.named ? this.emission(route, event, from.id!, from.number()) : undefined
    if (this.over || from.calledOff) {
      this.recorder?.droppedAtOnce(id!, this.over ? "ended" : "raced")
    } else if (route.stop) {
      this.stopId = id
      this.ending.outcome = Exit.succeed(event)
      // The emitter of the stop event ends first; then all others are interrupted.
      if (!from.returning) this.shutDown()
    } else {
      if (route.output) this.onOutput?.(event)
      this.enter(route, event, id, from.scope, from.placeOf(last))
      // Events that are returned together are delivered together.
      if (!from.returning) this.races.endMoment()
    }
  }

  /** Names what is emitted, by the invocation that emits it or as what comes from outside, and records it. */
  private emission({ def }: Route, event: AnyEvent, cause: string | undefined, index: number): string | undefined {
    if (!this.named) return undefined
    const id = eventId(def.tag, cause ?? "outside", index)
    this.recorder?.emitted(id, def, event, cause ?? null)
    return id
  }

  private enterFromOutside(route: Route, event: AnyEvent, id: string | undefined, place: Place | undefined): void {
    try {
      this.enter(route, event, id, this.root, place)
      this.races.endMoment()
      this.lifetime.letGo()
    } catch (error) {
      if (!isOf(OutsideScope, error)) throw error
      this.ending.end(Exit.die(new OutsideScope({ ...error, workflow: this.workflow })))
    }
  }

  /** Routes an event, in a new scope if it opens one. */
  private enter(route: Route, event: AnyEvent, id: string | undefined, around: Scope, place: Place | undefined): void {
    if (route.opens === 0) {
      this.route(route, event, id, around, place)
      return
    }
    const scope = new Scope(this.graph, route.opens, around, { event, id })
    this.openScope(scope, place)
    this.route(route, event, id, scope, place)
    this.quietness.release(scope)
  }

  /** `place` is that of the opening event. */
  private openScope(scope: Scope, place: Place | undefined): void {
    this.quietness.hold(scope)
    if (place !== undefined) scope.reserve(place)
    this.intakes.open(scope)
  }

  private route(
    { acceptors }: Route,
    event: AnyEvent,
    id: string | undefined,
    scope: Scope,
    around: Place | undefined
  ): void {
    if (acceptors.length === 0) around?.release()
    for (let i = 0; i < acceptors.length; i++) {
      const node = acceptors[i]!
      // Each of several acceptors takes its own position, so their emissions are ordered too.
      const place = i === acceptors.length - 1 ? around : around?.before()
      this.recorder?.delivered(id!, node)
      if (node.feeds.length > 0) this.quietness.come(node, scope)
      const collector = this.intakes.of(node)
      if (collector === undefined) this.deliverTo(node, event, scope, place, id)
      else this.offer(collector, event, id, scope, place)
    }
  }

  private offer(
    collector: Collector,
    event: AnyEvent,
    id: string | undefined,
    scope: Scope,
    place: Place | undefined
  ): void {
    try {
      collector.offer(event, id, scope, place)
    } catch (error) {
      this.recorder?.dropped({ node: collector.node, events: [id!] }, "ended")
      if (isOf(OutsideScope, error)) throw error
      // The intake's own `by` threw, which is not the emitter's fault.
      const { workflow } = this
      const defect = new StepDefect({ workflow, step: collector.node.name, event, cause: error })
      this.ending.end(Exit.die(defect))
    }
  }

  push(
    node: Node,
    input: unknown,
    scope: Scope,
    place: Place | undefined,
    from: ReadonlyArray<Arrival>,
    round: number
  ): void {
    const delivery = this.deliverTo(node, input, scope, place, undefined)
    if (delivery === undefined || !this.named) return
    const events = from.map(({ id }) => id!)
    // A batch of nothing is named by its scope and round.
    delivery.name(events, events.length > 0 ? events : [scope.opener?.id ?? "", String(round)])
    this.recorder?.fired(delivery)
  }

  /** Returns the delivery if it exists already. */
  private deliverTo(
    node: Node,
    input: unknown,
    scope: Scope,
    place: Place | undefined,
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
      if (this.isCounted(delivery)) this.quietness.enter(delivery)
    }
    this.turns.list(lane)
    return delivery
  }

  delivery(node: Node, input: unknown): Invocation {
    return new Invocation(this, node, input, this.root, undefined)
  }

  decided(race: Watch, take: () => () => void): void {
    this.races.decided(race, take)
  }

  callOff(delivery: Invocation): void {
    if (delivery.calledOff) return
    delivery.calledOff = true
    delivery.leavePlace()
    this.recorder?.dropped(delivery, "raced")
    this.lanes[delivery.node.index]!.waiting--
    this.pending--
    this.quietness.leave(delivery)
  }

  raced(node: Node, id: string | undefined): void {
    this.recorder?.dropped({ node, events: [id!] }, "raced")
  }

  // ---------------------------------------------------------------- turns

  idle(): void {
    if (this.pending > 0) return
    if (!this.inputsOpen) this.ending.end(Exit.fail(this.standing.stalled(this.launched)))
    else if (!this.warned) this.warnOfInputs()
  }

  /** A gather that waits only for the end of the inputs would wait forever if nobody closes them. */
  private warnOfInputs(): void {
    for (const { node } of this.quietness.waitingForInputs(this.root)) {
      this.warned = true
      Effect.runForkWith(this.context)(Effect.logWarning(this.standing.waitsForInputs(node)))
    }
  }

  rested(): void {
    if (!this.over) this.host?.idle?.()
  }

  work(lane: Lane): void {
    const delivery = lane.take()
    if (delivery === undefined) return
    lane.busy++
    this.turns.list(lane)
    const hasRoom = this.room.returns(lane)
    delivery.start()
    // Only now: a resumed producer may emit something that decides a race, and cancel a delivery that was taken but has
    // not begun.
    if (hasRoom) this.room.refill()
  }

  wake(): void {
    this.loop.wake()
  }

  /** Holds back what emits outputs piece by piece while as many wait for their reader as it wants. */
  limitOutputs(outlet: Outlet): void {
    this.room.outlet = outlet
  }

  /** Lets what waits for room go on, as an output has been taken. */
  outputTaken(): void {
    if (this.over) return
    this.inContext(() => this.loop.moment("making room for outputs", () => this.room.refill(), true))
  }

  // ---------------------------------------------------------------- invocations

  private add(invocation: Invocation): void {
    this.invocations ??= new Set()
    this.invocations.add(invocation)
  }

  running(invocation: Invocation): void {
    this.add(invocation)
    // The step's own code may have ended the run, or decided a race, before it started to wait.
    if (!this.over && !invocation.calledOff) return
    try {
      invocation.interrupt()
    } catch (error) {
      this.notInterrupted(error, `interrupting step '${invocation.node.name}'`)
    }
  }

  contextOf({ id }: Invocation): Context.Context<never> {
    if (!this.named) return this.context
    const current = { run: this.id, workflow: this.workflow, invocation: id! }
    const context = Context.add(this.context, CurrentInvocation, current)
    return this.recorder?.telemetry?.contextOf(id!, context) ?? context
  }

  lost(invocation: Invocation, error: unknown): void {
    if (!invocation.ended) this.add(invocation)
    this.loop.collapse(error, `ending step '${invocation.node.name}'`)
  }

  settled(invocation: Invocation, exit: Exit.Exit<unknown, unknown>): void {
    const { loop } = this
    // Hot: an invocation that returns synchronously ends inside the loop.
    if (loop.inside) {
      this.settle(invocation, exit)
      return
    }
    loop.inside = true
    try {
      this.settle(invocation, exit)
    } finally {
      loop.inside = false
    }
    loop.goOn()
  }

  private settle(invocation: Invocation, exit: Exit.Exit<unknown, unknown>): void {
    const { node } = invocation
    const lane = this.lanes[node.index]!
    lane.busy--
    this.pending--
    try {
      this.invocations?.delete(invocation)
      if (this.recorder !== undefined || Exit.isFailure(exit)) this.ended(invocation, exit)
      if (this.over) this.shutDown()
      else this.goneQuiet(invocation, lane)
    } catch (error) {
      this.broke(error, `ending step '${node.name}'`)
    }
  }

  private goneQuiet(invocation: Invocation, lane: Lane): void {
    this.races.endMoment()
    if (this.isCounted(invocation)) {
      this.quietness.leave(invocation)
      this.races.endMoment()
    }
    this.lifetime.letGo()
    this.turns.list(lane)
  }

  /** Whether anything waits for it to end: a downstream intake, or a scope that may then be over. */
  private isCounted({ node, scope }: Flight): boolean {
    return node.feeds.length > 0 || scope !== this.root
  }

  private ended(invocation: Invocation, exit: Exit.Exit<unknown, unknown>): void {
    this.recorder?.ended(invocation.attempts, invocation, exit, this.over || invocation.calledOff)
    if (Exit.isFailure(exit)) this.failed(invocation, exit.cause)
  }

  private failed(invocation: Invocation, cause: Cause.Cause<unknown>): void {
    if (!this.over && !invocation.calledOff) this.ending.fail(invocation, cause)
    // Errors behind the interruption were caused by it; errors before it are the step's own failure, already reported.
    else if (cause.reasons[0]?._tag === "Interrupt" && !Cause.hasInterruptsOnly(cause)) {
      this.recorder?.finalizerFailed(invocation, cause)
      this.ending.finalizerFailed(invocation, cause)
    } else if (this.ending.failed && !Cause.hasInterruptsOnly(cause)) this.ending.failedToo(invocation, cause)
  }

  saidNothing(node: Node): void {
    this.lanes[node.index]!.silent++
  }

  fail(invocation: Invocation, cause: Cause.Cause<unknown>): void {
    this.ending.fail(invocation, cause)
  }

  collect(invocation: Invocation, defs: Defs): ReadonlyArray<AnyEvent> | undefined {
    return this.intakes.byHand(invocation).offer(invocation, defs)
  }

  droppedLate(from: Invocation, value: unknown): void {
    const { recorder } = this
    // Nothing may follow the entry that says that nothing is running.
    if (recorder === undefined || this.ending.finished) return
    try {
      const route = routeOf(from.node, value)
      const id = this.emission(route, value as AnyEvent, from.id!, from.lateNumber())
      recorder.droppedAtOnce(id!, this.over ? "ended" : from.calledOff ? "raced" : "late")
    } catch {
      // It cannot be recorded as an event, and nothing needs it.
    }
  }

  reasonFor({ node }: Invocation): () => unknown {
    if (this.over) return () => this.ending.reason
    const { workflow } = this
    return () => aborted(`step '${node.name}' of workflow '${workflow}' is not needed any more: a race has been won`)
  }

  // ---------------------------------------------------------------- back-pressure and time

  hasRoom(node: Node): boolean {
    return this.room.has(node)
  }

  awaitRoom(node: Node): Effect.Effect<void> {
    return this.room.await(node, () => this.wake())
  }

  sleep(why: Sleep["why"], id: () => string, duration: Duration.Duration): Effect.Effect<void> {
    return this.timers.sleep(why, id, duration)
  }

  now(): number {
    return this.timers.now()
  }

  after(
    node: Node,
    { id, scope }: Arrival,
    millis: number,
    then: () => void,
    cancelled: () => void,
    unwanted: () => boolean
  ): Timer {
    const flight: Flight = { node, scope, underWay: false, cancel: () => void (unwanted() && timer.cancel()) }
    const done = (then: () => void) => () => {
      this.pending--
      // What is in the middle of being delivered is delivered to its end before a race takes effect.
      const { inside } = this.loop
      this.loop.moment(`letting a time pass at step '${node.name}'`, () => {
        then()
        if (this.over) return
        this.quietness.leave(flight)
        if (!inside) this.races.endMoment()
        this.lifetime.letGo()
      })
    }
    const sleep = { why: "within", id: `${node.name}/${id}`, millis } as const
    const timer = this.timers.start(sleep, () => this.inContext(done(then)), done(cancelled))
    this.pending++
    this.quietness.enter(flight)
    // An observer may have ended the run meanwhile.
    if (this.over) timer.cancel()
    return timer
  }
}
