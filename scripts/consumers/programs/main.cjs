// CommonJS requires an ES module, which Node does from 20.19 and 22.12 on, and imports one, which every Node does.
const { defineEvent, defineStep, runPromise, workflow } = require("stepgraph")
const { Schema } = require("effect")

const Start = defineEvent("Start", { what: Schema.String })
const Stop = defineEvent("Stop", { result: Schema.String })
const find = defineStep({ accepts: Start, emits: Stop, run: ({ what }) => Stop({ result: `found ${what}` }) })
const flow = workflow({ name: "required", start: Start, stop: Stop, steps: { find } })

const main = async () => {
  const { runPromise: imported } = await import("stepgraph")
  if (imported !== runPromise) throw new Error("required and imported stepgraph differ")
  const results = await Promise.all(["a", "b", "c"].map((what) => runPromise(flow, { what })))
  console.log(results.map(({ result }) => result).join(", "))
}

main()
