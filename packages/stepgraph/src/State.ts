/**
 * State: named, typed cells. Each run has its own copy.
 */
import * as Schema from "effect/Schema"
import type { CheckState, SchemaOf, StateOf } from "./Definition.ts"
import { InvalidState } from "./Errors.ts"
import { problemOfAnnotations } from "./Options.ts"
import { foreignInWords, isForeign } from "./OwnSchema.ts"
import { reasonOf } from "./Reason.ts"
import { secretOf } from "./Secrets.ts"
import { show } from "./Show.ts"
import { adopted, isStandard, UnusableSchema } from "./Standard.ts"

/** A cell of a run's state, for `ctx.get`, `ctx.set` and `ctx.update`. */
export interface State<A, S extends Schema.Constraint = Schema.Codec<A, unknown>> {
  readonly name: string
  readonly schema: S
  readonly initial: A | (() => A)
  /**
   * An initial value for a run, in place of `initial`: pass it in the run's `state`. Throws {@link InvalidState} if it
   * does not fit the cell's schema.
   */
  readonly with: (value: A) => StateValue
}

/** A cell with the initial value for a run. */
export interface StateValue {
  readonly state: State<any>
  readonly value: unknown
}

/** The options of `run`. Every other way to start a run takes them too. */
export interface RunOptions {
  /** Initial values for cells: `[seen.with(5)]`. All other cells begin with their `initial`. */
  readonly state?: ReadonlyArray<StateValue> | undefined
}

/** The initial value. @internal */
export const initialOf = <A>(state: State<A>): A => {
  if (!Schema.isSchema(state?.schema)) {
    throw new TypeError(`ctx.get, set and update take what defineState returns, not ${show(state)}`)
  }
  const { initial } = state
  return typeof initial === "function" ? (initial as () => A)() : initial
}

/**
 * Defines a cell of state. Every run has its own copy, which begins with `initial`. If the value is changed in place,
 * such as a `Map`, pass a function that creates it.
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
export function defineState<const Name extends string, S extends object>(
  name: Name,
  schema: S & CheckState<Name, S>,
  initial: NoInfer<StateOf<S>> | (() => NoInfer<StateOf<S>>),
  annotations?: Schema.Annotations.Bottom<NoInfer<StateOf<S>>, readonly []>
): State<StateOf<S>, SchemaOf<S>> {
  const own = schemaOf(name, schema, annotations)
  const checked = Schema.decodeUnknownSync(Schema.toType(own))
  const state: State<any, any> = Object.freeze({
    name,
    schema: own,
    initial,
    with: (input: unknown) => {
      try {
        return Object.freeze({ state, value: checked(input) })
      } catch (error) {
        const secret = secretOf(own)
        const reason = reasonOf(error, secret)
        throw "unusable" in reason
          ? new TypeError(`state '${name}' cannot be given a value: ${reason.unusable}`)
          : new InvalidState({ state: name, input, secret, ...reason })
      }
    }
  })
  return state
}

const schemaOf = (
  name: string,
  given: unknown,
  annotations: Schema.Annotations.Bottom<any, readonly []> | undefined
): Schema.Codec<any> => {
  const mistaken = (words: string) => new TypeError(`defineState: ${words}`)
  if (typeof name !== "string" || name === "") {
    throw mistaken(`a name must be a non-empty string, not ${name === "" ? "an empty one" : show(name)}`)
  }
  const problem = problemOfAnnotations(annotations)
  if (problem !== undefined) throw mistaken(`cell '${name}' ${problem}`)
  if (Schema.isSchema(given)) {
    if (isForeign(given)) throw mistaken(`cell '${name}' ${foreignInWords}`)
    const schema = given as Schema.Codec<any>
    return annotations === undefined ? schema : schema.annotate(annotations)
  }
  if (!isStandard(given)) throw mistaken(`cell '${name}' has no schema: give one, such as Schema.Number`)
  try {
    const schema = adopted(given) as Schema.Codec<any>
    return annotations === undefined ? schema : schema.annotate(annotations)
  } catch (error) {
    throw error instanceof UnusableSchema ? mistaken(`cell '${name}' cannot be defined: ${error.message}`) : error
  }
}
