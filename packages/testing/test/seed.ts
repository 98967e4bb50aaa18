// Three queries side by side, and a step that waits for all three answers.
import { Effect, Schema } from "effect"
import { collect, defineEvent, defineStep, workflow } from "stepgraph"

const Start = defineEvent("Start")
const Query = defineEvent("Query", { query: Schema.String })
const Answer = defineEvent("Answer", { result: Schema.String })
const Stop = defineEvent("Stop", { result: Schema.String })

export const seed = workflow({
  name: "concurrent",
  start: Start,
  stop: Stop,
  steps: {
    start: defineStep({
      accepts: Start,
      emits: Query,
      run: () => [1, 2, 3].map((n) => Query({ query: `Query ${n}` }))
    }),
    search: defineStep({
      accepts: Query,
      emits: Answer,
      workers: 4,
      run: ({ query }) => Effect.as(Effect.sleep("1 second"), Answer({ result: query }))
    }),
    finish: defineStep({
      accepts: collect(Answer, 3),
      emits: Stop,
      run: (answers) => Stop({ result: answers.map(({ result }) => result).join(", ") })
    })
  }
})
