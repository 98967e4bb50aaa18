/**
 * A whole workflow as one step of another.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { AnyDef, EventsOf, TagOf, TagsOf } from "./Event.ts"
import type { Limit } from "./Limit.ts"
import { refuseUnknown } from "./Options.ts"
import { run } from "./Run.ts"
import type { RunOptions } from "./State.ts"
import {
  type AnySchedule,
  defineStep,
  type ErrorOf,
  type GivenTags,
  type Kept,
  type RetryError,
  type RetryOptions,
  type RetryServices,
  type Returned,
  type ServicesOf,
  type Step,
  type StepContext,
  type Takes,
  type TimedOut
} from "./Step.ts"
import { stream } from "./Stream.ts"
import { listed, tagsIn } from "./TypeId.ts"
import { type AnyWorkflow, compiledOf, type RunServices, type StopOf, type WorkflowError } from "./Workflow.ts"

/** The errors and services of the step's function, as its return type. */
type Inner<W> = Effect.Effect<StopOf<W>, WorkflowError<W>, RunServices<W>>
type Emitted<W extends AnyWorkflow, Out extends ReadonlyArray<AnyDef>> = EventsOf<W["stop"]> | EventsOf<Out>

const optionNames = ["outputs", "stream", "state", "workers", "buffer", "timeout", "limit", "retry", "recover"]

/** Number of outputs that may wait for room in the outer workflow before the inner one is held back. */
const capacity = 1024

/**
 * Makes a step of a workflow: it accepts the workflow's start event, runs the workflow, and emits its stop event.
 *
 * - `outputs`: those of the workflow's outputs that the step emits too, each when the run emits it; the others are dropped
 * - `stream`: those of them that go out at once even with a `retry` or a `recover`, as in `defineStep`
 * - `state`: initial values for the cells of each run
 * - `workers`, `buffer`, `timeout`, `limit`, `retry`, `recover`: as in `defineStep`; with a `retry` or a `recover`, outputs are held
 * until an attempt succeeds
 *
 * The run's errors and services are the step's. It has its own state and its own workers, and no inputs: they are closed.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { asStep, defineEvent, defineStep, gather, runPromise, workflow } from "stepgraph"
 *
 * const Question = defineEvent("Question", { about: Schema.String })
 * const Answer = defineEvent("Answer", { text: Schema.String })
 * const lookup = workflow({
 *   name: "lookup", start: Question, stop: Answer,
 *   steps: {
 *     look: defineStep({ accepts: Question, emits: Answer, run: async ({ about }) => Answer({ text: `${about} fly` }) })
 *   }
 * })
 *
 * const Start = defineEvent("Start", { topics: Schema.Array(Schema.String) })
 * const Stop = defineEvent("Stop", { texts: Schema.Array(Schema.String) })
 * const report = workflow({
 *   name: "report", start: Start, stop: Stop,
 *   steps: {
 *     list: defineStep({
 *       accepts: Start, emits: Question, run: ({ topics }) => topics.map((about) => Question({ about }))
 *     }),
 *     look: asStep(lookup, { workers: 2, timeout: "1 minute" }),
 *     all: defineStep({
 *       accepts: gather(Answer), emits: Stop, run: (answers) => Stop({ texts: answers.map(({ text }) => text) })
 *     })
 *   }
 * })
 *
 * console.log((await runPromise(report, { topics: ["birds", "bats"] })).texts) // => [ 'birds fly', 'bats fly' ]
 * ```
 */
export function asStep<
  W extends AnyWorkflow,
  const Out extends ReadonlyArray<W["outputs"][number]> = [],
  const St extends Out[number] | ReadonlyArray<Out[number]> = never,
  Rec extends Returned<Emitted<W, Out>> = never,
  Timeout extends Duration.Input | undefined = undefined,
  Rt = unknown
>(
  inner: W,
  options?: RunOptions & {
    readonly outputs?: Out | undefined
    readonly stream?: St | undefined
    readonly workers?: number | "unbounded" | undefined
    readonly buffer?: number | undefined
    readonly timeout?: Timeout | undefined
    readonly limit?: Limit<EventsOf<W["start"]>> | ReadonlyArray<Limit<EventsOf<W["start"]>>> | undefined
    readonly retry?:
      | (Kept<Rt> & (RetryOptions<Inner<W>, Timeout> | AnySchedule) & Takes<Rt, WorkflowError<W> | TimedOut<Timeout>>)
      | undefined
    readonly recover?:
      | ((
          error: WorkflowError<W> | TimedOut<Timeout> | RetryError<Rt>,
          input: EventsOf<W["start"]>,
          ctx: StepContext<W["start"], Emitted<W, Out>>
        ) => Rec)
      | undefined
  }
): Step<
  TagOf<W["start"]>,
  TagsOf<W["stop"]> | TagsOf<Out>,
  [Rec] extends [never] ? WorkflowError<W> | TimedOut<Timeout> | RetryError<Rt> : ErrorOf<Rec>,
  RunServices<W> | ServicesOf<Rec> | RetryServices<Rt>,
  never,
  never,
  GivenTags<St>
> {
  const { routes, stops } = compiledOf(inner)
  refuseUnknown("asStep", options, optionNames)
  const { outputs = [], state, ...settings } = (options ?? {}) as RunOptions & { outputs?: ReadonlyArray<AnyDef> }
  checkOutputs(inner, outputs)
  const emits = [...stops.map((tag) => routes.get(tag)!.def), ...outputs]
  const given = state === undefined ? undefined : { state }
  const wanted = new Set(emits.map(({ tag }) => tag))
  const start = inner as AnyWorkflow
  const perform =
    outputs.length === 0
      ? (event: any) => run(start, event, given)
      : (event: any) =>
          Stream.filter(stream(start, event, { ...given, capacity }), ({ _tag }: { _tag: string }) => wanted.has(_tag))
  return defineStep({ ...settings, accepts: inner.start, emits, run: perform, "~inner": inner } as any) as any
}

const checkOutputs = (inner: AnyWorkflow, outputs: unknown): void => {
  const known: ReadonlyArray<AnyDef> = inner.outputs
  const problem = !Array.isArray(outputs)
    ? `\`outputs\` must be a list of outputs of workflow '${inner.name}'`
    : outputs.every((def) => known.includes(def))
      ? undefined
      : `\`outputs\` holds something that is not an output of workflow '${inner.name}'`
  if (problem === undefined) return
  const instead = known.length === 0 ? "it has none" : `choose from ${listed(tagsIn(known))}`
  throw new TypeError(`asStep: ${problem}: ${instead}`)
}
