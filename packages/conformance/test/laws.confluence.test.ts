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
  searchedBy,
  workersAtLeast
} from "../src/laws.ts"

// A broken law triggers a search for the smallest failing workflow, which may take a while.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

describe.each(engines)("a workflow with only plain steps, gathers and unambiguous joins, in $name", (engine) => {
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

  it("never stalls wrongly", () => expectLaw(stops, cases))
  it("runs a gather once per round, and only when nothing upstream is running or will run", () =>
    expectLaw(gathersOnce, cases))
  it("leaves no worker idle while its step has a queue", () => expectLaw(workersAtLeast, cases))
  it("matches the model in some order of moves", () => expectLaw(follow, cases))

  it("has the same result in every timing", async () => {
    const unique = cases.filter(({ spec }) => isUnique(spec))
    expect(unique.length).toBeGreaterThan(searchedBy(engine, 2500))
    await expectOneResult(unique)
  })
})
