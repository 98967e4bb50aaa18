// A workflow with interesting telemetry: it asks three mirrors at once, one succeeds only on its second attempt, and
// the answers are joined.
import { Effect, Schedule, Schema } from "effect"
import { defineEvent, defineStep, gather, workflow } from "stepgraph"

const Start = defineEvent("Start", { file: Schema.String })
const Fetch = defineEvent("Fetch", { file: Schema.String, mirror: Schema.String })
const Part = defineEvent("Part", { mirror: Schema.String, bytes: Schema.Number })
const Stop = defineEvent("Stop", { bytes: Schema.Number })

export const download = workflow({
  name: "download",
  start: Start,
  stop: Stop,
  steps: {
    plan: defineStep({
      accepts: Start,
      emits: Fetch,
      run: ({ file }) => ["north", "south", "west"].map((mirror) => Fetch({ file, mirror }))
    }),
    fetch: defineStep({
      accepts: Fetch,
      emits: Part,
      workers: 2,
      retry: { times: 2, schedule: Schedule.spaced("10 millis") },
      run: ({ file, mirror }, { attempt }) =>
        Effect.gen(function* () {
          yield* Effect.sleep("20 millis")
          if (mirror === "south" && attempt === 1) return yield* Effect.fail(new Error("the line is busy"))
          return Part({ mirror, bytes: file.length })
          // A span in the step becomes a child of the invocation's span.
        }).pipe(Effect.withSpan("GET", { attributes: { mirror } }))
    }),
    put: defineStep({
      accepts: gather(Part),
      emits: Stop,
      run: (parts) => Stop({ bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0) })
    })
  }
})
