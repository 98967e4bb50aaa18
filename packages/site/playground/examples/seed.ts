// Three questions side by side, and a step that waits for all answers.
import { setTimeout as sleep } from "node:timers/promises"
import { Schema } from "effect"
import { defineEvent, defineStep, gather, workflow } from "stepgraph"

const Start = defineEvent("Start", { topic: Schema.String })
const Query = defineEvent("Query", { query: Schema.String })
const Answer = defineEvent("Answer", { result: Schema.String })
const Stop = defineEvent("Stop", { result: Schema.String })

const ask = defineStep({
  accepts: Start,
  emits: Query,
  run: ({ topic }) => ["who", "what", "why"].map((word) => Query({ query: `${word} ${topic}` }))
})

const search = defineStep({
  accepts: Query,
  emits: Answer,
  workers: 2, // try 3
  run: async ({ query }) => {
    await sleep(100 + 20 * query.length)
    return Answer({ result: `found ${query}` })
  }
})

const finish = defineStep({
  accepts: gather(Answer),
  emits: Stop,
  run: (answers) => Stop({ result: answers.map(({ result }) => result).join(", ") })
})

export const flow = workflow({ name: "seed", start: Start, stop: Stop, steps: { ask, search, finish } })
export const input = { topic: "birds" }
