/**
 * Iterators and streams that a step returns: pulled while their events find room, and closed if not exhausted.
 */
import * as Effect from "effect/Effect"
import { isPromiseLike } from "effect/Predicate"
import { refusedReturn } from "../../../Advice.ts"
import { unread } from "../../../Unread.ts"
import { eventsInTurn } from "../flow/budget.ts"

/** The invocation that emits the pulled events. */
export interface Emitter {
  /** Whether further emissions are unwanted. */
  readonly unwanted: boolean
  /** Whether the run's time is up, so that it abandons all it can. */
  readonly timedOut: boolean
  readonly hasRoom: boolean
  send(event: unknown): void
  /** Runs a function in the ambient context in which the run was started. */
  inContext<A>(work: () => A): A
  /** Continues when its emissions have room. */
  whenRoom<A, E>(then: Effect.Effect<A, E>): Effect.Effect<A, E>
  /** Handles an exception of an iterator. Rethrows it if it is a defect. */
  thrown(error: unknown): Effect.Effect<never, unknown>
  settling<A>(promise: PromiseLike<A>): Effect.Effect<A, unknown>
  /** Waits for the end of interrupted code, for the step's `grace` at most; undefined if it has none. */
  graceFor(ending: Effect.Effect<unknown, unknown>): Effect.Effect<void, unknown> | undefined
}

/**
 * How many milliseconds an interrupted iterator may take to close, unless its step has a `grace`. Foreign code cannot be interrupted, and must not
 * keep a run from ending.
 */
const closingMillis = 1_000

const refuse = (returned: unknown): never => {
  unread(returned)
  throw new TypeError(refusedReturn(returned))
}

export const pulling = (
  iterator: Iterator<unknown> | AsyncIterator<unknown>,
  emitter: Emitter
): Effect.Effect<void, unknown> => {
  let finished = false
  let pending = false
  let inTurn = 0
  /** Emits until the iterator ends, must be awaited, or finds no room. */
  const pull = (): Effect.Effect<void, unknown> => emitter.inContext(pullOn)
  const pullOn = (): Effect.Effect<void, unknown> => {
    while (!emitter.unwanted) {
      pending = true
      let next: ReturnType<typeof iterator.next>
      try {
        next = iterator.next()
      } catch (error) {
        return emitter.thrown(error)
      }
      if (isPromiseLike(next)) {
        return Effect.flatMap(emitter.settling(next), (result) => {
          pending = false
          return emit(result) ?? Effect.suspend(pull)
        })
      }
      pending = false
      const pause = emit(next)
      if (pause !== undefined) return pause
    }
    return Effect.void
  }
  /** The work before the next pull; `undefined` for none. */
  const emit = (result: IteratorResult<unknown>): Effect.Effect<void, unknown> | undefined => {
    finished = result.done === true
    if (finished) {
      if (result.value !== undefined && result.value !== null) refuse(result.value)
      return Effect.void
    }
    emitter.send(result.value)
    if (!emitter.hasRoom) return emitter.whenRoom(Effect.suspend(pull))
    // Events for an intake always find room, and an endless iterator must not starve others.
    if (++inTurn % eventsInTurn === 0) return Effect.flatMap(Effect.yieldNow, () => Effect.suspend(pull))
    return undefined
  }
  const close = Effect.suspend(() => {
    if (finished || iterator.return === undefined) return Effect.void
    const closing = emitter.inContext(() => iterator.return!())
    if (!isPromiseLike(closing)) return Effect.void
    const closed = emitter.settling(closing)
    const graced = emitter.graceFor(closed)
    if (graced !== undefined) return graced
    // An iterator that is itself waiting closes only after that, possibly never, so do not wait.
    if (pending || emitter.timedOut) return Effect.void
    const closedInTime = Effect.raceFirst(Effect.interruptible(Effect.asVoid(closed)), Effect.sleep(closingMillis))
    return emitter.unwanted ? closedInTime : Effect.interruptible(closedInTime)
  })
  return Effect.onExit(emitter.whenRoom(Effect.suspend(pull)), () => close as Effect.Effect<void>)
}
