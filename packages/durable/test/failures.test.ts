// What becomes of durable runs when their store fails, is slow, or loses an answer, and when whoever asked is gone.
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join as path } from "node:path"
import { inspect } from "node:util"
import { Worker } from "node:worker_threads"
import { Effect, Fiber, Layer, Logger, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { defineEvent, defineStep, join, workflow } from "stepgraph"
import { describe, expect, it } from "vitest"
import {
  durable,
  layerSql,
  layerStore,
  openDurable,
  type RunnerOptions,
  Store,
  type StoreService
} from "../src/index.ts"
import { memoryStore } from "../src/internal/memory-store.ts"
import { layerPostgres } from "../src/Postgres.ts"
import * as SqliteClient from "../src/SqliteClient.ts"
import { nap } from "./support/nap.ts"

const Go = defineEvent("Go", { n: Schema.Number })
const Made = defineEvent("Made", { n: Schema.Number })
const More = defineEvent("More", { n: Schema.Number })
const End = defineEvent("End", { n: Schema.Number })
let calls = 0
const sum = durable(
  workflow({
    name: "sum",
    start: Go,
    stop: End,
    inputs: [More],
    steps: {
      make: defineStep({
        accepts: Go,
        emits: Made,
        run: async ({ n }) => {
          calls++
          return Made({ n })
        }
      }),
      end: defineStep({ accepts: join([Made, More]), emits: End, run: ([made, more]) => End({ n: made.n + more.n }) })
    }
  })
)
const { key } = sum["~definition"]
const creation = (id: string) => ({ id, start: { _tag: "Go", n: 1 }, ...key })

/** A store whose methods can be replaced, and which, like a file, says nothing of what its own process has written. */
const replaced = (replace: (store: StoreService) => Partial<StoreService>, kept = memoryStore()): StoreService => {
  const quiet = { ...kept, changes: Effect.succeed(1) }
  return { ...quiet, ...replace(quiet) }
}
const layerOf = (store: StoreService, options: RunnerOptions = {}) =>
  layerStore({ poll: 5, lease: 200, ...options }).pipe(
    Layer.provide(Layer.succeed(Store, store)),
    Layer.provide(Logger.layer([]))
  )
const open = (store: StoreService, options: RunnerOptions = {}) =>
  openDurable({ layer: layerOf(store, options) }, [sum])
const slow = <A>(effect: Effect.Effect<A>, millis = 30) => Effect.tap(effect, () => Effect.sleep(millis))
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const methods = [
  "append",
  "suspend",
  "end",
  "load",
  "messages",
  "claim",
  "nextWake",
  "signalled",
  "beat",
  "owners"
] as const
it.concurrent.each(methods)("goes on once the store works again, where '%s' has failed", async (method) => {
  let failures = 0
  let changes = 1
  const kept = memoryStore()
  const failing = <A>(effect: Effect.Effect<A>) =>
    Effect.suspend(() => (failures-- > 0 ? Effect.die(`no ${method}`) : effect))
  const store = replaced((store) => {
    const given: any = store[method]
    return {
      changes: Effect.sync(() => changes),
      [method]: Effect.isEffect(given) ? failing(given as any) : (...args: any) => failing(given(...args))
    }
  }, kept)
  await using runs = await open(store, { warm: 0 })
  failures = 1
  const { id, ...rest } = creation("a")
  await Effect.runPromise(kept.create({ id, ...rest }, undefined))
  const run = runs.run(sum, "a")
  const journal = () => Effect.runPromise(kept.load(id))
  while ((await journal()).length === 0) await pause(5)
  await Effect.runPromise(kept.send(id, "1", { _tag: "event", event: { _tag: "More", n: 2 } }))
  if (method === "signalled") changes++
  else await run.send(More({ n: 3 }))
  expect(await run.result).toEqual(End({ n: 3 }))
  while (failures >= 0) await pause(5)
})

it("does not make calls again and again whose end cannot be stored", async () => {
  const store = replaced((store) => ({
    append: (id, ...rest) => (id === "full" ? Effect.die("the disk is full") : store.append(id, ...rest))
  }))
  await using runs = await open(store)
  calls = 0
  await runs.start(sum, "full", { n: 1 })
  await pause(300)
  expect(calls).toBe(1)
})

describe("a caller that is gone", () => {
  it("has started a run, or has not", async () => {
    const store = replaced((store) => ({ create: (...args) => slow(store.create(...args)) }))
    const program = Effect.gen(function* () {
      const starting = yield* Effect.forkChild(sum.start("a", { n: 1 }))
      yield* Effect.sleep(10)
      yield* Fiber.interrupt(starting)
      const run = yield* sum.run("a")
      yield* Effect.sleep(50)
      yield* run.send(More({ n: 1 }))
      return yield* run.result
    })
    const layer = Layer.provideMerge(sum.layer, layerOf(store, { lease: 10_000 }))
    expect(await Effect.runPromise(Effect.provide(program, layer))).toEqual(End({ n: 2 }))
  })

  it("leaves no run to nobody when it claims while it is closed, or starts one", async () => {
    const kept = memoryStore()
    // What a database has been asked for happens, whoever still waits for it.
    const late = <A>(effect: Effect.Effect<A>) =>
      Effect.promise(() => Effect.runPromise(Effect.andThen(Effect.sleep(40), effect)))
    const slowly = replaced(
      (store) => ({
        claim: (...args) => late(store.claim(...args)),
        create: (...args) => late(store.create(...args))
      }),
      kept
    )
    const runs = await open(slowly)
    await Effect.runPromise(kept.create(creation("a"), undefined))
    const asked = Promise.allSettled([runs.run(sum, "a").send(More({ n: 1 })), runs.start(sum, "b", { n: 1 })])
    await pause(10)
    await runs.close()
    await asked
    await pause(80)
    for (const id of ["a", "b"]) expect(await Effect.runPromise(kept.get(id))).toMatchObject({ owner: undefined })
  })

  it("is not waited for by a store that does not answer", async () => {
    const store = replaced(() => ({ claim: () => Effect.never, release: () => Effect.never }))
    const runs = await openDurable({ layer: layerOf(store) }, [])
    void runs.run(sum, "a")
    await runs.close()
  })
})

it("hears what is sent to a run while its journal is read, whichever of many it is", async () => {
  const kept = memoryStore()
  const store = replaced((store) => ({ load: (...args) => slow(store.load(...args)) }), kept)
  await using runs = await open(store)
  const ids = Array.from({ length: 12 }, (_, n) => `run ${n}`)
  for (const id of ids) await Effect.runPromise(kept.create(creation(id), undefined))
  while ((await Effect.runPromise(kept.get("run 11")))?.owner === undefined) await pause(1)
  await Promise.all(ids.map((id) => runs.run(sum, id).send(More({ n: 1 }))))
  for (const id of ids) expect(await runs.run(sum, id).result).toEqual(End({ n: 2 }))
})

describe("an answer of the store that is lost", () => {
  it("is no reason to leave a run that was created", async () => {
    const store = replaced((store) => ({
      create: (...args) => Effect.andThen(store.create(...args), store.create(...args))
    }))
    await using runs = await open(store, { lease: 10_000 })
    const run = await runs.start(sum, "a", { n: 1 })
    await run.send(More({ n: 1 }))
    expect(await run.result).toEqual(End({ n: 2 }))
  })

  it("is no reason to leave runs that were claimed", async () => {
    const kept = memoryStore()
    await Effect.runPromise(kept.create(creation("a"), undefined))
    let lost = false
    const store = replaced(
      (store) => ({
        claim: (...args) =>
          Effect.flatMap(store.claim(...args), (runs) => {
            if (lost) return Effect.succeed(runs)
            lost = true
            return store.claim(...args)
          })
      }),
      kept
    )
    await using runs = await open(store, { lease: 100 })
    const run = runs.run(sum, "a")
    await run.send(More({ n: 1 }))
    expect(await run.result).toEqual(End({ n: 2 }))
  })
})

it("waits for a place on a disk that is full, and makes no call twice for that", async () => {
  const Go = defineEvent("Go", { size: Schema.Number })
  const Big = defineEvent("Big", { text: Schema.String })
  const End = defineEvent("End", { size: Schema.Number })
  let made = 0
  const big = durable(
    workflow({
      name: "big",
      start: Go,
      stop: End,
      steps: {
        make: defineStep({
          accepts: Go,
          emits: Big,
          run: ({ size }) => {
            made++
            return Big({ text: "x".repeat(size) })
          }
        }),
        end: defineStep({ accepts: Big, emits: End, run: ({ text }) => End({ size: text.length }) })
      }
    })
  )
  const folder = mkdtempSync(path(tmpdir(), "full-"))
  const program = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [now] = yield* sql.unsafe<{ page_count: number }>("PRAGMA page_count")
    yield* sql.unsafe(`PRAGMA max_page_count = ${now!.page_count + 2}`)
    const run = yield* big.start("a", { size: 100_000 })
    yield* Effect.sleep(100)
    expect(made).toBe(1)
    expect(yield* run.poll).toBe(undefined)
    yield* sql.unsafe("PRAGMA max_page_count = 100000")
    expect(yield* run.result).toEqual(End({ size: 100_000 }))
    expect(made).toBe(1)
  })
  const client = SqliteClient.layer({ filename: path(folder, "runs.db") })
  await Effect.runPromise(
    Effect.provide(program, Layer.provideMerge(big.layer, Layer.provideMerge(layerSql(), client)))
  )
  rmSync(folder, { recursive: true })
})

it("does not take another thread of its process for dead", async () => {
  const folder = mkdtempSync(path(tmpdir(), "threads-"))
  const sqlite = path(folder, "runs.db")
  const worker = new Worker(new URL("support/thread.ts", import.meta.url), { workerData: sqlite, execArgv: [] })
  try {
    await once(worker, "message")
    // A thread that has ended has no id any more.
    const { threadId } = worker
    const ended = once(worker, "message")
    await using runs = await openDurable({ sqlite }, [nap])
    const result = await runs.run(nap, "a").result
    expect(result.thread).toBe(threadId)
    expect(await ended).toEqual([result])
  } finally {
    await worker.terminate()
    rmSync(folder, { recursive: true })
  }
})

describe("a store that cannot be opened", () => {
  const opening = (place: Parameters<typeof openDurable>[0]) =>
    openDurable(place, [sum]).then(
      () => "opened",
      (error: Error) => error
    )

  it("says where it was looked for, and why, never with the password", async () => {
    const places = {
      "postgres://ada:hush@127.0.0.1:1/shop":
        "cannot connect to Postgres at 127.0.0.1:1, database 'shop', as user 'ada': connect ECONNREFUSED 127.0.0.1:1",
      "postgres://ada:hush%ZZ@db":
        "cannot connect to Postgres at db:5432, as user 'ada': Invalid percent-encoding in URL password",
      "shop, ada, hush":
        "cannot connect to Postgres: the url must be of the form postgres://user:password@host:5432/database"
    }
    for (const [url, message] of Object.entries(places)) {
      const error = await opening({ layer: layerPostgres({ url }) })
      expect(error).toMatchObject({ name: "effect/sql/SqlError", message })
      expect(inspect(error, { depth: 9 })).not.toContain("hush")
    }
    expect(await opening({ sqlite: "/no/such/folder/runs.db" })).toMatchObject({
      name: "effect/sql/SqlError",
      message: "cannot open /no/such/folder/runs.db: unable to open database file"
    })
  })
})
