/**
 * The contestants: libraries, and solutions written by hand.
 */
import type { Name } from "./workloads.ts"

/** Receives the answer of each run. Throws if it is wrong. */
export type Check = (answer: number | string) => void

/** Runs a workload of the given size several times in a row and reports each answer. */
export type Contest = (size: number, times: number, check: Check) => Promise<void>

/** The supported workloads; unsupported ones are absent. */
export type Candidate = { readonly [K in Name]?: Contest }

/** A workload whose runs are promises. */
export const awaiting =
  (once: (size: number) => Promise<number | string>): Contest =>
  async (size, times, check) => {
    for (let i = 0; i < times; i++) check(await once(size))
  }
