/**
 * The invocations of one run: creates them, keeps the working ones, and handles their ends.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { AnyEvent, Defs } from "../../../Event.ts"
import type { RunHost, Sleep } from "../../../Host.ts"
import { CurrentInvocation } from "../../../Trace.ts"
import type { Node } from "../../graph/graph.ts"
import type { Activation } from "../flow/activation.ts"
import type { Ambient } from "../flow/ambient.ts"
import type { BackPressure } from "../flow/back-pressure.ts"
import type { Factory, Lane } from "../flow/lane.ts"
import type { Loop } from "../flow/loop.ts"
import type { Outcome } from "../flow/outcome.ts"
import type { Ready } from "../flow/ready.ts"
import { aborted } from "../flow/reasons.ts"
import { emissionOf, type Router } from "../flow/router.ts"
import type { Sleeper, Timers } from "../flow/timers.ts"
import type { Look } from "../intake/by-hand.ts"
import type { Intakes } from "../intake/intakes.ts"
import type { Position } from "../scope/position.ts"
import type { Scope } from "../scope/scope.ts"
import type { Scopes } from "../scope/scopes.ts"
import { annotated } from "../trace/logs.ts"
import type { Recorder } from "../trace/recorder.ts"
import { Invocation } from "./invocation.ts"
import type { Questions } from "./questions.ts"
import type { Run, Working } from "./run.ts"
import { RunState } from "./state.ts"

/** The run that the invocations belong to. */
export interface Called {
  readonly id: string
  readonly workflow: string
  readonly context: Context.Context<never>
  readonly fiberId: number
  readonly host: RunHost | undefined
  readonly named: boolean
  /** Whether the logs of its steps are annotated. */
  readonly annotates: boolean
  readonly recorder: Recorder | undefined
  readonly timers: Timers
  readonly ambient: Ambient
  readonly outcome: Outcome
  readonly lanes: ReadonlyArray<Lane>
  readonly ready: Ready
  readonly backPressure: BackPressure
  readonly loop: Loop
  readonly router: Router
  readonly intakes: Intakes
  readonly scopes: Scopes
  readonly questions: Questions | undefined
  readonly shutdown: {
    shutDown(): void
    /** An invocation could not be interrupted. */
    notInterrupted(error: unknown, activity: string): void
  }
  activate(activation: Activation): void
  /** The run may have come to rest. */
  rested(): void
  broke(error: unknown, activity: string): void
  collapse(error: unknown, activity: string): void
}

export class Calls implements Run, Factory {
  readonly workflow: string
  readonly recorder: Recorder | undefined
  readonly host: RunHost | undefined
  readonly state = new RunState()
  readonly router: Router
  readonly questions: Questions | undefined
  private readonly run: Called
  private readonly outcome: Outcome
  private readonly loop: Loop
  private readonly lanes: ReadonlyArray<Lane>
  private readonly ready: Ready
  private readonly scopes: Scopes
  /** Number of invocations that a host must wait for. */
  moving = 0
  /** The working invocations. A run that never waits has none, so the set is made on demand. */
  private working: Set<Working> | undefined

  constructor(run: Called) {
    this.run = run
    this.workflow = run.workflow
    this.recorder = run.recorder
    this.host = run.host
    this.outcome = run.outcome
    this.loop = run.loop
    this.router = run.router
    this.questions = run.questions
    this.lanes = run.lanes
    this.ready = run.ready
    this.scopes = run.scopes
  }

  // ---------------------------------------------------------------- from the start to the end

  make(node: Node, input: unknown, scope: Scope, position: Position | undefined): Invocation {
    return new Invocation(this, node, input, scope, position)
  }

  ofInput(node: Node, input: unknown): Invocation {
    return new Invocation(this, node, input, this.scopes.root, undefined)
  }

  /** Whether none is working. */
  get none(): boolean {
    return this.working === undefined || this.working.size === 0
  }

  running(invocation: Working): void {
    this.working ??= new Set()
    this.working.add(invocation)
    // The step's own code may have ended the run, or decided a race, before it first waited.
    if (this.outcome.reached || invocation.cancelled) this.interrupt(invocation)
  }

  settled(invocation: Working, exit: Exit.Exit<unknown, unknown>): void {
    const { run } = this
    // Hot: a function that returns at once ends inside the loop. All others return in the context in which they began.
    if (!this.loop.inside) {
      this.loop.enter({ _tag: "settled", delivery: invocation, exit })
      return
    }
    const lane = this.lanes[invocation.node.index]!
    this.questions?.ended(invocation)
    lane.busy--
    try {
      this.working?.delete(invocation)
      if (this.recorder !== undefined || Exit.isFailure(exit)) this.ended(invocation, exit)
      if (this.outcome.reached) run.shutdown.shutDown()
      else {
        this.scopes.conclude(invocation)
        this.ready.add(lane)
      }
    } catch (error) {
      run.broke(error, `ending step '${invocation.node.name}'`)
    }
  }

  private ended(invocation: Working, exit: Exit.Exit<unknown, unknown>): void {
    this.recorder?.ended(invocation.attempts, invocation, exit, this.outcome.reached || invocation.cancelled)
    if (Exit.isFailure(exit)) this.failed(invocation, exit.cause)
  }

  private failed(invocation: Working, cause: Cause.Cause<unknown>): void {
    const { outcome } = this
    if (!outcome.reached && !invocation.cancelled) outcome.fail(invocation, cause)
    else if (Cause.hasInterruptsOnly(cause)) return
    // Errors after the interruption were caused by it; those before are the step's own failure, already on its way: one
    // that has no failure to stand behind would be lost.
    else if (cause.reasons[0]?._tag === "Interrupt" || !outcome.failed) {
      this.recorder?.finalizerFailed(invocation, cause)
      outcome.finalizerFailed(invocation, cause)
    } else outcome.failedToo(invocation, cause)
  }

  lost(invocation: Working, error: unknown): void {
    if (!invocation.ended) {
      this.working ??= new Set()
      this.working.add(invocation)
    }
    this.run.collapse(error, `ending step '${invocation.node.name}'`)
  }

  /** Forgets those whose end was lost half-way. */
  forgetEnded(): void {
    for (const invocation of this.working ?? []) if (invocation.ended) this.working!.delete(invocation)
  }

  interruptAll(): void {
    for (const invocation of [...(this.working ?? [])]) this.interrupt(invocation)
  }

  private interrupt(invocation: Working): void {
    try {
      invocation.interrupt()
    } catch (error) {
      this.run.shutdown.notInterrupted(error, `interrupting step '${invocation.node.name}'`)
    }
  }

  cancel(invocation: Working): void {
    if (invocation.cancelled) return
    invocation.cancelled = true
    invocation.releasePosition()
    this.recorder?.dropped(invocation, "raced")
    this.lanes[invocation.node.index]!.waiting--
    this.scopes.leave(invocation)
  }

  enter(invocation: Working, then: () => void): void {
    this.run.activate({ _tag: "entered", delivery: invocation, then })
  }

  moves(): void {
    this.moving++
  }

  rests(): void {
    this.moving--
    this.run.rested()
  }

  fail(invocation: Working, cause: Cause.Cause<unknown>): void {
    const outcome = this.outcome.failureOf(invocation, cause)
    this.run.activate({ _tag: "interrupt", outcome, reason: undefined })
  }

  // ---------------------------------------------------------------- what they do meanwhile

  accept(node: Node, value: unknown): AnyEvent {
    return emissionOf(node, value)
  }

  droppedLate(from: Working, value: unknown): void {
    this.router.late(from, value)
  }

  wake(): void {
    this.loop.wake()
  }

  collect(invocation: Working, defs: Defs): ReadonlyArray<AnyEvent> | undefined {
    return this.run.intakes.byHand(invocation).offer(invocation, defs)
  }

  look(invocation: Working, defs: Defs): Look {
    return this.run.intakes.byHand(invocation).look(invocation, defs)
  }

  limited(node: Node, limit: string, change: 1 | -1): void {
    const lane = this.lanes[node.index]!
    lane.limited ??= new Map()
    const waiting = (lane.limited.get(limit) ?? 0) + change
    if (waiting > 0) lane.limited.set(limit, waiting)
    else lane.limited.delete(limit)
  }

  saidNothing(node: Node): void {
    this.lanes[node.index]!.silent++
  }

  now(): number {
    return this.run.timers.now()
  }

  sleep(why: Sleep["why"], id: () => string, duration: Duration.Duration, of?: Sleeper): Effect.Effect<void> {
    return this.run.timers.sleep(why, id, duration, of)
  }

  hasRoom(node: Node): boolean {
    return this.run.backPressure.hasRoom(node)
  }

  awaitRoom(node: Node): Effect.Effect<void> {
    return this.run.backPressure.await(node, () => this.loop.wake())
  }

  // ---------------------------------------------------------------- how the run stands

  get id(): string {
    return this.run.id
  }

  get fiberId(): number {
    return this.run.fiberId
  }

  get over(): boolean {
    return this.outcome.reached
  }

  get failing(): boolean {
    return this.outcome.failed
  }

  get timedOut(): boolean {
    return this.outcome.timedOut
  }

  inContext<A>(work: () => A): A {
    return this.run.ambient.enter(work)
  }

  contextOf({ id, node }: Working): Context.Context<never> {
    const { annotates, named } = this.run
    const context = annotates ? annotated(this.run.context, this.workflow, node.name, this.id) : this.run.context
    if (!named) return context
    const current = { run: this.id, workflow: this.workflow, invocation: id! }
    const inside = Context.add(context, CurrentInvocation, current)
    return this.recorder?.telemetry?.contextOf(id!, inside) ?? inside
  }

  reasonFor({ node }: Working): () => unknown {
    const { outcome, workflow } = this
    if (outcome.reached) return () => outcome.reason
    return () => aborted(`step '${node.name}' of workflow '${workflow}' is not needed any more: a race has been won`)
  }
}
