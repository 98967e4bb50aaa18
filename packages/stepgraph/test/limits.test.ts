// Limits that all runs of the process share.
import { AsyncLocalStorage } from "node:async_hooks"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Layer, Schema } from "effect"
import { RateLimiter } from "effect/persistence"
import { TestClock } from "effect/testing"
import {
  defineEvent,
  defineLimit,
  defineStep,
  gather,
  isLimit,
  type Limit,
  launch,
  type RunOf,
  run,
  runPromise,
  type Workflow,
  workflow
} from "stepgraph"
import { graphOf } from "stepgraph/graph"
import { RunModel } from "stepgraph/trace"
import { recorded } from "./support/flow.ts"
import { heapInUse } from "./support/memory.ts"
import { defect, result } from "./support/virtual.ts"

const Start = defineEvent("Start", { tenant: Schema.String, calls: Schema.Number })
const Ask = defineEvent("Ask", { tenant: Schema.String, n: Schema.Number })
const Answer = defineEvent("Answer", { n: Schema.Number })
const Stop = defineEvent("Stop", { ns: Schema.Array(Schema.Number) })

type Live = RunOf<Flow>
type Flow = Workflow<typeof Start, typeof Stop, any, [], [], never>
type Work = (ask: { readonly tenant: string; readonly n: number }) => any
const asking = (limit: Limit | ReadonlyArray<Limit>, work: Work, more: object = {}) =>
  workflow({
    name: "asking",
    start: Start,
    stop: Stop,
    steps: {
      list: defineStep({
        accepts: Start,
        emits: Ask,
        run: ({ tenant, calls }) => Array.from({ length: calls }, (_, n) => Ask({ tenant, n }))
      }),
      ask: defineStep({
        accepts: Ask,
        emits: Answer,
        workers: "unbounded",
        limit,
        run: (ask: any) => work(ask),
        ...more
      }),
      all: defineStep({
        accepts: gather(Answer),
        emits: Stop,
        run: (all: ReadonlyArray<{ readonly n: number }>) => Stop({ ns: all.map(({ n }) => n) })
      })
    } as any
  }) as Flow

/** Counts the calls at once and remembers when each began. */
const meter = (millis: number | ((ask: { readonly n: number }) => number) = 100) => {
  const begun: Array<{ readonly tenant: string; readonly n: number; readonly at: number }> = []
  const now = new Map<string, number>()
  let most = 0
  const work: Work = (ask) =>
    Effect.gen(function* () {
      const clock = yield* Effect.clockWith((clock) => Effect.succeed(clock))
      begun.push({ ...ask, at: clock.currentTimeMillisUnsafe() })
      now.set(ask.tenant, (now.get(ask.tenant) ?? 0) + 1)
      most = Math.max(most, now.get(ask.tenant)!)
      yield* Effect.sleep(typeof millis === "number" ? millis : millis(ask))
      return Answer({ n: ask.n })
    }).pipe(Effect.ensuring(Effect.sync(() => now.set(ask.tenant, now.get(ask.tenant)! - 1))))
  return {
    begun,
    work,
    get most() {
      return most
    }
  }
}

const tenantOf = ({ tenant }: { readonly tenant: string }) => tenant

/** The most of these times in any window of this length. */
const mostWithin = (times: ReadonlyArray<number>, window: number): number => {
  const sorted = [...times].sort((a, b) => a - b)
  let most = 0
  let from = 0
  for (let to = 0; to < sorted.length; to++) {
    while (sorted[to]! - sorted[from]! >= window) from++
    most = Math.max(most, to - from + 1)
  }
  return most
}

describe("a limit", () => {
  it.effect("holds for all steps and runs that have it, first come first served", () =>
    Effect.gen(function* () {
      const seen = meter()
      const model = defineLimit("model", { concurrent: 2 })
      const flow = asking(model, (ask) => seen.work({ ...ask, tenant: "all" }))
      const runs = [0, 1, 2].map((n) => Effect.delay(run(flow, { tenant: `t${n}`, calls: 4 }), n))
      yield* result(Effect.all(runs, { concurrency: "unbounded" }))
      expect(seen.most).toBe(2)
      expect(seen.begun.map(({ n }) => n)).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3])
    })
  )

  it.effect(
    "of 8 at once and 60 a minute by tenant is never exceeded by 1,000 runs of 10 calls, and fair",
    () =>
      Effect.gen(function* () {
        const model = defineLimit("model", { concurrent: 8, times: 60, per: "1 minute", by: tenantOf })
        const counter = meter(({ n }) => 500 + 100 * n)
        const flow = asking(model, counter.work)
        const tenants = ["big", "big", "big", "big", "small"]
        const runs = Array.from({ length: 1_000 }, (_, n) =>
          Effect.delay(run(flow, { tenant: tenants[n % 5]!, calls: 10 }), n % 7)
        )
        yield* result(Effect.all(runs, { concurrency: "unbounded", discard: true }))
        expect(counter.begun).toHaveLength(10_000)
        expect(counter.most).toBe(8)
        for (const tenant of ["big", "small"]) {
          const times = counter.begun.filter((call) => call.tenant === tenant).map(({ at }) => at)
          expect(mostWithin(times, 60_000)).toBe(60)
          // Nothing is lost: as many as may.
          expect(Math.max(...times)).toBeLessThan((times.length / 60) * 60_000)
        }
        const last = (tenant: string) => counter.begun.filter((call) => call.tenant === tenant).at(-1)!.at
        expect(last("small") * 3.9).toBeLessThan(last("big"))
      }),
    60_000
  )

  it.effect("is given up at once by a call that is interrupted, which leaves its turn to the next", () =>
    Effect.gen(function* () {
      const model = defineLimit("model", { concurrent: 1, times: 2, per: "1 minute" })
      const seen = meter(1_000)
      const flow = asking(model, seen.work)
      const live = []
      for (const tenant of ["a", "b", "c"]) live.push(yield* launch(flow, { tenant, calls: 1 }))
      const [a, b, c] = live as [Live, Live, Live]
      yield* TestClock.adjust("500 millis")
      expect(seen.begun.map(({ tenant }) => tenant)).toEqual(["a"])
      const { steps } = yield* b.status
      expect(steps.ask).toEqual({ queued: 0, running: 1, limited: { model: 1 } })
      const interrupting = yield* Effect.forkChild(b.interrupt, { startImmediately: true })
      yield* Effect.yieldNow
      expect(interrupting.pollUnsafe()).toEqual(Exit.void)
      // One that runs gives its place up, too, once its finalizers are done.
      yield* a.interrupt
      yield* Effect.yieldNow
      yield* TestClock.adjust("0 millis")
      expect(seen.begun.map(({ tenant }) => tenant)).toEqual(["a", "c"])
      yield* TestClock.adjust("1 second")
      expect((yield* c.result).ns).toEqual([0])
      expect((yield* c.status).steps.ask).toEqual({ queued: 0, running: 0 })
    })
  )

  it.effect("is not part of the step's timeout, and is taken by each attempt", () =>
    Effect.gen(function* () {
      const model = defineLimit("model", { times: 1, per: "1 minute" })
      let calls = 0
      const flow = asking(model, ({ n }) => (++calls < 3 ? Effect.fail("down") : Effect.succeed(Answer({ n }))), {
        timeout: "1 second",
        retry: { times: 5 }
      })
      const { record, entries, of } = recorded()
      yield* result(record(run(flow, { tenant: "a", calls: 1 })))
      expect(calls).toBe(3)
      const waits = [...of("LimitReached"), ...of("LimitPassed")].map(({ _tag, limit, key, attempt, step }) => [
        _tag,
        limit,
        key,
        attempt,
        step
      ])
      expect(waits).toEqual([
        ["LimitReached", "model", null, 2, "ask"],
        ["LimitReached", "model", null, 3, "ask"],
        ["LimitPassed", "model", null, 2, "ask"],
        ["LimitPassed", "model", null, 3, "ask"]
      ])
      const model2 = new RunModel()
      for (const entry of entries) model2.add(entry)
      const asked = [...model2.invocations.values()].find(({ step }) => step === "ask")!
      expect(asked.limits.map(({ limit, from, to }) => [limit, from.at, to!.at])).toEqual([
        ["model", 0, 60_000],
        ["model", 60_000, 120_000]
      ])
    })
  )

  it.effect("may be one of several, each taken in the order of definition", () =>
    Effect.gen(function* () {
      const perTenant = defineLimit("tenant", { concurrent: 1, by: tenantOf })
      const all = defineLimit("all", { concurrent: 2 })
      const seen = meter()
      const whole = meter()
      const flow = asking([all, perTenant], (ask) =>
        Effect.andThen(whole.work({ ...ask, tenant: "all" }), seen.work(ask))
      )
      expect(graphOf(flow).steps.map(({ limits }) => limits)).toEqual([[], ["tenant", "all"], []])
      const runs = ["a", "b", "c"].map((tenant) => run(flow, { tenant, calls: 3 }))
      yield* result(Effect.all(runs, { concurrency: "unbounded" }))
      expect(seen.most).toBe(1)
      expect(whole.most).toBeLessThanOrEqual(2)
    })
  )

  it("keeps the ambient context of the run that waits", async () => {
    const user = new AsyncLocalStorage<string>()
    const seen: Array<string> = []
    const model = defineLimit("model", { concurrent: 1 })
    const flow = asking(model, ({ tenant, n }) =>
      Effect.suspend(() => {
        seen.push(`${tenant} ${user.getStore()}`)
        return Effect.as(Effect.sleep(2), Answer({ n }))
      })
    )
    await Promise.all(["a", "b", "c"].map((tenant) => user.run(tenant, () => runPromise(flow, { tenant, calls: 2 }))))
    expect(seen.sort()).toEqual(["a a", "a a", "b b", "b b", "c c", "c c"])
  })

  it("does not grow the stack, however many wait", { timeout: 30_000 }, async () => {
    const model = defineLimit("model", { concurrent: 1, by: ({ n }: { readonly n: number }) => n % 3 })
    const flow = asking(model, ({ n }) => Answer({ n }))
    const { ns } = await runPromise(flow, { tenant: "a", calls: 30_000 })
    expect(ns).toHaveLength(30_000)
  })

  it("starts calls in the order in which they came when several may start at once", async () => {
    const model = defineLimit("model", { times: 3, per: 20 })
    const begun: Array<number> = []
    const flow = asking(model, async ({ n }) => {
      begun.push(n)
      await sleep(1)
      return Answer({ n })
    })
    await runPromise(flow, { tenant: "a", calls: 9 })
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  })

  it.effect("counts its rate with Effect's RateLimiter where that is provided", () =>
    Effect.gen(function* () {
      const times: Array<[string, number]> = []
      // Two limits as two processes have them: of one name, in one store.
      const flows = ["first", "second"].map((process) =>
        asking(defineLimit("model", { times: 3, per: "1 minute", by: tenantOf }), ({ n }) =>
          Effect.map(
            Effect.clockWith((clock) => Effect.sync(() => clock.currentTimeMillisUnsafe())),
            (at) => {
              times.push([process, at])
              return Answer({ n })
            }
          )
        )
      )
      const runs = flows.map((flow) => run(flow, { tenant: "a", calls: 6 }))
      const shared = RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))
      yield* result(Effect.all(runs, { concurrency: "unbounded" }).pipe(Effect.provide(shared)))
      expect(times).toHaveLength(12)
      expect(
        mostWithin(
          times.map(([, at]) => at),
          60_000
        )
      ).toBe(3)
    })
  )

  it.effect("goes on with the rate of the process where the store fails, and says so", () =>
    Effect.gen(function* () {
      const broken = new RateLimiter.RateLimiterError({
        reason: new RateLimiter.RateLimitStoreError({ message: "no connection" })
      })
      const limiter = { consume: () => Effect.fail(broken) } as unknown as RateLimiter.RateLimiter
      const seen = meter(0)
      const flow = asking(defineLimit("model", { times: 2, per: "1 minute", limiter }), seen.work)
      yield* result(run(flow, { tenant: "a", calls: 4 }))
      expect(seen.begun.map(({ at }) => at)).toEqual([0, 0, 60_000, 60_000])
    })
  )

  it.effect("goes on so as well where the store breaks in any other way", () =>
    Effect.gen(function* () {
      const ways: ReadonlyArray<() => unknown> = [
        () => Effect.die(new Error("a bug of the store")),
        () => Effect.fail("no error of Effect's"),
        () => {
          throw new Error("no Effect at all")
        }
      ]
      for (const consume of ways) {
        const limiter = { consume } as unknown as RateLimiter.RateLimiter
        const seen = meter(0)
        yield* result(
          run(asking(defineLimit("model", { times: 2, per: "1 minute", limiter }), seen.work), {
            tenant: "a",
            calls: 4
          })
        )
        expect(seen.begun.map(({ at }) => at)).toEqual([0, 0, 60_000, 60_000])
      }
    })
  )

  it.effect("keeps its rate where the time of day is set back", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(7_200_000)
      const flow = asking(defineLimit("model", { times: 2, per: "1 minute" }), meter(0).work)
      yield* run(flow, { tenant: "a", calls: 2 })
      yield* TestClock.setTime(0)
      const fiber = yield* Effect.forkChild(run(flow, { tenant: "a", calls: 2 }))
      yield* TestClock.adjust("59 seconds")
      expect(fiber.pollUnsafe()).toBeUndefined()
      yield* TestClock.adjust("1 second")
      expect(fiber.pollUnsafe()).toEqual(Exit.succeed(Stop({ ns: [0, 1] })))
    })
  )

  it("forgets the keys that are idle, also behind one that is in use", async () => {
    const by = ({ n, tenant }: { readonly n: number; readonly tenant: string }) => `${tenant} ${n}`.padStart(1_000)
    const model = defineLimit("model", { concurrent: 1, by })
    const slow = new AbortController()
    const lasting = runPromise(
      asking(model, () => Effect.never),
      { tenant: "slow", calls: 1 },
      { signal: slow.signal }
    )
    const fast = asking(model, ({ n }) => Answer({ n }))
    const before = heapInUse()
    await runPromise(fast, { tenant: "fast", calls: 20_000 })
    expect(heapInUse() - before).toBeLessThan(4_000_000)
    slow.abort(new Error("enough"))
    await expect(lasting).rejects.toThrow("enough")
  })

  it.effect("dies with its step where its key is none", () =>
    Effect.gen(function* () {
      const odd = defineLimit("odd", { concurrent: 1, by: (ask: object) => ask })
      expect(
        String(
          yield* defect(
            run(
              asking(odd, () => {}),
              { tenant: "a", calls: 1 }
            )
          )
        )
      ).toMatch(/step 'ask' of workflow 'asking'.*the `by` of limit 'odd' gave .*: give a string or a number/s)
    })
  )

  it("is data that prints in a few words", () => {
    const model = defineLimit("model", { concurrent: 1 })
    expect(isLimit(model)).toBe(true)
    expect(isLimit({ name: "model" })).toBe(false)
    expect(String(model)).toBe("Limit(model)")
    expect(Object.isFrozen(model)).toBe(true)
  })

  it.each([
    ["", { concurrent: 1 }, "defineLimit: a name must be a non-empty string, not an empty one"],
    ["m", undefined, "limit 'm' limits nothing: give `concurrent`, or `times` and `per`"],
    ["m", {}, "limit 'm' limits nothing"],
    ["m", { concurrent: 0 }, "limit 'm' has a `concurrent` of 0: give a positive whole number"],
    ["m", { times: 3 }, "limit 'm' has `times` without `per`: give both"],
    ["m", { per: "1 minute" }, "limit 'm' has `per` without `times`: give both"],
    ["m", { times: 1.5, per: "1 minute" }, "limit 'm' has a `times` of 1.5: give a positive whole number"],
    ["m", { times: 1, per: "5s" }, "limit 'm' has a `per` of "],
    ["m", { times: 1, per: 0 }, "limit 'm' has a `per` of 0, which is not a time"],
    ["m", { concurrent: 1, by: "tenant" }, "limit 'm' has a `by` that is not a function: write (event) => event.id"],
    ["m", { concurrent: 1, limiter: {} }, "limit 'm' has a `limiter` that is not Effect's RateLimiter, but an object"],
    [
      "m",
      { concurrent: 1, limiter: { consume() {} } },
      "limit 'm' has a `limiter`, but no rate: give `times` and `per`"
    ],
    ["m", { concurent: 1 }, "limit 'm' has a wrong option: there is no option 'concurent': did you mean 'concurrent'?"]
  ])("refuses %j, %j", (name, options, message) => {
    expect(() => (defineLimit as any)(name, options)).toThrow(message)
  })

  it("of a step is what defineLimit returned", () => {
    expect(() => asking({ name: "model" } as any, () => {})).toThrow(
      /step 'ask' has the limit .*: give it what defineLimit returned, or a list of such limits/
    )
  })
})
