// A typical first workflow.
import * as Schema from "effect/Schema"
import { collect, defineEvent, defineStep, runPromise, workflow } from "stepgraph"

const Start = defineEvent("Start")
const Query = defineEvent("Query", { query: Schema.String })
const Answer = defineEvent("Answer", { result: Schema.String })
const Stop = defineEvent("Stop", { result: Schema.String })

const start = defineStep({
  accepts: Start,
  emits: Query,
  run: () => ["a", "b", "c"].map((query) => Query({ query }))
})
const search = defineStep({ accepts: Query, emits: Answer, run: ({ query }) => Answer({ result: query }) })
const finish = defineStep({
  accepts: collect(Answer, 3),
  emits: Stop,
  run: (answers) => Stop({ result: answers.map(({ result }) => result).join(", ") })
})

const flow = workflow({ name: "seed", start: Start, stop: Stop, steps: { start, search, finish } })

console.log((await runPromise(flow)).result)
