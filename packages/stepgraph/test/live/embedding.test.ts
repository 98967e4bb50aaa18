import { describe, expect, it, vi } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { defineEvent, defineStep, gather, join, launch, launchPromise, run, runPromise, workflow } from "stepgraph"
import { heapInUse } from "../support/memory.ts"
import { result } from "../support/virtual.ts"

// Much work, and on a busy machine it takes a while.
vi.setConfig({ testTimeout: 60_000 })

const Start = defineEvent("Start", { n: Schema.Number })
const Item = defineEvent("Item", { n: Schema.Number })
const Done = defineEvent("Done", { n: Schema.Number })
const Stop = defineEvent("Stop", { sum: Schema.Number })
const define = { start: Start, stop: Stop }

const fan = defineStep({
  accepts: Start,
  emits: Item,
  run: ({ n }) => Array.from({ length: 10 }, (_, index) => Item({ n: n + index }))
})
const all = defineStep({
  accepts: gather(Done),
  emits: Stop,
  run: (done) => Stop({ sum: done.reduce((sum, { n }) => sum + n, 0) })
})

class Rates extends Context.Service<Rates, { readonly of: (n: number) => Effect.Effect<number> }>()("Rates") {}

const priced = workflow({
  ...define,
  name: "priced",
  steps: {
    fan,
    price: defineStep({
      accepts: Item,
      emits: Done,
      run: ({ n }) =>
        Effect.gen(function* () {
          const rates = yield* Rates
          return Done({ n: yield* rates.of(n) })
        })
    }),
    all
  }
})

describe("services", () => {
  it.effect("come from a Layer, built once and released after all runs", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const layer = Layer.effect(
        Rates,
        Effect.acquireRelease(
          Effect.sync(() => {
            log.push("opened")
            return Rates.of({ of: (n) => Effect.as(Effect.sleep(10), 2 * n) })
          }),
          () => Effect.sync(() => log.push("closed"))
        )
      )
      const program = Effect.gen(function* () {
        const first = yield* run(priced, { n: 0 })
        const second = yield* run(priced, { n: 10 })
        log.push("run")
        return [first.sum, second.sum]
      })
      expect(yield* result(Effect.provide(program, layer))).toEqual([90, 290])
      expect(log).toEqual(["opened", "run", "closed"])
    })
  )

  it.effect("of a step's own Effect need not be the workflow's", () =>
    Effect.gen(function* () {
      const rates = Layer.succeed(Rates, { of: (n) => Effect.succeed(n) })
      const { price } = priced.steps
      const closed = workflow({
        ...priced,
        steps: {
          ...priced.steps,
          price: defineStep({
            accepts: Item,
            emits: Done,
            run: ({ n }) =>
              Effect.provide(
                Effect.map(
                  Effect.flatMap(Rates, (rates) => rates.of(n)),
                  (n) => Done({ n })
                ),
                rates
              )
          })
        }
      })
      expect(price.emits).toEqual([Done])
      const program: Effect.Effect<unknown, unknown, never> = run(closed, { n: 0 })
      expect(yield* result(program)).toEqual(Stop({ sum: 45 }))
    })
  )

  it.effect("may be scoped: a step's resources are released when the step ends, not the run", () =>
    Effect.gen(function* () {
      let open = 0
      let most = 0
      const connection = Effect.acquireRelease(
        Effect.sync(() => {
          most = Math.max(most, ++open)
        }),
        () =>
          Effect.sync(() => {
            open--
          })
      )
      const flow = workflow({
        ...define,
        name: "scoped",
        steps: {
          fan,
          use: defineStep({
            accepts: Item,
            emits: Done,
            workers: 3,
            run: ({ n }) => Effect.scoped(Effect.as(Effect.andThen(connection, Effect.sleep(10)), Done({ n })))
          }),
          all
        }
      })
      yield* result(run(flow, { n: 0 }))
      expect({ open, most }).toEqual({ open: 0, most: 3 })
    })
  )
})

describe("a workflow inside a larger Effect", () => {
  const log: Array<string> = []
  const slow = workflow({
    ...define,
    name: "slow",
    steps: {
      wait: defineStep({
        accepts: Start,
        emits: Stop,
        run: ({ n }) =>
          Effect.onInterrupt(Effect.as(Effect.sleep("1 hour"), Stop({ sum: n })), () =>
            Effect.sync(() => log.push(`interrupted ${n}`))
          )
      })
    }
  })

  it.effect("is interrupted by its timeout", () =>
    Effect.gen(function* () {
      log.length = 0
      const fiber = yield* Effect.forkChild(Effect.timeoutOption(run(slow, { n: 1 }), "1 second"))
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(fiber))._tag).toBe("None")
      expect(log).toEqual(["interrupted 1"])
    })
  )

  it.effect("is interrupted if it loses a race, or a sibling fails", () =>
    Effect.gen(function* () {
      log.length = 0
      const quick = Effect.as(Effect.sleep("1 second"), "quick")
      const racing = yield* Effect.forkChild(Effect.raceFirst(run(slow, { n: 1 }), quick))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(racing)).toBe("quick")
      const failing = Effect.andThen(Effect.sleep("1 second"), Effect.fail("sibling"))
      const siblings = yield* Effect.forkChild(
        Effect.flip(Effect.all([run(slow, { n: 2 }), failing], { concurrency: "unbounded" }))
      )
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(siblings)).toBe("sibling")
      expect(log).toEqual(["interrupted 1", "interrupted 2"])
    })
  )

  it.effect("ends with the scope that it was launched in", () =>
    Effect.gen(function* () {
      log.length = 0
      const scope = yield* Scope.make()
      yield* Scope.provide(launch(slow, { n: 3 }), scope)
      yield* TestClock.adjust("1 minute")
      expect(log).toEqual([])
      yield* Scope.close(scope, Exit.void)
      expect(log).toEqual(["interrupted 3"])
    })
  )

  it.effect("can be retried and caught as a whole", () =>
    Effect.gen(function* () {
      let calls = 0
      const flaky = workflow({
        ...define,
        name: "flaky",
        steps: {
          only: defineStep({
            accepts: Start,
            emits: Stop,
            run: () =>
              Effect.suspend(() => (++calls < 3 ? Effect.fail("busy" as const) : Effect.succeed(Stop({ sum: calls }))))
          })
        }
      })
      expect((yield* Effect.retry(run(flaky, { n: 0 }), { times: 5 })).sum).toBe(3)
      calls = -10
      const caught = Effect.catchIf(
        run(flaky, { n: 0 }),
        (error) => error === "busy",
        () => Effect.succeed(Stop({ sum: -1 }))
      )
      expect((yield* caught).sum).toBe(-1)
    })
  )
})

describe("thousands of runs at once", () => {
  const parallel = workflow({
    ...define,
    name: "parallel",
    steps: {
      fan,
      work: defineStep({
        accepts: Item,
        emits: Done,
        run: ({ n }) => Effect.as(Effect.sleep("100 millis"), Done({ n }))
      }),
      all
    }
  })

  it.live("each return their own result", () =>
    Effect.gen(function* () {
      const runs = Effect.forEach(
        Array.from({ length: 1000 }, (_, n) => n),
        (n) => run(parallel, { n }),
        { concurrency: "unbounded" }
      )
      expect((yield* runs).map(({ sum }) => sum)).toEqual(Array.from({ length: 1000 }, (_, n) => 10 * n + 45))
    })
  )

  it.live(
    "cost a bounded amount of memory each while they run, and nothing when they are over",
    () =>
      Effect.gen(function* () {
        const count = 2000
        const begin = Effect.forEach(Array.from({ length: count }), () =>
          Effect.forkChild(run(parallel, { n: 0 }), { startImmediately: true })
        )
        const measure = Effect.gen(function* () {
          const before = heapInUse()
          const fibers = yield* begin
          // All are at their first sleep, with four workers busy and six events queued.
          const during = heapInUse()
          for (const fiber of fibers) yield* Fiber.join(fiber)
          fibers.length = 0
          return { before, during, after: heapInUse() }
        })
        yield* measure
        const { before, during, after } = yield* measure
        const each = (during - before) / count
        console.log(
          `${count} runs at once: ${(each / 1024).toFixed(1)} KiB each, ${((after - before) / 2 ** 20).toFixed(1)} MiB kept`
        )
        expect(each).toBeLessThan(64 * 1024)
        expect(after - before).toBeLessThan(2 * 2 ** 20)
      }),
    30_000
  )

  it("cost a bounded amount each while they wait for an answer, and nothing once interrupted", async () => {
    const Answer = defineEvent("Answer", { n: Schema.Number })
    const asking = workflow({
      ...define,
      name: "asking",
      inputs: [Answer],
      outputs: [Done],
      steps: {
        ask: defineStep({ accepts: Start, emits: Done, run: async ({ n }) => Done({ n }) }),
        end: defineStep({ accepts: join([Done, Answer]), emits: Stop, run: ([{ n }]) => Stop({ sum: n }) })
      }
    })
    const count = 1000
    const measure = async () => {
      const before = heapInUse()
      const live = await Promise.all(Array.from({ length: count }, (_, n) => launchPromise(asking, { n })))
      await Promise.all(live.map(({ events }) => events[Symbol.asyncIterator]().next()))
      const during = heapInUse()
      await Promise.all(live.map((run) => run.interrupt()))
      live.length = 0
      return { before, during, after: heapInUse() }
    }
    await measure()
    const { before, during, after } = await measure()
    const each = (during - before) / count
    console.log(`${count} launched runs that wait, with a reader each: ${(each / 1024).toFixed(1)} KiB each`)
    expect(each).toBeLessThan(64 * 1024)
    expect(after - before).toBeLessThan(2 * 2 ** 20)
  })

  it("also keep nothing as promises, in waves", async () => {
    const plain = workflow({
      ...define,
      name: "plain",
      steps: { fan, work: defineStep({ accepts: Item, emits: Done, run: async ({ n }) => Done({ n }) }), all }
    })
    const wave = () => Promise.all(Array.from({ length: 1000 }, (_, n) => runPromise(plain, { n })))
    for (let i = 0; i < 2; i++) await wave()
    const before = heapInUse()
    for (let i = 0; i < 4; i++) await wave()
    const kept = heapInUse() - before
    console.log(`4,000 runs as promises: ${(kept / 2 ** 20).toFixed(2)} MiB kept`)
    expect(kept).toBeLessThan(2 ** 20)
  })
})
