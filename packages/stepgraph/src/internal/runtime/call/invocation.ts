/**
 * One execution of a step: calls its function, takes what it returns whatever its kind, and ends exactly once.
 *
 * A plain result is emitted at once, and a promise is waited for as it is. Everything else runs in a fiber of its own.
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import { NodeInspectSymbol } from "effect/Inspectable"
import { hasProperty, isPromiseLike } from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { StepRejected, StepTimedOut } from "../../../Errors.ts"
import type { AnyEvent, Defs } from "../../../Event.ts"
import type { Probe } from "../../../Probe.ts"
import type { AnyStep, StepContext } from "../../../Step.ts"
import { unread } from "../../../Unread.ts"
import type { Node } from "../../graph/graph.ts"
import { behind } from "../flow/causes.ts"
import type { Delivery } from "../scope/delivery.ts"
import type { Place } from "../scope/position.ts"
import type { Scope } from "../scope/scope.ts"
import { invocationId } from "../trace/ids.ts"
import type { Recorder } from "../trace/recorder.ts"
import { Attempt, type Caller, contextOf, membersOf } from "./attempt.ts"
import { type Emitter, pulling } from "./pulling.ts"
import type { RunState } from "./state.ts"

/** What an invocation needs of its run. */
export interface Run {
  readonly id: string
  readonly workflow: string
  /** What every fiber of the run is forked with. */
  contextOf(invocation: Invocation): Context.Context<never>
  readonly recorder: Recorder | undefined
  readonly probe: Probe | undefined
  /** The fiber that stands as the interruptor of what the run interrupts. */
  readonly fiberId: number
  /** Checks that a step may emit a value, and gives the event it stands for. */
  accept(node: Node, value: unknown): AnyEvent
  /**
   * Sends an emission on its way to the steps that accept it; `last` where it is known to be the last one. Throws where the
   * step may not emit it.
   */
  emit(from: Invocation, value: unknown, last: boolean): void
  /** Lets what an invocation sent on its own account be taken up. */
  wake(): void
  /** Does something in the ambient context in which the run was started. */
  inContext<A>(work: () => A): A
  /** Whether it has an outcome: nothing that is still emitted is wanted. */
  readonly over: boolean
  /** Whether its `timeout` is over. */
  readonly timedOut: boolean
  /** Whether that is a failure: what has been rejected in the same moment stands behind it. */
  readonly failing: boolean
  hasRoom(node: Node): boolean
  awaitRoom(node: Node): Effect.Effect<void>
  /** Takes back what still waits, because a race has been decided. */
  callOff(invocation: Invocation): void
  /** An invocation goes on by itself, and will call `settled`. */
  running(invocation: Invocation): void
  settled(invocation: Invocation, exit: Exit.Exit<unknown, unknown>): void
  /** Something has thrown where an invocation was to end: the run ends by it. */
  lost(invocation: Invocation, error: unknown): void
  /** A step that may emit has returned nothing, and emitted nothing before. */
  saidNothing(node: Node): void
  fail(invocation: Invocation, cause: Cause.Cause<unknown>): void
  collect(invocation: Invocation, defs: Defs): ReadonlyArray<AnyEvent> | undefined
  /** Records what an invocation emits when the attempt that does it is over. */
  droppedLate(from: Invocation, value: unknown): void
  /** Why it interrupts an invocation, asked at once: gives what the step's signal is aborted with. */
  reasonFor(invocation: Invocation): () => unknown
  readonly state: RunState
}

/** A value that is an event by its looks: no class of another kind, whatever its fields are called. */
const isPlainEvent = (value: object): value is AnyEvent => {
  if (typeof (value as { _tag?: unknown })._tag !== "string") return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** `returning`: its function is done, so that what its emissions decide has nothing to interrupt here. */
type Phase = "waiting" | "running" | "awaiting a promise" | "returning" | "over"

/** What an invocation is called where its run is recorded. */
interface Names {
  readonly id: string
  readonly events: ReadonlyArray<string>
  /** How many events it has emitted, which makes their names. */
  emitted: number
  /** How many of its attempts sent after their end. They count apart, as what comes too late is a matter of timing. */
  late: number
}

/** What most invocations never have. */
class More {
  /** The emissions of an attempt that may still fail; undefined where they are delivered as they come. */
  held: Array<AnyEvent> | undefined
  fiber: Fiber<unknown, unknown> | undefined
  /** Why it was interrupted. */
  reason: (() => unknown) | undefined
  /** Whether it has emitted anything; where it has an attempt, that knows. */
  emitted = false
}

/** Hot: there is one for each event that is delivered, and it waits in a queue. */
export class Invocation implements Delivery, Caller, Emitter {
  readonly run: Run
  readonly node: Node
  readonly input: unknown
  readonly scope: Scope
  /** Where somebody asks for the order of emissions, and as long as it may still emit. */
  private place: Place | undefined
  calledOff = false
  private phase: Phase = "waiting"
  private attempt: Attempt | undefined
  private names: Names | undefined
  private more: More | undefined

  constructor(run: Run, node: Node, input: unknown, scope: Scope, place: Place | undefined) {
    this.run = run
    this.node = node
    this.input = input
    this.scope = scope
    this.place = place
  }

  name(events: ReadonlyArray<string>, causes = events): void {
    // Frozen, as whoever observes the run is given it.
    this.names = { id: invocationId(this.node.name, causes), events: Object.freeze(events), emitted: 0, late: 0 }
  }

  get id(): string | undefined {
    return this.names?.id
  }

  get events(): ReadonlyArray<string> | undefined {
    return this.names?.events
  }

  /** The number of an emission among those of this invocation. */
  number(): number {
    return this.names!.emitted++
  }

  /** The number of an event that came too late: below zero. */
  lateNumber(): number {
    return -++this.names!.late
  }

  /** How many attempts there have been. */
  get attempts(): number {
    return this.attempt?.number ?? 1
  }

  /** The attempt of a step that has but one, made when its `ctx` is looked at. */
  get current(): Attempt {
    if (this.attempt === undefined) {
      this.attempt = new Attempt(this, 1)
      if (this.more?.reason !== undefined) this.attempt.interrupt(this.more.reason)
      else if (this.ended) this.attempt.end()
    }
    return this.attempt
  }

  private needMore(): More {
    this.more ??= new More()
    return this.more
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

  start(): void {
    this.phase = "running"
    try {
      // Told before a fiber is made, which is to carry the invocation's span.
      this.run.recorder?.started(1, this)
      if (this.node.guarded) this.fork(this.guarded())
      else this.take(this.call(contextOf(this, this.node.ctx)))
    } catch (error) {
      this.threw(error)
    }
  }

  private call(ctx: StepContext<any, any>): unknown {
    const { input, node, run } = this
    return run.probe === undefined ? node.step.run(input, ctx) : this.probed(run.probe, ctx)
  }

  private probed(probe: Probe, ctx: StepContext<any, any>): unknown {
    const { input, node } = this
    const call = { step: node.name, input, attempt: this.attempts, invocation: this.id }
    return probe.call(call, () => node.step.run(input, ctx))
  }

  /** Waits for a promise; a test may have it wait longer. */
  private wait(promise: PromiseLike<any>, fulfilled: (value: any) => void, rejected: (cause: unknown) => void): void {
    const { probe } = this.run
    if (probe === undefined && promise instanceof Promise) promise.then(fulfilled, rejected)
    else if (probe === undefined) {
      // A promise calls back in the context of this moment, and any other thenable in whichever it likes.
      promise.then(
        (value) => this.run.inContext(() => fulfilled(value)),
        (cause) => this.run.inContext(() => rejected(cause))
      )
    } else probe.wait({ step: this.node.name, invocation: this.id }, promise, fulfilled, rejected)
  }

  /** Interrupts it, whatever it is doing. Its end is told as any other. */
  interrupt(): void {
    if (this.phase === "over" || this.phase === "returning") return
    this.calledOff = true
    // A promise that has been rejected already is still told. It is left before its signal is aborted: a rejection that comes of
    // that says nothing new.
    const lasts = this.phase === "awaiting a promise" && this.run.failing
    const leave = () => this.end(Exit.interrupt(this.run.fiberId))
    if (lasts)
      Promise.resolve()
        .then(leave)
        .catch((error) => this.lose(error))
    try {
      const reason = this.run.reasonFor(this)
      this.needMore().reason = reason
      this.attempt?.interrupt(reason)
    } finally {
      if (this.more?.fiber !== undefined) this.more.fiber.interruptUnsafe(this.run.fiberId)
      // A promise cannot be interrupted but only left.
      else if (!lasts && this.phase === "awaiting a promise") leave()
    }
  }

  /** A race has been decided elsewhere. */
  cancel(): void {
    if (this.phase === "waiting") this.run.callOff(this)
    else this.interrupt()
  }

  /** Emits an event while the step's function is still at work. */
  send(event: unknown): void {
    try {
      this.emit(event)
    } catch (error) {
      unread(event)
      throw error
    }
    if (this.more?.held === undefined) this.run.wake()
  }

  sendLate(event: unknown): void {
    this.run.droppedLate(this, event)
  }

  fail(cause: Cause.Cause<unknown>): void {
    this.run.fail(this, cause)
  }

  collect(defs: Defs): ReadonlyArray<AnyEvent> | undefined {
    return this.run.collect(this, defs)
  }

  /** Takes what the function's promise or Effect succeeded with. */
  private returned(value: unknown): void {
    try {
      this.take(value)
    } catch (error) {
      unread(value)
      this.threw(error)
    }
  }

  /**
   * Takes what the function returned. Throws where the step may not emit it, and where a getter, a proxy or an iterable of the
   * step's own throws when it is looked at.
   */
  private take(value: unknown): void {
    if (value === undefined || value === null) this.endWithNothing()
    else if (typeof value !== "object") this.fork(this.emitting(value))
    else if (isPlainEvent(value)) this.emitOne(value)
    else if (Array.isArray(value)) this.emitAll(value)
    else if (Effect.isEffect(value)) this.fork(value as Effect.Effect<unknown, unknown>)
    else if (isPromiseLike(value)) this.await(value)
    else this.fork(this.emitting(value))
  }

  private endWithNothing(): void {
    const { node, run } = this
    if (node.emits.length > 0 && !(this.attempt ?? this.more)?.emitted) run.saidNothing(node)
    this.end(Exit.void)
  }

  private emitOne(value: unknown): void {
    this.phase = "returning"
    try {
      this.run.emit(this, value, true)
    } catch (error) {
      unread(value)
      throw error
    }
    this.end(Exit.void)
  }

  private emitAll(values: ReadonlyArray<unknown>): void {
    this.phase = "returning"
    try {
      this.emitToEnd(values)
    } catch (error) {
      unread(values)
      throw error
    }
    this.end(Exit.void)
  }

  private emitEach(values: ReadonlyArray<unknown>): void {
    try {
      for (const value of values) this.emit(value)
    } catch (error) {
      unread(values)
      throw error
    }
  }

  /** It emits something, or has returned a list or the like, which may be empty: no `return` is missing. */
  private emits(): void {
    const noted: { emitted: boolean } = this.attempt ?? this.needMore()
    noted.emitted = true
  }

  /** Emits one event of those that come one by one. */
  private emit(value: unknown): void {
    const { run, node } = this
    this.emits()
    const held = this.more?.held
    if (held !== undefined) held.push(run.accept(node, value))
    else run.emit(this, value, false)
  }

  /** Emits what it has left, so that it is known which is the last. */
  private emitToEnd(values: ReadonlyArray<unknown>): void {
    for (let i = 0; i < values.length; i++) this.run.emit(this, values[i], i === values.length - 1)
  }

  /** The place of one more emission; the last one takes over its own. */
  placeOf(last: boolean): Place | undefined {
    const { place } = this
    if (place === undefined || !last) return place?.before()
    this.place = undefined
    return place
  }

  /** Lets its place go, as nothing comes of it any more. */
  leavePlace(): void {
    this.place?.release()
    this.place = undefined
  }

  private emittingReturned(values: ReadonlyArray<unknown>): Effect.Effect<void> {
    this.emits()
    return Effect.sync(() => {
      if (this.more?.held === undefined) this.phase = "returning"
      this.emitEach(values)
    })
  }

  private await(promise: PromiseLike<unknown>): void {
    this.phase = "awaiting a promise"
    this.run.running(this)
    // A thenable of the step's own may call back twice, or throw afterwards: the first counts, as with a promise.
    let called = false
    const first = (settle: (value: unknown) => void) => (value: unknown) => {
      if (called || this.ended) {
        unread(value)
        return
      }
      called = true
      try {
        settle(value)
      } catch (error) {
        this.lose(error)
      }
    }
    const failed = first((cause) => this.end(this.rejection(cause)))
    const fulfilled = first((value) => {
      if (this.calledOff) {
        unread(value)
        this.end(Exit.interrupt(this.run.fiberId))
        return
      }
      this.phase = "running"
      this.returned(value)
    })
    try {
      this.wait(promise, fulfilled, failed)
    } catch (error) {
      failed(error)
    }
  }

  private fork(effect: Effect.Effect<unknown, unknown>): void {
    const fiber = Effect.runForkWith(this.run.contextOf(this))(effect)
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) {
      this.exited(exit)
      return
    }
    this.needMore().fiber = fiber
    fiber.addObserver((exit) => {
      try {
        this.run.inContext(() => this.exited(exit))
      } catch (error) {
        this.lose(error)
      }
    })
    this.run.running(this)
  }

  private exited(exit: Exit.Exit<unknown, unknown>): void {
    if (this.more !== undefined) this.more.fiber = undefined
    if (Exit.isSuccess(exit)) this.returned(exit.value)
    else this.end(exit)
  }

  /** It ends, although something threw where it was to end. */
  private lose(error: unknown): void {
    this.phase = "over"
    try {
      this.attempt?.end()
    } finally {
      this.run.lost(this, error)
    }
  }

  private end(exit: Exit.Exit<unknown, unknown>): void {
    if (this.phase === "over") return
    this.phase = "over"
    this.attempt?.end()
    try {
      this.leavePlace()
      this.run.settled(this, exit)
    } catch (error) {
      this.lose(error)
    }
  }

  /** What it throws is the step's own fault, except where it has ended already. */
  private threw(error: unknown): void {
    if (this.ended) this.lose(error)
    else if (this.more?.fiber === undefined) this.end(Exit.die(error))
    else {
      // It ends when its fiber does.
      this.run.lost(this, error)
      this.interrupt()
    }
  }

  private rejection(cause: unknown): Exit.Exit<never, StepRejected> {
    try {
      return Exit.fail(this.rejected(cause))
    } catch (error) {
      return Exit.die(error)
    }
  }

  private rejected(cause: unknown): StepRejected {
    const { workflow } = this.run
    return new StepRejected({ workflow, step: this.node.name, event: this.input, cause })
  }

  /** A step with a timeout, a retry or a recovery, as one Effect. What a failed attempt emitted is never seen. */
  private guarded(): Effect.Effect<void, unknown> {
    const { run, node, input } = this
    const { step } = node
    const holds = step.retry !== undefined || step.recover !== undefined
    const attempt = (number: number, call: (ctx: StepContext<any, any>) => unknown) =>
      Effect.suspend(() => {
        const again = number > this.attempts
        const attempt = new Attempt(this, number)
        this.attempt = attempt
        if (again) run.recorder?.started(number, this)
        if (holds) this.needMore().held = []
        return Effect.onExit(
          Effect.suspend(() => this.emitting(run.inContext(() => call(contextOf(attempt, "somehow"))))),
          () => Effect.sync(() => attempt.end())
        )
      })
    let effect: Effect.Effect<void, unknown> = Effect.suspend(() => {
      const number = this.attempt === undefined ? 1 : this.attempts + 1
      return attempt(number, (ctx) => this.call(ctx))
    })
    if (step.timeout !== undefined) {
      const duration = Duration.fromInputUnsafe(step.timeout)
      const after = Duration.format(duration)
      const props = { workflow: run.workflow, step: node.name, event: input, after }
      // As `Effect.timeoutOrElse`, which makes its error only when what took too long has been interrupted.
      const limit = Effect.flatMap(Effect.sleep(duration), () => {
        const error = new StepTimedOut(props)
        this.attempt?.interrupt(() => error)
        return Effect.fail(error)
      })
      effect = Effect.raceFirst(effect, limit)
    }
    if (step.retry !== undefined) {
      effect = Effect.retry(this.recordingRetries(effect), this.conditionsInContext(step.retry))
    }
    const { recover } = step
    if (recover !== undefined) {
      effect = Effect.catch(effect, (error) =>
        Effect.catchCause(
          attempt(this.attempts, (ctx) => recover(error, input, ctx)),
          // The recovery's own error first, what it could not recover from behind it.
          (cause) => Effect.failCause(behind(cause, [error]))
        )
      )
    }
    if (!holds) return effect
    return Effect.map(effect, () => {
      const held = this.more!.held!
      this.more!.held = undefined
      this.phase = "returning"
      this.emitToEnd(held)
    })
  }

  /** The conditions of a retry are the step's own code, as its function is. */
  private conditionsInContext(retry: NonNullable<AnyStep["retry"]>): Effect.Retry.Options<unknown> {
    if (Schedule.isSchedule(retry)) return retry as Effect.Retry.Options<unknown>
    const options: Record<string, unknown> = { ...retry }
    for (const name of ["while", "until"]) {
      const condition = options[name]
      if (typeof condition === "function") {
        options[name] = (error: unknown) => this.run.inContext(() => condition(error))
      }
    }
    return options
  }

  /** That an attempt is to be retried is known only when the next begins, and is recorded then. */
  private recordingRetries(attempt: Effect.Effect<void, unknown>): Effect.Effect<void, unknown> {
    const { recorder } = this.run
    if (recorder === undefined) return attempt
    let failed: { readonly cause: Cause.Cause<unknown>; readonly at: number } | undefined
    return Effect.suspend(() => {
      if (failed !== undefined) recorder.retried(this.attempts, this, failed.cause, failed.at)
      return Effect.tapCause(attempt, (cause) =>
        Effect.sync(() => {
          failed = { cause, at: recorder.now() }
        })
      )
    })
  }

  /** An Effect that emits whatever a step may return. */
  private emitting(value: unknown): Effect.Effect<void, unknown> {
    if (value === undefined || value === null) return Effect.void
    if (typeof value === "object") {
      if (isPlainEvent(value)) return this.emittingReturned([value])
      if (Array.isArray(value)) return this.emittingReturned(value)
      if (Effect.isEffect(value)) {
        return Effect.flatMap(value as Effect.Effect<unknown, unknown>, (value) => this.emitting(value))
      }
      if (isPromiseLike(value)) return Effect.flatMap(this.settling(value), (value) => this.emitting(value))
      this.emits()
      if (Stream.isStream(value)) {
        const stream = value as Stream.Stream<unknown, unknown>
        return this.whenRoom(Stream.runForEach(stream, (event) => this.emitWithRoom(event)))
      }
      if (hasProperty(value, Symbol.asyncIterator)) {
        return pulling((value as AsyncIterable<unknown>)[Symbol.asyncIterator](), this)
      }
      // An Effect of effect 3 yields itself: it is refused as what it is.
      if (hasProperty(value, Symbol.iterator) && !hasProperty(value, Symbol.for("effect/Effect"))) {
        const pulled = pulling((value as Iterable<unknown>)[Symbol.iterator](), this)
        // What a Set still holds has been made already.
        return Effect.tapCause(pulled, () => Effect.sync(() => unread(value)))
      }
    }
    return Effect.sync(() => this.emitEach([value]))
  }

  private emitWithRoom(event: unknown): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.send(event)
      return this.whenRoom(Effect.void)
    })
  }

  inContext<A>(work: () => A): A {
    return this.run.inContext(work)
  }

  get timedOut(): boolean {
    return this.run.timedOut
  }

  get unwanted(): boolean {
    return this.calledOff || this.run.over
  }

  get hasRoom(): boolean {
    return this.run.hasRoom(this.node)
  }

  whenRoom<A, E>(then: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return this.hasRoom ? then : Effect.flatMap(this.run.awaitRoom(this.node), () => then)
  }

  /** Waits for a promise from now on, not from when the Effect runs: it may be interrupted before that. */
  settling<A>(promise: PromiseLike<A>): Effect.Effect<A, StepRejected> {
    let settled: Effect.Effect<A, StepRejected> | undefined
    let resume: ((settled: Effect.Effect<A, StepRejected>) => void) | undefined
    const settle = (effect: Effect.Effect<A, StepRejected>) => {
      settled ??= effect
      resume?.(effect)
    }
    const fulfilled = (value: A) => {
      if (this.ended) unread(value)
      settle(Exit.succeed(value))
    }
    // The error is made in the fiber, which takes what making it may throw.
    const rejected = (cause: unknown) => settle(Effect.suspend(() => this.rejection(cause)))
    try {
      this.wait(promise, fulfilled, rejected)
    } catch (error) {
      rejected(error)
    }
    return Effect.callback((waiting) => {
      if (settled !== undefined) waiting(settled)
      else resume = waiting
    })
  }
}
