// A workflow of another copy of stepgraph, with its own copy of effect.
import { mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { copyInto } from "@stepgraph/conformance/support/copies"
import { explore, explorePromise } from "@stepgraph/testing"
import { Effect, Schema } from "effect"
import type * as stepgraph from "stepgraph"
import { afterAll, beforeAll, expect, it } from "vitest"

let folder: string
let flow: stepgraph.AnyWorkflow

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "stepgraph-copies-")))
  await copyInto(folder)
  const load = (path: string) => import(/* @vite-ignore */ pathToFileURL(join(folder, path)).href)
  const { defineEvent, defineStep, workflow }: typeof stepgraph = await load("stepgraph/src/index.ts")
  const other: { readonly Schema: typeof Schema } = await load("node_modules/effect/dist/index.js")
  expect(other.Schema.Number).not.toBe(Schema.Number)
  const Start = defineEvent("Start", { n: other.Schema.Number })
  const Stop = defineEvent("Stop", { n: other.Schema.Number })
  const step = defineStep({ accepts: Start, emits: Stop, run: async ({ n }) => Stop({ n: n + 1 }) })
  flow = workflow({ name: "foreign", start: Start, stop: Stop, steps: { step } })
}, 60_000)
afterAll(() => rm(folder, { recursive: true }))

it("is explored", async () => {
  const { outcomes } = await explorePromise(flow, { schedules: 5, input: { n: 1 } } as any)
  expect(outcomes.map(({ outcome }) => outcome.result)).toEqual([expect.objectContaining({ _tag: "Stop", n: 2 })])
})

it("is refused with an input that does not fit", async () => {
  const explored = explore(flow, { schedules: 5, input: { n: "one" } } as any)
  expect(await Effect.runPromise(Effect.flip(explored))).toMatchObject({
    _tag: "InvalidExploration",
    message: expect.stringContaining("'input': event 'Start' does not fit its schema")
  })
})
