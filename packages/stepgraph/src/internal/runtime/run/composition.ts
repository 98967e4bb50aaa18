/**
 * One run: assembles its parts, and is the only way to act on it.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import type { SchedulerDispatcher } from "effect/Scheduler"
import type { AnyEvent } from "../../../Event.ts"
import { Host, type RunHost } from "../../../Host.ts"
import type { RunStatus } from "../../../RunStatus.ts"
import { AnnotateLogs } from "../../../Telemetry.ts"
import { CurrentInvocation, Observer } from "../../../Trace.ts"
import type { CompiledGraph, Node, Route } from "../../graph/graph.ts"
import { type Called, Calls } from "../call/calls.ts"
import { Questions } from "../call/questions.ts"
import type { Working } from "../call/run.ts"
import type { Activation } from "../flow/activation.ts"
import { Ambient } from "../flow/ambient.ts"
import { BackPressure } from "../flow/back-pressure.ts"
import { sleepOf } from "../flow/deadline.ts"
import { Lane } from "../flow/lane.ts"
import { type Driven, Loop } from "../flow/loop.ts"
import { Outcome, runDefect } from "../flow/outcome.ts"
import { Ready } from "../flow/ready.ts"
import { type Routed, Router } from "../flow/router.ts"
import { type Timed, Timers } from "../flow/timers.ts"
import type { Dispatch } from "../intake/dispatch.ts"
import { Intakes } from "../intake/intakes.ts"
import { Scopes } from "../scope/scopes.ts"
import { newRunId } from "../trace/ids.ts"
import { Recorder } from "../trace/recorder.ts"
import { telemetryOf } from "../trace/telemetry.ts"
import { Inputs, type Receiving } from "./inputs.ts"
import { type Running, Shutdown } from "./shutdown.ts"
import { Status } from "./status.ts"

export class ActiveRun implements Called, Dispatch, Driven, Receiving, Routed, Running, Timed {
  readonly workflow: string
  readonly context: Context.Context<never>
  readonly fiberId: number
  readonly scheduler: SchedulerDispatcher
  readonly plain: boolean
  readonly host: RunHost | undefined
  /** Whether ids of events and invocations are needed. */
  readonly named: boolean
  readonly annotates: boolean
  readonly recorder: Recorder | undefined
  readonly ambient = new Ambient()
  readonly shutdown: Shutdown
  readonly outcome: Outcome
  readonly timers: Timers
  readonly lanes: ReadonlyArray<Lane>
  readonly ready = new Ready()
  readonly backPressure: BackPressure
  readonly loop: Loop
  readonly intakes: Intakes
  readonly scopes: Scopes
  readonly router: Router
  readonly questions: Questions | undefined
  readonly calls: Calls
  /** Set for a run that events can be sent to. */
  inputs: Inputs | undefined
  private readonly graph: CompiledGraph
  private generatedId: string | undefined
  private warned = false

  constructor(graph: CompiledGraph, fiber: Fiber<unknown, unknown>) {
    this.graph = graph
    this.workflow = graph.name
    this.context = fiber.context
    this.fiberId = fiber.id
    this.scheduler = fiber.currentDispatcher
    this.host = this.hosted()
    this.timers = new Timers(this)
    this.shutdown = new Shutdown(this)
    this.outcome = new Outcome(this.shutdown)
    const observer = Context.get(this.context, Observer)
    const telemetry = telemetryOf(graph, fiber)
    if (observer !== undefined || telemetry !== undefined) {
      const failed = (error: unknown) => this.shutdown.log(runDefect(this.workflow, "recording its trace", error))
      this.recorder = new Recorder(this.id, observer, telemetry, () => this.timers.now(), failed)
    }
    this.named = this.recorder !== undefined || this.host !== undefined
    this.annotates = Context.get(this.context, AnnotateLogs)
    this.plain = !graph.ordered && !graph.scopeless && graph.kinds.length === 1 && !this.named
    this.intakes = new Intakes(graph, this)
    this.scopes = new Scopes(graph, this.intakes)
    // A race may cancel it, or it may ask a question, so each delivery must exist.
    const plainly = ({ asks, feeds }: Node) => this.plain && feeds.length === 0 && asks.length === 0
    this.lanes = graph.nodes.map((node) => new Lane(node, plainly(node)))
    this.backPressure = new BackPressure(this.lanes)
    this.loop = new Loop(this, fiber.cache.scheduler, this.scheduler)
    this.router = new Router(this)
    this.router.onOutput = this.host?.output
    this.questions = graph.asking ? new Questions(this) : undefined
    this.calls = new Calls(this)
  }

  private hosted(): RunHost | undefined {
    const { context, workflow } = this
    const host = Context.get(context, Host)
    const parent = Context.get(context, CurrentInvocation)
    return host?.({ workflow, parent, status: () => this.status(), resting: () => this.resting, sleep: sleepOf })
  }

  get id(): string {
    this.generatedId ??= this.host?.runId?.() ?? newRunId()
    return this.generatedId
  }

  // ---------------------------------------------------------------- what happens to it

  /** Begins the run with its start event, and works until everything waits for something. */
  begin(event: AnyEvent, timeout: Duration.Input | undefined): void {
    // The intake's `by` runs while its event is being emitted.
    if (this.graph.keyed) this.ambient.capture()
    this.loop.enter({ _tag: "start", event, timeout })
    // From here on, calls come from another context.
    if (!this.outcome.finished) this.ambient.capture()
  }

  /** The one door into a run that has begun. */
  activate(activation: Activation): void {
    this.ambient.enter(() => this.loop.enter(activation))
  }

  /** Applies an activation and its consequences; `loop.ts` then runs the ready lanes. */
  perform(activation: Activation, nested: boolean): void {
    const { outcome, scopes } = this
    switch (activation._tag) {
      case "start":
        this.start(activation.event, activation.timeout)
        break
      case "input":
        this.takeIn(activation.route, activation.event)
        break
      case "inputs-closed":
        if (!outcome.reached) this.closeInputs()
        break
      case "settled":
        this.calls.settled(activation.delivery as Working, activation.exit)
        return
      case "entered":
        activation.then()
        return
      case "fired":
        activation.then()
        if (outcome.reached) return
        // A delivery in progress is completed before a race takes effect.
        if (nested) scopes.leaveLater(activation.flight)
        else scopes.conclude(activation.flight)
        return
      case "output-taken":
        if (!outcome.reached) this.backPressure.refill()
        return
      case "timed-out":
        this.timeOut(activation.after)
        break
      case "interrupt":
        outcome.end(activation.outcome, activation.reason)
        break
    }
    if (!outcome.reached) scopes.conclude(undefined)
  }

  private start(event: AnyEvent, timeout: Duration.Input | undefined): void {
    const { graph, outcome, recorder, scopes } = this
    recorder?.began(this.workflow, this.context)
    if (outcome.reached) return
    const id = this.router.nameFromOutside(graph.start, event, 0)
    if (timeout !== undefined) {
      const after = Duration.fromInputUnsafe(timeout)
      this.timers.start({ why: "run", id: "timeout", millis: Duration.toMillis(after) }, () =>
        this.activate({ _tag: "timed-out", after })
      )
    }
    const position = scopes.end?.before()
    scopes.openRoot(position)
    this.router.enterFromOutside(graph.start, event, id, scopes.root, position)
    if (outcome.reached) return
    scopes.conclude(undefined)
    scopes.release(scopes.root)
  }

  private takeIn(route: Route, event: AnyEvent): void {
    const id = this.router.nameFromOutside(route, event, ++this.inputs!.count)
    if (this.outcome.reached) {
      this.recorder?.droppedAtOnce(id!, "ended")
      return
    }
    // After everything that the start event led to, in the order sent.
    this.router.enterFromOutside(route, event, id, this.scopes.none, this.scopes.end?.before())
    if (route.asked && !this.outcome.reached) this.questions!.answer(event, id, route.acceptors.length > 0)
  }

  private closeInputs(): void {
    this.scopes.closeInputs()
    if (!this.outcome.reached) this.questions?.closeInputs()
  }

  private timeOut(after: Duration.Duration): void {
    const { outcome } = this
    outcome.timedOut = true
    const error = this.snapshot.timedOut(after)
    outcome.end(Exit.fail(error), error)
  }

  /** Keeps the run waiting for events from outside until its inputs are closed. */
  openInputs(): void {
    this.inputs = new Inputs(this)
    this.scopes.openInputs()
    this.questions?.openInputs()
  }

  // ---------------------------------------------------------------- when nothing happens to it

  idle(): void {
    if (!this.calls.none || !this.timers.noneAwaited) return
    const { inputs } = this
    if (inputs === undefined || (!inputs.open && inputs.none)) {
      this.outcome.end(Exit.fail(this.snapshot.stalled(inputs !== undefined)))
    } else if (inputs.none && !this.warned) this.warnOfInputs()
  }

  /** A gather that waits only for the end of the inputs would wait forever if nobody closes them. */
  private warnOfInputs(): void {
    for (const node of this.scopes.waitingForInputs()) {
      this.warned = true
      Effect.runForkWith(this.context)(Effect.logWarning(this.snapshot.waitsForInputs(node)))
    }
  }

  /** Whether no activation is pending. */
  private get resting(): boolean {
    // The counts of a broken run may be wrong, and nothing of it moves any more but to its end.
    return this.loop.resting && (this.calls.moving === 0 || this.shutdown.broken)
  }

  rested(): void {
    if (this.host?.idle !== undefined && this.resting && !this.outcome.finished) this.host.idle()
  }

  finish(): void {
    this.shutdown.shutDown()
    this.outcome.finishIfDone()
  }

  broke(error: unknown, activity: string): void {
    this.shutdown.broke(error, activity)
  }

  collapse(error: unknown, activity: string): void {
    this.loop.collapse(error, activity)
  }

  // ---------------------------------------------------------------- how it stands

  private get snapshot(): Status {
    return new Status(this.graph, this.lanes, this.intakes, this.questions)
  }

  status(): RunStatus {
    const { outcome } = this
    const state = outcome.finished ? "ended" : outcome.reached ? "ending" : "running"
    return this.snapshot.status(state, this.inputs?.open && !outcome.reached ? "open" : "closed")
  }

  /** Reports the events that were left over when it stopped. */
  leftOver(): string | undefined {
    const { exit } = this.outcome
    return exit !== undefined && Exit.isSuccess(exit) ? this.snapshot.leftOver(exit.value._tag) : undefined
  }
}
