/**
 * Durable runs for programs that do not use Effect.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import type { AnyWorkflow, InputsOf, OutputsOf, Problem, RunServices, RunStatus, StopOf, TraceEntry } from "stepgraph"
import type { AnyDurable, Durable, StartInput } from "./Durable.ts"
import { checkId, checkText, closing, type DurableRun, interrupting } from "./DurableRun.ts"
import type { RunRecord } from "./internal/record.ts"
import type { Runner } from "./internal/runner.ts"
import { type ForgetOptions, forgotten, type ListOptions, listed, type RunSummary } from "./RunList.ts"
import { layerMemory, layerSqlite, type RunnerOptions, Runs } from "./Runs.ts"
import type { Json, Message, StoredRun } from "./Store.ts"

/** The store of the runs, and how this process performs them. */
export type OpenOptions = RunnerOptions &
  (
    | { readonly sqlite: string; readonly memory?: undefined; readonly layer?: undefined }
    | { readonly memory: true; readonly sqlite?: undefined; readonly layer?: undefined }
    | { readonly layer: Layer.Layer<Runs, unknown>; readonly sqlite?: undefined; readonly memory?: undefined }
  )

/** The handle of a durable run, for programs that do not use Effect: like that of `launchPromise`, but for any process. */
export interface DurableHandle<in Input, out Output, out A> {
  readonly id: string
  /** Sends an event to the run, once for each `key`. Rejects with `InvalidEvent`, `RunEnded` or `UnknownRun`. */
  readonly send: (event: Input, options?: { readonly key?: string | undefined }) => Promise<void>
  readonly closeInputs: () => Promise<void>
  /** The workflow's `outputs`, after the first `from` of them, then the stop event. A failed run throws. */
  readonly events: (options?: { readonly from?: number | undefined }) => AsyncIterable<Output | A>
  /** The stop event, when the run has ended. If you do not read it, a failure is not an unhandled rejection. */
  readonly result: Promise<A>
  /** The outcome of the run, if it has ended. */
  readonly poll: () => Promise<Exit.Exit<A, unknown> | undefined>
  readonly status: () => Promise<RunStatus>
  readonly trace: () => Promise<ReadonlyArray<TraceEntry>>
  readonly interrupt: () => Promise<void>
  readonly resume: () => Promise<void>
  readonly forget: () => Promise<boolean>
}

/** The handle of a run without its workflow, for tools: events are JSON, as the store has them. */
export interface StoredHandle {
  readonly id: string
  /** Everything that is stored about it. Like all members, it rejects with `UnknownRun` if there is no such run. */
  readonly record: () => Promise<RunRecord>
  /** Why the run cannot go on, if it cannot. */
  readonly problem: () => Promise<Error | undefined>
  /**
   * Sends an event to the run, once for each `key`; `false` if the run has ended. Nothing checks the event: one that the
   * workflow does not accept is ignored.
   */
  readonly send: (event: Json, options?: { readonly key?: string | undefined }) => Promise<boolean>
  readonly closeInputs: () => Promise<boolean>
  /** Asks the process that performs the run to interrupt it, without waiting for its end. */
  readonly interrupt: () => Promise<boolean>
  /** `false` if the run was not stuck. */
  readonly resume: () => Promise<boolean>
  /** `false` if the run has not ended. */
  readonly forget: () => Promise<boolean>
}

type HandleFor<W> = DurableHandle<InputsOf<W>, OutputsOf<W>, StopOf<W>>
type Plain<D> =
  D extends Durable<infer W extends AnyWorkflow>
    ? [0 extends 1 & W ? never : RunServices<W>] extends [never]
      ? D
      : D & Problem<"this workflow needs services: use its layer">
    : D

/** The durable runs of this process. Disposing of it releases them: they continue when a process opens them again. */
export interface DurableRuns extends AsyncDisposable {
  /** Starts a run, once for each id. */
  readonly start: <W extends AnyWorkflow>(
    durable: Durable<W>,
    id: string,
    input: StartInput<W>
  ) => Promise<HandleFor<W>>
  /** The handle of a run that was started in any process. */
  readonly run: <W extends AnyWorkflow>(durable: Durable<W>, id: string) => HandleFor<W>
  /** The handle of a run whose workflow this process need not have. */
  readonly stored: (id: string) => StoredHandle
  /** The runs of the store, newest first. */
  readonly list: (options?: ListOptions) => Promise<ReadonlyArray<RunSummary>>
  /** Deletes runs that have ended, and returns their number. */
  readonly forget: (options: ForgetOptions) => Promise<number>
  readonly close: () => Promise<void>
}

/**
 * Opens durable runs, and continues those that a dead process has left behind. Register all workflows at once: a run of any other
 * workflow waits until some process has registered it.
 */
export async function openDurable<const D extends ReadonlyArray<AnyDurable>>(
  options: OpenOptions,
  durables: { readonly [K in keyof D]: Plain<D[K]> }
): Promise<DurableRuns> {
  const { layer: given, memory, sqlite, ...runner } = options
  const base: Layer.Layer<Runs, unknown> =
    given ?? (sqlite === undefined ? layerMemory(runner) : layerSqlite({ filename: sqlite, ...runner }))
  if (given === undefined && sqlite === undefined && memory !== true) {
    throw new TypeError('openDurable needs a store for its runs: { sqlite: "runs.db" }, or { memory: true } for a test')
  }
  const registered = (durables as unknown as ReadonlyArray<AnyDurable>).map(
    ({ layer }) => layer as Layer.Layer<never, never, Runs>
  )
  const layers = registered.reduce<Layer.Layer<Runs, unknown>>((all, one) => Layer.provideMerge(one, all) as any, base)
  const runtime = ManagedRuntime.make(layers)
  await runtime.runPromise(Effect.void)
  const close = () => runtime.dispose()
  const perform = <A, E>(effect: Effect.Effect<A, E>) => runtime.runPromise(effect)
  const handleOf = (run: DurableRun<any, any, any, any>): DurableHandle<any, any, any> => {
    let result: Promise<any> | undefined
    return {
      id: run.id,
      send: (event, options) => perform(run.send(event, options)),
      closeInputs: () => perform(run.closeInputs),
      events: (options) => Stream.toAsyncIterable(run.events(options)),
      get result() {
        if (result === undefined) {
          result = perform(run.result)
          result.catch(() => {})
        }
        return result
      },
      poll: () => perform(run.poll),
      status: () => perform(run.status),
      trace: () => perform(run.trace),
      interrupt: () => perform(run.interrupt),
      resume: () => perform(run.resume),
      forget: () => perform(run.forget)
    }
  }
  return {
    start: async (durable, id, input) => handleOf(await runtime.runPromise(durable.start(id, input as never))),
    run: (durable, id) => handleOf(runtime.runSync(durable.run(id))),
    stored: (id) => storedHandleOf(runtime, id),
    list: (options = {}) => runtime.runPromise(Effect.flatMap(Runs, ({ store }) => listed(store, options))),
    forget: (options) => runtime.runPromise(Effect.flatMap(Runs, ({ store }) => forgotten(store, options))),
    close,
    [Symbol.asyncDispose]: close
  }
}

const storedHandleOf = (runtime: ManagedRuntime.ManagedRuntime<Runs, unknown>, id: string): StoredHandle => {
  const known = <A>(use: (runner: Runner, run: StoredRun) => Effect.Effect<A>): Promise<A> =>
    runtime.runPromise(
      Effect.flatMap(Runs, (runner) => Effect.flatMap(runner.answers.get(id), (run) => use(runner, run)))
    )
  const sends = (key: string, message: Message) =>
    known((runner) => Effect.map(runner.send(id, key, message), (number) => number !== undefined))
  checkId(id)
  return {
    id,
    record: () => runtime.runPromise(Effect.flatMap(Runs, (runner) => runner.answers.record(id))),
    problem: () => known((runner, run) => runner.answers.blocked(run)),
    send: async (event, { key = crypto.randomUUID() } = {}) => {
      checkText("the key of a message", key)
      return sends(key, { _tag: "event", event })
    },
    closeInputs: () => sends(...closing),
    interrupt: () => sends(...interrupting),
    resume: () => known((runner) => runner.resume(id)),
    forget: () => known((runner) => runner.store.forget(id))
  }
}
