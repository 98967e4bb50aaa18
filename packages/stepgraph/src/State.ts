/**
 * State: a named, typed cell that each run has its own copy of.
 */
import type * as Schema from "effect/Schema"

/** A cell of one run: read and written with `ctx.get`, `ctx.set` and `ctx.update`. */
export interface State<A> {
  readonly name: string
  readonly schema: Schema.Codec<A, unknown>
  readonly initial: A | (() => A)
}

/** What a run begins with. @internal */
export const initialOf = <A>({ initial }: State<A>): A =>
  typeof initial === "function" ? (initial as () => A)() : initial

/**
 * Defines a cell of state. Every run has its own, and begins with `initial`; give a function that makes it where it is a
 * value that is changed in place, such as a `Map`.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineState, defineStep, runPromise, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start")
 * const Tick = defineEvent("Tick")
 * const Stop = defineEvent("Stop", { ticks: Schema.Number })
 * const ticks = defineState("ticks", Schema.Number, 0)
 *
 * const flow = workflow({
 *   name: "count", start: Start, stop: Stop,
 *   steps: {
 *     begin: defineStep({ accepts: Start, emits: Tick, run: () => [Tick(), Tick(), Tick()] }),
 *     count: defineStep({
 *       accepts: Tick, emits: Stop,
 *       run: (_, ctx) => {
 *         const seen = ctx.update(ticks, (n) => n + 1)
 *         if (seen === 3) return Stop({ ticks: seen })
 *       }
 *     })
 *   }
 * })
 *
 * console.log((await runPromise(flow)).ticks) // => 3
 * ```
 */
export function defineState<A>(
  name: string,
  schema: Schema.Codec<A, any>,
  initial: NoInfer<A> | (() => NoInfer<A>)
): State<A> {
  return Object.freeze({ name, schema, initial })
}
