// What a store promises, whichever it is: it orders, and refuses whoever has lost a run.
import { Effect, type Layer } from "effect"
import { afterAll, describe, expect, it } from "vitest"
import type { FlowKey, Message, Store, StoredRun, StoreService } from "../src/index.ts"
import { inStore, makeStores } from "./support/stores.ts"

const { remove, stores } = await makeStores()
afterAll(remove)

const key: FlowKey = { flow: "orders", version: "1", fingerprint: "f" }
const other: FlowKey = { ...key, version: "2" }
const event = (n: number): Message => ({ _tag: "event", event: { _tag: "Event", n } })
const createAll = (store: StoreService, ids: ReadonlyArray<string>, owner = "one") =>
  Effect.forEach(ids, (id) => store.create({ id, start: { id }, ...key }, owner), { concurrency: "unbounded" })
const idsOf = (runs: ReadonlyArray<{ readonly id: string }>) => runs.map(({ id }) => id).sort()
/** The owner is silent from now on. */
const dies = (store: StoreService, owner: string) => store.beat(owner, -1)

describe.each(Object.entries(stores))("a store in %s", (_name, made) => {
  const on = (test: (store: StoreService) => Effect.Effect<void>, at: Layer.Layer<Store> = made()) => inStore(at, test)

  it("creates a run once for each id, owned by who creates it", () =>
    on((store) =>
      Effect.gen(function* () {
        const { created, run } = yield* store.create({ id: "a", start: { n: 1 }, ...key }, "one")
        expect(created).toBe(true)
        expect(run).toEqual(yield* store.get("a"))
        expect(run).toMatchObject({ id: "a", ...key, state: "active", start: { n: 1 }, owner: "one", epoch: 1 })
        const again = yield* store.create({ id: "a", start: { n: 2 }, ...other }, "two")
        expect(again).toEqual({ created: false, run })
        const both = yield* createAll(store, ["b", "b", "c"])
        expect(both.map(({ created }) => created).sort()).toEqual([false, true, true])
        expect(yield* store.get("nobody")).toBeUndefined()
      })
    ))

  it("appends to a journal in order, for the owner of the latest epoch alone", () =>
    on((store) =>
      Effect.gen(function* () {
        yield* createAll(store, ["a", "b"])
        expect(yield* store.append("a", 1, 0, [1, { two: 2 }])).toBe(true)
        expect(yield* store.append("a", 1, 1, [3])).toBe(false)
        expect(yield* store.append("a", 1, 0, [3])).toBe(false)
        expect(yield* store.append("a", 2, 2, [3])).toBe(false)
        expect(yield* store.append("nobody", 1, 0, [3])).toBe(false)
        // Those of one turn each have an answer of their own.
        const some = [store.append("a", 1, 2, ["x"]), store.append("b", 3, 0, ["y"]), store.append("b", 1, 0, ["z"])]
        expect(yield* Effect.all(some, { concurrency: "unbounded" })).toEqual([true, false, true])
        const entries = (from?: number) =>
          Effect.map(store.load("a", from), (batches) => batches.flatMap(({ entries }) => entries))
        expect(yield* entries()).toEqual([1, { two: 2 }, "x"])
        expect(yield* entries(1)).toEqual([{ two: 2 }, "x"])
        expect(yield* entries(3)).toEqual([])
        expect((yield* store.load("a", 1))[0]).toMatchObject({ from: 1, epoch: 1 })
        expect(yield* store.load("nobody")).toEqual([])
      })
    ))

  it("keeps messages in order, once for each key, until the run has ended or is closed", () =>
    on((store) =>
      Effect.gen(function* () {
        yield* createAll(store, ["a", "b"])
        expect(yield* store.send("a", "x", event(1))).toBe(1)
        expect(yield* store.send("a", "y", event(2))).toBe(2)
        expect(yield* store.send("a", "x", event(3))).toBe(1)
        expect(yield* store.send("b", "x", event(4))).toBe(1)
        const many = Array.from({ length: 20 }, (_, n) => store.send("a", `${n % 10}`, event(n)))
        const numbers = yield* Effect.all(many, { concurrency: "unbounded" })
        expect([...new Set(numbers)].sort((a, b) => a! - b!)).toEqual(Array.from({ length: 10 }, (_, n) => n + 3))
        expect(numbers.slice(0, 10)).toEqual(numbers.slice(10))
        const messages = yield* store.messages("a", 1)
        expect(messages.map(({ number }) => number)).toEqual(Array.from({ length: 11 }, (_, n) => n + 2))
        expect(messages[0]).toEqual({ number: 2, key: "y", message: event(2) })
        expect((yield* store.get("a"))!.messages).toBe(12)

        expect(yield* store.send("a", "close", { _tag: "close" })).toBe(13)
        expect(yield* store.send("a", "late", event(0))).toBeUndefined()
        expect(yield* store.send("a", "x", event(0))).toBe(1)
        expect(yield* store.send("a", "interrupt", { _tag: "interrupt" })).toBe(14)
        const atOnce = [store.send("b", "close", { _tag: "close" }), store.send("b", "late", event(0))]
        // Whichever comes first, no event follows the close.
        const [closed, late] = yield* Effect.all(atOnce, { concurrency: "unbounded" })
        expect(late ?? 0).toBeLessThan(closed!)
        expect(yield* store.send("b", "later", event(0))).toBeUndefined()
        expect(yield* store.end("a", 1, "succeeded", null)).toBe(true)
        expect(yield* store.send("a", "later", { _tag: "interrupt" })).toBeUndefined()
        expect(yield* store.send("a", "x", event(0))).toBe(1)
        expect(yield* store.send("nobody", "x", event(0))).toBeUndefined()
      })
    ))

  it("tells an owner what others have sent to its runs", () =>
    on((store) =>
      Effect.gen(function* () {
        yield* createAll(store, ["a", "b"])
        expect(yield* store.signalled("one")).toEqual([])
        yield* store.send("a", "x", event(1))
        expect(yield* store.signalled("one")).toEqual([{ id: "a", messages: 1 }])
        expect(yield* store.signalled("two")).toEqual([])
      })
    ))

  it("gives a run back until a time or a message, but never past a message that was not seen", () =>
    on((store) =>
      Effect.gen(function* () {
        yield* createAll(store, ["a", "b", "c"])
        yield* store.send("a", "x", event(1))
        expect(yield* store.suspend("a", 1, 0, undefined)).toBe(false)
        expect(yield* store.suspend("a", 2, 1, undefined)).toBe(false)
        expect(yield* store.suspend("a", 1, 1, undefined)).toBe(true)
        expect(yield* store.suspend("a", 1, 1, undefined)).toBe(false)
        expect(yield* store.append("a", 1, 0, [1])).toBe(false)
        const later = Date.now() + 60_000
        expect(yield* store.suspend("b", 1, 0, later)).toBe(true)
        expect(yield* store.suspend("c", 1, 0, 5)).toBe(true)
        expect(yield* store.nextWake([key], true)).toBe(5)
        expect(idsOf(yield* store.claim("two", [key], 10, true))).toEqual(["c"])
        expect(yield* store.nextWake([key], true)).toBe(later)
        expect(yield* store.nextWake([other], true)).toBeUndefined()
        yield* store.send("a", "y", event(2))
        const [run] = yield* store.claim("two", [key], 10, true)
        expect(run).toMatchObject({ id: "a", owner: "two", epoch: 2, messages: 2 })
      })
    ))

  it("gives the runs of a silent owner to others, of their flows alone, and each to one", () =>
    on((store) =>
      Effect.gen(function* () {
        yield* store.beat("one", 60_000)
        yield* store.beat("two", 60_000)
        yield* createAll(store, ["a", "b", "c"])
        expect(yield* store.claim("two", [key], 10, true)).toEqual([])
        yield* dies(store, "one")
        expect(yield* store.claim("two", [other], 10, true)).toEqual([])
        expect(yield* store.claim("two", [], 10, true)).toEqual([])
        const twice = yield* Effect.all([store.claim("two", [key], 2, true), store.claim("three", [key], 10, true)], {
          concurrency: "unbounded"
        })
        expect(idsOf(twice.flat())).toEqual(["a", "b", "c"])
        expect(yield* store.claim("two", [key], 10, true)).toEqual([])
        // The sleeper wakes.
        yield* store.beat("one", 60_000)
        expect(yield* store.append("a", 1, 0, [1])).toBe(false)
        expect(yield* store.end("a", 1, "failed", null)).toBe(false)
      })
    ))

  it("gives back what an owner releases, and what one had that is known to be dead", () =>
    on((store) =>
      Effect.gen(function* () {
        yield* store.beat("one", 60_000)
        yield* createAll(store, ["a"])
        yield* store.release("one")
        expect(yield* store.owners).not.toContain("one")
        const [run] = yield* store.claim("two", [key], 10, true)
        expect(run).toMatchObject({ id: "a", epoch: 2, crashes: 0 })
        yield* store.beat("two", 60_000)
        expect(yield* store.owners).toContain("two")
        yield* store.bury("two")
        expect(yield* store.claim("three", [key], 10, true)).toMatchObject([{ id: "a", epoch: 3, crashes: 1 }])
      })
    ))

  it("counts crashes until something is stored, and gives out suspects one at a time", () =>
    on((store) =>
      Effect.gen(function* () {
        yield* createAll(store, ["a", "b"])
        const crashesOf = (id: string) => Effect.map(store.get(id), (run) => [run!.crashes, run!.trials])
        yield* dies(store, "one")
        expect((yield* store.claim("two", [key], 10, false)).map(({ crashes }) => crashes)).toEqual([1, 1])
        yield* dies(store, "two")
        expect(yield* store.claim("three", [key], 10, false)).toEqual([])
        expect(yield* store.nextWake([key], false)).toBeUndefined()
        expect(yield* store.nextWake([key], true)).toBe(0)
        const [first] = yield* store.claim("three", [key], 10, true)
        const [second, ...more] = yield* store.claim("three", [key], 10, true)
        expect(more).toEqual([])
        expect([first!.id, second!.id].sort()).toEqual(["a", "b"])
        expect(yield* crashesOf("a")).toEqual([2, 0])
        // The one survives its trial, the other is on trial when the process dies.
        yield* store.acquit(first!.id, first!.epoch)
        yield* dies(store, "three")
        const [one] = yield* store.claim("four", [key], 10, true)
        const [two] = yield* store.claim("four", [key], 10, true)
        expect(yield* crashesOf(first!.id)).toEqual([3, 0])
        expect(yield* crashesOf(second!.id)).toEqual([3, 1])
        // The one stores something, the other is given back.
        yield* store.append("a", 4, 0, [1])
        yield* store.suspend("b", 4, 0, 0)
        expect([one!.epoch, two!.epoch]).toEqual([4, 4])
        yield* dies(store, "four")
        expect((yield* store.claim("five", [key], 10, false)).length).toBe(2)
        expect(yield* crashesOf("a")).toEqual([1, 0])
        expect(yield* crashesOf("b")).toEqual([0, 0])
        // Who is released has not died.
        yield* store.release("five")
        expect((yield* store.claim("six", [key], 10, false)).length).toBe(2)
        expect(yield* crashesOf("b")).toEqual([0, 0])
        yield* dies(store, "six")
        expect((yield* store.claim("seven", [key], 10, true)).length).toBe(2)
        expect(yield* crashesOf("b")).toEqual([1, 0])
        yield* store.end("b", 7, "stuck", null)
        yield* store.resume("b")
        expect(yield* crashesOf("b")).toEqual([0, 0])
      })
    ))

  it("ends a run once, lets one that is stuck go on, and forgets what has ended", () =>
    on((store) =>
      Effect.gen(function* () {
        yield* createAll(store, ["a", "b"])
        yield* store.append("a", 1, 0, [1])
        yield* store.send("a", "x", event(1))
        expect(yield* store.forget("a")).toBe(false)
        expect(yield* store.end("a", 2, "succeeded", null)).toBe(false)
        expect(yield* store.end("a", 1, "succeeded", { stop: 1 })).toBe(true)
        expect(yield* store.end("a", 1, "failed", null)).toBe(false)
        const ended = (yield* store.get("a"))!
        expect(ended).toMatchObject({ state: "succeeded", result: { stop: 1 }, owner: undefined })
        expect(ended.endedAt).toBeGreaterThanOrEqual(ended.createdAt)

        expect(yield* store.end("b", 1, "stuck", { why: 1 })).toBe(true)
        expect(yield* store.get("b")).toMatchObject({ state: "stuck", result: { why: 1 }, endedAt: undefined })
        expect(yield* store.forget("b")).toBe(false)
        expect(yield* store.claim("two", [key], 10, true)).toEqual([])
        expect(yield* store.resume("a")).toBe(false)
        expect(yield* store.resume("b")).toBe(true)
        expect(yield* store.claim("two", [key], 10, true)).toMatchObject([{ id: "b", state: "active", crashes: 0 }])

        // One that is stuck may also end for good, and no other.
        for (const id of ["a", "b", "nobody"]) expect(yield* store.abort(id)).toBe(false)
        expect(yield* store.owned("two")).toEqual(["b"])
        expect(yield* store.end("b", 2, "stuck", { why: 2 })).toBe(true)
        expect(yield* store.owned("two")).toEqual([])
        expect(yield* store.abort("b")).toBe(true)
        const aborted = (yield* store.get("b"))!
        expect(aborted).toMatchObject({ state: "interrupted", result: undefined, owner: undefined })
        expect(aborted.endedAt).toBeGreaterThanOrEqual(aborted.createdAt)
        expect(yield* store.resume("b")).toBe(false)

        expect(yield* store.forget("a")).toBe(true)
        expect(yield* store.forget("a")).toBe(false)
        expect(yield* store.get("a")).toBeUndefined()
        expect(yield* store.load("a")).toEqual([])
        expect(yield* store.messages("a", 0)).toEqual([])
        // The id is free again.
        expect((yield* store.create({ id: "a", start: null, ...key }, "one")).created).toBe(true)
      })
    ))

  it("lists runs in pages, the newest first, each once, whatever is started meanwhile", () =>
    on((store) =>
      Effect.gen(function* () {
        // Many in one millisecond.
        const ids = Array.from({ length: 30 }, (_, n) => `run ${n}`)
        yield* createAll(store, ids)
        const seen: Array<string> = []
        let after: StoredRun | undefined
        for (let page = 0; ; page++) {
          const runs = yield* store.list({ limit: 7, after })
          seen.push(...runs.map(({ id }) => id))
          after = runs.at(-1)
          if (after === undefined) break
          yield* Effect.sleep(2)
          yield* createAll(store, [`new ${page} 0`, `new ${page} 1`])
          // Where the last one of the page is gone, its place is still known.
          if (page === 1) {
            yield* store.end(after.id, 1, "failed", null)
            yield* store.forget(after.id)
          }
        }
        expect([...seen].sort()).toEqual([...ids].sort())
        yield* store.create({ id: "other", start: null, ...key, flow: "others" }, "one")
        yield* store.end("run 3", 1, "failed", null)
        yield* store.end("run 4", 1, "succeeded", null)
        const listed = (query: object) => Effect.map(store.list({ limit: 100, ...query }), (runs) => idsOf(runs))
        expect(yield* listed({ flow: "others" })).toEqual(["other"])
        expect(yield* listed({ state: "failed" })).toEqual(["run 3"])
        expect(yield* listed({ state: "failed", flow: "others" })).toEqual([])
        const all = yield* store.list({ limit: 100 })
        const times = all.map(({ createdAt }) => createdAt)
        expect(times).toEqual([...times].sort((a, b) => b - a))
      })
    ))

  it("forgets what ended before a time, some at once, and nothing that lives", () =>
    on((store) =>
      Effect.gen(function* () {
        yield* createAll(store, ["a", "b", "c", "live", "stuck", "late"])
        for (const id of ["a", "b"]) yield* store.end(id, 1, "succeeded", null)
        yield* store.end("c", 1, "failed", null)
        yield* store.end("stuck", 1, "stuck", null)
        yield* Effect.sleep(3)
        const endedBefore = Date.now()
        yield* store.end("late", 1, "succeeded", null)
        const forget = (query: object = {}) => store.forgetEnded({ endedBefore, limit: 10, ...query })
        expect(yield* forget({ flow: "others" })).toBe(0)
        expect(yield* forget({ state: "failed" })).toBe(1)
        expect(yield* forget({ limit: 1 })).toBe(1)
        expect(yield* forget()).toBe(1)
        expect(yield* forget()).toBe(0)
        expect(idsOf(yield* store.list({ limit: 10 }))).toEqual(["late", "live", "stuck"])
      })
    ))
})
