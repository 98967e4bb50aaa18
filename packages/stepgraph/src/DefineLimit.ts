/**
 * Defines limits that reach beyond a run.
 */
import * as Duration from "effect/Duration"
import { limiting } from "./internal/runtime/call/limiting.ts"
import { type Limit, type LimitOptions, prototype } from "./Limit.ts"
import { kindOf, unknownOptions } from "./Options.ts"
import { show } from "./Show.ts"
import { made } from "./TypeId.ts"

const optionNames = ["concurrent", "times", "per", "by", "limiter"]

let defined = 0

/**
 * Defines a limit for calls of steps, shared by all runs of the process: `limit: model` on a step, or a list of limits.
 *
 * - `concurrent`: how many calls may run at once
 * - `times`, `per`: how many calls may start within any period of that length
 * - `by`: keeps one such limit for each key
 * - `limiter`: Effect's `RateLimiter`, which counts the rate in a store for several processes; a program with Effect provides
 * it as a service instead
 *
 * Calls wait in line, first come first served, and each key has its own line. Each attempt of a retry is a call. A call that
 * waits keeps its worker, and its step's `timeout` has not begun.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineLimit, defineStep, gather, runPromise, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start", { tenant: Schema.String })
 * const Ask = defineEvent("Ask", { tenant: Schema.String, n: Schema.Number })
 * const Answer = defineEvent("Answer", { n: Schema.Number })
 * const Stop = defineEvent("Stop", { answers: Schema.Number })
 *
 * const model = defineLimit("model", {
 *   concurrent: 2, times: 60, per: "1 minute", by: (ask: { readonly tenant: string }) => ask.tenant
 * })
 *
 * const flow = workflow({
 *   name: "answers", start: Start, stop: Stop,
 *   steps: {
 *     list: defineStep({
 *       accepts: Start, emits: Ask, run: ({ tenant }) => [1, 2, 3].map((n) => Ask({ tenant, n }))
 *     }),
 *     ask: defineStep({ accepts: Ask, emits: Answer, limit: model, run: async ({ n }) => Answer({ n }) }),
 *     all: defineStep({ accepts: gather(Answer), emits: Stop, run: (all) => Stop({ answers: all.length }) })
 *   }
 * })
 *
 * const runs = await Promise.all(["acme", "umbrella"].map((tenant) => runPromise(flow, { tenant })))
 * console.log(runs.map(({ answers }) => answers)) // => [ 3, 3 ]
 * ```
 */
export function defineLimit<Input = any>(name: string, options: LimitOptions<Input>): Limit<Input> {
  const mistaken = (problem: string) => new TypeError(`defineLimit: ${problem}`)
  if (typeof name !== "string" || name === "") {
    throw mistaken(`a name must be a non-empty string, not ${name === "" ? "an empty one" : show(name)}`)
  }
  const problem = problemOf(options)
  if (problem !== undefined) throw mistaken(`limit '${name}' ${problem}`)
  const { concurrent, times, per, by, limiter } = options
  const window = per === undefined ? undefined : Duration.fromInputUnsafe(per)
  return made(prototype, {
    name,
    concurrent,
    times,
    per,
    by,
    "~order": ++defined,
    "~guard": limiting({
      name,
      concurrent: concurrent ?? Number.POSITIVE_INFINITY,
      rate: window && { times: times!, window },
      by: by as ((input: any) => unknown) | undefined,
      limiter
    })
  })
}

const isPositiveWhole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0

const isTime = (value: unknown): boolean => {
  if (typeof value === "object" && value !== null && Object.keys(value).length === 0) return false
  const duration = Duration.fromInput(value as Duration.Input)
  if (duration._tag === "None") return false
  const millis = Duration.toMillis(duration.value)
  return millis > 0 && Number.isFinite(millis)
}

const problemOf = (options: unknown): string | undefined => {
  const [unknown] = unknownOptions(options ?? {}, optionNames)
  if (unknown !== undefined) return `has a wrong option: ${unknown}`
  const { concurrent, times, per, by, limiter } = (options ?? {}) as Partial<Record<string, unknown>>
  if (concurrent === undefined && times === undefined && per === undefined) {
    return "limits nothing: give `concurrent`, or `times` and `per`"
  }
  if (concurrent !== undefined && !isPositiveWhole(concurrent)) {
    return `has a \`concurrent\` of ${show(concurrent)}: give a positive whole number`
  }
  if ((times === undefined) !== (per === undefined)) {
    return `has \`${times === undefined ? "per" : "times"}\` without \`${times === undefined ? "times" : "per"}\`: give both`
  }
  if (times !== undefined && !isPositiveWhole(times)) {
    return `has a \`times\` of ${show(times)}: give a positive whole number`
  }
  if (per !== undefined && !isTime(per)) {
    return `has a \`per\` of ${show(per)}, which is not a time: write "1 minute" or a number of milliseconds`
  }
  if (by !== undefined && typeof by !== "function")
    return "has a `by` that is not a function: write (event) => event.id"
  if (limiter !== undefined && typeof (limiter as { consume?: unknown } | null)?.consume !== "function") {
    return `has a \`limiter\` that is not Effect's RateLimiter, but ${kindOf(limiter)}`
  }
  return limiter !== undefined && times === undefined
    ? "has a `limiter`, but no rate: give `times` and `per`"
    : undefined
}
