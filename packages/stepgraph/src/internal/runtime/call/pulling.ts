/**
 * What a step returns piece by piece: pulled while its events find room, and closed when it is not pulled to its end.
 */
import * as Effect from "effect/Effect"
import { isPromiseLike } from "effect/Predicate"
import { show } from "../../../Show.ts"
import { unread } from "../../../Unread.ts"
import { eventsInTurn } from "../flow/budget.ts"

/** The invocation that what is pulled is emitted by. */
export interface Emitter {
  /** Whether nothing that it still emits is wanted. */
  readonly unwanted: boolean
  /** Whether the run has used up its time, so that nothing is waited for that may be left. */
  readonly timedOut: boolean
  readonly hasRoom: boolean
  send(event: unknown): void
  /** Does something in the ambient context in which the run was started. */
  inContext<A>(work: () => A): A
  /** Goes on when what it emits has room. */
  whenRoom<A, E>(then: Effect.Effect<A, E>): Effect.Effect<A, E>
  settling<A>(promise: PromiseLike<A>): Effect.Effect<A, unknown>
}

/**
 * How long an iterator that has been interrupted may take to close, in milliseconds. It is foreign code that nothing can
 * interrupt, and must not keep a run from ending.
 */
const closingMillis = 1_000

const refuse = (returned: unknown): never => {
  unread(returned)
  throw new TypeError(
    `it returned ${show(returned)} at the end of what it emits one by one, where only what it yields is emitted: yield it`
  )
}

export const pulling = (
  iterator: Iterator<unknown> | AsyncIterator<unknown>,
  emitter: Emitter
): Effect.Effect<void, unknown> => {
  let finished = false
  let pending = false
  let inTurn = 0
  /** Emits until the iterator ends, has to be waited for, or finds no room. */
  const pull = (): Effect.Effect<void, unknown> => emitter.inContext(pullOn)
  const pullOn = (): Effect.Effect<void, unknown> => {
    while (!emitter.unwanted) {
      pending = true
      const next = iterator.next()
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
  /** What to do before pulling again: nothing where `undefined`. */
  const emit = (result: IteratorResult<unknown>): Effect.Effect<void, unknown> | undefined => {
    finished = result.done === true
    if (finished) {
      if (result.value !== undefined && result.value !== null) refuse(result.value)
      return Effect.void
    }
    emitter.send(result.value)
    if (!emitter.hasRoom) return emitter.whenRoom(Effect.suspend(pull))
    // What an intake keeps has always room, and an endless iterator must not keep everybody else waiting.
    if (++inTurn % eventsInTurn === 0) return Effect.flatMap(Effect.yieldNow, () => Effect.suspend(pull))
    return undefined
  }
  const close = Effect.suspend(() => {
    if (finished || iterator.return === undefined) return Effect.void
    const closing = emitter.inContext(() => iterator.return!())
    if (!isPromiseLike(closing)) return Effect.void
    const closed = emitter.settling(closing)
    // One that is itself waiting closes only after that, which may be never: nobody waits for it.
    if (pending || emitter.timedOut) return Effect.void
    const closedInTime = Effect.raceFirst(Effect.interruptible(Effect.asVoid(closed)), Effect.sleep(closingMillis))
    return emitter.unwanted ? closedInTime : Effect.interruptible(closedInTime)
  })
  return Effect.onExit(emitter.whenRoom(Effect.suspend(pull)), () => close as Effect.Effect<void>)
}
