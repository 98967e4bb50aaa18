/**
 * Limits that reach beyond a run. Data and types only.
 */
import type * as Duration from "effect/Duration"
import type { RateLimiter } from "effect/persistence/RateLimiter"
import { isMade, prototypeOf } from "./TypeId.ts"

/** The result of `defineLimit`: shared by all steps and runs that it is given to. `Input` is what its `by` takes. */
export interface Limit<in Input = any> {
  readonly name: string
  readonly concurrent: number | undefined
  readonly times: number | undefined
  readonly per: Duration.Input | undefined
  readonly by: ((input: Input) => unknown) | undefined
  /** In order of definition: several limits of a step are taken in this order. */
  readonly "~order": number
  /** Wraps a call. */
  readonly "~guard": (guard: any) => any
}

/** The options of `defineLimit`. */
export interface LimitOptions<Input> {
  /** How many calls may run at once. */
  readonly concurrent?: number | undefined
  /** How many calls may start within any period of length `per`. */
  readonly times?: number | undefined
  readonly per?: Duration.Input | undefined
  /**
   * Keeps one such limit for each key: a string, a number, or another primitive value. It receives the step's input:
   * the event, or the events of its intake.
   */
  readonly by?: ((input: Input) => unknown) | undefined
  /**
   * Counts one rate for several processes, in a program that does not provide Effect's `RateLimiter` as a service.
   */
  readonly limiter?: RateLimiter | undefined
}

/** Whether a value is a limit: what `defineLimit` returns. */
export const isLimit = (value: unknown): value is Limit => isMade("Limit", value)

/** @internal */
export const prototype: object = /*#__PURE__*/ prototypeOf<Limit>("Limit", ({ name }) => `Limit(${name})`)

/** A step's limits, in the order in which a call takes them. @internal */
export const limitsOf = (limit: Limit | ReadonlyArray<Limit> | undefined): ReadonlyArray<Limit> =>
  limit === undefined
    ? []
    : Array.isArray(limit)
      ? [...new Set(limit as ReadonlyArray<Limit>)].sort((a, b) => a["~order"] - b["~order"])
      : [limit as Limit]
