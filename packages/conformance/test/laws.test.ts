import { beforeAll, describe, expect, it, vi } from "vitest"
import { engines } from "../src/engines.ts"
import { follow } from "../src/follow.ts"
import { allForms, anyShape, everything, inRow, waiting } from "../src/generate.ts"
import {
  type Case,
  ends,
  expectLaw,
  gathersOnce,
  generated,
  keepsNoPlace,
  nothingAfter,
  nothingLost,
  nothingTwice,
  runAll,
  traceAddsUp,
  traceIsTrue,
  workersAtLeast,
  workersAtMost
} from "../src/laws.ts"
import { searched } from "../src/search.ts"

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

  it("ends with a stop, a failure or a stall", () => expectLaw(ends, cases))
  it("gives no step an event twice, or one that was never emitted", () => expectLaw(nothingTwice, cases))
  it("loses nothing: a stall accounts for every event that no step got", () => expectLaw(nothingLost, cases))
  it("keeps a position in the order of emission for each held event, and no other", () => {
    const stalled = cases.filter(({ ran }) => ran.outcome._tag === "Stalled" && ran.places !== undefined)
    expect(stalled.length).toBeGreaterThan(searched(300))
    return expectLaw(keepsNoPlace, stalled)
  })
  it("traces each event to each step that accepts it, with one end per delivery", () => expectLaw(traceAddsUp, cases))
  it("traces what really ran", () => expectLaw(traceIsTrue, cases))
  it("never exceeds a step's workers", () => expectLaw(workersAtMost, cases))
  it("leaves no worker idle while its step has a queue", () => expectLaw(workersAtLeast, cases))
  it("runs a gather once per round, and only when nothing upstream is running or will run", () =>
    expectLaw(gathersOnce, cases))
  it("leaves nothing running after its result", () => expectLaw(nothingAfter, cases))
  it("matches the model in some order of moves", () => expectLaw(follow, cases))
})
