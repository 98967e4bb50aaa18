/**
 * The possible events in a run, according to the options.
 */
import type { FaultKind } from "./faults.ts"

/** The possible deviations of a run from production's behaviour. */
export interface Modes {
  readonly time: "any" | "ordered"
  readonly lanes: "any" | "in turn"
  readonly fibers: "any" | "in turn"
  readonly results: "any" | "at once"
  readonly timers: "real" | "virtual"
  readonly preempt: number
  readonly cancel: boolean
  /** Whether the process of the run may die, once. */
  readonly crash: boolean
  readonly faults: {
    readonly max: number
    readonly kinds: ReadonlyArray<FaultKind>
    readonly steps: ReadonlyArray<string> | undefined
  }
  /** How long to wait for the outside world, in milliseconds. */
  readonly patience: number
  readonly logs: boolean
}

/** Any part of `A`, or undefined in its place. */
type Maybe<A> = { readonly [Name in keyof A]?: A[Name] | undefined }

/** The options for these modes. */
type Given = Maybe<Omit<Modes, "faults" | "crash">> & {
  readonly faults?: Maybe<Modes["faults"]> | undefined
  readonly crash?: boolean | object | undefined
}

/** The defaults follow production, except for time and lanes. */
export const modesOf = (options: Given): Modes => ({
  time: options.time ?? "any",
  lanes: options.lanes ?? "any",
  fibers: options.fibers ?? "in turn",
  results: options.results ?? "at once",
  timers: options.timers ?? "real",
  preempt: options.preempt ?? 0,
  cancel: options.cancel ?? false,
  crash: options.crash !== undefined && options.crash !== false,
  faults: {
    max: options.faults === undefined ? 0 : (options.faults.max ?? 1),
    kinds: options.faults?.kinds ?? [],
    steps: options.faults?.steps
  },
  patience: options.patience ?? 1_000,
  logs: options.logs ?? false
})
