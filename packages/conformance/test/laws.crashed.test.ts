// A run that is cut anywhere and goes on in another process ends as one that was not: on generated graphs of functions that
// may be called twice, an exploration with crashes finds nothing.
import { type Exploration, explore, type ScheduleFailure } from "@stepgraph/testing"
import { Effect } from "effect"
import { expect, it, vi } from "vitest"
import { endingsOf } from "../src/endings.ts"
import {
  allForms,
  anyShape,
  confluent,
  everything,
  inRow,
  joining,
  waiting,
  withAsks,
  withDeadlines,
  withInputs
} from "../src/generate.ts"
import { generated, isUnique } from "../src/laws.ts"
import { play } from "../src/model.ts"
import { searched } from "../src/search.ts"
import { type Spec, sent, show } from "../src/spec.ts"
import { buildWorkflow, type Entry, type Recorded } from "../src/world.ts"

vi.setConfig({ testTimeout: 120_000 })

const schedules = 48

/** JavaScript's own timers, which an exploration controls. */
const world = { sleep: (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis)) }

const timing = { seed: 0, shuffled: false, observed: false, inTurn: true }

/**
 * `sameResult`: whether the model knows one stop event. Otherwise a run that was cut must end like one of those that were not.
 */
const explored = (spec: Spec, sameResult: boolean): Promise<Exploration | ScheduleFailure> => {
  const record: Array<Entry> = []
  const runs: Array<Recorded> = []
  const exploring = explore(buildWorkflow(spec, timing, world, record, runs), {
    crash: true,
    setup: () => {
      record.length = 0
      runs.length = 0
    },
    input: { id: "start", fuel: spec.fuel, key: 0 },
    ...(spec.inputs === undefined ? {} : { sends: spec.inputs.sends.map((_, n) => eventOf(spec, n)) }),
    schedules,
    random: schedules / 4,
    seed: spec.seed,
    results: spec.seed % 2 === 0 ? "any" : "at once",
    fibers: spec.seed % 5 === 0 ? "any" : "in turn",
    // In order, the time that a crash takes may lead to a result that no order has without it.
    time: sameResult && spec.seed % 3 === 0 ? "ordered" : "any",
    timers: "virtual",
    warn: false,
    invariants: { sameResult, neverFails: false, neverStalls: false }
  })
  return Effect.runPromise(Effect.catch(exploring, Effect.succeed) as Effect.Effect<Exploration | ScheduleFailure>)
}

const eventOf = (spec: Spec, n: number) => {
  const { tag, ...payload } = sent(spec, n)
  return { _tag: tag, ...payload }
}

const isFailure = (found: Exploration | ScheduleFailure): found is ScheduleFailure => "invariant" in found

it("ends as it would have without a crash", async () => {
  const plain = { value: 50, effect: 50, promise: 30 }
  const specs = [
    ...generated(40, (seed) => anyShape(seed, { ...confluent, forms: allForms })),
    ...generated(16, (seed) => anyShape(seed, { ...everything, forms: allForms })),
    ...generated(32, (seed) => inRow(seed, { ...waiting, forms: plain })),
    ...generated(16, (seed) => withDeadlines(anyShape(seed, { ...joining, forms: plain }))),
    ...generated(16, (seed) => withInputs(anyShape(seed, { ...confluent, forms: plain }))),
    ...generated(16, (seed) => withInputs(inRow(seed, { ...waiting, forms: plain }))),
    ...generated(24, (seed) => withAsks(anyShape(seed, { ...confluent, forms: plain }), true)),
    ...generated(16, (seed) => withAsks(withInputs(inRow(seed, { ...waiting, forms: plain })), true))
  ]
  let cuts = 0
  let unique = 0
  let stopped = 0
  let complete = 0
  for (const spec of specs) {
    const one =
      isUnique(spec) && spec.inputs === undefined && spec.steps.every(({ accepts }) => accepts.within === undefined)
    // An error lists what came in the order in which it came, so the one end of a run that fails or stalls has several texts.
    const stops = one && play(spec, 0)?.outcome?._tag === "Stopped"
    const found = await explored(spec, stops)
    if (isFailure(found)) return expect.fail([found.message, show(spec), `spec ${JSON.stringify(spec)}`].join("\n\n"))
    expect(found.uncontrolled, show(spec)).toEqual([])
    cuts += found.cuts
    if (one) {
      expect([...endingsOf(found)], show(spec)).toHaveLength(1)
      unique++
      if (stops) stopped++
    } else if (found.complete) complete++
  }
  console.info(
    `${cuts} cuts of ${specs.length} graphs: ${unique} have one result, ${stopped} of them a stop, and ${complete} others were cut everywhere`
  )
  expect(cuts).toBeGreaterThan(searched(176) * 10)
  expect(unique).toBeGreaterThan(searched(136) / 4)
  expect(stopped).toBeGreaterThan(searched(136) / 8)
  expect(complete).toBeGreaterThan(searched(176) / 20)
})
