import { Effect, Schema, type Scope } from "effect"
import { defineEvent, defineStep, gather, launch, workflow } from "stepgraph"
import { describe, expect, it } from "vitest"
import { type ExploreOptions, explore } from "../src/index.ts"

const Start = defineEvent("Start")
const Call = defineEvent("Call", { id: Schema.Number })
const Question = defineEvent("Question", { id: Schema.Number })
const Answer = defineEvent("Answer", { id: Schema.Number })
const Result = defineEvent("Result", { id: Schema.Number, answer: Schema.Number })
const Stop = defineEvent("Stop", { answers: Schema.Array(Schema.Number) })

const flow = (form: "async" | "effect", workers: number, mine: boolean) =>
  workflow({
    name: "asking",
    start: Start,
    stop: Stop,
    inputs: [Answer],
    outputs: [Question],
    steps: {
      begin: defineStep({ accepts: Start, emits: Call, run: () => [1, 2].map((id) => Call({ id })) }),
      tool: defineStep({
        accepts: Call,
        emits: [Question, Result],
        asks: Answer,
        workers,
        run: ({ id }, { ask }): Promise<ReturnType<typeof Result>> => {
          const asking = ask(Question({ id }), Answer, (answer) => !mine || answer.id === id)
          const result = (answer: { id: number }) => Result({ id, answer: answer.id })
          // An Effect in place of the promise, for the other half of the tests.
          return form === "async" ? asking.then(result) : (Effect.map(asking, result) as never)
        }
      }),
      finish: defineStep({
        accepts: gather(Result),
        emits: Stop,
        run: (results) => Stop({ answers: results.map(({ answer }) => answer) })
      })
    }
  })

const answering = (flow: any, input: any): Effect.Effect<any, any> =>
  Effect.gen(function* () {
    const live: any = yield* launch(flow, input)
    const send = (id: number) => Effect.andThen(Effect.sleep(id), live.send(Answer({ id })))
    yield* Effect.all([send(2), send(1)], { concurrency: "unbounded" })
    return yield* live.result
  }).pipe((program) => Effect.scoped(program as Effect.Effect<unknown, unknown, Scope.Scope>))

describe.each(["async", "effect"] as const)("explore of a step that asks, as %s", (form) => {
  it.each([1, 4])("tries each order of answers, with %s workers", async (workers) => {
    const { complete, coverage, outcomes, schedules } = await Effect.runPromise(
      explore(flow(form, workers, true), { input: {}, program: answering, warn: false } as ExploreOptions<any>)
    )
    expect(outcomes.map(({ outcome }) => outcome.text)).toEqual([`Stop {"answers":[1,2]}`])
    expect(schedules).toBeGreaterThan(1)
    expect(complete).toBe(true)
    expect(coverage.missed.filter(({ event }) => event === "Answer")).toEqual([])
  })

  it("shows who gets which, where nothing tells the answers apart", async () => {
    const failure: any = await Effect.runPromise(
      Effect.flip(explore(flow(form, 4, false), { input: {}, program: answering, warn: false } as ExploreOptions<any>))
    )
    expect(failure.message).toContain("asks Question")
    expect(failure.message).toContain("is answered by Answer")
  })
})
