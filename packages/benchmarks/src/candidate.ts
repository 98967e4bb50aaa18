/**
 * What takes part: a library, or a way to write it by hand.
 */
import type { Name } from "./workloads.ts"

/** Told the answer of each run. Throws where it is wrong. */
export type Check = (answer: number | string) => void

/** Does a workload of a size so many times, one after the other, and tells each answer. */
export type Contest = (size: number, times: number, check: Check) => Promise<void>

/** What a candidate can do; what it has no notion of is left out. */
export type Candidate = { readonly [K in Name]?: Contest }

/** A workload whose runs are promises. */
export const awaiting =
  (once: (size: number) => Promise<number | string>): Contest =>
  async (size, times, check) => {
    for (let i = 0; i < times; i++) check(await once(size))
  }
