/**
 * The one place that knows what a function of a step may return.
 */
import * as Effect from "effect/Effect"
import { hasProperty, isPromiseLike } from "effect/Predicate"
import * as Stream from "effect/Stream"
import type { AnyEvent } from "../../../Event.ts"
import { unread } from "../../../Unread.ts"
import { type Emitter, pulling } from "./pulling.ts"

/** Takes what a function returned. */
export interface Taker<A> {
  nothing(): A
  event(event: AnyEvent): A
  list(events: ReadonlyArray<unknown>): A
  effect(effect: Effect.Effect<unknown, unknown>): A
  promise(promise: PromiseLike<unknown>): A
  /** What comes piece by piece, or is nothing that a step may return: `pieces` takes it. */
  other(value: unknown): A
}

/** A value that is an event by its looks: no class of another kind, whatever its fields are called. */
const isPlainEvent = (value: object): value is AnyEvent => {
  if (typeof (value as { _tag?: unknown })._tag !== "string") return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Throws where a getter or a proxy of the step's own throws when it is looked at. Hot: most return an event, at once. */
export const take = <A>(value: unknown, by: Taker<A>): A => {
  if (value === undefined || value === null) return by.nothing()
  if (typeof value !== "object") return by.other(value)
  if (isPlainEvent(value)) return by.event(value)
  if (Array.isArray(value)) return by.list(value)
  if (Effect.isEffect(value)) return by.effect(value as Effect.Effect<unknown, unknown>)
  if (isPromiseLike(value)) return by.promise(value)
  return by.other(value)
}

/** What takes a returned value inside a fiber. */
export interface Receiver extends Emitter {
  /** Emits what was returned at once. */
  emitReturned(events: ReadonlyArray<unknown>): Effect.Effect<void>
  /** Notes that it emits something, or may: a `return` is not missing. */
  emits(): void
  /** Emits what is no plain event, which throws unless it is an event all the same. */
  emitOther(value: unknown): void
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
    return Effect.flatMap(this.receiver.settling(promise), (value) => take(value, this))
  }

  other(value: unknown) {
    return pieces(value, this.receiver)
  }
}

/** An Effect that emits whatever a step may return. */
export const emitting = (value: unknown, receiver: Receiver): Effect.Effect<void, unknown> =>
  take(value, new InFiber(receiver))

/** What is left when it is neither nothing, an event, a list, an Effect nor a promise. */
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
    // An Effect of effect 3 yields itself: it is refused as what it is.
    if (hasProperty(value, Symbol.iterator) && !hasProperty(value, Symbol.for("effect/Effect"))) {
      const pulled = pulling((value as Iterable<unknown>)[Symbol.iterator](), receiver)
      // What a Set still holds has been made already.
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

/** An Effect that does whatever a returned value asks for, and drops what it would have emitted. */
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
}
