import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { defineEvent, defineStep, launch, launchPromise, workflow } from "stepgraph"
import { heapInUse } from "../support/memory.ts"
import { defect } from "../support/virtual.ts"

const Start = defineEvent("Start", { count: Schema.Number })
const Progress = defineEvent("Progress", { n: Schema.Number })
const Stop = defineEvent("Stop")

/** Reports its progress each second. */
const copy = workflow({
  name: "copy",
  start: Start,
  stop: Stop,
  outputs: [Progress],
  steps: {
    copy: defineStep({
      accepts: Start,
      emits: [Progress, Stop],
      run: ({ count }) =>
        Stream.range(1, count).pipe(
          Stream.mapEffect((n) => Effect.as(Effect.sleep("1 second"), Progress({ n }))),
          Stream.concat(Stream.succeed(Stop()))
        )
    })
  }
})

type Heard = { readonly _tag: string; readonly n?: number }
const told = (events: ReadonlyArray<Heard>) => events.map(({ _tag, n }) => (_tag === "Stop" ? "stop" : n))

describe("events", () => {
  it.effect("are the outputs in order, then the stop event", () =>
    Effect.gen(function* () {
      const live = yield* launch(copy, { count: 3 })
      const heard = yield* Effect.forkChild(Stream.runCollect(live.events))
      yield* TestClock.adjust("3 seconds")
      expect(told(yield* Fiber.join(heard))).toEqual([1, 2, 3, "stop"])
    })
  )

  it.effect("arrive as they happen, not when the run is over", () =>
    Effect.gen(function* () {
      const heard: Array<number | undefined> = []
      const live = yield* launch(copy, { count: 3 })
      yield* Effect.forkChild(Stream.runForEach(live.events, ({ n }: Heard) => Effect.sync(() => heard.push(n))))
      yield* TestClock.adjust("2 seconds")
      expect(heard).toEqual([1, 2])
    })
  )

  it.effect("reach a late reader, even after the end, from the first event on", () =>
    Effect.gen(function* () {
      const live = yield* launch(copy, { count: 3 })
      yield* TestClock.adjust("2 seconds")
      const late = yield* Effect.forkChild(Stream.runCollect(live.events))
      yield* TestClock.adjust("1 second")
      expect(told(yield* Fiber.join(late))).toEqual([1, 2, 3, "stop"])
      expect(told(yield* Stream.runCollect(live.events))).toEqual([1, 2, 3, "stop"])
    })
  )

  it.effect("reach each reader at its own pace: a slow one does not hold up the others", () =>
    Effect.gen(function* () {
      const live = yield* launch(copy, { count: 5 })
      const seen: Array<number | undefined> = []
      const slow = yield* Effect.forkChild(
        Stream.runForEach(live.events, ({ n }: Heard) =>
          Effect.andThen(
            Effect.sleep("1 minute"),
            Effect.sync(() => seen.push(n))
          )
        )
      )
      const quick = yield* Effect.forkChild(Stream.runCollect(live.events))
      yield* TestClock.adjust("5 seconds")
      expect(told(yield* Fiber.join(quick))).toHaveLength(6)
      expect(yield* live.result).toEqual(Stop())
      expect(seen).toEqual([])
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(slow)
      expect(seen).toEqual([1, 2, 3, 4, 5, undefined])
    })
  )

  it.effect("a reader that leaves, or fails, stops neither the run nor another reader", () =>
    Effect.gen(function* () {
      const live = yield* launch(copy, { count: 3 })
      const leaving = yield* Effect.forkChild(Stream.runCollect(Stream.take(live.events, 1)))
      const failing = yield* Effect.forkChild(Effect.exit(Stream.runForEach(live.events, () => Effect.die("reader"))))
      const staying = yield* Effect.forkChild(Stream.runCollect(live.events))
      yield* TestClock.adjust("3 seconds")
      expect(told(yield* Fiber.join(leaving))).toEqual([1])
      expect(Exit.isFailure(yield* Fiber.join(failing))).toBe(true)
      expect(told(yield* Fiber.join(staying))).toEqual([1, 2, 3, "stop"])
      expect(yield* live.result).toEqual(Stop())
    })
  )

  it.effect("are optional: a run without readers ends like any other", () =>
    Effect.gen(function* () {
      const live = yield* launch(copy, { count: 3 })
      yield* TestClock.adjust("3 seconds")
      expect(yield* live.result).toEqual(Stop())
    })
  )

  it.effect("of a failed run fail each reader with the typed error, after all that came before", () =>
    Effect.gen(function* () {
      class Broken extends Schema.TaggedError<Broken>()("Broken", {}) {}
      const flow = workflow({
        name: "breaks",
        start: Start,
        stop: Stop,
        outputs: [Progress],
        steps: {
          work: defineStep({
            accepts: Start,
            emits: [Progress, Stop],
            run: () => Stream.concat(Stream.make(Progress({ n: 1 }), Progress({ n: 2 })), Stream.fail(new Broken()))
          })
        }
      })
      const live = yield* launch(flow, { count: 0 })
      const listen = () => {
        const heard: Array<number | undefined> = []
        const listening = Stream.runForEach(live.events, ({ n }: Heard) => Effect.sync(() => heard.push(n)))
        return Effect.map(Effect.flip(listening), (error) => ({ heard, error }))
      }
      for (const { heard, error } of yield* Effect.all([listen(), listen()], { concurrency: 2 })) {
        expect(heard).toEqual([1, 2])
        expect(error._tag).toBe("Broken")
      }
      expect((yield* Effect.flip(live.result))._tag).toBe("Broken")
    })
  )

  it.effect("of an interrupted run end with that interruption", () =>
    Effect.gen(function* () {
      const live = yield* launch(copy, { count: 3 })
      const reader = yield* Effect.forkChild(Effect.exit(Stream.runCollect(live.events)))
      yield* TestClock.adjust("1 second")
      yield* live.interrupt
      expect(Exit.hasInterrupts(yield* Fiber.join(reader))).toBe(true)
    })
  )

  it.effect("that are outputs can be accepted by a step, too", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "both",
        start: Start,
        stop: Stop,
        outputs: [Progress],
        steps: {
          begin: defineStep({ accepts: Start, emits: Progress, run: () => Progress({ n: 1 }) }),
          end: defineStep({ accepts: Progress, emits: Stop, run: () => Stop() })
        }
      })
      const live = yield* launch(flow, { count: 0 })
      expect(told(yield* Stream.runCollect(live.events))).toEqual([1, "stop"])
    })
  )
})

describe("the keep", () => {
  const chatty = workflow({
    name: "chatty",
    start: Start,
    stop: Stop,
    outputs: [Progress],
    steps: {
      talk: defineStep({
        accepts: Start,
        emits: [Progress, Stop],
        run: function* ({ count }) {
          for (let n = 1; n <= count; n++) yield Progress({ n })
          yield Stop()
        }
      })
    }
  })

  it.effect(
    "keeps the latest outputs for readers that come later, as many as was said, and always the stop event",
    () =>
      Effect.gen(function* () {
        for (const [keep, heard] of [
          [3, [8, 9, 10, "stop"]],
          [1, [10, "stop"]],
          [0, ["stop"]]
        ] as const) {
          const live = yield* launch(chatty, { count: 10 }, { keep })
          yield* live.result
          for (let reader = 0; reader < 2; reader++) {
            expect(told(yield* Stream.runCollect(live.events))).toEqual(heard)
          }
        }
      })
  )

  it.effect("of 0 keeps none, and an early reader receives all", () =>
    Effect.gen(function* () {
      const live = yield* launch(copy, { count: 3 }, { keep: 0 })
      const early = yield* Effect.forkChild(Stream.runCollect(live.events), { startImmediately: true })
      yield* TestClock.adjust("3 seconds")
      expect(told(yield* Fiber.join(early))).toEqual([1, 2, 3, "stop"])
    })
  )

  it.effect("of a failed run still fail for a late reader", () =>
    Effect.gen(function* () {
      const flow = workflow({
        ...chatty,
        steps: { talk: defineStep({ accepts: Start, emits: [Progress, Stop], run: () => {} }) }
      })
      for (const keep of [0, 1, undefined]) {
        const live = yield* launch(flow, { count: 1 }, keep === undefined ? {} : { keep })
        yield* Effect.flip(live.result)
        expect((yield* Effect.flip(Stream.runCollect(live.events)))._tag, `keep ${keep}`).toBe("WorkflowStalled")
      }
    })
  )

  it.effect.each([-1, 0.5, Number.NaN, "all"])("of %s is refused", (keep) =>
    Effect.gen(function* () {
      const error = yield* defect(Effect.scoped(launch(chatty, { count: 1 }, { keep: keep as number })))
      expect(String(error)).toContain(`keep is ${keep}`)
    })
  )

  it("costs nothing when it is bounded, and the events themselves when it is not", { timeout: 30_000 }, async () => {
    const count = 200_000
    const held = async (keep: number) => {
      const live = await launchPromise(chatty, { count }, { keep })
      await live.result
      const used = heapInUse()
      // Keeps the handle alive until here, with everything that it keeps.
      expect((await live.status()).state).toBe("ended")
      return used
    }
    const little = await held(0)
    const bounded = await held(10)
    const all = await held(Number.POSITIVE_INFINITY)
    const perEvent = (all - bounded) / count
    console.log(`keep: ${perEvent.toFixed(0)} bytes an event, the event itself included`)
    expect(perEvent).toBeGreaterThan(0)
    expect(bounded - little).toBeLessThan(2 ** 20)
    expect(perEvent).toBeLessThan(400)
  })

  it("iterates with `for await`, from the first event on each time", async () => {
    const live = await launchPromise(chatty, { count: 2 })
    for (let reader = 0; reader < 2; reader++) {
      const heard: Array<Heard> = []
      for await (const event of live.events) heard.push(event)
      expect(told(heard)).toEqual([1, 2, "stop"])
    }
    for await (const _ of live.events) break
    expect(await live.result).toEqual(Stop())
  })
})
