// The orders, killed in the middle, left waiting for days, declined, and in every order of events.
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { EventEmitter, once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { durable, layerMemory, layerSqlite, type Runs } from "@stepgraph/durable"
import { explorePromise } from "@stepgraph/testing"
import { Clock, Context, Effect, Layer, Stream } from "effect"
import { launch } from "stepgraph"
import { afterAll, describe, expect, it, vi } from "vitest"
import { booked, type Payments } from "./payments.ts"
import { Decision, Order, ordersWith, PaymentRefused } from "./workflow.ts"

vi.setConfig({ testTimeout: 60_000 })

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "orders-"))
const programs: Array<ChildProcess> = []
afterAll(() => {
  for (const program of programs) program.kill("SIGKILL")
  rmSync(folder, { recursive: true, maxRetries: 5 })
})

/** A provider that remembers what it has done, by key. */
const remembering = () => {
  const books = new Map<string, number>()
  const payments: Payments = {
    charge: async (cents, key) => {
      if (cents > 1000) return undefined
      books.set(key, cents)
      return "receipt 1"
    },
    refund: async (_, key) => void books.set(key, -1)
  }
  return { books, payments }
}

describe("an order", () => {
  it("is killed while it is paid and while it waits, is paid once, and is shipped", async () => {
    const start = (latency: number) => {
      const env = { ...process.env, PAYMENTS_LATENCY: String(latency) }
      const program = spawn(process.execPath, ["--no-warnings", path("./main.ts"), "order-17"], { cwd: folder, env })
      programs.push(program)
      let printed = ""
      const more = new EventEmitter()
      const hear = (text: unknown) => {
        printed += text
        more.emit("more")
      }
      program.stdout.on("data", hear)
      program.stderr.on("data", hear)
      const says = async (text: string) => {
        while (!printed.includes(text)) await once(more, "more")
      }
      const kill = async () => {
        program.kill("SIGKILL")
        await once(program, "exit")
      }
      return { says, kill, exited: once(program, "exit") }
    }
    // The provider has the money, and its answer never comes.
    const first = start(60_000)
    await first.says("booked order-17/pay")
    await first.kill()

    const second = start(0)
    await second.says("booked order-17/pay")
    await second.says('order-17: Question {"text":"Ship the kettle for 9.95?"}')
    await second.kill()

    // Ada answers while nothing is running.
    const answer = ["send", "order-17", "Decision", '{ "by": "Ada", "yes": true }', "--flow", path("./workflow.ts")]
    const command = path("../../packages/cli/bin.js")
    const sent = await promisify(execFile)(process.execPath, [command, "runs", "runs.db", ...answer], { cwd: folder })
    expect(sent.stdout).toBe("Sent Decision to run 'order-17'.\n")

    const third = start(0)
    await third.says('order-17: Shipped {"item":"kettle","approvedBy":"Ada"}')
    expect(await third.exited).toEqual([0, null])
    expect(booked(join(folder, "payments.db"))).toEqual({ "order-17/pay": 995 })
  })

  it("is refunded, once, by whatever process is there after three days without an answer", async () => {
    const { books, payments } = remembering()
    const orders = durable(ordersWith(payments))
    /** Runs a program on the file, with a clock that is this many hours ahead. */
    const after = <A, E>(hours: number, program: Effect.Effect<A, E, Runs>): Promise<A> => {
      const millis = () => Date.now() + hours * 3_600_000
      const clock: Clock.Clock = Object.assign(Object.create(Context.get(Context.empty(), Clock.Clock)), {
        currentTimeMillisUnsafe: millis,
        currentTimeMillis: Effect.sync(millis)
      })
      const runs = layerSqlite({ filename: join(folder, "waiting.db") })
      const layer = Layer.provide(Layer.provideMerge(orders.layer, runs), Layer.succeed(Clock.Clock, clock))
      return Effect.runPromise(Effect.provide(program, layer))
    }
    const run = orders.run("order-18")
    const question = Effect.flatMap(orders.start("order-18", { item: "kettle", cents: 995 }), (run) =>
      Stream.runHead(run.events())
    )
    expect(await after(0, question)).toMatchObject({ value: { _tag: "Question" } })
    const status = Effect.flatMap(run, ({ status }) => status)
    expect((await after(71, status)).waiting).toMatchObject([{ step: "decide", needs: { Decision: 1 } }])
    expect(
      await after(
        73,
        Effect.flatMap(run, ({ result }) => result)
      )
    ).toEqual({
      _tag: "Refunded",
      receipt: "receipt 1",
      reason: "nobody answered"
    })
    expect([...books]).toEqual([
      ["order-18/pay", 995],
      ["order-18/refund", -1]
    ])
  })

  it("fails with the provider's refusal", async () => {
    const orders = durable(ordersWith(remembering().payments), { errors: [PaymentRefused] })
    const failed = Effect.flip(orders.execute("order-19", { item: "yacht", cents: 1_000_000 }))
    const layer = Layer.provideMerge(orders.layer, layerMemory())
    expect(await Effect.runPromise(Effect.provide(failed, layer))).toEqual(new PaymentRefused({ cents: 1_000_000 }))
  })

  it.each([
    [true, 'Shipped {"item":"kettle","approvedBy":"Ada"}'],
    [false, 'Refunded {"receipt":"receipt 1","reason":"Ada said no"}']
  ])("ends alike in every order of events: %s", async (yes, text) => {
    const program = (flow: ReturnType<typeof ordersWith>, input: { readonly item: string; readonly cents: number }) =>
      Effect.scoped(
        Effect.gen(function* () {
          const run = yield* launch(flow, input)
          const asked = Stream.filter(run.events, ({ _tag }) => _tag === "Question")
          yield* Effect.forkScoped(Stream.runForEach(asked, () => run.send(Decision({ by: "Ada", yes }))))
          return yield* run.result
        })
      )
    const { complete, outcomes } = await explorePromise(ordersWith(remembering().payments), {
      input: Order({ item: "kettle", cents: 995 }),
      program,
      timers: "virtual"
    })
    expect(complete).toBe(true)
    expect(outcomes.map(({ outcome }) => outcome.text)).toEqual([text])
  })

  it("is paid once and refunded once, wherever its process dies", async () => {
    const { books, payments } = remembering()
    const { complete, outcomes, repeated } = await explorePromise(ordersWith(payments), {
      crash: true,
      input: { item: "kettle", cents: 995 },
      timers: "virtual",
      setup: () => books.clear(),
      check: { "each payment has one entry": () => books.size === 2 || [...books.keys()].join() }
    })
    expect({ complete, repeated: [...repeated].sort() }).toEqual({
      complete: true,
      repeated: ["ask", "decide", "pay", "refund"]
    })
    expect(outcomes.map(({ outcome }) => outcome.text)).toEqual([
      'Refunded {"receipt":"receipt 1","reason":"nobody answered"}'
    ])
  })
})
