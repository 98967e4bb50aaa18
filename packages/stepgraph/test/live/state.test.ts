import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import {
  defineEvent,
  defineState,
  defineStep,
  InvalidState,
  launch,
  launchPromise,
  run,
  runPromise,
  workflow
} from "stepgraph"
import { result } from "../support/virtual.ts"

const Start = defineEvent("Start", { count: Schema.Number })
const Tick = defineEvent("Tick")
const Stop = defineEvent("Stop", { seen: Schema.Number })
const seen = defineState("seen", Schema.Number, 0)

/** Counts its ticks, each of which takes a second. */
const counting = workflow({
  name: "counting",
  start: Start,
  stop: Stop,
  steps: {
    begin: defineStep({ accepts: Start, emits: Tick, run: ({ count }) => Array.from({ length: count }, () => Tick()) }),
    count: defineStep({
      accepts: Tick,
      emits: Stop,
      run: (_, ctx) =>
        Effect.andThen(
          Effect.sleep("1 second"),
          Effect.sync(() => {
            const now = ctx.update(seen, (n) => n + 1)
            return now === 10 ? Stop({ seen: ctx.get(seen) }) : undefined
          })
        )
    })
  }
})

describe("state", () => {
  it.effect("begins with its initial value, and returns the latest one", () =>
    Effect.gen(function* () {
      const values: Array<number> = []
      const flow = workflow({
        name: "set",
        start: Start,
        stop: Stop,
        steps: {
          only: defineStep({
            accepts: Start,
            emits: Stop,
            run: (_, { get, set, update }) => {
              values.push(get(seen))
              set(seen, 5)
              values.push(get(seen))
              values.push(update(seen, (n) => n * 2))
              return Stop({ seen: get(seen) })
            }
          })
        }
      })
      expect((yield* run(flow, { count: 0 })).seen).toBe(10)
      expect(values).toEqual([0, 5, 10])
    })
  )

  it.effect("is shared by all steps and workers of a run: no update is lost", () =>
    Effect.gen(function* () {
      expect((yield* result(run(counting, { count: 10 }))).seen).toBe(10)
    })
  )

  it.effect("is separate for each run, however many run at once", () =>
    Effect.gen(function* () {
      const runs = Effect.all(
        Array.from({ length: 50 }, () => run(counting, { count: 10 })),
        { concurrency: "unbounded" }
      )
      expect((yield* result(runs)).map(({ seen }) => seen)).toEqual(Array.from({ length: 50 }, () => 10))
      expect((yield* result(run(counting, { count: 10 }))).seen).toBe(10)
    })
  )

  it("is identified by definition, not by name", async () => {
    const other = defineState("seen", Schema.Number, 100)
    const flow = workflow({
      name: "names",
      start: Start,
      stop: Stop,
      steps: {
        only: defineStep({
          accepts: Start,
          emits: Stop,
          run: (_, ctx) => {
            ctx.set(seen, 1)
            return Stop({ seen: ctx.get(other) })
          }
        })
      }
    })
    expect((await runPromise(flow, { count: 0 })).seen).toBe(100)
  })
})

describe("an invalid cell", () => {
  const untyped = defineState as unknown as (...given: ReadonlyArray<unknown>) => unknown
  it.each([
    [[], "defineState: a name must be a non-empty string, not undefined"],
    [["", Schema.Number, 0], "defineState: a name must be a non-empty string, not an empty one"],
    [["seen", 0], "defineState: cell 'seen' has no schema: give one, such as Schema.Number"]
  ])("is refused where it is defined: %j", (given, message) => {
    expect(() => untyped(...given)).toThrow(new TypeError(message))
  })

  it("is a defect of the step that uses it, with a clear message", async () => {
    const flow = workflow({
      name: "no cell",
      start: Start,
      stop: Stop,
      steps: {
        only: defineStep({ accepts: Start, emits: Stop, run: (_, ctx) => Stop({ seen: ctx.get(undefined as never) }) })
      }
    })
    const error = await runPromise(flow, { count: 0 }).catch((error) => error)
    expect(error).toMatchObject({ _tag: "StepDefect", step: "only" })
    expect(error.message).toContain("ctx.get, set and update take what defineState returns, not undefined")
  })
})

describe("state set from outside", () => {
  const telling = workflow({
    name: "telling",
    start: Start,
    stop: Stop,
    steps: { tell: defineStep({ accepts: Start, emits: Stop, run: (_, ctx) => Stop({ seen: ctx.get(seen) }) }) }
  })
  const input = { count: 0 }
  const state = [seen.with(5)]

  it.effect("sets the initial state, through every entry point", () =>
    Effect.gen(function* () {
      expect((yield* run(telling, input, { state })).seen).toBe(5)
      expect((yield* (yield* launch(telling, input, { state })).result).seen).toBe(5)
      expect((yield* Effect.promise(() => runPromise(telling, input, { state }))).seen).toBe(5)
      const live = yield* Effect.promise(() => launchPromise(telling, input, { state }))
      expect((yield* Effect.promise(() => live.result)).seen).toBe(5)
    })
  )

  it.effect("applies to that run alone", () =>
    Effect.gen(function* () {
      yield* run(telling, input, { state })
      expect((yield* run(telling, input)).seen).toBe(0)
    })
  )

  it.each([["a text"], [Number.NaN], [undefined]])(
    "that does not fit the cell's schema is InvalidState: %s",
    (value) => {
      const whole = defineState("whole", Schema.Int, 0)
      const attempt = () => whole.with(value as number)
      expect(attempt).toThrow(InvalidState)
      expect(attempt).toThrow("state 'whole' does not fit its schema: Expected")
    }
  )

  it("is checked as a value, so JSON must be decoded first", () => {
    const since = defineState("since", Schema.Date, new Date(0))
    const text = "2026-01-02T03:04:05.000Z"
    expect(() => since.with(text as never)).toThrow(InvalidState)
  })
})
