// Runs a program while virtual time passes, so that a test of slow steps takes no time and one of a hang ends at once.
import { Cause, Effect, Exit } from "effect"
import { TestClock } from "effect/testing"

/** Real code in a step (promises, async generators) needs turns of the event loop, not time. */
const turn = Effect.promise(() => new Promise<void>((resume) => setImmediate(resume)))
const mostTurns = 200
/** Milliseconds. A step may also wait for a real timer, which on a busy machine comes after many turns. */
const patience = 500

/**
 * The outcome of a program, however long its sleeps; a program that waits forever fails the test. Its time begins at 0.
 */
export const ended = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(program)
    const begun = performance.now()
    for (let turns = 0; turns < mostTurns || performance.now() - begun < patience; turns++) {
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return exit
      yield* TestClock.adjust("1 hour")
      yield* turn
    }
    return yield* Effect.die(new Error("the program hangs: nothing wakes it up again"))
  }).pipe(Effect.provide(TestClock.layer()))

/** The result of a program, however long its sleeps. */
export const result = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatten(ended(program))

/** The failure of a program, however long its sleeps. */
export const failure = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<E, A, R> =>
  result(Effect.flip(program))

/** The defect of a program, however long its sleeps. */
export const defect = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<unknown, never, R> =>
  Effect.map(ended(program), (exit) => {
    const died = Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isDieReason) : undefined
    if (died === undefined) throw new Error(`the program did not die but ended with ${exit}`)
    return died.defect
  })

/** Numbers between 0 and 1 that are the same for the same seed (Mulberry32). */
export const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
