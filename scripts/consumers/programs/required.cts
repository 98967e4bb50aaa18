import { Schema } from "effect"
import { defineEvent, defineStep, runPromise, workflow } from "stepgraph"

const Start = defineEvent("Start")
const Stop = defineEvent("Stop", { result: Schema.String })
const find = defineStep({ accepts: Start, emits: Stop, run: () => Stop({ result: "found" }) })
export const result: Promise<string> = runPromise(
  workflow({ name: "required", start: Start, stop: Stop, steps: { find } })
).then((stop) => stop.result)
