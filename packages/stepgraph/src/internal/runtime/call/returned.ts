/**
 * The one place that knows which values a step's function may return.
 */
import * as Effect from "effect/Effect"
import { hasProperty, isPromiseLike } from "effect/Predicate"
import * as Stream from "effect/Stream"
import type { AnyEvent } from "../../../Event.ts"
import { unread } from "../../../Unread.ts"
import { type Emitter, pulling } from "./pulling.ts"

/** Handles a returned value by its kind. */
export interface Taker<A> {
  nothing(): A
  event(event: AnyEvent): A
  list(events: ReadonlyArray<unknown>): A
  effect(effect: Effect.Effect<unknown, unknown>): A
  promise(promise: PromiseLike<unknown>): A
  /** An iterable, a stream, or a value that a step may not return: `pieces` handles it. */
  other(value: unknown): A
}

/** A value that looks like an event: not an instance of another class, whatever its fields are called. */
const isPlainEvent = (value: object): value is AnyEvent => {
  if (typeof (value as { _tag?: unknown })._tag !== "string") return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Throws if a getter or proxy of the step throws when inspected. Hot: most functions return an event directly. */
export const take = <A>(value: unknown, by: Taker<A>): A => {
  if (value === undefined || value === null) return by.nothing()
  if (typeof value !== "object") return by.other(value)
  if (isPlainEvent(value)) return by.event(value)
  if (Array.isArray(value)) return by.list(value)
  if (Effect.isEffect(value)) return by.effect(value as Effect.Effect<unknown, unknown>)
  if (isPromiseLike(value)) return by.promise(value)
  return by.other(value)
}

/** Handles a returned value inside a fiber. */
export interface Receiver extends Emitter {
  /** Emits values that were returned directly. */
  emitReturned(events: ReadonlyArray<unknown>): Effect.Effect<void>
  /** Notes that it emits something, or may: a `return` is not missing. */
  emits(): void
  /** Emits any other value, which throws unless it is an event after all. */
  emitOther(value: unknown): void
  /** Waits for the step's own promise. If interrupted, it waits for the step's `grace` as well. */
  awaiting(promise: PromiseLike<unknown>): Effect.Effect<unknown, unknown>
}

class InFiber implements Taker<Effect.Effect<void, unknown>> {
  private readonly receiver: Receiver

  constructor(receiver: Receiver) {
    this.receiver = receiver
  }

  nothing() {
    return Effect.void
  }

  event(event: AnyEvent) {
    return this.receiver.emitReturned([event])
  }

  list(events: ReadonlyArray<unknown>) {
    return this.receiver.emitReturned(events)
  }

  effect(effect: Effect.Effect<unknown, unknown>): Effect.Effect<void, unknown> {
    return Effect.flatMap(effect, (value) => take(value, this))
  }

  promise(promise: PromiseLike<unknown>): Effect.Effect<void, unknown> {
    return Effect.flatMap(this.receiver.awaiting(promise), (value) => take(value, this))
  }

  other(value: unknown) {
    return pieces(value, this.receiver)
  }
}

/** An Effect that emits a returned value of any kind. */
export const emitting = (value: unknown, receiver: Receiver): Effect.Effect<void, unknown> =>
  take(value, new InFiber(receiver))

/** Handles values other than nothing, an event, a list, an Effect or a promise. */
export const pieces = (value: unknown, receiver: Receiver): Effect.Effect<void, unknown> => {
  if (typeof value === "object") {
    receiver.emits()
    if (Stream.isStream(value)) {
      const stream = value as Stream.Stream<unknown, unknown>
      return receiver.whenRoom(Stream.runForEach(stream, (event) => emitWithRoom(event, receiver)))
    }
    if (hasProperty(value, Symbol.asyncIterator)) {
      return pulling((value as AsyncIterable<unknown>)[Symbol.asyncIterator](), receiver)
    }
    // An Effect of effect 3 is iterable, because it yields itself. Reject it by name.
    if (hasProperty(value, Symbol.iterator) && !hasProperty(value, Symbol.for("effect/Effect"))) {
      const pulled = pulling((value as Iterable<unknown>)[Symbol.iterator](), receiver)
      // The remaining values of a Set exist already.
      return Effect.tapCause(pulled, () => Effect.sync(() => unread(value)))
    }
  }
  return Effect.sync(() => receiver.emitOther(value))
}

const emitWithRoom = (event: unknown, receiver: Receiver): Effect.Effect<void> =>
  Effect.suspend(() => {
    receiver.send(event)
    return receiver.whenRoom(Effect.void)
  })

/** An Effect that performs a returned value but drops its emissions. */
export const discarding = (value: unknown, receiver: Receiver): Effect.Effect<void, unknown> =>
  emitting(value, new Discarding(receiver))

class Discarding implements Receiver {
  readonly unwanted = false
  readonly hasRoom = true
  private readonly receiver: Receiver

  constructor(receiver: Receiver) {
    this.receiver = receiver
  }

  get timedOut() {
    return this.receiver.timedOut
  }

  emits() {}

  send() {}

  emitOther() {}

  emitReturned() {
    return Effect.void
  }

  inContext<A>(work: () => A): A {
    return this.receiver.inContext(work)
  }

  thrown(error: unknown): Effect.Effect<never, unknown> {
    return this.receiver.thrown(error)
  }

  whenRoom<A, E>(then: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return then
  }

  settling<A>(promise: PromiseLike<A>): Effect.Effect<A, unknown> {
    return this.receiver.settling(promise)
  }

  awaiting(promise: PromiseLike<unknown>): Effect.Effect<unknown, unknown> {
    return this.receiver.awaiting(promise)
  }

  graceFor(ending: Effect.Effect<unknown, unknown>): Effect.Effect<void, unknown> | undefined {
    return this.receiver.graceFor(ending)
  }
}
