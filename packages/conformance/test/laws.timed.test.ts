// Events from outside, and deadlines. The model follows them by the time in the record: what it leaves open is who goes first
// of all that happens at one instant. Exploring does not compare them, as it chooses the times itself.
import { beforeAll, describe, expect, it, vi } from "vitest"
import { crashed } from "../src/durable.ts"
import { engines } from "../src/engines.ts"
import { follow } from "../src/follow.ts"
import {
  allForms,
  anyShape,
  asking,
  confluent,
  everything,
  inRow,
  joining,
  nested,
  waiting,
  withDeadlines,
  withInputs
} from "../src/generate.ts"
import { type Case, expectLaw, expectOneResult, generated, isUnique, laws, runAll } from "../src/laws.ts"
import { searched } from "../src/search.ts"
import type { Spec, StepSpec } from "../src/spec.ts"

// A law that is broken looks for the smallest workflow that breaks it, which may take its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

describe.each(engines)("a workflow with inputs and deadlines, in any timing, in $name", (engine) => {
  let cases: ReadonlyArray<Case> = []
  beforeAll(async () => {
    const specs = [
      ...generated(300, (seed) => withDeadlines(anyShape(seed, joining))),
      ...generated(300, (seed) => withInputs(anyShape(seed, { ...everything, forms: allForms }))),
      ...generated(200, (seed) => withInputs(inRow(seed, waiting))),
      ...generated(300, (seed) => withDeadlines(withInputs(anyShape(-seed, joining)))),
      ...generated(400, (seed) => nested(seed, asking)),
      ...generated(200, (seed) => withDeadlines(nested(-seed, asking)))
    ]
    cases = await runAll(engine, specs, 2)
  })

  it.each([...laws, ["does what the model can do in some order of moves, each deadline in its time", follow] as const])(
    "%s",
    (_, law) => expectLaw(law, cases)
  )
})

describe.each(engines)("a workflow with inputs that pair in one way only, in $name", (engine) => {
  it("has the same result whenever they come", async () => {
    const specs = [
      ...generated(300, (seed) => withInputs(anyShape(seed, confluent))),
      ...generated(200, (seed) => withInputs(nested(seed, confluent)))
    ].filter(isUnique)
    expect(specs.length).toBeGreaterThan(searched(50))
    const cases = await runAll(engine, specs, 3)
    await expectLaw(follow, cases)
    await expectOneResult(cases)
  })
})

it("counts the deadline of a later round from when its first event came, whatever process that was in", async () => {
  const plain = { workers: "unbounded", form: "value", slow: 0, cleanup: 0, fails: 0, failure: "fatal" } as const
  const step = (name: string, accepts: StepSpec["accepts"], emits: StepSpec["emits"], fan: StepSpec["fan"]) => ({
    ...plain,
    name,
    accepts,
    emits,
    fan
  })
  const spec = (seed: number): Spec => ({
    seed,
    fuel: 0,
    start: "Start",
    stops: ["Stop"],
    outputs: [],
    inputs: { tags: ["B"], sends: [{ tag: "B", after: 100_000 }], closes: 1000 },
    steps: [
      step("twice", { kind: "each", of: ["Start"] }, ["A"], [3, 3]),
      step("pairs", { kind: "join", of: ["A", "B"], within: 20_000 }, ["C"], "all"),
      step("takes", { kind: "each", of: ["C"] }, [], "all"),
      step("ends", { kind: "each", of: ["B"] }, ["Stop"], "all")
    ]
  })
  const broken = []
  for (let seed = 0; seed < 40; seed++) {
    const ran = await crashed.run(spec(seed), { seed, shuffled: false, observed: seed % 2 === 0 })
    broken.push(follow(crashed.shows!(spec(seed)), ran))
  }
  expect(broken.filter((one) => one !== undefined)).toEqual([])
})
