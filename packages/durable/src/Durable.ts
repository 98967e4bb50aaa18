/**
 * `durable(flow)`: the same workflow, in runs that survive their process.
 */
import { statSync } from "node:fs"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import {
  type AnyWorkflow,
  type InputsOf,
  InvalidEvent,
  isWorkflow,
  type OutputsOf,
  RunEnded,
  type RunServices,
  type RunStatus,
  type StartOf,
  type StopOf,
  type TraceEntry,
  type WorkflowError
} from "stepgraph"
import { kindOf, nearest, refuseUnknown } from "stepgraph/internal"
import type { GraphChanged, HistoryDiverged, RunInterrupted, RunKeepsCrashing } from "./Errors.ts"
import { NoRuns, RunIdTaken, type UnknownRun } from "./Errors.ts"
import { codecOf } from "./internal/codec.ts"
import { memoryStore } from "./internal/memory-store.ts"
import { type Definition, Runner, type RunnerOptions } from "./internal/runner.ts"
import { existingSqlStore, sqlStore } from "./internal/sql-store.ts"
import * as SqliteClient from "./SqliteClient.ts"
import { type ListOptions, type RunState, Store, type StoredRun, type StoreService } from "./Store.ts"

export type { RunnerOptions }

/** Performs the durable runs of this process. The layers of this module provide it. */
export class Runs extends Context.Service<Runs, Runner>()("stepgraph/durable/Runs") {}

/** What comes in the way of a durable run beside its own errors. */
export type DurableError = GraphChanged | HistoryDiverged | RunKeepsCrashing | RunInterrupted

export interface DurableOptions {
  /**
   * The version of the graph. A run goes on with the version that it was started with, so register an old one beside the new
   * until its runs have ended. Default: "1".
   */
  readonly version?: string | undefined
  /** The schemas of the errors that steps fail with, such as classes of `Schema.TaggedError`. Others come back as data. */
  readonly errors?: ReadonlyArray<Schema.Constraint> | undefined
}

/** What the run of a workflow is started with. */
export type StartInput<W> = W extends { readonly start: (fields: infer In) => any } ? In | StartOf<W> : never

/** The handle of a durable run: that of `launch`, from any process. */
export interface DurableRun<in Input, out Output, out A, out E = never> {
  readonly id: string
  /** Sends an event to the run, once for each `key`. It is kept until a step takes it. */
  readonly send: (
    event: Input,
    options?: { readonly key?: string | undefined }
  ) => Effect.Effect<void, InvalidEvent | RunEnded | UnknownRun>
  /** Declares that no more events will be sent. */
  readonly closeInputs: Effect.Effect<void>
  /** The workflow's `outputs` in the order of the journal, after the first `from` of them, then the stop event. */
  readonly events: (options?: {
    readonly from?: number | undefined
  }) => Stream.Stream<Output | A, E | DurableError | UnknownRun>
  /** The stop event, when the run has ended. */
  readonly result: Effect.Effect<A, E | DurableError | UnknownRun>
  /** The outcome of the run, when it has ended. */
  readonly await: Effect.Effect<Exit.Exit<A, E | DurableError>, UnknownRun>
  /** The outcome of the run, if it has ended. */
  readonly poll: Effect.Effect<Exit.Exit<A, E | DurableError> | undefined, UnknownRun>
  readonly status: Effect.Effect<RunStatus, UnknownRun>
  /** All that has happened to it, as its journal says. */
  readonly trace: Effect.Effect<ReadonlyArray<TraceEntry>, UnknownRun>
  /** Interrupts the run for good, and waits for its finalizers. */
  readonly interrupt: Effect.Effect<void, UnknownRun>
  /** Lets a run go on that was stopped with `HistoryDiverged` or `RunKeepsCrashing`. */
  readonly resume: Effect.Effect<void>
  /** Forgets a run that has ended; `false` where it has not. */
  readonly forget: Effect.Effect<boolean>
}

type RunFor<W> = DurableRun<InputsOf<W>, OutputsOf<W>, StopOf<W>, WorkflowError<W>>

/** A workflow whose runs survive their process. */
export interface Durable<W extends AnyWorkflow> {
  readonly flow: W
  readonly version: string
  /** Registers the workflow: this process takes up its runs. */
  readonly layer: Layer.Layer<never, never, Runs | RunServices<W>>
  /** Starts a run. A run is started once for each id: a second start gives the handle of the first. */
  readonly start: (id: string, input: StartInput<W>) => Effect.Effect<RunFor<W>, InvalidEvent | RunIdTaken, Runs>
  /** The same, and waits for its end. */
  readonly execute: (
    id: string,
    input: StartInput<W>
  ) => Effect.Effect<StopOf<W>, WorkflowError<W> | DurableError | InvalidEvent | RunIdTaken | UnknownRun, Runs>
  /** The handle of a run that was started somewhere. */
  readonly run: (id: string) => Effect.Effect<RunFor<W>, never, Runs>
  readonly list: (options?: Omit<ListOptions, "flow">) => Effect.Effect<ReadonlyArray<RunSummary>, never, Runs>
  readonly "~definition": Definition
}

export type AnyDurable = Durable<any>

/** A run in a list. */
export interface RunSummary {
  readonly id: string
  readonly workflow: string
  readonly version: string
  readonly state: RunState
  readonly createdAt: Date
  readonly endedAt: Date | undefined
}

export const summaryOf = ({ createdAt, endedAt, flow, id, state, version }: StoredRun): RunSummary => ({
  id,
  workflow: flow,
  version,
  state,
  createdAt: new Date(createdAt),
  endedAt: endedAt === undefined ? undefined : new Date(endedAt)
})

/**
 * Makes a workflow durable: its runs are written down as they go on, and go on after their process has died. The graph, the
 * steps and their functions stay as they are.
 *
 * A step's function runs at least once: give `ctx.runId` and what names the step to whatever must happen once, as its
 * idempotency key.
 *
 * Throws `NotStorable` where an event holds something that cannot be stored.
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
    throw new TypeError(`durable: a version is a string of at least one character, not ${kindOf(version)}`)
  }
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
    list: (options: Omit<ListOptions, "flow"> = {}) =>
      Effect.flatMap(Runs, (runner) =>
        Effect.map(runner.store.list({ ...options, flow: flow.name }), (runs) => runs.map(summaryOf))
      ),
    "~definition": definition
  })
}

const checkId = (id: unknown): void => {
  if (typeof id !== "string" || id === "") {
    throw new TypeError(`the id of a run is a string of at least one character, not ${kindOf(id)}`)
  }
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

const made = (def: (fields: any) => { readonly _tag: string }, fields: unknown) =>
  Effect.suspend((): Effect.Effect<{ readonly _tag: string }, InvalidEvent> => {
    try {
      return Effect.succeed(def(fields))
    } catch (error) {
      return error instanceof InvalidEvent ? Effect.fail(error) : Effect.die(error)
    }
  })

type AnyRun = DurableRun<{ readonly _tag: string }, { readonly _tag: string }, { readonly _tag: string }, unknown>

/** Each is sent once, so its key is its own. */
export const closing = ["close inputs", { _tag: "close" }] as const
export const interrupting = ["interrupt", { _tag: "interrupt" }] as const

const handleOf = (runner: Runner, { codec, flow }: Definition, id: string): AnyRun => {
  checkId(id)
  const awaited = runner.await(id) as AnyRun["await"]
  const send: AnyRun["send"] = (event, options) =>
    Effect.suspend(() => {
      const tag: unknown = (event as Partial<typeof event> | null | undefined)?._tag
      const def = flow.inputs.find((def: { readonly tag: string }) => def.tag === tag)
      if (def === undefined) return Effect.fail(notAnInput(flow, tag, event))
      const key = options?.key ?? crypto.randomUUID()
      return Effect.flatMap(made(def, event), (made) =>
        Effect.flatMap(runner.send(id, key, { _tag: "event", event: codec.event(made) }), (number) =>
          number !== undefined
            ? Effect.void
            : Effect.andThen(runner.get(id), Effect.fail(new RunEnded({ workflow: flow.name, event: made })))
        )
      )
    })
  const events: AnyRun["events"] = ({ from = 0 } = {}) => {
    const next = (seen: number): Stream.Stream<{ readonly _tag: string }, any> =>
      Stream.unwrap(
        Effect.gen(function* () {
          // In this order: a run that has ended then has all of its outputs.
          const run = yield* runner.get(id)
          const outputs = yield* runner.outputs(run, seen)
          const outcome = runner.outcome(run)
          const come = Stream.fromIterable(outputs)
          if (outcome !== undefined) return Stream.concat(come, Stream.fromEffect(outcome))
          const more = Stream.unwrap(
            Effect.as(
              runner.changed(id, "stored"),
              Stream.suspend(() => next(seen + outputs.length))
            )
          )
          return Stream.concat(come, more)
        })
      )
    return next(from)
  }
  return {
    id,
    send,
    closeInputs: Effect.asVoid(runner.send(id, ...closing)),
    events,
    result: Effect.flatten(awaited),
    await: awaited,
    poll: Effect.map(runner.get(id), (run) => runner.outcome(run)) as AnyRun["poll"],
    status: Effect.flatMap(runner.get(id), (run) => runner.status(run)),
    trace: Effect.flatMap(runner.get(id), (run) => runner.trace(run)),
    interrupt: Effect.andThen(Effect.andThen(runner.get(id), runner.send(id, ...interrupting)), Effect.asVoid(awaited)),
    resume: Effect.asVoid(runner.resume(id)),
    forget: runner.store.forget(id)
  }
}

const notAnInput = (flow: AnyWorkflow, tag: unknown, event: unknown): InvalidEvent => {
  const tags: ReadonlyArray<string> = flow.inputs.map(({ tag }: { readonly tag: string }) => tag)
  const inputs = tags.length === 0 ? "which has none" : `whose inputs are ${tags.map((tag) => `'${tag}'`).join(", ")}`
  const near = typeof tag === "string" ? nearest(tag, tags) : undefined
  const meant = near === undefined ? "" : `: did you mean '${near}'?`
  const problem = `it is not an input of workflow '${flow.name}', ${inputs}${meant}`
  return new InvalidEvent({ tag: typeof tag === "string" ? tag : "unknown", input: event, problem })
}

// ---------------------------------------------------------------- layers

/** Runs in a store of your own. */
export const layerStore = (options: RunnerOptions = {}): Layer.Layer<Runs, never, Store> =>
  Layer.effect(
    Runs,
    Effect.gen(function* () {
      const store = yield* Store
      const context = yield* Effect.context<never>()
      const runner = new Runner(store, options, context)
      yield* Effect.acquireRelease(runner.open, () => runner.close)
      return runner
    })
  )

/** Runs in the memory of this process, for tests: they end with it. */
export const layerMemory = (options: RunnerOptions = {}): Layer.Layer<Runs> =>
  Layer.provide(
    layerStore(options),
    Layer.sync(Store, () => memoryStore())
  )

const layerIn = (options: RunnerOptions, place: string): Layer.Layer<Runs, SqlError | NoRuns, SqlClient> =>
  Layer.provide(
    layerStore(options),
    Layer.effect(
      Store,
      Effect.suspend((): Effect.Effect<StoreService, SqlError | NoRuns, SqlClient> => {
        return options.performs === false ? existingSqlStore(place) : sqlStore
      })
    )
  )

/** Runs in the tables of any `SqlClient` for SQLite or Postgres. */
export const layerSql = (options: RunnerOptions = {}): Layer.Layer<Runs, SqlError | NoRuns, SqlClient> =>
  layerIn(options, "this database")

/** Runs in one SQLite file. */
export const layerSqlite = ({
  filename,
  ...options
}: { readonly filename: string } & RunnerOptions): Layer.Layer<Runs, SqlError | NoRuns> =>
  Layer.suspend(() => {
    if (options.performs !== false) return Layer.provide(layerIn(options, filename), SqliteClient.layer({ filename }))
    const file = statSync(filename, { throwIfNoEntry: false })
    if (file?.isFile() !== true) {
      const why = file === undefined ? ("missing" as const) : ("not a database" as const)
      return Layer.effect(Runs, Effect.fail(new NoRuns({ place: filename, why })))
    }
    // What belongs to another program stays as it is.
    return Layer.provide(layerIn(options, filename), SqliteClient.layer({ filename, wal: false }))
  })
