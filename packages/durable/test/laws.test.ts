// Any workflow, on a journal in memory: cut anywhere, it goes on; whole, it is the run again, without a call.
import {
  allForms,
  anyShape,
  buildWorkflow,
  everything,
  generated,
  inRow,
  joining,
  type Live,
  makeWorld,
  type Spec,
  searched,
  sendAll,
  show,
  waiting,
  withAsks,
  withDeadlines,
  withInputs
} from "@stepgraph/conformance"
import { Cause, Clock, Context, Effect, Exit, References, Scheduler } from "effect"
import { expect, it, vi } from "vitest"
import { codecOf } from "../src/internal/codec.ts"
import { Driver } from "../src/internal/driver.ts"
import { memoryStore } from "../src/internal/memory-store.ts"
import type { Json, Message } from "../src/Store.ts"

vi.setConfig({ testTimeout: 240_000 })

interface Ran {
  readonly entries: ReadonlyArray<Json>
  readonly outcome: string
  /** How many calls began. */
  readonly called: number
  /** Whether the entries that it was given were kept as they were. */
  readonly diverged: string | undefined
}

/** Performs a spec's workflow from the beginning of a journal. */
const ran = async (spec: Spec, seed: number, given: ReadonlyArray<Json> = [], sends = true): Promise<Ran> => {
  const timing = { seed, shuffled: seed % 2 === 0, observed: false }
  const world = makeWorld(timing)
  const record: Array<{ readonly _tag: string }> = []
  const flow = buildWorkflow(spec, timing, world, record as never)
  const codec = codecOf(flow, [])
  const store = memoryStore()
  const start = { _tag: spec.start, id: "start", fuel: spec.fuel, key: 0 }
  const key = { flow: "generated", version: "1", fingerprint: codec.fingerprint }
  Effect.runSync(store.create({ id: "a", start, ...key }, "one"))
  if (given.length > 0) Effect.runSync(store.append("a", 1, 0, given))
  const context = Context.make(Clock.Clock, world.clock).pipe(
    Context.add(Scheduler.Scheduler, world.scheduler),
    // That a gather waits for inputs which are not closed yet is what some of them are for.
    Context.add(References.MinimumLogLevel, "None")
  )
  let outcome = "it waits"
  let diverged: string | undefined
  const history = Effect.runSync(store.load("a"))
  const driver = new Driver(
    { id: "a", epoch: 1, flow, codec, store, start, createdAt: 0, context: context as never, history },
    {
      ended: (exit) => {
        outcome = Exit.isSuccess(exit) ? JSON.stringify(exit.value) : Cause.pretty(exit.cause).split("\n    at")[0]!
      },
      rests: () => {},
      lost: () => {
        diverged = "it was lost"
      },
      diverged: (error) => {
        diverged = error.message
      },
      stored: () => {}
    }
  )
  let sent = driver.seen
  driver.begin()
  const send = (message: Message) =>
    Effect.sync(() => {
      const number = Effect.runSync(store.send("a", String(++sent), message))
      driver.receive([{ number: sent, key: String(number), message }])
    })
  if (spec.inputs !== undefined && sends && driver.seen === 0) {
    const live: Live = {
      send: (event) => send({ _tag: "event", event }),
      closeInputs: send({ _tag: "close" }),
      result: Effect.void
    }
    Effect.runForkWith(context as never)(sendAll(spec, spec.inputs, timing, [], live) as Effect.Effect<void>)
  }
  await world.exhaust(true, () => {})
  // A divergence is known some turns of the process later.
  for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve))
  const entries = Effect.runSync(store.load("a")).flatMap(({ entries }) => entries)
  return { entries, outcome, diverged, called: record.filter(({ _tag }) => _tag === "started").length }
}

const specs: ReadonlyArray<Spec> = [
  ...generated(150, (seed) => anyShape(seed, { ...everything, forms: allForms })),
  ...generated(80, (seed) => withDeadlines(anyShape(seed, joining))),
  ...generated(50, (seed) => inRow(seed, waiting)),
  ...generated(80, (seed) => withInputs(anyShape(seed, { ...everything, forms: allForms }))),
  ...generated(50, (seed) => withDeadlines(withInputs(anyShape(-seed, joining)))),
  ...generated(100, (seed) => withAsks(anyShape(seed, everything))),
  ...generated(60, (seed) => withAsks(withInputs(anyShape(-seed, joining)))),
  ...generated(40, (seed) => withDeadlines(withAsks(anyShape(-seed, joining))))
]

const keysOf = (entries: ReadonlyArray<any>) =>
  entries.flatMap(({ i, n = 1, r }) => (i === undefined ? [] : [`${i} ${n} ${r}`]))

it("is the run again from its whole journal, and goes on from any part of it", async () => {
  let fed = 0
  for (const spec of specs) {
    const seed = Math.abs(spec.seed)
    const fail = (what: string, entries: ReadonlyArray<Json>): never =>
      expect.fail([what, show(spec), ...entries.map((entry) => JSON.stringify(entry))].join("\n"))
    const first = await ran(spec, seed)
    if (first.diverged !== undefined) fail(first.diverged, first.entries)
    const again = await ran(spec, seed + 1, first.entries, false)
    if (again.diverged !== undefined) fail(again.diverged, first.entries)
    if (again.outcome !== first.outcome) fail(`'${first.outcome}' has become '${again.outcome}'`, first.entries)
    if (first.outcome !== "it waits" && again.called > 0) fail(`${again.called} calls were made again`, first.entries)
    for (let n = 0; n < 2; n++) {
      const cut = (seed * 7919 + n * 104_729) % (first.entries.length + 1)
      const given = first.entries.slice(0, cut)
      const after = await ran(spec, seed + 2 + n, given)
      if (after.diverged !== undefined) fail(`cut at ${cut}: ${after.diverged}`, first.entries)
      if (JSON.stringify(after.entries.slice(0, cut)) !== JSON.stringify(given)) fail("another past", first.entries)
      const keys = keysOf(after.entries)
      if (new Set(keys).size !== keys.length) fail(`cut at ${cut}: a call has two ends`, after.entries)
      const whole = await ran(spec, seed + 3, after.entries, false)
      if (whole.diverged !== undefined) fail(`then ${whole.diverged}`, after.entries)
      if (whole.outcome !== after.outcome) fail(`'${after.outcome}' has become '${whole.outcome}'`, after.entries)
      fed += cut
    }
  }
  expect(fed).toBeGreaterThan(searched(1000))
})
