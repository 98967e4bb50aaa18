// Three answers are looked up side by side, and one step waits for all three. There are two versions: by hand with
// `ctx.collect`, and with a declared intake. Neither needs Effect.
//
//   Start → ask → Query (three of them) → search → Answer → finish → Stop
import { Schema } from "effect"
import { collect, defineEvent, defineStep, runPromise, workflow } from "stepgraph"

const Start = defineEvent("Start")
const Query = defineEvent("Query", { query: Schema.String, afterMillis: Schema.Number })
const Answer = defineEvent("Answer", { result: Schema.String })
const Stop = defineEvent("Stop", { results: Schema.Array(Schema.String) })

const ask = defineStep({
  accepts: Start,
  emits: Query,
  run: function* () {
    yield Query({ query: "the slow one", afterMillis: 60 })
    yield Query({ query: "the quick one", afterMillis: 0 })
    yield Query({ query: "the one between", afterMillis: 30 })
  }
})

const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

// An ordinary async function. The answers come in another order than the queries.
const search = defineStep({
  accepts: Query,
  emits: Answer,
  run: async ({ query, afterMillis }) => {
    await sleep(afterMillis)
    return Answer({ result: query })
  }
})

const allThree = (answers: ReadonlyArray<{ result: string }>) => Stop({ results: answers.map(({ result }) => result) })

// By hand: the step runs for each answer. `collect` keeps it, and returns all three to the invocation with the last
// one.
const finishByHand = defineStep({
  accepts: Answer,
  emits: Stop,
  run: (_, ctx) => {
    const answers = ctx.collect([Answer, Answer, Answer])
    if (answers === undefined) return
    return allThree(answers)
  }
})

// Declared: the step runs once, when all three have come. Both versions list them in order of arrival.
const finish = defineStep({
  accepts: collect(Answer, 3),
  emits: Stop,
  run: allThree
})

export const byHand = workflow({
  name: "collect-by-hand",
  start: Start,
  stop: Stop,
  steps: { ask, search, finish: finishByHand }
})

export const declared = workflow({ name: "collect", start: Start, stop: Stop, steps: { ask, search, finish } })

const main = async () => {
  for (const flow of [byHand, declared]) {
    const { results } = await runPromise(flow)
    console.log(`${flow.name}: ${results.join(", ")}`)
  }
}

if (import.meta.main) await main()
