// One rate for several processes: calls of a model, counted in Redis.
//
//   node main.ts redis://localhost:6379 12     asks 12 times, and prints when each call started
import { NodeRedis } from "@effect/platform-node"
import { Layer, ManagedRuntime, Schema } from "effect"
import { RateLimiter } from "effect/persistence"
import { defineEvent, defineLimit, defineStep, gather, runPromise, workflow } from "stepgraph"

const [, , url = "redis://localhost:6379", calls = "12"] = process.argv

const Start = defineEvent("Start", { calls: Schema.Number })
const Ask = defineEvent("Ask", { n: Schema.Number })
const Answer = defineEvent("Answer", { at: Schema.Number })
const Stop = defineEvent("Stop", { starts: Schema.Array(Schema.Number) })

const runtime = ManagedRuntime.make(
  RateLimiter.layer.pipe(
    Layer.provide(RateLimiter.layerStoreRedis({ prefix: "stepgraph-example:" })),
    Layer.provide(NodeRedis.layer({ url }))
  )
)
const limiter = await runtime.runPromise(RateLimiter.RateLimiter)
const model = defineLimit("model", { times: 5, per: "1 second", limiter })

const flow = workflow({
  name: "asking",
  start: Start,
  stop: Stop,
  steps: {
    list: defineStep({
      accepts: Start,
      emits: Ask,
      run: ({ calls }) => Array.from({ length: calls }, (_, n) => Ask({ n }))
    }),
    ask: defineStep({ accepts: Ask, emits: Answer, limit: model, run: async () => Answer({ at: Date.now() }) }),
    all: defineStep({
      accepts: gather(Answer),
      emits: Stop,
      run: (answers) => Stop({ starts: answers.map(({ at }) => at) })
    })
  }
})

console.log(JSON.stringify((await runPromise(flow, { calls: Number(calls) })).starts))
await runtime.dispose()
