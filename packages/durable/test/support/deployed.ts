// One process of a rolling deploy: it performs the runs of the versions that it knows, until it is told to close.
import { Effect, Schema } from "effect"
import { defineEvent, defineStep, join, workflow } from "stepgraph"
import { durable } from "../../src/index.ts"
import { openStore } from "../soak/stores.ts"

const Go = defineEvent("Go", { n: Schema.Number })
const Made = defineEvent("Made", { n: Schema.Number, by: Schema.Number })
const Checked = defineEvent("Checked", { n: Schema.Number, by: Schema.Number })
export const Approval = defineEvent("Approval")
const End = defineEvent("End", { n: Schema.Number, by: Schema.Number, graph: Schema.String })

/** A process with this in its environment is killed in the middle of the step. */
const hangs = process.env.HANGS !== undefined
const make = defineStep({
  accepts: Go,
  emits: Made,
  run: ({ n }) =>
    Effect.suspend(() => {
      process.send?.(`make ${n}`)
      return hangs ? Effect.never : Effect.succeed(Made({ n, by: process.pid }))
    })
})
const end = (graph: string) => (n: number, by: number) => End({ n, by, graph })
const [end1, end2] = [end("1"), end("2")]

export const versions = {
  1: durable(
    workflow({
      name: "deployed",
      start: Go,
      stop: End,
      inputs: [Approval],
      steps: {
        make,
        approve: defineStep({ accepts: join([Made, Approval]), emits: End, run: ([{ n, by }]) => end1(n, by) })
      }
    }),
    { version: "1" }
  ),
  2: durable(
    workflow({
      name: "deployed",
      start: Go,
      stop: End,
      inputs: [Approval],
      steps: {
        make,
        check: defineStep({ accepts: Made, emits: Checked, run: ({ n, by }) => Checked({ n, by }) }),
        approve: defineStep({ accepts: join([Checked, Approval]), emits: End, run: ([{ n, by }]) => end2(n, by) })
      }
    }),
    { version: "2" }
  )
}

if (import.meta.main) {
  const [place, ...known] = process.argv.slice(2) as [string, ...Array<string>]
  const runs = await openStore(
    place,
    known.map((version) => versions[version as "1" | "2"])
  )
  process.once("SIGTERM", () => void runs.close().then(() => process.exit(0)))
  process.send!("ready")
}
