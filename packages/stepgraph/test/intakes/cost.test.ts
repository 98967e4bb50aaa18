// What is linear takes well under a second here, and what is quadratic runs into the timeout: no clock is read.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { collect, defineEvent, defineStep, gather, race, run, workflow } from "stepgraph"
import { result } from "../support/virtual.ts"

const Start = defineEvent("Start")
const Query = defineEvent("Query", { n: Schema.Number })
const Answer = defineEvent("Answer", { n: Schema.Number })
const Stop = defineEvent("Stop", { count: Schema.Number })

const define = { name: "many", start: Start, stop: Stop }
const fan = (count: number) =>
  defineStep({ accepts: Start, emits: Query, run: () => Array.from({ length: count }, (_, n) => Query({ n })) })
const answer = defineStep({ accepts: Query, emits: Answer, run: ({ n }) => Answer({ n }) })
const count = (answers: ReadonlyArray<unknown>) => Stop({ count: answers.length })

describe("the cost of", () => {
  it.effect("a gather of 100,000 is linear", () =>
    Effect.gen(function* () {
      const all = defineStep({ accepts: gather(Answer), emits: Stop, run: count })
      expect((yield* result(run(workflow({ ...define, steps: { fan: fan(100_000), answer, all } })))).count).toBe(
        100_000
      )
    })
  )

  it.effect("a collect of 20,000 is linear", () =>
    Effect.gen(function* () {
      const all = defineStep({ accepts: collect(Answer, 20_000), emits: Stop, run: count })
      expect((yield* result(run(workflow({ ...define, steps: { fan: fan(20_000), answer, all } })))).count).toBe(20_000)
    })
  )

  it.effect("a race that calls off 50,000 is linear", () =>
    Effect.gen(function* () {
      const first = defineStep({ accepts: race(Answer), emits: Stop, run: ({ n }) => Stop({ count: n }) })
      expect((yield* result(run(workflow({ ...define, steps: { fan: fan(50_000), answer, first } })))).count).toBe(0)
    })
  )

  it.effect("the order of 30,000 pages, each of which leads to the next, is all but linear", () =>
    Effect.gen(function* () {
      const pages = 30_000
      const first = defineStep({ accepts: Start, emits: Query, run: () => Query({ n: 0 }) })
      const page = defineStep({
        accepts: Query,
        emits: [Answer, Query],
        run: ({ n }) => (n < pages ? [Answer({ n }), Query({ n: n + 1 })] : [])
      })
      const all = defineStep({
        accepts: gather(Answer),
        emits: Stop,
        run: (answers) => Stop({ count: answers.every(({ n }, at) => n === at) ? answers.length : -1 })
      })
      expect((yield* result(run(workflow({ ...define, steps: { first, page, all } })))).count).toBe(pages)
    })
  )

  it.effect("20,000 turns, each in the scope of the one before, is linear", () =>
    Effect.gen(function* () {
      const turns = 20_000
      const Turn = defineEvent("Turn", { n: Schema.Number })
      const Final = defineEvent("Final", { n: Schema.Number })
      const begin = defineStep({ accepts: Start, emits: Turn, run: () => Turn({ n: 1 }) })
      const think = defineStep({ accepts: Turn, emits: Query, run: ({ n }) => Query({ n }) })
      const next = defineStep({
        accepts: gather(Answer, { per: Turn }),
        emits: [Turn, Final],
        run: (answers, { per }) => {
          // An outer turn that would run once more, with nothing, is another test's.
          if (answers.length === 0) return
          return per.n < turns ? Turn({ n: per.n + 1 }) : Final({ n: per.n })
        }
      })
      const end = defineStep({ accepts: gather(Final), emits: Stop, run: ([final]) => Stop({ count: final!.n }) })
      expect((yield* result(run(workflow({ ...define, steps: { begin, think, answer, next, end } })))).count).toBe(
        turns
      )
    })
  )

  it.effect("a race in the scope of 5,000 others, each in that of the one before, is linear", () =>
    Effect.gen(function* () {
      const turns = 5000
      const Turn = defineEvent("Turn", { n: Schema.Number })
      const begin = defineStep({ accepts: Start, emits: Turn, run: () => Turn({ n: 1 }) })
      const think = defineStep({ accepts: Turn, emits: Query, run: ({ n }) => [Query({ n }), Query({ n })] })
      const next = defineStep({
        accepts: race(Answer, { per: Turn }),
        emits: [Turn, Stop],
        run: (_, { per }) => (per.n < turns ? Turn({ n: per.n + 1 }) : Stop({ count: per.n }))
      })
      expect((yield* result(run(workflow({ ...define, steps: { begin, think, answer, next } })))).count).toBe(turns)
    })
  )
})
