// Workflows made of others are explored like any.
import { explorePromise } from "@stepgraph/testing"
import { Effect, Schema } from "effect"
import { asStep, defineEvent, defineLimit, defineStep, gather, workflow } from "stepgraph"
import { expect, it } from "vitest"

const Start = defineEvent("Start")
const Question = defineEvent("Question", { n: Schema.Number })
const Token = defineEvent("Token", { n: Schema.Number })
const Answer = defineEvent("Answer", { n: Schema.Number })
const Stop = defineEvent("Stop", { ns: Schema.Array(Schema.Number) })

it("finds every order of a workflow as a step, with its outputs", async () => {
  const lookup = workflow({
    name: "lookup",
    start: Question,
    stop: Answer,
    outputs: [Token],
    steps: {
      look: defineStep({
        accepts: Question,
        emits: [Token, Answer],
        run: ({ n }) => Effect.as(Effect.yieldNow, [Token({ n }), Answer({ n })])
      })
    }
  })
  const flow = workflow({
    name: "outer",
    start: Start,
    stop: Stop,
    outputs: [Token],
    steps: {
      list: defineStep({ accepts: Start, emits: Question, run: () => [Question({ n: 1 }), Question({ n: 2 })] }),
      look: asStep(lookup, { outputs: [Token] }),
      all: defineStep({ accepts: gather(Answer), emits: Stop, run: (all) => Stop({ ns: all.map(({ n }) => n) }) })
    }
  })
  const found = await explorePromise(flow)
  expect(found.complete).toBe(true)
  expect(found.outcomes.map(({ outcome }) => outcome.text)).toEqual([`Stop {"ns":[1,2]}`])
})

it("waits for limits the same way in each schedule, and tries every order", async () => {
  const Item = defineEvent("Item", { n: Schema.Number })
  const Done = defineEvent("Done", { n: Schema.Number })
  const model = defineLimit("model", { concurrent: 1, times: 2, per: "1 minute" })
  let running = 0
  const flow = workflow({
    name: "limited",
    start: Start,
    stop: Stop,
    steps: {
      list: defineStep({ accepts: Start, emits: Item, run: () => [1, 2, 3].map((n) => Item({ n })) }),
      work: defineStep({
        accepts: Item,
        emits: Done,
        limit: model,
        run: ({ n }) =>
          Effect.gen(function* () {
            if (++running > 1) return yield* Effect.die("two at once")
            yield* Effect.yieldNow
            running--
            return Done({ n })
          })
      }),
      all: defineStep({ accepts: gather(Done), emits: Stop, run: (all) => Stop({ ns: all.map(({ n }) => n) }) })
    }
  })
  const found = await explorePromise(flow, { results: "any" })
  expect(found).toMatchObject({ complete: true, uncontrolled: [] })
  expect(found.outcomes.map(({ outcome }) => outcome.text)).toEqual([`Stop {"ns":[1,2,3]}`])
  const again = await explorePromise(flow, { results: "any" })
  expect(again.schedules).toBe(found.schedules)
  expect(await explorePromise(flow, { cancel: true })).toMatchObject({ complete: true })
})
