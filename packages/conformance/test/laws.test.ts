import { beforeAll, describe, expect, it, vi } from "vitest"
import { engines } from "../src/engines.ts"
import { follow } from "../src/follow.ts"
import { allForms, anyShape, everything, inRow, waiting } from "../src/generate.ts"
import { type Case, expectLaw, generated, laws, runAll, searchedBy } from "../src/laws.ts"

// A broken law triggers a search for the smallest failing workflow, which may take a while.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

describe.each(engines)("any workflow, in any timing, in $name", (engine) => {
  let cases: ReadonlyArray<Case> = []
  beforeAll(async () => {
    cases = [
      ...(await runAll(
        engine,
        generated(1200, (seed) => anyShape(seed, everything)),
        2
      )),
      ...(await runAll(
        engine,
        generated(400, (seed) => anyShape(-seed, { ...everything, forms: allForms })),
        2
      )),
      ...(await runAll(
        engine,
        generated(500, (seed) => inRow(seed, waiting)),
        2
      ))
    ]
  })

  it("leaves enough runs stalled to look at what they hold", () => {
    const stalled = cases.filter(({ ran }) => ran.outcome._tag === "Stalled" && ran.places !== undefined)
    expect(stalled.length).toBeGreaterThan(searchedBy(engine, 300))
  })
  it.each([...laws, ["matches the model in some order of moves", follow] as const])("%s", (_, law) =>
    expectLaw(law, cases)
  )
})
