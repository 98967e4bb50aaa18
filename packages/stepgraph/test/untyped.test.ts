// Untyped callers get the same rules at run time: an emission that the step did not declare, or a value that is not an event, is
// a defect that names the step and the event.
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Option, Stream } from "effect"
import { defineStep, InvalidEmission, run, StepDefect } from "stepgraph"
import { Done, Start, Stop, stop, Task, untyped } from "./support/flow.ts"
import { defect, ended } from "./support/virtual.ts"

const values: Record<string, unknown> = {
  "an event that the step does not declare": Done({ n: 1 }),
  "an event that nobody knows": { _tag: "Unknown" },
  "an event called __proto__": { _tag: "__proto__" },
  "an event called constructor": { _tag: "constructor" },
  "an object without a tag": { n: 1 },
  "an object whose tag is no string": { _tag: 1 },
  "an empty object": {},
  "an object without a prototype": Object.create(null),
  "a string": "Task",
  "an empty string": "",
  "a number": 1,
  "a bigint": 1n,
  true: true,
  false: false,
  "a symbol": Symbol("Task"),
  "a function": () => Task({ n: 1 }),
  "a definition that was not called": Task,
  "a Date": new Date(0),
  "a regular expression": /Task/,
  "an error": new Error("returned and not thrown"),
  "a list in a list": [Task({ n: 1 })]
}

type Ways = Record<string, (value: unknown) => (input: unknown, ctx: { send: (event: unknown) => void }) => unknown>
const ways: Ways = {
  returns: (value) => () => (Array.isArray(value) ? [value] : value),
  "returns in an array": (value) => () => [value],
  sends: (value) => (_, ctx) => ctx.send(value),
  yields: (value) =>
    function* () {
      yield value
    },
  "yields asynchronously": (value) =>
    async function* () {
      yield value
    },
  "returns in a promise": (value) => async () => [value],
  "returns in an Effect": (value) => () => Effect.as(Effect.sleep(1), [value]),
  streams: (value) => () => Stream.succeed(value),
  "sends from an Effect": (value) => (_, ctx) =>
    Effect.andThen(
      Effect.sleep(1),
      Effect.sync(() => ctx.send(value))
    )
}

const settings: Record<string, object> = { "": {}, ", with a retry": { retry: { times: 1 } } }

const emitting = (emit: unknown, setting: object) =>
  untyped.workflow({
    name: "untyped",
    start: Start,
    stop: Stop,
    steps: {
      emit: untyped.step({ accepts: Start, emits: Task, run: emit, ...setting }),
      take: defineStep({ accepts: Task, emits: [Done, Stop], run: () => stop() }),
      done: defineStep({ accepts: Done, emits: [], run: () => {} })
    }
  })

for (const [way, make] of Object.entries(ways)) {
  for (const [setting, more] of Object.entries(settings)) {
    describe(`a step that ${way}${setting}`, () => {
      it.effect.each(Object.entries(values))("%s fails with a defect that names it", ([, value]) =>
        Effect.gen(function* () {
          const error = (yield* defect(run(emitting(make(value), more)))) as StepDefect
          expect(error).toBeInstanceOf(StepDefect)
          expect(error).toMatchObject({ _tag: "StepDefect", workflow: "untyped", step: "emit", input: Start() })
          expect(error.cause).toBeInstanceOf(InvalidEmission)
          expect((error.cause as InvalidEmission).emitted).toBe(value)
          expect(error.message).toContain("step 'emit' of workflow 'untyped' failed, given Start")
          expect(error.message).toContain("'Task'")
        })
      )
    })
  }
}

describe("an emission that is not an event", () => {
  it.each([null, undefined])(
    "may be %s where it is all there is, and not where it is one of several",
    async (nothing) => {
      await expect(untyped.runPromise(emitting(() => nothing, {}))).rejects.toMatchObject({ _tag: "WorkflowStalled" })
      const several = emitting(() => [Task({ n: 1 }), nothing], {})
      await expect(untyped.runPromise(several)).rejects.toMatchObject({ _tag: "StepDefect", step: "emit" })
    }
  )

  it("is not retried, and not recovered from", async () => {
    let calls = 0
    const flow = emitting(
      () => {
        calls++
        return "Task"
      },
      { retry: { times: 3 }, recover: () => Task({ n: 1 }) }
    )
    await expect(untyped.runPromise(flow)).rejects.toMatchObject({ _tag: "StepDefect", step: "emit" })
    expect(calls).toBe(1)
  })

  it.effect("never reaches a step", () =>
    Effect.gen(function* () {
      const exit = yield* ended(run(emitting(() => Option.some(Task({ n: 1 })), {})))
      const error = exit._tag === "Failure" ? (Cause.squash(exit.cause) as StepDefect) : undefined
      expect(error).toMatchObject({ _tag: "StepDefect", step: "emit" })
    })
  )
})

describe("a step that emits nothing by its declaration", () => {
  const returning = (value: unknown) =>
    untyped.workflow({
      name: "nothing",
      start: Start,
      stop: Stop,
      steps: {
        nothing: untyped.step({ accepts: Start, emits: [], run: () => value }),
        end: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(10), stop(2)) })
      }
    })

  it.effect.each([5, "Task", {}, [undefined], [{}]])("may not emit %o, which is not an event", (value) =>
    Effect.gen(function* () {
      const error = (yield* defect(run(returning(value)))) as StepDefect
      expect(error).toMatchObject({ _tag: "StepDefect", step: "nothing" })
      expect(error.message).toContain("which is not an event: make events with what defineEvent returns")
    })
  )

  it.effect.each([Start(), stop(1), Task({ n: 1 })])("may not emit %o: no event is declared", (event) =>
    Effect.gen(function* () {
      expect(yield* defect(run(returning(event)))).toMatchObject({ _tag: "StepDefect", step: "nothing" })
    })
  )
})
