// The model computes the possible outcomes of a workflow, and exploration finds those of the runtime: both sets are
// equal.
import { type Exploration, explore } from "@stepgraph/testing"
import { Effect } from "effect"
import { run } from "stepgraph"
import { expect, it, vi } from "vitest"
import { endingsOf, nameOf } from "../src/endings.ts"
import { anyShape, everything, inRow, waiting } from "../src/generate.ts"
import { generated } from "../src/laws.ts"
import { outcomes } from "../src/model.ts"
import { searched } from "../src/search.ts"
import { type Spec, show, whole } from "../src/spec.ts"
import { buildWorkflow, type Entry, type Recorded } from "../src/world.ts"

const graphs = 80
vi.setConfig({ testTimeout: 1_000 * graphs })

const mostStates = 300
const mostSchedules = 1_500

/** Removes what the model and the runtime express differently: a step that emits one by one does so in one piece. */
const comparable = (spec: Spec): Spec => ({
  ...spec,
  steps: spec.steps.map((step) => ({
    ...step,
    form: whole.has(step.form) ? step.form : "effect",
    slow: 1,
    cleanup: 0,
    accepts: { ...step.accepts, anyOrder: true }
  }))
})

/** JavaScript's own timers, which an exploration controls. */
const world = { sleep: (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis)) }

const explored = (spec: Spec): Promise<Exploration> => {
  const record: Array<Entry> = []
  const runs: Array<Recorded> = []
  return Effect.runPromise(
    explore(buildWorkflow(spec, undefined, world, record, runs), {
      program: (flow, input) => {
        record.length = 0
        runs.length = 0
        return run(flow, input) as Effect.Effect<unknown>
      },
      input: { id: "start", fuel: spec.fuel, key: 0 },
      schedules: mostSchedules,
      random: 0,
      results: "any",
      timers: "virtual",
      invariants: { sameResult: false, neverFails: false, neverStalls: false }
    }) as Effect.Effect<Exploration>
  )
}

it("has exactly the model's outcomes over all orders", async () => {
  const forms = { value: 40, effect: 60, promise: 30 }
  const specs = [
    ...generated((graphs * 3) / 4, (seed) => comparable(anyShape(seed, { ...everything, forms }))),
    ...generated(graphs / 4, (seed) => comparable(inRow(seed, { ...waiting, forms })))
  ]
  let compared = 0
  let schedules = 0
  let several = 0
  for (const spec of specs) {
    const all = outcomes(spec, mostStates)
    if (all === undefined) continue
    const seen = await explored(spec)
    schedules += seen.schedules
    const possible = new Set([...all.values()].map(nameOf))
    const real = endingsOf(seen)
    for (const one of real) expect(possible, `${show(spec)}\n${one}`).toContain(one)
    if (!seen.complete) continue
    expect([...real].sort(), show(spec)).toEqual([...possible].sort())
    compared++
    if (real.size > 1) several++
  }
  console.info(
    `${compared} of ${specs.length} graphs compared in ${schedules} schedules; ${several} with several outcomes`
  )
  expect(compared).toBeGreaterThan(searched(graphs) / 3)
  expect(several).toBeGreaterThanOrEqual(Math.floor(searched(graphs) / 20))
})
