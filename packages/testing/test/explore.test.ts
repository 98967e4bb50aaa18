import { it as effectIt } from "@effect/vitest"
import { CannotReplay, explore, explorePromise, InjectedFault, ScheduleFailure } from "@stepgraph/testing"
import { Context, Effect, Layer, Schema } from "effect"
import { defineEvent, defineStep, gather, workflow } from "stepgraph"
import { describe, expect, it } from "vitest"
import { seed } from "./seed.ts"

const Start = defineEvent("Start")
const Item = defineEvent("Item", { n: Schema.Number })
const Done = defineEvent("Done", { n: Schema.Number })
const Stop = defineEvent("Stop", { value: Schema.Unknown })
const anyResult = { invariants: { sameResult: false } }

const failing = (exploring: Effect.Effect<unknown, ScheduleFailure | CannotReplay>) =>
  Effect.runPromise(Effect.flip(exploring) as Effect.Effect<ScheduleFailure>)

const items = (count: number) =>
  defineStep({ accepts: Start, emits: Item, run: () => Array.from({ length: count }, (_, n) => Item({ n })) })
const all = defineStep({
  accepts: gather(Done),
  emits: Stop,
  run: (done) => Stop({ value: done.map(({ n }) => n) })
})
const sleepers = (count: number) =>
  workflow({
    name: "sleepers",
    start: Start,
    stop: Stop,
    steps: {
      items: items(count),
      work: defineStep({
        accepts: Item,
        emits: Done,
        workers: "unbounded",
        run: ({ n }) => Effect.as(Effect.sleep(10), Done({ n }))
      }),
      all
    }
  })

describe("explore", () => {
  effectIt.effect("is an Effect that says what it saw, in a test with a clock of its own", () =>
    Effect.gen(function* () {
      const seen = yield* explore(seed, anyResult)
      expect(seen).toMatchObject({ schedules: 6, complete: true, uncontrolled: [], inputs: 1, coverage: { ratio: 1 } })
      expect(seen.outcomes.map(({ times }) => times)).toEqual([1, 1, 1, 1, 1, 1])
    })
  )

  effectIt.effect("fails with the schedule that breaks a rule", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(explore(seed))
      expect(failure).toBeInstanceOf(ScheduleFailure)
      expect(failure).toMatchObject({ _tag: "ScheduleFailure", invariant: "sameResult", schedule: "0.1.3~dg0jc" })
    })
  )

  it("is a promise in tests without Effect", async () => {
    expect(await explorePromise(seed, anyResult)).toMatchObject({ schedules: 6, complete: true })
    await expect(explorePromise(seed)).rejects.toBeInstanceOf(ScheduleFailure)
  })

  it("points at the test that called it", async () => {
    const failure = await failing(explore(seed))
    expect(failure.stack).toMatch(/^ScheduleFailure: workflow 'concurrent'/)
    expect(failure.stack?.split("\n").find((line) => line.startsWith("    at "))).toContain("explore.test.ts")
  })

  it("tries those with the fewest deviations first", async () => {
    const { outcomes } = await explorePromise(seed, anyResult)
    const deviations = outcomes.map(({ schedule }) => schedule.match(/\d+\.\d+\.\d+/g)?.length ?? 0)
    expect(deviations).toEqual([0, 1, 1, 1, 2, 2])
  })

  it("goes on at random where the budget is not enough, and says that it is not complete", async () => {
    const seen = await explorePromise(sleepers(6), { schedules: 100, random: 50 })
    expect(seen).toMatchObject({ schedules: 150, complete: false })
  })

  it("finds at random what lies deep, and takes out what is not needed", async () => {
    const flow = workflow({
      name: "deep",
      start: Start,
      stop: Stop,
      steps: {
        items: items(5),
        work: defineStep({
          accepts: Item,
          emits: Done,
          workers: 5,
          run: ({ n }) => Effect.as(Effect.sleep(n + 1), Done({ n }))
        }),
        seen: defineStep({ accepts: Done, emits: [], run: () => {} }),
        all
      }
    })
    const lastFirst = (trace: ReadonlyArray<any>) => {
      const order = trace.filter(({ tag }) => tag === "Done").map(({ data }) => data.n)
      return order.join("") !== "43210" && order.join("") !== "43201"
    }
    const options = { schedules: 5, random: 2_000, lanes: "in turn", check: { lastFirst } } as const
    const failure = await failing(explore(flow, options))
    expect(failure.message).toContain("3 choices differ")
  })

  it("gives the event loop a turn, so that it can be interrupted", async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 80)
    const before = performance.now()
    const exploring = explorePromise(sleepers(9), { schedules: 1e6, signal: controller.signal })
    await expect(exploring).rejects.toThrow()
    expect(performance.now() - before).toBeLessThan(2_000)
  })

  it("builds a layer afresh for each schedule", async () => {
    class Counter extends Context.Service<Counter, { count: number }>()("Counter") {}
    let built = 0
    const layer = Layer.sync(Counter, () => {
      built++
      return { count: 0 }
    })
    const flow = workflow({
      name: "counted",
      start: Start,
      stop: Stop,
      steps: {
        items: items(2),
        work: defineStep({
          accepts: Item,
          emits: Done,
          run: ({ n }) =>
            Effect.gen(function* () {
              yield* Effect.sleep(n + 1)
              ;(yield* Counter).count++
              return Done({ n })
            })
        }),
        end: defineStep({
          accepts: gather(Done),
          emits: Stop,
          run: () => Effect.map(Counter, ({ count }) => Stop({ value: count }))
        })
      }
    })
    const { outcomes, schedules } = await explorePromise(flow, { layer })
    expect([built, schedules, outcomes[0]!.outcome.result]).toEqual([2, 2, { _tag: "Stop", value: 2 }])
  })

  it("says when a workflow does not do the same again", async () => {
    let runs = 0
    const flow = workflow({
      name: "moody",
      start: Start,
      stop: Stop,
      steps: {
        items: defineStep({
          accepts: Start,
          emits: Item,
          run: () => Array.from({ length: runs++ === 0 ? 3 : 2 }, (_, n) => Item({ n }))
        }),
        work: defineStep({ accepts: Item, emits: Done, run: ({ n }) => Effect.as(Effect.sleep(1), Done({ n })) }),
        all
      }
    })
    const { complete, uncontrolled } = await explorePromise(flow, anyResult)
    expect([complete, uncontrolled]).toEqual([
      false,
      ["the workflow does not do the same when the same choices are taken again"]
    ])
  })
})

describe("promises", () => {
  const asyncSteps = (wait: () => Promise<unknown>) =>
    workflow({
      name: "promises",
      start: Start,
      stop: Stop,
      steps: {
        items: items(3),
        work: defineStep({
          accepts: Item,
          emits: Done,
          run: async ({ n }) => {
            await wait()
            return Done({ n })
          }
        }),
        first: defineStep({ accepts: Done, emits: Stop, run: ({ n }) => Stop({ value: n }) })
      }
    })

  it("are settled in every order, where nothing outside has to do with them", async () => {
    for (const wait of [async () => {}, () => new Promise<void>((resolve) => queueMicrotask(resolve))]) {
      const { complete, outcomes } = await explorePromise(asyncSteps(wait), anyResult)
      expect([complete, outcomes.length]).toEqual([true, 3])
    }
  })

  it("inside an Effect are settled in every order, too", async () => {
    const flow = workflow({
      name: "inside",
      start: Start,
      stop: Stop,
      steps: {
        items: items(3),
        work: defineStep({
          accepts: Item,
          emits: Stop,
          run: ({ n }) =>
            Effect.as(
              Effect.promise(() => Promise.resolve().then(() => {})),
              Stop({ value: n })
            )
        })
      }
    })
    const { complete, outcomes } = await explorePromise(flow, anyResult)
    expect([complete, outcomes.length]).toEqual([true, 3])
  })

  it("of a real timer are waited for, and make an exploration incomplete", async () => {
    const flow = asyncSteps(() => new Promise((resolve) => setTimeout(resolve, 2)))
    const { complete, uncontrolled } = await explorePromise(flow, { ...anyResult, schedules: 3, random: 0 })
    expect(complete).toBe(false)
    expect(uncontrolled).toEqual(["step 'work' waits for a promise that only the world outside can settle"])
  })
})

describe("faults", () => {
  const flow = workflow({
    name: "asking",
    start: Start,
    stop: Stop,
    steps: {
      ask: defineStep({
        accepts: Start,
        emits: Stop,
        timeout: "5 seconds",
        retry: { times: 1 },
        run: () => Effect.as(Effect.sleep("1 second"), Stop({ value: "an answer" }))
      })
    }
  })

  it("that a retry and a timeout take are survived", async () => {
    const seen = await explorePromise(flow, {
      time: "ordered",
      faults: { max: 1, kinds: ["fail", "hang", "fail after"] }
    })
    expect(seen).toMatchObject({ complete: true, schedules: 4, outcomes: [{ times: 4 }] })
  })

  it("are as many as they may be, and no more", async () => {
    const failure = await failing(explore(flow, { faults: { max: 2, kinds: ["fail"] } }))
    expect(failure.outcome?.error).toBeInstanceOf(InjectedFault)
    expect(failure.message).toContain("2 choices differ")
  })

  it("come to the steps that are named", async () => {
    const failure = await failing(explore(sleepers(1), { faults: { kinds: ["die"], steps: ["work"] } }))
    expect(failure.message).toContain('→ work(Item {"n":0}) is made to die')
  })
})

describe("an input", () => {
  const Given = defineEvent("Given", { items: Schema.Array(Schema.Int), name: Schema.String })
  const flow = workflow({
    name: "given",
    start: Given,
    stop: Stop,
    steps: {
      each: defineStep({ accepts: Given, emits: Item, run: ({ items }) => items.map((n) => Item({ n })) }),
      work: defineStep({ accepts: Item, emits: Done, run: ({ n }) => Effect.as(Effect.sleep(10), Done({ n })) }),
      // What comes last is what counts, but for the order of the others.
      end: defineStep({
        accepts: gather(Done),
        emits: Stop,
        run: (done) => Stop({ value: done.length })
      })
    }
  })

  it("is made from the start event's schema where none is given", async () => {
    const seen = await explorePromise(flow, { inputs: 10, schedules: 500 })
    expect(seen).toMatchObject({ inputs: 10, complete: false })
  })

  it("is shrunk together with the schedule", async () => {
    const twoInOrder = (trace: ReadonlyArray<any>) => {
      const done = trace.filter(({ tag }) => tag === "Done").map(({ data }) => data.n)
      const given = trace.filter(({ tag }) => tag === "Item").map(({ data }) => data.n)
      return done.join() === given.join()
    }
    const failure = await failing(explore(flow, { check: { twoInOrder } }))
    expect(failure.input).toEqual({ items: [0, expect.any(Number)], name: "" })
    expect(failure.message).toContain("one choice differs")
  })
})

describe("replay", () => {
  it("runs the schedule of a report alone", async () => {
    const failure = await failing(explore(seed, { replay: "0.2.3_1.1.2~dg0jc" }))
    expect(failure.outcome?.text).toBe('Stop {"result":"Query 3, Query 2, Query 1"}')
    expect(await explorePromise(seed, { ...anyResult, replay: failure.schedule })).toMatchObject({ schedules: 1 })
  })

  it("takes a schedule without its counts", async () => {
    const failure = await failing(explore(seed, { replay: "0.2_1.1" }))
    expect(failure.schedule).toBe("0.2.3_1.1.2~dg0jc")
  })

  const refused = (replay: string, flow: any = seed) =>
    Effect.runPromise(Effect.flip(explore(flow, { replay })) as Effect.Effect<CannotReplay>)

  it("is refused where the graph has changed", async () => {
    const { name, start, stop, steps } = seed
    const changed = workflow({ name, start, stop, steps: { ...steps, search: { ...steps.search, workers: 2 } } })
    const failure = await refused("0.2.3~dg0jc", changed)
    expect(failure).toBeInstanceOf(CannotReplay)
    expect(failure.message).toMatchInlineSnapshot(
      `"the graph of workflow 'concurrent' has changed since '0.2.3~dg0jc' was found, so it stands for another schedule now: explore again without 'replay'"`
    )
  })

  it("is refused where there are other choices now", async () => {
    const other = await refused("0.2.4~dg0jc")
    expect(other.message).toMatchInlineSnapshot(
      `"'0.2.4~dg0jc' cannot be replayed: at choice 0 there were 4 ways to go on, and now there are 3. The workflow, its input or the options of the exploration have changed: explore again without 'replay'"`
    )
    const none = await refused("7.1.2")
    expect(none.message).toContain("at choice 7 there were 2 ways to go on, and now there is no such choice")
    expect((await refused("what?")).message).toBe("'what?' is no schedule: copy the whole of it from the report")
  })
})
