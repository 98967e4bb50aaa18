// Times that go on after a restart as if there had been none, on a virtual clock.
import { Clock, Effect, Layer, Schedule, Schema } from "effect"
import { TestClock } from "effect/testing"
import { collect, defineEvent, defineStep, join, workflow } from "stepgraph"
import { expect, it } from "vitest"
import { type AnyDurable, durable, layerStore, Store } from "../src/index.ts"
import { memoryStore } from "../src/internal/memory-store.ts"

const Go = defineEvent("Go", {})
const Asked = defineEvent("Asked", { n: Schema.Number })
const Answered = defineEvent("Answered", {})
const Late = defineEvent("Late", { n: Schema.Number, at: Schema.Number })
const End = defineEvent("End", { at: Schema.Array(Schema.Number) })

/** Performs a run from 0 on, in a process for each of the times, in milliseconds, at which the next one takes over. */
const perform = (flow: AnyDurable, ...restarts: ReadonlyArray<number>) => {
  const store = memoryStore()
  const program = Effect.gen(function* () {
    for (const [n, until] of [...restarts, 60_000].entries()) {
      const process = Layer.provideMerge(
        flow.layer as Layer.Layer<never, never, any>,
        Layer.provide(
          layerStore({ poll: 500 }),
          Layer.sync(Store, () => store)
        )
      )
      const lives = Effect.gen(function* () {
        if (n === 0) yield* flow.start("a", {})
        const fiber = yield* Effect.forkChild(Effect.flatMap(flow.run("a"), ({ result }) => result))
        // In parts, as a run may need a few turns between two of its times.
        while ((yield* Clock.currentTimeMillis) < until) yield* TestClock.adjust(2500)
        if (until === 60_000) return fiber.pollUnsafe() ?? "it goes on"
      })
      const exit = yield* Effect.provide(lives, process)
      // Nobody performs it for a while.
      if (exit === undefined) yield* TestClock.adjust(2500)
      else return exit
    }
  })
  return Effect.runPromise(Effect.provide(program as Effect.Effect<any>, TestClock.layer()))
}

it("keeps each round of a deadline in its time", async () => {
  const flow = durable(
    workflow({
      name: "reminders",
      start: Go,
      stop: End,
      inputs: [Answered],
      steps: {
        ask: defineStep({ accepts: Go, emits: Asked, run: () => [Asked({ n: 1 }), Asked({ n: 2 })] }),
        late: defineStep({
          accepts: join([Asked, Answered], { within: "20 seconds" }),
          emits: Late,
          run: ([asked]) => Effect.map(Clock.currentTimeMillis, (at) => Late({ n: asked!.n, at }))
        }),
        end: defineStep({
          accepts: collect(Late, 2),
          emits: End,
          run: (all) => End({ at: all.toSorted((a, b) => a.n - b.n).map(({ at }) => at) })
        })
      }
    })
  )
  const inTime = { _tag: "Success", value: End({ at: [20_000, 20_000] }) }
  expect(await perform(flow)).toMatchObject(inTime)
  expect(await perform(flow, 10_000)).toMatchObject(inTime)
  expect(await perform(flow, 5000, 15_000)).toMatchObject(inTime)
})

it("lets the schedule of a retry count from the first failure", async () => {
  let attempts: Array<number> = []
  const flow = durable(
    workflow({
      name: "retries",
      start: Go,
      stop: End,
      steps: {
        fail: defineStep({
          accepts: Go,
          emits: End,
          retry: Schedule.max([Schedule.spaced("10 seconds"), Schedule.during("35 seconds")]),
          run: () =>
            Effect.flatMap(Clock.currentTimeMillis, (at) => {
              attempts.push(at)
              return Effect.fail("it is down")
            })
        })
      }
    })
  )
  const whole = await perform(flow)
  const expected = attempts
  expect(expected).toEqual([0, 10_000, 20_000, 30_000, 40_000])
  for (const restarts of [[25_000], [5000, 15_000, 35_000]]) {
    attempts = []
    expect(await perform(flow, ...restarts)).toEqual(whole)
    expect(attempts).toEqual(expected)
  }
})
