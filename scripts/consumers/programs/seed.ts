// The program that every consumer runs. It is JavaScript, too: where TypeScript cannot be run, its name ends in `.js`.
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

export const flow = workflow({ name: "seed", start: Start, stop: Stop, steps: { ask, search, finish } })
export const seed = async () => (await runPromise(flow)).result
