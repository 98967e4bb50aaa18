/**
 * State: a named, typed cell that each run has its own copy of.
 */
import * as Schema from "effect/Schema"
import { InvalidState } from "./Errors.ts"
import { foreignInWords, isForeign } from "./OwnSchema.ts"
import { issueInWords, secretOf } from "./Secrets.ts"
import { nameAndMessage, show } from "./Show.ts"

/** A cell of one run: read and written with `ctx.get`, `ctx.set` and `ctx.update`. */
export interface State<A> {
  readonly name: string
  readonly schema: Schema.Codec<A, unknown>
  readonly initial: A | (() => A)
  /**
   * A value for a run to begin with in place of `initial`: give it to the run's `state`. Throws {@link InvalidState} where
   * it does not fit the cell's schema.
   */
  readonly with: (value: A) => StateValue
}

/** A cell and the value that a run begins with there. */
export interface StateValue {
  readonly state: State<any>
  readonly value: unknown
}

/** What a run can be given beside its input. */
export interface StateOptions {
  /** What cells of its state begin with: `[seen.with(5)]`. All others begin with their `initial`. */
  readonly state?: ReadonlyArray<StateValue> | undefined
}

/** What a run begins with. @internal */
export const initialOf = <A>(state: State<A>): A => {
  if (!Schema.isSchema(state?.schema)) {
    throw new TypeError(`ctx.get, set and update take what defineState returns, not ${show(state)}`)
  }
  const { initial } = state
  return typeof initial === "function" ? (initial as () => A)() : initial
}

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
  initial: NoInfer<A> | (() => NoInfer<A>),
  ...more: ReadonlyArray<never>
): State<A> {
  if (typeof name !== "string" || name === "") {
    throw new TypeError(
      `defineState: a name is a string of at least one character, not ${name === "" ? "an empty one" : show(name)}`
    )
  }
  if (!Schema.isSchema(schema)) {
    throw new TypeError(`defineState: cell '${name}' has no schema: give one, such as Schema.Number`)
  }
  if (more.length > 0) {
    throw new TypeError(`defineState: cell '${name}' takes a schema and what it begins with: there are no options`)
  }
  if (isForeign(schema)) throw new TypeError(`defineState: cell '${name}' ${foreignInWords}`)
  const checked = Schema.decodeUnknownSync(Schema.toType(schema))
  const state: State<A> = Object.freeze({
    name,
    schema,
    initial,
    with: (input) => {
      try {
        return Object.freeze({ state, value: checked(input) })
      } catch (error) {
        const issue = Schema.isSchemaError(error) ? error.issue : undefined
        const secret = secretOf(schema)
        const thrown = secret === undefined ? nameAndMessage(error) : "its schema threw"
        const problem = issue === undefined ? thrown : issueInWords(issue, secret)
        throw new InvalidState({ state: name, input, issue, problem, secret })
      }
    }
  })
  return state
}
