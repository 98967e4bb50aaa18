/**
 * Workflows: plain data, checked by the compiler and again by `workflow()`.
 */
import type * as Duration from "effect/Duration"
import { type Pipeable, Prototype } from "effect/Pipeable"
import { type InvalidEvent, InvalidWorkflow, type WorkflowStalled, type WorkflowTimedOut } from "./Errors.ts"
import type { AnyDef, Defs, EventDef, EventOf, EventsOf, TagOf, TagsOf } from "./Event.ts"
import type { Check } from "./internal/graph/check.ts"
import type { CompiledGraph } from "./internal/graph/graph.ts"
import { examine } from "./internal/graph/problems.ts"
import type { AnyStep, Step } from "./Step.ts"
import { isMade, listed, made, prototypeOf, tagsIn } from "./TypeId.ts"

type Steps = Readonly<Record<string, AnyStep>>

/** The result of `workflow()`: data that can be run any number of times, spread, and drawn. */
export interface Workflow<
  Start extends AnyDef,
  Stop extends AnyDef | Defs,
  S extends Steps,
  Inputs extends Defs,
  Outputs extends Defs,
  E
> extends Pipeable {
  readonly name: string
  readonly start: Start
  readonly stop: Stop
  readonly steps: S
  readonly inputs: Inputs
  readonly outputs: Outputs
  readonly timeout?: Duration.Input | undefined
  readonly grace?: Duration.Input | undefined
  readonly "~types"?: { readonly error: E }
}

// Unnamed conditional types over the union of the steps, so that editors show the errors and services themselves.
type ErrorOf<S> = S extends Step<any, any, infer E, any, any, any, any> ? E : never
type ServicesOf<S> = 0 extends 1 & S ? never : S extends Step<any, any, any, infer R, any, any, any> ? R : never

/** A workflow of any types. */
export type AnyWorkflow = Workflow<any, any, any, any, any, any>
/** The event that starts a workflow. */
export type StartOf<W> = W extends Workflow<infer Start, any, any, any, any, any> ? EventOf<Start> : never
/** The union of a workflow's stop events: the result of a run. */
export type StopOf<W> = W extends Workflow<any, infer Stop, any, any, any, any> ? EventsOf<Stop> : never
/** The union of the events that can be sent to a run. */
export type InputsOf<W> = W extends Workflow<any, any, any, infer Inputs, any, any> ? EventOf<Inputs[number]> : never
/** The union of the events that a run emits to its listeners. */
export type OutputsOf<W> = W extends Workflow<any, any, any, any, infer Outputs, any> ? EventOf<Outputs[number]> : never
/** The union of the typed errors of a run after it has begun. */
export type WorkflowError<W> =
  W extends Workflow<any, any, infer S, any, any, infer E> ? ErrorOf<S[keyof S]> | E | WorkflowStalled : never
/** The same with `InvalidEvent`, unless the input is a start event that has already been made or decoded (`Made`). */
export type RunError<W, Made = never> =
  W extends Workflow<any, any, infer S, any, any, infer E>
    ? ErrorOf<S[keyof S]> | E | WorkflowStalled | Unfit<W, Made>
    : never
/** Distinguishes existing events: the inferred type of any other input is not assignable to it. */
export type MaybeMade<W> = StartOf<W> | { readonly "~unmade": never }
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** A value that the start event's schema decoded, for example as the payload of an API. It has been checked, too. */
type Decoded<W> = W extends { readonly start: { readonly schema: { readonly Type: infer T } } } ? T : never
// A literal that looks like an event has a different type from one that the definition makes, and must still be checked.
export type Unfit<W, Made> = [Made] extends [never]
  ? InvalidEvent
  : true extends Same<Made, StartOf<W>> | Same<Made, Decoded<W>>
    ? never
    : InvalidEvent
/** The union of the services that a workflow's steps need. */
export type RunServices<W> = W extends Workflow<any, any, infer S, any, any, any> ? ServicesOf<S[keyof S]> : never
/**
 * The input of a run: the argument of the start event's definition, or the event itself, which a schema may have
 * changed.
 */
type StartIn<W> =
  W extends Workflow<infer Start, any, any, any, any, any>
    ? Start extends EventDef<any, any, infer In, any>
      ? [EventOf<Start>] extends [In]
        ? In
        : In | EventOf<Start>
      : never
    : never
/** The input of an event without fields: empty, so options are not mistaken for it. */
type NoFields = { readonly [field: string]: never }
/**
 * The arguments of a run: the start event's fields (optional if all of them are) or the event itself, and the options.
 */
export type Given<W, Options, Made = never> = [StartIn<W> extends never ? never : keyof StartIn<W>] extends [never]
  ? [input?: NoFields | StartOf<W> | Made | undefined, options?: Options | undefined]
  : {} extends StartIn<W>
    ? [input?: StartIn<W> | Made | undefined, options?: Options | undefined]
    : [input: StartIn<W> | Made, options?: Options | undefined]

/**
 * Combines steps into a workflow. A step's key is its name.
 *
 * - `start`: the event that starts a run, made from the run's input
 * - `stop`: the event or events that end a run: the first one to come is the result
 * - `inputs`, `outputs`: events that can be sent to a run, and events that it emits to its listeners
 * - `timeout`: the time limit of a run, which then fails with `WorkflowTimedOut`
 * - `grace`: how long the promises and async generators of its steps are waited for once they are interrupted, unless the step
 * says otherwise
 *
 * A graph that does not fit together does not compile: an event that no step accepts or emits, or a start or stop event
 * that no step uses. `workflow()` also checks what types cannot express, and repeats all checks for callers without
 * types.
 *
 * Throws {@link InvalidWorkflow}, which lists every problem.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineStep, runPromise, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start", { name: Schema.String })
 * const Stop = defineEvent("Stop", { greeting: Schema.String })
 *
 * const flow = workflow({
 *   name: "greet", start: Start, stop: Stop,
 *   steps: {
 *     greet: defineStep({ accepts: Start, emits: Stop, run: ({ name }) => Stop({ greeting: `Hello, ${name}!` }) })
 *   }
 * })
 *
 * console.log((await runPromise(flow, { name: "Ada" })).greeting) // => Hello, Ada!
 * ```
 */
export function workflow<
  const Start extends AnyDef,
  const Stop extends AnyDef | Defs,
  const S extends Steps,
  const Inputs extends Defs = [],
  const Outputs extends Defs = [],
  Limit extends Duration.Input | undefined = undefined
>(definition: {
  readonly name: string
  readonly start: Start
  readonly stop: Stop
  readonly inputs?: Inputs | undefined
  readonly outputs?: Outputs | undefined
  readonly timeout?: Limit | undefined
  readonly grace?: Duration.Input | undefined
  readonly steps: S & Check<S, TagOf<Start>, TagsOf<Stop>, TagOf<Inputs[number]>, TagOf<Outputs[number]>>
}): Workflow<Start, Stop, S, Inputs, Outputs, undefined extends Limit ? never : WorkflowTimedOut> {
  if (typeof definition !== "object" || definition === null) {
    throw new InvalidWorkflow({
      workflow: "",
      problems: ["it is not an object: give workflow({ name, start, stop, steps })"]
    })
  }
  const { name, start, stop, inputs = [], outputs = [], timeout, grace, steps, ...more } = definition
  const flow = made<Omit<AnyWorkflow, "pipe">>(prototype, {
    // Unknown options are reported with all the other problems.
    ...more,
    name,
    start,
    stop,
    inputs,
    outputs,
    steps: Object.freeze({ ...steps }),
    ...(timeout === undefined ? undefined : { timeout }),
    ...(grace === undefined ? undefined : { grace })
  })
  compiledOf(flow as AnyWorkflow)
  return flow as any
}

/** Whether a value is a workflow: what `workflow()` returns. A copy of it, `{ ...flow }`, is plain data. */
export const isWorkflow = (value: unknown): value is AnyWorkflow => isMade("Workflow", value)

const prototype = /*#__PURE__*/ Object.assign(
  prototypeOf<AnyWorkflow>(
    "Workflow",
    ({ name, start, stop, steps, inputs, outputs }) => {
      const more = [
        ...(inputs.length > 0 ? [`inputs: ${listed(tagsIn(inputs))}`] : []),
        ...(outputs.length > 0 ? [`outputs: ${listed(tagsIn(outputs))}`] : [])
      ]
      const lines = [
        `Workflow(${name}: ${start.tag} → ${listed(tagsIn(stop))})`,
        `steps: ${listed(Object.keys(steps))}`
      ]
      return [...lines, ...(more.length > 0 ? [more.join("; ")] : [])].join("\n  ")
    },
    ({ name, start, stop, steps, inputs, outputs }) => ({
      _id: "Workflow",
      name,
      start: start.tag,
      stop: tagsIn(stop),
      inputs: tagsIn(inputs),
      outputs: tagsIn(outputs),
      steps: Object.keys(steps)
    })
  ),
  Prototype
)

const graphs = new WeakMap<object, CompiledGraph>()

/**
 * The graph of a workflow, stored beside its plain data. A copy that did not come from `workflow()` is checked on its
 * first run.
 *
 * @internal
 */
export const compiledOf = (flow: AnyWorkflow): CompiledGraph => {
  let graph = graphs.get(flow)
  if (graph === undefined) {
    const examined = examine(flow)
    if (!("nodes" in examined)) throw new InvalidWorkflow({ workflow: String(flow?.name), problems: examined })
    graph = examined
    graphs.set(flow, graph)
  }
  return graph
}
