/**
 * Seeded random numbers.
 */
import type * as Random from "effect/Random"

/** Between 0 and 1 (mulberry32). */
export const numbers = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

/** Effect's `Random` for steps: the same in every run. */
export const steadyRandom = (): Random.Random => {
  const next = numbers(1)
  return { nextDoubleUnsafe: next, nextIntUnsafe: () => Math.floor((next() - 0.5) * 2 ** 32) }
}

/** Run ids: the same in every run. */
export const steadyIds = () => {
  const { nextIntUnsafe } = steadyRandom()
  return (): string => nextIntUnsafe().toString(36).replace("-", "")
}
