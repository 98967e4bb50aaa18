// Three queries run side by side. The first answer ends the run; the other two are interrupted, and their finalizers
// finish before the run returns its result.
//
//   Start → ask → Query (three of them) → search → Answer, which is the stop event
import { Console, Effect, Schema } from "effect"
import { defineEvent, defineStep, run, workflow } from "stepgraph"

const Start = defineEvent("Start")
const Query = defineEvent("Query", { query: Schema.String, millis: Schema.Number })
const Answer = defineEvent("Answer", { result: Schema.String })

// A plain function that returns an array: each event in it is delivered separately.
const ask = defineStep({
  accepts: Start,
  emits: Query,
  run: () => [
    Query({ query: "Query 1", millis: 300 }),
    Query({ query: "Query 2", millis: 100 }),
    Query({ query: "Query 3", millis: 200 })
  ]
})

// A function that returns an Effect. Up to four invocations run at once, so all three queries start at once.
const search = defineStep({
  accepts: Query,
  emits: Answer,
  workers: 4,
  run: ({ query, millis }) =>
    Effect.gen(function* () {
      yield* Console.log(`${query} begins`)
      yield* Effect.sleep(millis)
      yield* Console.log(`${query} has an answer`)
      return Answer({ result: `the answer to ${query}` })
    }).pipe(Effect.onInterrupt(() => Console.log(`${query} was interrupted and has cleaned up`)))
})

export const firstWins = workflow({ name: "first-wins", start: Start, stop: Answer, steps: { ask, search } })

const main = Effect.gen(function* () {
  const { result } = yield* run(firstWins)
  yield* Console.log(`The run ended with ${result}.`)
})

if (import.meta.main) await Effect.runPromise(main)
