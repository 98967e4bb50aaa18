import { beforeAll, describe, expect, it, vi } from "vitest"
import { engines } from "../src/engines.ts"
import { follow } from "../src/follow.ts"
import { anyShape, confluent, gathering, inRow, nested } from "../src/generate.ts"
import {
  type Case,
  expectLaw,
  expectOneResult,
  gathersOnce,
  generated,
  isUnique,
  type Law,
  runAll,
  workersAtLeast
} from "../src/laws.ts"
import { searched } from "../src/search.ts"

// A law that is broken looks for the smallest workflow that breaks it, which may take its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

describe.each(engines)("a workflow of plain steps, gathers and joins that pair in one way only, in $name", (engine) => {
  let cases: ReadonlyArray<Case> = []
  beforeAll(async () => {
    const specs = [
      ...generated(700, (seed) => anyShape(seed, confluent)),
      ...generated(500, (seed) => nested(seed, confluent)),
      ...generated(400, (seed) => inRow(seed, gathering))
    ]
    cases = await runAll(engine, specs, 3)
  })

  const stops: Law = (_spec, { outcome }) =>
    outcome._tag === "Stopped" ? undefined : `it can always go on, but ended so: ${JSON.stringify(outcome)}`

  it("is never falsely stalled", () => expectLaw(stops, cases))
  it("runs a gather once a round, and only when nothing upstream of it runs or will", () =>
    expectLaw(gathersOnce, cases))
  it("leaves no worker idle while something is queued for it", () => expectLaw(workersAtLeast, cases))
  it("does what the model can do in some order of moves", () => expectLaw(follow, cases))

  it("has the same result in every timing", async () => {
    const unique = cases.filter(({ spec }) => isUnique(spec))
    expect(unique.length).toBeGreaterThan(searched(2500))
    await expectOneResult(unique)
  })
})
