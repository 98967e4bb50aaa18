// A run as a stream: its events, its end, and closing it early.
import { describe, expect, it } from "@effect/vitest"
import { Cause, Data, Effect, Exit, Fiber, Option, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { defineEvent, defineState, defineStep, StepRejected, stream, workflow } from "stepgraph"
import { Start, Stop, stop, untyped } from "../support/flow.ts"

class Down extends Data.TaggedError("Down")<{}> {}
const Row = defineEvent("Row", { n: Schema.Number })
const rows = (run: () => unknown, more: object = {}) =>
  untyped.workflow({
    name: "rows",
    start: Start,
    stop: Stop,
    outputs: [Row],
    steps: { rows: untyped.step({ accepts: Start, emits: [Row, Stop], run }) },
    ...more
  })
const three = function* () {
  for (const n of [1, 2, 3]) yield Row({ n })
  yield stop(3)
}
const collected = (flow: any) => Stream.runCollect(stream(flow as ReturnType<typeof rows>))

describe("a run as a stream", () => {
  it.effect("emits its outputs, then its stop event, each time it is run", () =>
    Effect.gen(function* () {
      const once = collected(rows(three))
      const expected = [Row({ n: 1 }), Row({ n: 2 }), Row({ n: 3 }), stop(3)]
      expect(yield* once).toEqual(expected)
      expect(yield* once).toEqual(expected)
    })
  )

  it.effect("emits each output at once", () =>
    Effect.gen(function* () {
      const flow = rows(() =>
        Stream.fromIterable([1, 2]).pipe(
          Stream.mapEffect((n) => Effect.as(Effect.sleep("1 hour"), Row({ n }))),
          Stream.concat(Stream.never)
        )
      )
      const first = yield* Effect.forkChild(Stream.runHead(stream(flow)))
      yield* TestClock.adjust("59 minutes")
      expect(first.pollUnsafe()).toBeUndefined()
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(first)).toEqual(Option.some(Row({ n: 1 })))
    })
  )

  it.effect("fails with the error of its run, after the earlier events", () =>
    Effect.gen(function* () {
      const flow = rows(() => Stream.concat(Stream.succeed(Row({ n: 1 })), Stream.fail(new Down())))
      const seen: Array<unknown> = []
      const reading = Stream.runForEach(stream(flow), (event) => Effect.sync(() => seen.push(event)))
      expect(yield* Effect.flip(reading)).toEqual(new Down())
      expect(seen).toEqual([Row({ n: 1 })])
      const rejecting = rows(() => Promise.reject(new Error("no line")))
      expect(yield* Effect.flip(collected(rejecting))).toBeInstanceOf(StepRejected)
      expect(yield* Effect.flip(collected(rows(() => {})))).toMatchObject({ _tag: "WorkflowStalled" })
    })
  )

  it.effect("fails with InvalidEvent for an invalid input, and with a defect for an unknown option", () =>
    Effect.gen(function* () {
      const flow = rows(three) as any
      expect(yield* Effect.flip(Stream.runDrain(stream(flow, 3 as any)))).toMatchObject({ _tag: "InvalidEvent" })
      const exit = yield* Effect.exit(Stream.runDrain(stream(flow, {}, { keep: 3 } as any)))
      expect(Exit.isFailure(exit) && String(Cause.squash(exit.cause))).toMatch(/stream.*'keep'/)
    })
  )

  const ends: Record<string, (events: Stream.Stream<unknown, unknown>) => Effect.Effect<unknown, unknown>> = {
    "no more is taken": (events) => Stream.runDrain(Stream.take(events, 1)),
    "its reader fails": (events) => Effect.exit(Stream.runForEach(events, () => Effect.fail("enough"))),
    "it is interrupted": (events) =>
      Effect.gen(function* () {
        const reading = yield* Effect.forkChild(Stream.runDrain(events))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(reading)
      })
  }
  it.effect.each(Object.entries(ends))("interrupts its run when %s, and waits for its finalizers", ([, end]) =>
    Effect.gen(function* () {
      let finalized = false
      const flow = rows(() =>
        Stream.concat(Stream.succeed(Row({ n: 1 })), Stream.never).pipe(
          Stream.ensuring(
            Effect.gen(function* () {
              yield* Effect.yieldNow
              finalized = true
            })
          )
        )
      )
      yield* end(stream(flow))
      expect(finalized).toBe(true)
    })
  )

  it.effect("starts with its initial state", () =>
    Effect.gen(function* () {
      const count = defineState("count", Schema.Number, 0)
      const counting = workflow({
        name: "counting",
        start: Start,
        stop: Stop,
        steps: { only: defineStep({ accepts: Start, emits: Stop, run: (_, { get }) => stop(get(count)) }) }
      })
      const events = stream(counting, undefined, { state: [count.with(4)] })
      expect(yield* Stream.runCollect(events)).toEqual([stop(4)])
    })
  )

  it.effect("keeps a scope that its steps need until its run has ended", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const resource = Effect.acquireRelease(Effect.succeed("open"), () => Effect.sync(() => seen.push("closed")))
      const flow = rows(() => Effect.as(resource, [Row({ n: 1 }), stop(1)]))
      yield* Stream.runForEach(stream(flow), ({ _tag }) => Effect.sync(() => seen.push(_tag)))
      expect(seen).toEqual(["Row", "Stop", "closed"])
    })
  )
})

describe("the capacity of a run as a stream", () => {
  const pulling = (count: number, pulled: { now: number }) =>
    rows(function* () {
      for (let n = 0; n < count; n++) {
        pulled.now++
        yield Row({ n })
      }
      yield stop(count)
    })

  it.effect.each([1, 2, 5])("is the maximum number of outputs that wait for their reader: %i", (capacity) =>
    Effect.gen(function* () {
      const pulled = { now: 0 }
      let read = 0
      let furthest = 0
      const events = stream(pulling(100, pulled), undefined, { capacity })
      yield* Effect.forkChild(
        Stream.runForEach(events, () =>
          Effect.andThen(
            Effect.sleep("1 second"),
            Effect.sync(() => {
              read++
              furthest = Math.max(furthest, pulled.now - read)
            })
          )
        )
      ).pipe(
        Effect.tap(() => TestClock.adjust("101 seconds")),
        Effect.flatMap(Fiber.join)
      )
      expect(read).toBe(101)
      expect(furthest).toBeGreaterThanOrEqual(capacity - 1)
      expect(furthest).toBeLessThanOrEqual(capacity + 1)
    })
  )

  it.effect("is unlimited by default: a run continues without its reader", () =>
    Effect.gen(function* () {
      const pulled = { now: 0 }
      const reading = Stream.runForEach(stream(pulling(100, pulled)), () => Effect.sleep("1 second"))
      const fiber = yield* Effect.forkChild(reading)
      yield* TestClock.adjust("2 seconds")
      expect(pulled.now).toBe(100)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("does not hold back steps that emit other events", () =>
    Effect.gen(function* () {
      const flow = untyped.workflow({
        name: "two",
        start: Start,
        stop: Stop,
        outputs: [Row],
        steps: {
          rows: untyped.step({
            accepts: Start,
            emits: [Row],
            run: function* () {
              for (let n = 0; ; n++) yield Row({ n })
            }
          }),
          end: untyped.step({ accepts: Start, emits: [Stop], run: () => Effect.as(Effect.sleep("1 hour"), stop(1)) })
        }
      })
      const seen: Array<unknown> = []
      const reading = Stream.runForEach(stream(flow, undefined, { capacity: 1 }), (event) =>
        Effect.andThen(
          Effect.sync(() => seen.push(event)),
          Effect.sleep("1 day")
        )
      )
      const fiber = yield* Effect.forkChild(reading)
      yield* TestClock.adjust("5 days")
      expect(seen.at(-1)).toEqual(stop(1))
      yield* Fiber.join(fiber)
    })
  )

  it.effect("is refused unless it is a positive whole number", () =>
    Effect.gen(function* () {
      for (const capacity of [0, -1, 1.5, "2"] as ReadonlyArray<number>) {
        const exit = yield* Effect.exit(Stream.runDrain(stream(rows(three), undefined, { capacity })))
        expect(Exit.isFailure(exit) && String(Cause.squash(exit.cause))).toMatch(
          /RangeError: capacity is .+: give a positive whole number, or leave it out/
        )
      }
    })
  )
})
