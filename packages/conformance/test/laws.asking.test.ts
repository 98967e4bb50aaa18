// Steps that ask for what comes from outside, and outputs that are heard at once. The model follows who is answered by what,
// who waits for a worker, and what is held while a question is open.
import { beforeAll, describe, expect, it, vi } from "vitest"
import { askingEngines } from "../src/engines.ts"
import { follow } from "../src/follow.ts"
import {
  anyShape,
  asking,
  everything,
  inRow,
  joining,
  nested,
  waiting,
  withAsks,
  withDeadlines,
  withInputs
} from "../src/generate.ts"
import { answersOnce, type Case, expectLaw, generated, heardAtOnce, laws, runAll } from "../src/laws.ts"
import { searched } from "../src/search.ts"

// A broken law triggers a search for the smallest failing workflow, which may take a while.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

describe.each(askingEngines)("a workflow with questions, in any timing, in $name", (engine) => {
  let cases: ReadonlyArray<Case> = []
  beforeAll(async () => {
    const specs = [
      ...generated(300, (seed) => withAsks(anyShape(seed, everything))),
      ...generated(200, (seed) => withAsks(inRow(seed, waiting))),
      ...generated(100, (seed) => withAsks(withInputs(anyShape(-seed, joining)))),
      ...generated(100, (seed) => withAsks(nested(seed, asking))),
      ...generated(100, (seed) => withDeadlines(withAsks(anyShape(-seed, joining))))
    ]
    cases = await runAll(engine, specs, 2)
  })

  it("asks, is answered, and is not", () => {
    const count = (tag: string) => cases.filter(({ ran }) => ran.record.some(({ _tag }) => _tag === tag)).length
    for (const tag of ["asked", "answered", "unanswered", "streamed"]) {
      expect(count(tag), tag).toBeGreaterThan(searched(cases.length / 20))
    }
  })

  it.each([
    ...laws,
    ["gives each answer once, to a question that awaits it", answersOnce] as const,
    ["lets questions and what is streamed be heard at once", heardAtOnce] as const,
    ["does what the model can do in some order of moves", follow] as const
  ])("%s", (_, law) => expectLaw(law, cases))
})
