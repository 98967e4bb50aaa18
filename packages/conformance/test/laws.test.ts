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

// A law that is broken looks for the smallest workflow that breaks it, which may take its time.
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

  it("ends by a stop, a failure or a stall", () => expectLaw(ends, cases))
  it("gives no step an event twice, nor one that nobody emitted", () => expectLaw(nothingTwice, cases))
  it("loses nothing: a stall says where every event is that no step got", () => expectLaw(nothingLost, cases))
  it("keeps a place in the order of emission for each event that is held, and no other", () => {
    const stalled = cases.filter(({ ran }) => ran.outcome._tag === "Stalled" && ran.places !== undefined)
    expect(stalled.length).toBeGreaterThan(searched(300))
    return expectLaw(keepsNoPlace, stalled)
  })
  it("traces each event to each step that accepts it, and each delivery to one end", () =>
    expectLaw(traceAddsUp, cases))
  it("traces what really ran", () => expectLaw(traceIsTrue, cases))
  it("never runs more of a step than it has workers", () => expectLaw(workersAtMost, cases))
  it("leaves no worker idle while something is queued for it", () => expectLaw(workersAtLeast, cases))
  it("runs a gather once a round, and only when nothing upstream of it runs or will", () =>
    expectLaw(gathersOnce, cases))
  it("leaves nothing running behind its result", () => expectLaw(nothingAfter, cases))
  it("does what the model can do in some order of moves", () => expectLaw(follow, cases))
})
