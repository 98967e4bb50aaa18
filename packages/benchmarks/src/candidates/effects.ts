/**
 * Workloads that are Effects.
 */
import { Effect } from "effect"
import type { Contest } from "../candidate.ts"

/** Runs one after another in one fiber. */
export const inOneFiber =
  (once: (size: number) => Effect.Effect<number | string, unknown>): Contest =>
  (size, times, check) =>
    Effect.runPromise(
      Effect.gen(function* () {
        for (let i = 0; i < times; i++) check(yield* once(size))
      })
    )

/** Each run as a separate promise. */
export const inPromises =
  (once: (size: number) => Effect.Effect<number | string, unknown>): Contest =>
  async (size, times, check) => {
    for (let i = 0; i < times; i++) check(await Effect.runPromise(once(size)))
  }

/** All runs at once. */
export const atOnce =
  (once: Effect.Effect<number, unknown>): Contest =>
  async (size, times, check) => {
    for (let i = 0; i < times; i++) {
      const fibers = Array.from({ length: size }, () => Effect.runPromise(once))
      check((await Promise.all(fibers)).reduce((sum, one) => sum + one, 0))
    }
  }
