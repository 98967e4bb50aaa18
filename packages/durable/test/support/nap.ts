// A workflow that says in which thread it is performed, after a while.
import { threadId } from "node:worker_threads"
import { Effect, Schema } from "effect"
import { defineEvent, defineStep, workflow } from "stepgraph"
import { durable } from "../../src/index.ts"

const Go = defineEvent("Go", { n: Schema.Number })
const End = defineEvent("End", { thread: Schema.Number })
export const nap = durable(
  workflow({
    name: "nap",
    start: Go,
    stop: End,
    steps: {
      nap: defineStep({ accepts: Go, emits: End, run: () => Effect.as(Effect.sleep(300), End({ thread: threadId })) })
    }
  })
)
