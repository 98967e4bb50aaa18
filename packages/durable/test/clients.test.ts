// Processes that perform no runs: they start them, talk to them and look at them, and create nothing by looking.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join as path } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { hasPostgres, startPostgres } from "@stepgraph/conformance/support/postgres"
import { Effect, Schema } from "effect"
import { collect, defineEvent, defineStep, join, workflow } from "stepgraph"
import { afterAll, describe, expect, it } from "vitest"
import { type DurableRuns, durable, NoRuns, openDurable, UnknownRun } from "../src/index.ts"
import { layerPostgres } from "../src/Postgres.ts"

const folder = mkdtempSync(path(tmpdir(), "clients-"))
const postgres = hasPostgres ? await startPostgres() : undefined
afterAll(() => {
  rmSync(folder, { recursive: true })
  postgres?.stop()
})

class Refused extends Schema.TaggedError<Refused>("Refused")("Refused", { cents: Schema.Number }) {}
const Order = defineEvent("Order", { cents: Schema.Number })
const Paid = defineEvent("Paid", { cents: Schema.Number })
const Approval = defineEvent("Approval", { by: Schema.String })
const Reminder = defineEvent("Reminder")
const Shipped = defineEvent("Shipped", { by: Schema.String })
const called: Array<string> = []
const orders = durable(
  workflow({
    name: "orders",
    start: Order,
    stop: Shipped,
    inputs: [Approval, Reminder],
    steps: {
      pay: defineStep({
        accepts: Order,
        emits: Paid,
        run: ({ cents }, { runId }) => {
          called.push(runId)
          if (cents < 0) return Effect.promise(() => Promise.reject(new Error("less than nothing")))
          return cents === 0 ? Effect.fail(new Refused({ cents })) : Effect.succeed(Paid({ cents }))
        }
      }),
      remind: defineStep({ accepts: collect(Reminder, 2, { within: "3 days" }), emits: [], run: () => {} }),
      ship: defineStep({ accepts: join([Paid, Approval]), emits: Shipped, run: ([, { by }]) => Shipped({ by }) })
    }
  }),
  { errors: [Refused] }
)

const places: Readonly<Record<string, (performs: boolean) => Promise<DurableRuns>>> = {
  "a file": (performs) => openDurable({ sqlite: path(folder, "runs.db"), performs, poll: 5 }, [orders]),
  ...(postgres && {
    Postgres: (performs) => openDurable({ layer: layerPostgres({ url: postgres.url, performs, poll: 5 }) }, [orders])
  })
}

describe.each(Object.entries(places))("in %s", (_, open) => {
  it("starts, lists, talks, looks and forgets, and leaves it to others to perform", async () => {
    await expect(open(false)).rejects.toThrow(NoRuns)
    called.length = 0
    await (await open(true)).close()

    await using client = await open(false)
    const run = await client.start(orders, "order-1", { cents: 995 })
    await client.start(orders, "order-2", { cents: 0 })
    await client.start(orders, "order-1", { cents: 1 })
    await client.start(orders, "order-0", { cents: -1 })
    const stored = client.stored("order-1")
    expect(await stored.record()).toMatchObject({ state: "active", owner: undefined, journal: [] })
    expect((await run.status()).steps.pay).toEqual({ queued: 0, running: 1 })
    expect(called).toEqual([])

    await using _performer = await open(true)
    await expect(client.run(orders, "order-2").result).rejects.toThrow(Refused)
    await expect(client.run(orders, "order-0").result).rejects.toThrow("less than nothing")
    await expect.poll(async () => (await stored.record()).journal.length).toBe(1)
    expect(await stored.send({ _tag: "Approval", by: "Ada" }, { key: "click-3" })).toBe(true)
    expect(await stored.send({ _tag: "Approval", by: "Bob" }, { key: "click-3" })).toBe(true)
    expect(await run.result).toEqual({ _tag: "Shipped", by: "Ada" })
    expect(called.sort()).toEqual(["order-0", "order-1", "order-2"])
    const trace = await run.trace()
    const at = (tag: string) => trace.find(({ _tag }) => _tag === tag)?.at
    const { createdAt, journal: entries } = await stored.record()
    // A call began when what led to it was stored, and ended when its end was.
    expect([at("RunStarted"), at("InvocationStarted")]).toEqual([createdAt.getTime(), createdAt.getTime()])
    expect(at("InvocationEnded")).toBe(entries[0]!.at.getTime())
    expect(at("RunFinished")).toBe(entries.at(-1)!.at.getTime())

    const { journal, messages, ...record } = await stored.record()
    expect(record).toEqual({
      id: "order-1",
      workflow: "orders",
      version: "1",
      state: "succeeded",
      createdAt: expect.any(Date),
      endedAt: expect.any(Date),
      start: { _tag: "Order", cents: 995 },
      stop: { _tag: "Shipped", by: "Ada" },
      errors: [],
      owner: undefined,
      due: undefined
    })
    expect(messages).toEqual([
      { number: 1, key: "click-3", message: { _tag: "event", event: { _tag: "Approval", by: "Ada" } } }
    ])
    expect(journal.map(({ at, ...entry }) => entry)).toEqual([
      {
        _tag: "CallEnded",
        call: expect.stringMatching(/^pay#/),
        step: "pay",
        attempt: 1,
        recovers: false,
        events: [{ _tag: "Paid", cents: 995 }],
        errors: [],
        interrupted: false
      },
      { _tag: "MessageTaken", number: 1, message: messages[0]!.message },
      expect.objectContaining({ _tag: "CallEnded", step: "ship", events: [{ _tag: "Shipped", by: "Ada" }] })
    ])
    expect((await client.stored("order-2").record()).errors).toEqual([
      { name: "Refused", message: '{"_tag":"Refused","cents":0}' }
    ])

    const thrown = (await client.stored("order-0").record()).errors
    expect(thrown).toEqual([{ name: expect.any(String), message: expect.stringContaining("less than nothing") }])

    expect((await client.list()).map(({ id }) => id)).toEqual(["order-0", "order-2", "order-1"])
    expect(await stored.send({ _tag: "Approval", by: "Eve" })).toBe(false)
    expect(await stored.resume()).toBe(false)
    expect(await stored.forget()).toBe(true)
    await expect(stored.record()).rejects.toThrow(UnknownRun)
    await expect(stored.send({})).rejects.toThrow(UnknownRun)
    await expect(stored.forget()).rejects.toThrow(UnknownRun)
  })

  it("records timers, and asks for an interruption without waiting for it", async () => {
    await using client = await open(false)
    const stored = client.stored("order-3")
    {
      await using _performer = await open(true)
      await client.start(orders, "order-3", { cents: 1 })
      await stored.send({ _tag: "Reminder" })
      await expect.poll(async () => (await stored.record()).journal.map(({ _tag }) => _tag)).toContain("TimerSet")
    }
    const timer = (await stored.record()).journal.find(({ _tag }) => _tag === "TimerSet")
    expect(timer).toMatchObject({ timer: { why: "within" }, due: expect.any(Date) })
    expect(await stored.interrupt()).toBe(true)
    expect((await stored.record()).state).toBe("active")
    await using _performer = await open(true)
    await expect.poll(async () => (await stored.record()).state).toBe("interrupted")
  })
})

describe("a process that performs no runs", () => {
  const refuses = async (name: string, why: NoRuns["why"]) => {
    const sqlite = path(folder, name)
    const before = existsSync(sqlite) ? readFileSync(sqlite) : undefined
    const files = readdirSync(folder)
    await expect(openDurable({ sqlite, performs: false }, [])).rejects.toThrow(new NoRuns({ place: sqlite, why }))
    expect(readdirSync(folder)).toEqual(files)
    if (before !== undefined) expect(readFileSync(sqlite).equals(before)).toBe(true)
  }

  it("creates no file, and leaves what is not its own as it is", async () => {
    await refuses("none.db", "missing")
    writeFileSync(path(folder, "text.db"), "These are words, and no database at all.\n".repeat(100))
    await refuses("text.db", "not a database")
    writeFileSync(path(folder, "empty.db"), "")
    await refuses("empty.db", "no tables")
    const other = new DatabaseSync(path(folder, "other.db"))
    other.exec("CREATE TABLE things (id TEXT)")
    other.close()
    await refuses("other.db", "no tables")
  })

  it("says where it found no runs", () => {
    expect(new NoRuns({ place: "a.db", why: "missing" }).message).toBe(
      "a.db does not exist. Name the file or database in which a program keeps its runs, and start that program first"
    )
    expect(new NoRuns({ place: "a.db", why: "not a database" }).message).toMatch(/^a\.db is not a SQLite database\. /)
    expect(new NoRuns({ place: "a.db", why: "no tables" }).message).toMatch(
      /^a\.db has no durable runs: it is empty, or belongs to another program\. /
    )
  })
})
