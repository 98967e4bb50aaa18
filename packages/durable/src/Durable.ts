/**
 * `durable(flow)`: the same workflow, in runs that survive their process.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import {
  type AnyWorkflow,
  type InputsOf,
  type InvalidEvent,
  isWorkflow,
  type OutputsOf,
  type RunServices,
  type StartOf,
  type StopOf,
  type WorkflowError
} from "stepgraph"
import { kindOf, refuseUnknown } from "stepgraph/internal"
import { type AnyRun, checkId, checkText, type DurableError, type DurableRun, handleOf, made } from "./DurableRun.ts"
import { RunIdTaken, type UnknownRun } from "./Errors.ts"
import { codecOf } from "./internal/codec.ts"
import type { Definition } from "./internal/definitions.ts"
import type { Runner } from "./internal/runner.ts"
import { type ForgetOptions, forgotten, type ListOptions, listed, type RunSummary } from "./RunList.ts"
import { Runs } from "./Runs.ts"

export interface DurableOptions {
  /**
   * The version of the graph. A run goes on with the version that it was started with, so register an old one beside the new
   * until its runs have ended. Default: "1".
   */
  readonly version?: string | undefined
  /** The schemas of the errors that steps fail with, such as classes of `Schema.TaggedError`. Others come back as data. */
  readonly errors?: ReadonlyArray<Schema.Constraint> | undefined
}

/** The input that starts a run of a workflow. */
export type StartInput<W> = W extends { readonly start: (fields: infer In) => any } ? In | StartOf<W> : never

type RunFor<W> = DurableRun<InputsOf<W>, OutputsOf<W>, StopOf<W>, WorkflowError<W>>

/** A workflow whose runs survive their process. */
export interface Durable<W extends AnyWorkflow> {
  readonly flow: W
  readonly version: string
  /** Registers the workflow, so that this process performs its runs. */
  readonly layer: Layer.Layer<never, never, Runs | RunServices<W>>
  /** Starts a run, once for each id: a second start returns the handle of the first. */
  readonly start: (id: string, input: StartInput<W>) => Effect.Effect<RunFor<W>, InvalidEvent | RunIdTaken, Runs>
  /** Starts a run, and waits for its result. */
  readonly execute: (
    id: string,
    input: StartInput<W>
  ) => Effect.Effect<StopOf<W>, WorkflowError<W> | DurableError | InvalidEvent | RunIdTaken | UnknownRun, Runs>
  /** The handle of a run that was started in any process. */
  readonly run: (id: string) => Effect.Effect<RunFor<W>, never, Runs>
  /** Its runs, newest first. */
  readonly list: (options?: Omit<ListOptions, "workflow">) => Effect.Effect<ReadonlyArray<RunSummary>, never, Runs>
  /** Deletes its runs that have ended, and returns their number. */
  readonly forget: (options: Omit<ForgetOptions, "workflow">) => Effect.Effect<number, never, Runs>
  readonly "~definition": Definition
}

export type AnyDurable = Durable<any>

/**
 * Makes a workflow durable: its runs are stored as they go, and continue after their process has died. The graph, the steps and
 * their functions do not change.
 *
 * A step's function runs at least once: give whatever must happen only once an idempotency key of `ctx.runId`
 * and the name of the step.
 *
 * Throws `NotStorable` if a field of an event or of an error cannot be stored.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineStep, workflow } from "stepgraph"
 * import { durable, openDurable } from "@stepgraph/durable"
 *
 * const Order = defineEvent("Order", { cents: Schema.Number })
 * const Paid = defineEvent("Paid", { receipt: Schema.String })
 * const pay = defineStep({
 *   accepts: Order, emits: Paid,
 *   run: async ({ cents }, { runId }) => Paid({ receipt: `${runId}: ${cents}` })
 * })
 * const orders = durable(workflow({ name: "orders", start: Order, stop: Paid, steps: { pay } }))
 *
 * await using runs = await openDurable({ memory: true }, [orders])
 * const run = await runs.start(orders, "order-17", { cents: 995 })
 * console.log((await run.result).receipt) // => order-17: 995
 * ```
 */
export function durable<W extends AnyWorkflow>(flow: W, options: DurableOptions = {}): Durable<W> {
  if (!isWorkflow(flow))
    throw new TypeError(`durable takes a workflow, not ${kindOf(flow)}: pass the result of workflow()`)
  refuseUnknown("durable", options, ["version", "errors"])
  const { errors = [], version = "1" } = options
  if (typeof version !== "string" || version === "") {
    throw new TypeError(`durable: a version must be a non-empty string, not ${kindOf(version)}`)
  }
  checkText("durable: a version", version)
  for (const error of errors) {
    if (!Schema.isSchema(error)) {
      throw new TypeError(`durable: errors takes schemas, such as classes of Schema.TaggedError, not ${kindOf(error)}`)
    }
  }
  const codec = codecOf(flow, errors)
  const definition: Definition = {
    flow,
    codec,
    key: { flow: flow.name, version, fingerprint: codec.fingerprint }
  }
  const start = (id: string, input: StartInput<W>) =>
    Effect.flatMap(Runs, (runner) => startOf(runner, definition, id, input)) as Effect.Effect<any, any, Runs>
  return Object.freeze({
    flow,
    version,
    layer: Layer.effectDiscard(
      Effect.flatMap(Runs, (runner) =>
        Effect.flatMap(Effect.context<never>(), (context) =>
          runner.register(definition, context as Context.Context<any>)
        )
      )
    ) as unknown as Layer.Layer<never, never, Runs | RunServices<W>>,
    start,
    execute: (id: string, input: StartInput<W>) =>
      Effect.flatMap(start(id, input), ({ result }: RunFor<W>) => result) as Effect.Effect<any, any, Runs>,
    run: (id: string) => Effect.map(Runs, (runner) => handleOf(runner, definition, id) as unknown as RunFor<W>),
    list: (options: Omit<ListOptions, "workflow"> = {}) =>
      Effect.flatMap(Runs, ({ store }) => listed(store, { ...options, workflow: flow.name })),
    forget: (options: Omit<ForgetOptions, "workflow">) =>
      Effect.flatMap(Runs, ({ store }) => forgotten(store, { ...options, workflow: flow.name })),
    "~definition": definition
  })
}

const startOf = (runner: Runner, definition: Definition, id: string, input: unknown) =>
  Effect.suspend((): Effect.Effect<AnyRun, InvalidEvent | RunIdTaken> => {
    checkId(id)
    const { codec, flow } = definition
    return Effect.flatMap(made(flow.start, input), (event) =>
      Effect.flatMap(runner.start(definition, id, codec.event(event)), (run) =>
        run.flow === flow.name
          ? Effect.succeed(handleOf(runner, definition, id))
          : Effect.fail(new RunIdTaken({ run: id, workflow: flow.name, of: run.flow }))
      )
    )
  })
