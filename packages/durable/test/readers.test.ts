import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join as joined } from "node:path"
import { durable, openDurable } from "@stepgraph/durable"
import { Schema } from "effect"
import { defineEvent, defineStep, join, workflow } from "stepgraph"
import { expect, it } from "vitest"

const Draft = defineEvent("Draft", { text: Schema.String })
const Approval = defineEvent("Approval", { by: Schema.String })
const Progress = defineEvent("Progress", { n: Schema.Number })
const Published = defineEvent("Published", { by: Schema.String })
const publish = durable(
  workflow({
    name: "publish",
    start: Draft,
    stop: Published,
    inputs: [Approval],
    outputs: [Progress],
    steps: {
      report: defineStep({ accepts: Draft, emits: Progress, run: () => Progress({ n: 1 }) }),
      publish: defineStep({
        accepts: join([Draft, Approval]),
        emits: Published,
        run: ([, { by }]) => Published({ by })
      })
    }
  })
)

it("several readers of one run, and who waits for its end, are all told", async () => {
  const folder = await mkdtemp(joined(tmpdir(), "stepgraph-readers-"))
  try {
    await using runs = await openDurable({ sqlite: joined(folder, "runs.db") }, [publish])
    const run = await runs.start(publish, "one", { text: "News" })
    const read = async () => {
      const tags: Array<string> = []
      for await (const event of run.events()) tags.push(event._tag)
      return tags
    }
    const all = Promise.all([read(), read(), run.result, runs.run(publish, "one").result])
    // They wait.
    await new Promise((resolve) => setTimeout(resolve, 50))
    await run.send(Approval({ by: "Ada" }))
    const events = ["Progress", "Published"]
    expect(await all).toEqual([events, events, Published({ by: "Ada" }), Published({ by: "Ada" })])
  } finally {
    await rm(folder, { recursive: true })
  }
})
