/**
 * Durable runs, for the server: they survive its process, and the routes stay the same.
 *
 * @module durable
 */
import * as Durable from "@stepgraph/durable"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { AnyWorkflow, RunServices } from "stepgraph"
import { secretOf } from "stepgraph/internal"
import { idOf } from "./internal/durable-ids.ts"
import { endOf, type Outcome, stateOf, summaryOf } from "./internal/durable-states.ts"
import { type AnyEvent, type Def, eventJson, outputJson, statusJson } from "./internal/json.ts"
import { decoded, inputOf, Made } from "./internal/memory-run.ts"
import { KeyReused } from "./Problems.ts"
import type { Feed, Page, RunDetail, RunSummary, Runs, ServedRun, StreamRecord } from "./Runs.ts"

type Handle = Durable.DurableRun<any, AnyEvent, AnyEvent, unknown>

/** A page has at most so many records. */
const mostRecords = 512
/** How often the journal of a run is asked for more of its trace, in milliseconds. */
const traceBreak = 250

/** After which record a reader begins. */
const startOf = (asked: number, all: number): number => (asked < 0 ? Math.max(0, all + asked) : asked)

const pageOf = (records: ReadonlyArray<StreamRecord>, asked: number): Page => {
  const after = startOf(asked, records.length)
  const some = records.slice(after, after + mostRecords)
  return { records: some, over: after + some.length >= records.length }
}

const recordOf = (kind: StreamRecord["kind"], number: number, data: unknown): StreamRecord => ({
  kind,
  number,
  json: JSON.stringify(data)
})

const lastOf = (number: number, exit: Outcome): StreamRecord => {
  const { error, status } = endOf(exit)
  return recordOf("end", number, error === null ? { status } : { status, error })
}

/**
 * The durable runs of these workflows, as a home for `serve`. Requires the `Runs` of `@stepgraph/durable`, with the workflows'
 * layers.
 */
export const makeDurableRuns = (
  durables: ReadonlyArray<Durable.AnyDurable>
): Effect.Effect<Runs, never, Durable.Runs> =>
  Effect.map(Durable.Runs, (runner) => {
    const { store } = runner
    const byName = new Map(durables.map((durable) => [(durable.flow as AnyWorkflow).name, durable]))
    const here = <A, E>(effect: Effect.Effect<A, E, Durable.Runs>) =>
      Effect.provideService(effect, Durable.Runs, runner)
    /** A run that somebody deletes meanwhile is a defect, as a broken store is. */
    const there = <A>(effect: Effect.Effect<A, unknown>) => Effect.orDie(effect)

    const served = (run: Durable.StoredRun, handle: Handle, flow: AnyWorkflow): ServedRun => {
      const start = decoded(flow.start as Def, run.start)
      const poll = there(handle.poll) as Effect.Effect<Outcome | undefined>

      const whole = (exit: Outcome): Effect.Effect<ReadonlyArray<StreamRecord>> => {
        const all: Array<AnyEvent> = []
        const reading = Stream.runForEach(handle.events(), (event) => Effect.sync(() => void all.push(event)))
        return Effect.map(Effect.exit(reading), () => {
          const outputs = all.map((event, at) => recordOf("output", at + 1, outputJson(flow, event)))
          return [...outputs, lastOf(outputs.length + 1, exit)]
        })
      }
      /** What came at once after the first `after` outputs, or nothing if the run has ended. */
      const more = (after: number): Effect.Effect<ReadonlyArray<AnyEvent>> =>
        Effect.scoped(Effect.flatMap(Stream.toPull(handle.events({ from: after })), (pull) => pull)).pipe(
          Effect.exit,
          Effect.map((exit) => (Exit.isSuccess(exit) ? exit.value : []))
        )
      const events: Feed = (after) =>
        Effect.gen(function* () {
          const before = yield* poll
          if (before !== undefined) return pageOf(yield* whole(before), after)
          const outputs = yield* more(after)
          // The stop event comes with the end, and only the whole says which number it has.
          const now = yield* poll
          if (now !== undefined) return pageOf(yield* whole(now), after)
          if (outputs.length === 0) return yield* Effect.andThen(Effect.sleep(traceBreak), events(after))
          const records = outputs.map((event, at) => recordOf("output", after + at + 1, outputJson(flow, event)))
          return { records, over: false }
        })

      const trace: Feed = (asked) => {
        const look = (entries: number): Effect.Effect<Page> =>
          Effect.gen(function* () {
            const exit = yield* poll
            const made = yield* there(handle.trace)
            const records = made.map((entry, at) => recordOf("trace", at + 1, entry))
            if (exit !== undefined) return pageOf([...records, lastOf(records.length + 1, exit)], asked)
            const after = startOf(asked, records.length)
            if (records.length > after) return { records: records.slice(after, after + mostRecords), over: false }
            return yield* changed(entries)
          })
        /** The journal is cheap to ask; the trace has to be replayed. */
        const changed = (entries: number): Effect.Effect<Page> =>
          Effect.gen(function* () {
            const batches = yield* store.load(run.id, entries)
            const now = batches.reduce((sum, { entries }) => sum + entries.length, entries)
            if (now > entries || (yield* poll) !== undefined) return yield* look(now)
            return yield* Effect.andThen(Effect.sleep(traceBreak), changed(entries))
          })
        return look(0)
      }

      const detail = Effect.gen(function* () {
        const now = (yield* store.get(run.id)) ?? run
        const exit = yield* poll
        const { idle, ...status } = statusJson(yield* there(handle.status))
        const summary = summaryOf(now)
        const ended = exit === undefined ? undefined : endOf(exit)
        return {
          ...summary,
          ...status,
          status: ended?.status ?? (idle ? ("waiting" as const) : summary.status),
          state: exit === undefined ? status.state : ("ended" as const),
          inputs: exit === undefined ? status.inputs : ("closed" as const),
          parent: null,
          input: eventJson(flow.start as Def, yield* Effect.orDie(start)),
          stop: exit !== undefined && Exit.isSuccess(exit) ? outputJson(flow, exit.value) : null,
          error: ended?.error ?? null
        } satisfies RunDetail
      })

      return {
        summary: summaryOf(run),
        detail,
        events,
        trace,
        ended: Effect.asVoid(there(handle.await)),
        send: (json, key) =>
          Effect.flatMap(inputOf(flow, json), (def) =>
            Effect.flatMap(decoded(def, json), (event) =>
              Effect.catchTag(handle.send(event, { key }), "UnknownRun", (error) => Effect.die(error))
            )
          ),
        closeInputs: there(handle.closeInputs),
        interrupt: there(handle.interrupt),
        forget: handle.forget,
        flow,
        startedWith: Effect.runSync(Effect.map(Effect.orDie(start), (event) => new Made(event)))
      }
    }

    const get: Runs["get"] = (id) =>
      Effect.gen(function* () {
        if (id === "") return undefined
        const run = yield* store.get(id)
        const durable = run === undefined ? undefined : byName.get(run.flow)
        if (run === undefined || durable === undefined) return undefined
        return served(run, yield* here(durable.run(id)) as Effect.Effect<Handle>, durable.flow)
      })

    const start: Runs["start"] = (flow, { input, key, rerunOf, user }) =>
      Effect.gen(function* () {
        const durable = byName.get(flow.name)
        if (durable === undefined) {
          return yield* Effect.die(
            new TypeError(`workflow '${flow.name}' is served, but is not among the durable ones`)
          )
        }
        const event = yield* decoded(durable.flow.start as Def, input)
        const id = yield* Effect.promise(() => idOf(user, flow.name, key, rerunOf))
        yield* Effect.catchTag(here(durable.start(id, event)), "RunIdTaken", () => Effect.fail(new KeyReused({})))
        const run = yield* get(id)
        if (key !== undefined && !isSameStart(durable.flow.start, event, (yield* store.get(id))?.start)) {
          return yield* new KeyReused({})
        }
        return { run: run!, created: true }
      })

    /** The summary, which knows whether the run waits. */
    const now = (run: Durable.StoredRun): Effect.Effect<RunSummary> =>
      Effect.gen(function* () {
        const summary = summaryOf(run)
        if (run.state !== "active") return summary
        const handle = (yield* here(byName.get(run.flow)!.run(run.id))) as Handle
        const exit = yield* there(handle.poll)
        if (exit !== undefined) return { ...summary, status: endOf(exit).status }
        // Given back until a message comes. Others are asked: they may have to be replayed.
        const isLeft = run.owner === undefined && run.wake === undefined
        const waits = isLeft || statusJson(yield* there(handle.status)).idle
        return waits ? { ...summary, status: "waiting" as const } : summary
      })

    const list: Runs["list"] = ({ cursor, limit, q, sees, since = 0, status, workflow }) =>
      Effect.gen(function* () {
        const runs: Array<RunSummary> = []
        const [, time, lastId] = /^(\d+)\.(.*)$/s.exec(cursor ?? "") ?? []
        let after = time === undefined ? undefined : { createdAt: Number(time), id: lastId! }
        const state = status === undefined ? undefined : stateOf[status]
        for (;;) {
          const some = yield* store.list({ flow: workflow, state, after, limit: 100 })
          for (const run of some) {
            if (run.createdAt < since) return { runs, next: null }
            const isCandidate = byName.has(run.flow) && sees(summaryOf(run)) && (q === undefined || isIn(run, q))
            const summary = isCandidate ? yield* now(run) : undefined
            const fits = summary !== undefined && (status === undefined || summary.status === status)
            if (fits && runs.length === limit) return { runs, next: `${after!.createdAt}.${after!.id}` }
            if (fits) runs.push(summary)
            after = { createdAt: run.createdAt, id: run.id }
          }
          if (some.length < 100) return { runs, next: null }
        }
      })

    const isIn = (run: Durable.StoredRun, q: string): boolean => {
      if (`${run.id} ${run.flow}`.includes(q)) return true
      const { start } = byName.get(run.flow)!.flow as { readonly start: Def }
      // Searching must not find what may not be seen.
      return secretOf(start.schema) === undefined && JSON.stringify(run.start).includes(q)
    }

    return { get, start, list }
  })

const isSameStart = (def: Def, event: AnyEvent, stored: unknown): boolean => {
  if (secretOf(def.schema) !== undefined) return true
  const encode = Schema.encodeUnknownSync(Schema.toCodecJson(def.schema)) as (event: unknown) => unknown
  return (
    JSON.stringify(encode(event)) === JSON.stringify(stored === undefined ? undefined : encode(def.fromJson(stored)))
  )
}

/**
 * Opens durable runs as a home for `serve`, and continues those that a dead process has left behind: see `openDurable`.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineStep, workflow } from "stepgraph"
 * import { durable } from "@stepgraph/durable"
 * import { serve } from "@stepgraph/server"
 * import { openDurableRuns } from "@stepgraph/server/durable"
 *
 * const Order = defineEvent("Order", { cents: Schema.Number })
 * const Paid = defineEvent("Paid", { receipt: Schema.String })
 * const pay = defineStep({ accepts: Order, emits: Paid, run: ({ cents }) => Paid({ receipt: `paid ${cents}` }) })
 * const orders = durable(workflow({ name: "orders", start: Order, stop: Paid, steps: { pay } }))
 *
 * await using runs = await openDurableRuns({ memory: true }, [orders])
 * await using handler = serve({ workflows: [orders.flow], runs, auth: "none" })
 * const response = await handler(
 *   new Request("http://localhost/api/workflows/orders/runs?wait=5s", {
 *     method: "POST",
 *     headers: { "content-type": "application/json" },
 *     body: JSON.stringify({ cents: 995 })
 *   })
 * )
 * const { stop } = (await response.json()) as { readonly stop: { readonly receipt: string } }
 * console.log(stop.receipt) // => paid 995
 * ```
 */
export const openDurableRuns = async <const D extends ReadonlyArray<Durable.AnyDurable>>(
  options: Durable.OpenOptions,
  durables: D & ([RunServices<D[number]["flow"]>] extends [never] ? unknown : never)
): Promise<Runs & AsyncDisposable & { readonly close: () => Promise<void> }> => {
  const { layer, memory, sqlite, ...runner } = options
  if (layer === undefined && sqlite === undefined && memory !== true) {
    throw new TypeError(
      'openDurableRuns needs a store for its runs: { sqlite: "runs.db" }, or { memory: true } for a test'
    )
  }
  const base: Layer.Layer<Durable.Runs, unknown> =
    layer ?? (sqlite === undefined ? Durable.layerMemory(runner) : Durable.layerSqlite({ filename: sqlite, ...runner }))
  const layers = (durables as ReadonlyArray<Durable.AnyDurable>).reduce<Layer.Layer<Durable.Runs, unknown>>(
    (all, durable) => Layer.provideMerge(durable.layer as Layer.Layer<never, never, Durable.Runs>, all),
    base
  )
  const runtime = ManagedRuntime.make(layers)
  const runs = await runtime.runPromise(makeDurableRuns(durables))
  const close = () => runtime.dispose()
  return { ...runs, close, [Symbol.asyncDispose]: close }
}
