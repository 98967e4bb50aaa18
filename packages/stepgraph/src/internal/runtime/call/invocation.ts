/**
 * One execution of a step, from its delivery to its end, which comes exactly once.
 *
 * A plain result is emitted at once, and a promise is awaited directly. Everything else runs in a fiber.
 *
 * Longer than other modules: every member depends on the phase, and a second object for each event would cost too much.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import { NodeInspectSymbol } from "effect/Inspectable"
import type { AnyEvent, Defs } from "../../../Event.ts"
import type { Body, Call, Settlement } from "../../../Host.ts"
import { beginList, endList } from "../../../Made.ts"
import type { State } from "../../../State.ts"
import type { StepContext } from "../../../Step.ts"
import { unread } from "../../../Unread.ts"
import type { Node } from "../../graph/graph.ts"
import type { Look } from "../intake/by-hand.ts"
import type { Position } from "../scope/position.ts"
import type { Scope } from "../scope/scope.ts"
import { eventId, invocationId } from "../trace/ids.ts"
import { Attempt, type Caller, contextOf, membersOf } from "./attempt.ts"
import { type Direct, type Guarded, guardOf } from "./guards.ts"
import { type DirectOutbox, Kept, type Outbox, Staged } from "./outbox.ts"
import { Question, type Waiter } from "./questions.ts"
import { type Emitting, Receiving, rejection, waitFor } from "./receiving.ts"
import { discarding, emitting, pieces, type Taker, take } from "./returned.ts"
import type { Run } from "./run.ts"

/** `returning`: the function is done, so a race decided by its emissions need not interrupt it. */
type Phase = "waiting" | "running" | "awaiting a promise" | "returning" | "over"

/** The ids of an invocation, if they are needed. */
interface Names {
  readonly id: string
  readonly events: ReadonlyArray<string>
  /** Number of emitted events, used for their ids. */
  emitted: number
  /** Number of questions asked. */
  asked: number
  /** Number of attempts that sent after their end. Counted separately, because late events depend on timing. */
  late: number
}

/** Parts that most invocations do not need. */
class Extras {
  /** Holds back the attempt's effects; undefined if they take place at once. */
  staged: Staged | undefined
  fiber: Fiber<unknown, unknown> | undefined
  /** Why it was interrupted. */
  reason: (() => unknown) | undefined
  /** Whether it has emitted anything; if it has an attempt, the attempt knows. */
  emitted = false
  /** Whether a host must wait for it: it will reach a call, a pause or its end without anything from outside. */
  moving = false
  /** Whether its fiber waits for the step's promise, or has. */
  promised = false
}

/** Hot: there is one for each event that is delivered, and it waits in a queue. */
export class Invocation implements Guarded, Caller, DirectOutbox, Emitting, Taker<void> {
  readonly run: Run
  readonly node: Node
  readonly input: unknown
  scope: Scope
  /** Set if the order of emission is needed, while it may still emit. */
  private position: Position | undefined
  cancelled = false
  private phase: Phase = "waiting"
  attempt: Attempt | undefined
  private names: Names | undefined
  private extras: Extras | undefined

  constructor(run: Run, node: Node, input: unknown, scope: Scope, position: Position | undefined) {
    this.run = run
    this.node = node
    this.input = input
    this.scope = scope
    this.position = position
  }

  // ---------------------------------------------------------------- what it is

  name(events: ReadonlyArray<string>, causes = events): void {
    // Frozen, because observers receive it.
    this.names = {
      id: invocationId(this.node.name, causes),
      events: Object.freeze(events),
      emitted: 0,
      asked: 0,
      late: 0
    }
  }

  get id(): string | undefined {
    return this.names?.id
  }

  get events(): ReadonlyArray<string> | undefined {
    return this.names?.events
  }

  number(): number {
    return this.names!.emitted++
  }

  lateNumber(): number {
    return -++this.names!.late
  }

  get attempts(): number {
    return this.attempt?.number ?? 1
  }

  /** The attempt of a step with only one, created when its `ctx` is used. */
  get current(): Attempt {
    if (this.attempt === undefined) {
      this.attempt = new Attempt(this, 1)
      if (this.extras?.reason !== undefined) this.attempt.interrupt(this.extras.reason)
      else if (this.ended) this.attempt.end()
    }
    return this.attempt
  }

  private needExtras(): Extras {
    this.extras ??= new Extras()
    return this.extras
  }

  [NodeInspectSymbol](): object {
    return membersOf(this)
  }

  get underWay(): boolean {
    return this.phase !== "waiting"
  }

  get returning(): boolean {
    return this.phase === "returning"
  }

  get ended(): boolean {
    return this.phase === "over"
  }

  get silent(): boolean {
    return this.node.emits.length > 0 && !(this.attempt ?? this.extras)?.emitted
  }

  get unwanted(): boolean {
    return this.cancelled || this.run.over
  }

  // ---------------------------------------------------------------- its beginning

  start(): void {
    this.phase = "running"
    try {
      const { input, node, run } = this
      if (node.lists) beginList()
      // Record the start before creating a fiber, which carries the invocation's span.
      run.recorder?.started(1, this)
      if (run.host === undefined && !node.guarded) take(node.step.run(input, contextOf(this, node.ctx)), this)
      else this.startGuarded()
    } catch (error) {
      this.threw(error)
    }
  }

  private startGuarded(): void {
    const { input, node, run } = this
    const settles = run.host?.settle !== undefined
    if (settles) this.moves()
    if (node.guarded || settles) this.fork(guardOf(node, settles)(this))
    else
      take(
        this.call((ctx) => node.step.run(input, ctx), contextOf(this, node.ctx), false),
        this
      )
  }

  callOf(attempt: number, recovers: boolean): Call {
    return { id: this.id!, step: this.node.name, input: this.input, attempt, recovers }
  }

  /** The call of its current attempt. */
  private get called(): Call {
    return this.callOf(this.attempts, this.attempt?.recovers === true)
  }

  private call(direct: Direct, ctx: StepContext<any, any, any>, recovers: boolean): unknown {
    const host = this.run.host
    if (host?.perform === undefined) return direct(ctx)
    const run = () => direct(ctx)
    const body: Body = {
      run,
      discard: () => Effect.suspend(() => discarding(run(), new Receiving(this))),
      ask: ({ event, awaits, matches }, listener) => {
        const question = new Question(this, event, awaits, matches, undefined)
        question.listener = listener
        this.run.enter(this, () => this.askHosted(question))
        return question
      },
      stream: (event) => this.run.enter(this, () => this.emit(event))
    }
    return host.perform(this.callOf(this.attempts, recovers), body)
  }

  keepAll(): void {
    this.needExtras().staged = new Kept(this)
  }

  begin(number: number, recovers: boolean, holds: boolean): Attempt {
    const again = number > this.attempts
    const attempt = new Attempt(this, number, recovers)
    this.attempt = attempt
    if (again) this.run.recorder?.started(number, this)
    if (holds) this.needExtras().staged = new Staged(this)
    return attempt
  }

  perform(direct: Direct, ctx: StepContext<any, any, any>, recovers: boolean): Effect.Effect<void, unknown> {
    const { retry, recover } = this.node.step
    // A bug in the recovery itself is nobody's to heed.
    const heeded = !recovers && (retry !== undefined || recover !== undefined)
    // Only what the step's own function throws is retried, not a failure of the runtime around it. A failure rather than an
    // exception: a host may call the function later, inside an Effect.
    const called: Direct = !heeded
      ? direct
      : (ctx) => {
          try {
            return direct(ctx)
          } catch (error) {
            return rejection(this, error)
          }
        }
    const returned = this.run.inContext(() => this.call(called, ctx, recovers))
    this.rests()
    return emitting(returned, new Receiving(this, heeded))
  }

  enter(settlement: Settlement): void {
    const { step } = this.node
    const last = Exit.isSuccess(settlement.exit) || (step.retry === undefined && step.recover === undefined)
    if (!last) this.moves()
    this.run.enter(this, () => {
      this.kept.enter(settlement)
      if (last) this.endWith(settlement)
    })
  }

  private endWith({ events, exit, silent }: Settlement): void {
    if (Exit.isFailure(exit)) this.end(exit)
    else if (this.unwanted) this.end(Exit.interrupt(this.run.fiberId))
    else {
      try {
        this.emitToEnd(events)
        if (silent) this.run.saidNothing(this.node)
      } catch (error) {
        this.end(Exit.die(error))
      }
      this.end(Exit.void)
    }
  }

  moves(): void {
    if (this.ended) return
    this.needExtras().moving = true
    this.run.moves()
  }

  rests(): void {
    if (!this.extras?.moving) return
    this.extras.moving = false
    this.run.rests()
  }

  // ---------------------------------------------------------------- what it emits and writes

  /** The destination of its attempt's effects. */
  get outbox(): Outbox {
    return this.extras?.staged ?? this
  }

  get kept(): Kept {
    return this.extras!.staged as Kept
  }

  get<S>(state: State<S>): S {
    const value = this.run.state.get(state)
    this.run.host?.touches?.(this.called, state.name, value, false)
    return value
  }

  set<S>(state: State<S>, value: S): void {
    this.run.state.set(state, value)
    this.run.host?.touches?.(this.called, state.name, value, true)
  }

  write(write: Settlement["writes"][number]): void {
    this.run.state.write(write)
  }

  collect(defs: Defs): ReadonlyArray<AnyEvent> | undefined {
    return this.run.collect(this, defs)
  }

  look(defs: Defs): Look {
    return this.run.look(this, defs)
  }

  collectAll(tags: ReadonlyArray<string>): void {
    this.collect(tags.map((tag) => this.node.accepts.find((route) => route.tag === tag)!.def))
  }

  emit(event: unknown): void {
    this.run.router.emit(this, event, false)
  }

  streams({ _tag }: AnyEvent): boolean {
    return this.node.streams?.has(_tag) === true
  }

  stream(event: AnyEvent): void {
    const streams = this.run.host?.streams
    const enter = () => this.run.enter(this, () => this.emit(event))
    if (streams === undefined) this.emit(event)
    else streams(this.called, event, { wanted: () => !this.unwanted, enter })
  }

  accept(value: unknown): AnyEvent {
    return this.run.accept(this.node, value)
  }

  /** Emits an event while the step's function is still at work. */
  send(event: unknown): void {
    this.emits()
    const { outbox } = this
    try {
      outbox.emit(event)
    } catch (error) {
      unread(event)
      throw error
    }
    if (outbox === this) this.run.wake()
  }

  ask(value: unknown, awaits: ReadonlyArray<string>, matches: Question["matches"], waiter: Waiter): Question {
    this.emits()
    const { run } = this
    const question = new Question(this, this.accept(value), awaits, matches, waiter)
    const asks = run.host?.asks
    if (asks === undefined) {
      this.enterQuestion(question)
      run.wake()
      return question
    }
    const asked = asks(this.called, question, {
      wanted: () => !question.withdrawn,
      enter: (listener) => {
        question.listener = listener
        run.enter(this, () => this.askHosted(question))
      }
    }) as Question | undefined
    asked?.attach(matches, waiter)
    this.current.keep(asked ?? question)
    return asked ?? question
  }

  private enterQuestion(question: Question): void {
    const { names, run } = this
    const { event } = question
    if (names !== undefined) {
      question.number = ++names.asked
      question.id = eventId(event._tag, names.id, names.emitted)
    }
    // At once, even if other emissions are held until the attempt succeeds.
    run.router.emit(this, event, false)
    run.questions!.ask(question)
    this.current.keep(question)
  }

  private askHosted(question: Question): void {
    try {
      this.enterQuestion(question)
    } catch (error) {
      this.outbox.fail(Cause.die(error))
      const exit = Exit.die(error)
      question.listener?.ended(exit)
      question.settle(exit)
    }
  }

  withdraw(question: Question): Effect.Effect<void> {
    const questions = this.run.questions!
    questions.withdraw(question)
    return questions.worker(this)
  }

  dropQuestions(asked: Iterable<Question>, reason: unknown): void {
    const questions = this.run.questions!
    for (const question of asked) {
      questions.withdraw(question)
      question.drop(reason)
    }
    questions.abandon(this)
  }

  sendLate(event: unknown): void {
    this.run.droppedLate(this, event)
  }

  fail(cause: Cause.Cause<unknown>): void {
    this.run.fail(this, cause)
  }

  awaits(): void {
    this.needExtras().promised = true
  }

  /** It emits, or has returned a list, possibly empty: no `return` is missing. */
  emits(): void {
    const noted: { emitted: boolean } = this.attempt ?? this.needExtras()
    noted.emitted = true
  }

  emitEach(values: ReadonlyArray<unknown>, returned: boolean): void {
    try {
      const { outbox } = this
      if (returned && outbox === this) this.phase = "returning"
      for (const value of values) outbox.emit(value)
    } catch (error) {
      unread(values)
      throw error
    }
  }

  /** Emits all its remaining events, the last of them marked as the last. */
  private emitToEnd(values: ReadonlyArray<unknown>): void {
    this.phase = "returning"
    for (let i = 0; i < values.length; i++) this.run.router.emit(this, values[i], i === values.length - 1)
  }

  flush(): void {
    const { events } = this.extras!.staged!
    this.extras!.staged = undefined
    this.emitToEnd(events)
  }

  positionOf(last: boolean): Position | undefined {
    const { position } = this
    if (position === undefined || !last) return position?.before()
    this.position = undefined
    return position
  }

  /** Releases its position, because it emits nothing more. */
  releasePosition(): void {
    this.position?.release()
    this.position = undefined
  }

  // ---------------------------------------------------------------- what its function returned

  /** Takes the result of the function's promise or Effect. */
  private returned(value: unknown): void {
    try {
      take(value, this)
    } catch (error) {
      unread(value)
      this.threw(error)
    }
  }

  nothing(): void {
    if (this.silent) this.run.saidNothing(this.node)
    this.end(Exit.void)
  }

  event(event: unknown): void {
    this.phase = "returning"
    try {
      this.run.router.emit(this, event, true)
    } catch (error) {
      unread(event)
      throw error
    }
    this.end(Exit.void)
  }

  list(events: ReadonlyArray<unknown>): void {
    try {
      this.emitToEnd(events)
      this.node.lists = true
    } catch (error) {
      unread(events)
      throw error
    } finally {
      endList()
    }
    this.end(Exit.void)
  }

  effect(effect: Effect.Effect<unknown, unknown>): void {
    this.fork(effect)
  }

  other(value: unknown): void {
    this.fork(pieces(value, new Receiving(this)))
  }

  promise(promise: PromiseLike<unknown>): void {
    // A fiber can wait although it is interrupted.
    if (this.node.grace !== undefined) {
      this.fork(new Receiving(this).awaiting(promise))
      return
    }
    this.phase = "awaiting a promise"
    this.run.running(this)
    // A custom thenable may call back twice, or throw afterwards: the first call counts, as with a promise. Hot: two
    // functions for each promise.
    let called = false
    const fulfilled = (value: unknown) => {
      const late = called
      called = true
      try {
        this.comesBack(value, late, false)
      } catch (error) {
        this.lose(error)
      }
    }
    const rejected = (cause: unknown) => {
      const late = called
      called = true
      try {
        this.comesBack(cause, late, true)
      } catch (error) {
        this.lose(error)
      }
    }
    waitFor(this, promise, fulfilled, rejected)
  }

  /** Takes the outcome of its promise. */
  private comesBack(value: unknown, late: boolean, rejected: boolean): void {
    if (late || this.ended) {
      unread(value)
      return
    }
    if (rejected) this.end(rejection(this, value))
    else if (this.cancelled) {
      unread(value)
      this.end(Exit.interrupt(this.run.fiberId))
    } else {
      this.phase = "running"
      this.returned(value)
    }
  }

  private fork(effect: Effect.Effect<unknown, unknown>): void {
    const fiber = Effect.runForkWith(this.run.contextOf(this))(effect)
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) {
      this.exited(exit)
      return
    }
    this.needExtras().fiber = fiber
    fiber.addObserver((exit) => {
      try {
        this.run.inContext(() => this.exited(exit))
      } catch (error) {
        this.lose(error)
      }
    })
    // A host may have ended it already; its fiber then has no more of the step to run.
    if (!this.ended) this.run.running(this)
  }

  // ---------------------------------------------------------------- its end

  /** Interrupts it in any phase. Its end is recorded like any other. */
  interrupt(): void {
    if (this.phase === "over" || this.phase === "returning") return
    this.cancelled = true
    // A promise that has already been rejected is still reported. Leave it before aborting its signal: a rejection
    // caused by that adds nothing.
    const fiber = this.extras?.fiber
    const inPromise = this.phase === "awaiting a promise"
    const lasts = (inPromise || this.extras?.promised === true) && this.run.failing
    const leave = () => {
      if (fiber !== undefined) fiber.interruptUnsafe(this.run.fiberId)
      // A promise cannot be interrupted, only abandoned.
      else if (inPromise) this.end(Exit.interrupt(this.run.fiberId))
    }
    if (lasts)
      Promise.resolve()
        .then(leave)
        .catch((error) => this.lose(error))
    try {
      const reason = this.run.reasonFor(this)
      this.needExtras().reason = reason
      this.attempt?.interrupt(reason)
    } finally {
      if (!lasts) leave()
    }
  }

  /** A race has been decided elsewhere. */
  cancel(): void {
    if (this.phase === "waiting") this.run.cancel(this)
    else this.interrupt()
  }

  private exited(exit: Exit.Exit<unknown, unknown>): void {
    if (this.extras !== undefined) this.extras.fiber = undefined
    if (this.ended) return
    if (Exit.isSuccess(exit)) this.returned(exit.value)
    else this.end(exit)
  }

  /** Ends it although ending it threw. */
  lose(error: unknown): void {
    this.phase = "over"
    try {
      this.attempt?.end()
    } finally {
      this.run.lost(this, error)
      this.rests()
    }
  }

  private end(exit: Exit.Exit<unknown, unknown>): void {
    if (this.phase === "over") return
    this.phase = "over"
    try {
      this.attempt?.end()
      this.releasePosition()
      this.run.settled(this, exit)
      this.rests()
    } catch (error) {
      this.lose(error)
    }
  }

  /** Exceptions here are the step's own fault, unless it has already ended. */
  private threw(error: unknown): void {
    if (this.ended) this.lose(error)
    else if (this.extras?.fiber === undefined) this.end(Exit.die(error))
    else {
      // It ends with its fiber.
      this.run.lost(this, error)
      this.interrupt()
    }
  }
}
