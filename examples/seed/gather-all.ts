// Three queries are looked up side by side, and one step waits until no more answers can come, without counting them.
// It gets the answers in the order of the queries, whichever came first.
//
//   Start → ask → Query (three of them) → search → Answer → finish → Stop
import { Schema } from "effect"
import { defineEvent, defineStep, gather, runPromise, workflow } from "stepgraph"

const Start = defineEvent("Start")
const Query = defineEvent("Query", { query: Schema.String })
const Answer = defineEvent("Answer", { result: Schema.String })
const Stop = defineEvent("Stop", { result: Schema.String })

const ask = defineStep({ accepts: Start, emits: Query, run: () => ["a", "b", "c"].map((query) => Query({ query })) })
const search = defineStep({
  accepts: Query,
  emits: Answer,
  workers: 4,
  run: async ({ query }) => Answer({ result: `found ${query}` })
})
const finish = defineStep({
  accepts: gather(Answer),
  emits: Stop,
  run: (answers) => Stop({ result: answers.map(({ result }) => result).join(", ") })
})

export const gathered = workflow({ name: "seed", start: Start, stop: Stop, steps: { ask, search, finish } })

if (import.meta.main) console.log((await runPromise(gathered)).result)
