// Budgets that need no clock: the size of a program, and the fibers of a run.
import { Effect, Metric, Schema } from "effect"
import { defineEvent, defineStep, gather, run, workflow } from "stepgraph"
import { describe, expect, it } from "vitest"
import { entries, moduleSize, programSize } from "../src/bundles.ts"

/** Counts the fibers that an Effect starts besides its own. */
const fibersOf = async <A>(effect: Effect.Effect<A, unknown>): Promise<number> => {
  let started = 0
  const counting = { recordFiberStart: () => void started++, recordFiberEnd: () => {} }
  const counted = Effect.gen(function* () {
    yield* Effect.sync(() => (started = 0))
    yield* effect
  })
  await Effect.runPromise(Effect.provideService(counted, Metric.FiberRuntimeMetrics, counting))
  return started
}

const Start = defineEvent("Start", { count: Schema.Number })
const Item = defineEvent("Item", { n: Schema.Number })
const Done = defineEvent("Done", { n: Schema.Number })
const Stop = defineEvent("Stop", { sum: Schema.Number })

const fanOut = (work: (n: number) => any) =>
  workflow({
    name: "fan",
    start: Start,
    stop: Stop,
    steps: {
      split: defineStep({
        accepts: Start,
        emits: Item,
        run: ({ count }) => Array.from({ length: count }, (_, n) => Item({ n }))
      }),
      work: defineStep({ accepts: Item, emits: Done, run: ({ n }) => work(n) }),
      sum: defineStep({
        accepts: gather(Done),
        emits: Stop,
        run: (done) => Stop({ sum: done.reduce((sum, { n }) => sum + n, 0) })
      })
    }
  })
describe("fibers", () => {
  const plain = fanOut((n) => Done({ n }))

  it("a synchronous run starts none", async () => {
    expect(await fibersOf(run(plain, { count: 0 }))).toBe(0)
    expect(await fibersOf(run(plain, { count: 1 }))).toBe(0)
  })

  it("a synchronous fan-out starts at most one, for any number of items", async () => {
    const few = await fibersOf(run(plain, { count: 3 }))
    expect(few).toBeLessThanOrEqual(1)
    expect(await fibersOf(run(plain, { count: 1_000 }))).toBe(few)
  })

  it("an Effect that a step returns starts one, and a promise none", async () => {
    const effects = fanOut((n) => Effect.as(Effect.yieldNow, Done({ n })))
    const promises = fanOut(async (n) => Done({ n }))
    const queue = await fibersOf(run(plain, { count: 100 }))
    expect(await fibersOf(run(effects, { count: 100 }))).toBe(queue + 100)
    expect(await fibersOf(run(promises, { count: 100 }))).toBe(queue)
  })
})

describe("bundle size", () => {
  // Minified and compressed, in bytes, slightly above the current sizes. Lower a budget when a size shrinks.
  const budgets: Readonly<Record<string, number>> = {
    ".": 99_000,
    "./graph": 6_500,
    "./trace": 3_000,
    "./host": 6_500,
    "./internal": 31_000
  }
  // An event's definition needs 1.8 kB of this for the schemas of other libraries, errors 0.9 to be schemas, definitions 0.4
  // to print briefly and to be recognised, a host 1.6, questions 3.5, gathers beside open inputs 1.5, and messages about
  // values returned by mistake 1.5.
  const aboveEffectAlone = 61_500

  it("every entry point has a budget", () => {
    expect(entries().toSorted()).toEqual(Object.keys(budgets).toSorted())
  })

  it.each(Object.entries(budgets))("stepgraph's entry point %s: at most %i bytes", async (entry, budget) => {
    expect(await moduleSize(`stepgraph${entry.slice(1)}`)).toBeLessThanOrEqual(budget)
  })

  it("@stepgraph/viz and @stepgraph/testing do not need Node", async () => {
    for (const module of ["@stepgraph/viz", "@stepgraph/testing"]) expect(await moduleSize(module)).toBeGreaterThan(0)
  })

  it(`the seed flow: at most ${aboveEffectAlone} bytes more than a program with Effect and Schema alone`, async () => {
    const [alone, seed] = [await programSize("effect-alone"), await programSize("seed")]
    expect(seed - alone).toBeLessThanOrEqual(aboveEffectAlone)
  })
})
