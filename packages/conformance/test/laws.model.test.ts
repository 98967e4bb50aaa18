// Tests the model against itself and against examples worked out by hand, since it judges the runtime.
import { readFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { describe, expect, it, vi } from "vitest"
import { follow } from "../src/follow.ts"
import {
  anyShape,
  confluent,
  everything,
  inRow,
  isValid,
  joining,
  nested,
  withAsks,
  withDeadlines,
  withInputs
} from "../src/generate.ts"
import {
  gathersOnce,
  generated,
  type Law,
  nothingAfter,
  nothingTwice,
  traceAddsUp,
  workersAtMost
} from "../src/laws.ts"
import { memory } from "../src/memory.ts"
import { outcomes, play, type Rules, rules, type State, showOutcome } from "../src/model.ts"
import { fileOf, mutants, plant } from "../src/mutants.ts"
import { searched } from "../src/search.ts"
import { type Accepts, type Spec, type StepSpec, show } from "../src/spec.ts"
import { buildWorkflow, type Entry, type Ran } from "../src/world.ts"

// A broken law triggers a search for the smallest failing workflow, which may take a while.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const step = (
  name: string,
  accepts: string | Accepts,
  emits: ReadonlyArray<string>,
  change: Partial<StepSpec> = {}
): StepSpec => ({
  name,
  accepts: typeof accepts === "string" ? { kind: "each", of: [accepts] } : accepts,
  emits,
  fan: "all",
  workers: "unbounded",
  form: "effect",
  slow: 1000,
  cleanup: 0,
  fails: 0,
  failure: "fatal",
  ...change
})

const flow = (steps: ReadonlyArray<StepSpec>, fuel = 0): Spec => ({
  seed: 1,
  fuel,
  start: "Start",
  stops: ["Stop"],
  outputs: [],
  steps
})

const times = (n: number) => ({ fan: [n, n] as const })
const seeds = Array.from({ length: 40 }, (_, seed) => seed)
const plays = (spec: Spec): ReadonlyArray<State> => seeds.map((seed) => play(spec, seed)!)

/** The input of each invocation of a step in the real runtime, by type. */
const inputsOf = async (spec: Spec, name: string): Promise<ReadonlyArray<number>> => {
  const ran = await memory.run(spec, { seed: 1, shuffled: false, observed: false })
  expect(follow(spec, ran)).toBeUndefined()
  return ran.runs.filter((run) => spec.steps[run.step]!.name === name).map((run) => run.input.length)
}

describe("the model", () => {
  it("pairs the branches of three Docs in six ways by arrival, and in one way per Doc", () => {
    const docs = (per: { per?: string }) =>
      flow([
        step("begin", "Start", ["Doc"], times(3)),
        step("a", "Doc", ["A"]),
        step("b", "Doc", ["B"]),
        step("pair", { kind: "join", of: ["B", "A"], ...per }, ["Pair"]),
        step("finish", { kind: "collect", of: ["Pair"], count: 3 }, ["Stop"])
      ])
    expect(outcomes(docs({}), 20_000)!.size).toBe(6)
    expect(outcomes(docs({ per: "Doc" }), 20_000)!.size).toBe(1)
  })

  it("keeps a surplus for the next round, and reports it in a stall", async () => {
    const spec = flow([
      step("begin", "Start", ["A"], times(5)),
      step("two", { kind: "collect", of: ["A"], count: 2 }, ["B"]),
      step("finish", { kind: "collect", of: ["B"], count: 3 }, ["Stop"])
    ])
    for (const { outcome } of plays(spec)) expect(outcome).toEqual({ _tag: "Stalled", waiting: { two: 1, finish: 2 } })
    expect(await inputsOf(spec, "two")).toEqual([2, 2])
  })

  it("gives a gather [] once if the fan-out is empty", async () => {
    const spec = flow([
      step("begin", "Start", ["A"], times(0)),
      step("work", "A", ["B"]),
      step("finish", { kind: "gather", of: ["B"] }, ["Stop"])
    ])
    expect(new Set(plays(spec).map(({ outcome }) => outcome?._tag))).toEqual(new Set(["Stopped"]))
    expect(await inputsOf(spec, "finish")).toEqual([0])
  })

  it("gathers pages into chunks into docs, each level once for each", async () => {
    const spec = flow([
      step("begin", "Start", ["Doc"], times(2)),
      step("split", "Doc", ["Chunk"], times(3)),
      step("cut", "Chunk", ["Page"], times(2)),
      step("read", "Page", ["Text"]),
      step("chunk", { kind: "gather", of: ["Text"], per: "Chunk" }, ["Summary"]),
      step("doc", { kind: "gather", of: ["Summary"], per: "Doc" }, ["Report"]),
      step("finish", { kind: "gather", of: ["Report"] }, ["Stop"])
    ])
    expect(new Set(plays(spec).map(({ outcome }) => showOutcome(outcome))).size).toBe(1)
    expect(await inputsOf(spec, "chunk")).toEqual([2, 2, 2, 2, 2, 2])
    expect(await inputsOf(spec, "doc")).toEqual([3, 3])
    expect(await inputsOf(spec, "finish")).toEqual([2])
  })

  it("gives an answer to whoever asked first, and to the first that it fits if it came before", async () => {
    const asks = { of: ["Yes"], count: 1, together: false, byKey: false }
    const asking = (closes: number, after: number, n: number): Spec => ({
      ...flow([
        step("begin", "Start", ["A"], { ...times(2), form: "value", slow: 0 }),
        step("ask", "A", ["B"], { asks, slow: 0, workers: 1 }),
        step("finish", { kind: "gather", of: ["B"] }, ["Stop"])
      ]),
      inputs: { tags: ["Yes"], sends: Array.from({ length: n }, () => ({ tag: "Yes", after })), closes }
    })
    const results = (spec: Spec) => [...outcomes(spec, 20_000)!.values()].map(({ _tag }) => _tag)
    // Which of the two comes first to an answer depends on the order; that each needs one does not.
    expect(new Set(results(asking(0, 0, 2)))).toEqual(new Set(["Stopped"]))
    expect(new Set(results(asking(0, 0, 1)))).toEqual(new Set(["Unanswered"]))
    expect(await inputsOf(asking(5000, 1000, 2), "finish")).toEqual([2])
    expect(await inputsOf(asking(5000, 1000, 1), "finish")).toEqual([])
  })

  it("runs a race once, with the first, and drops the others", async () => {
    const spec = flow([
      step("begin", "Start", ["A"], times(4)),
      step("work", "A", ["B"]),
      step("first", { kind: "race", of: ["B"] }, ["C"]),
      step("finish", { kind: "gather", of: ["C"] }, ["Stop"])
    ])
    expect(outcomes(spec, 20_000)!.size).toBe(4)
    expect(await inputsOf(spec, "first")).toEqual([1])
  })

  it("runs a race with too few events once everything is quiet, with all of them", async () => {
    const spec = flow([
      step("begin", "Start", ["A"], times(2)),
      step("work", "A", ["B"]),
      step("three", { kind: "race", of: ["B"], count: 3 }, ["Stop"])
    ])
    expect(outcomes(spec, 20_000)!.size).toBe(1)
    expect(await inputsOf(spec, "three")).toEqual([2])
  })

  it("has one outcome for a confluent workflow, in every order of moves", () => {
    for (const make of [anyShape, nested]) {
      for (const spec of generated(400, (seed) => make(seed, confluent))) {
        const played = seeds.slice(0, 8).map((seed) => play(spec, seed)!)
        if (played.some(({ depends }) => depends !== undefined)) continue
        const results = new Set(played.map(({ outcome }) => showOutcome(outcome)))
        expect(results.size, show(spec)).toBe(1)
      }
    }
  })

  // The reasons for the rules: the smallest workflows that have several results without one of them.
  const plain = { form: "value", slow: 0 } as const
  it.each([
    [
      "its own invocations did not hold back a gather",
      { ownRunsHold: false },
      flow(
        [
          step("plan", { kind: "gather", of: ["Start", "Done"] }, ["Task"], { ...times(2), form: "effectSend" }),
          step("work", "Task", ["Done", "Note"]),
          step("finish", { kind: "gather", of: ["Note"] }, ["Stop"])
        ],
        3
      )
    ],
    [
      "inner scopes did not go first",
      { innerFirst: false },
      flow(
        [
          step("begin", "Start", ["Topic"], { ...plain, ...times(2) }),
          step("ask", "Topic", ["Note"], plain),
          step("open", "Note", ["Doc"], plain),
          step("read", "Doc", ["Text"], plain),
          step("doc", { kind: "gather", of: ["Text"], per: "Doc" }, ["Note"], plain),
          step("all", { kind: "gather", of: ["Note"] }, ["Note", "Report"], plain),
          step("finish", { kind: "gather", of: ["Report"] }, ["Stop"], plain)
        ],
        3
      )
    ],
    [
      "a nested Doc did not count for the outer one",
      { nestedHolds: false },
      flow(
        [
          step("begin", "Start", ["Doc"], plain),
          step("cut", "Doc", ["Page"], { ...plain, ...times(2) }),
          step("page", { kind: "gather", of: ["Page"], per: "Page" }, ["Doc"], plain),
          step("doc", { kind: "gather", of: ["Doc"], per: "Doc" }, ["Report"], plain),
          step("finish", { kind: "gather", of: ["Report"] }, ["Stop"], plain)
        ],
        3
      )
    ]
  ] satisfies ReadonlyArray<[string, Partial<Rules>, Spec]>)("would have several results, if %s", (_, change, spec) => {
    const results = (which: Rules) => new Set(seeds.map((seed) => showOutcome(play(spec, seed, which)!.outcome))).size
    expect(results(rules)).toBe(1)
    expect(results({ ...rules, ...change })).toBeGreaterThan(1)
  })

  it("would never end, if two gathers in a cycle could wake each other without events", () => {
    const spec = flow([
      step("begin", "Start", ["Plan"]),
      step("plan", { kind: "gather", of: ["Plan"] }, ["Work"], times(0)),
      step("review", { kind: "gather", of: ["Work"] }, ["Plan", "Stop"], times(0))
    ])
    expect(play(spec, 0)!.outcome).toEqual({ _tag: "Stalled", waiting: {} })
    expect(play(spec, 0, { ...rules, needsEvent: false })).toBeUndefined()
  })

  it("finds every outcome: no order of moves, and no real run, has another", async () => {
    let enumerated = 0
    for (const spec of generated(500, (seed) => anyShape(seed, everything))) {
      const all = outcomes(spec, 400)
      if (all === undefined) continue
      enumerated += 1
      for (const seed of seeds.slice(0, 10))
        expect(all.has(showOutcome(play(spec, seed)!.outcome)), show(spec)).toBe(true)
      // If the contract leaves a gather's order open, the runtime chooses it; `follow` allows for that.
      if (spec.steps.some(({ accepts }) => accepts.kind === "gather")) continue
      const { outcome } = await memory.run(spec, { seed: 1, shuffled: true, observed: false })
      expect(all.has(JSON.stringify(outcome)), `${show(spec)}\n${JSON.stringify(outcome)}`).toBe(true)
    }
    expect(enumerated).toBeGreaterThan(searched(150))
  })
})

describe("the generated workflows", () => {
  it("are valid, for the model and for workflow()", () => {
    const timed = (seed: number) => withDeadlines(withInputs(anyShape(seed, joining)))
    const talking = (seed: number) => withInputs(nested(seed, everything))
    const questioning = (seed: number) => withAsks(anyShape(seed, joining))
    for (const make of [anyShape, nested, inRow, timed, talking, questioning]) {
      for (const spec of generated(300, (seed) => make(seed, everything))) {
        expect(isValid(spec), show(spec)).toBe(true)
        expect(() => buildWorkflow(spec), show(spec)).not.toThrow()
      }
    }
  })
})

describe("a law", () => {
  const spec = flow([
    step("begin", "Start", ["Doc"], { ...times(3), form: "value", slow: 0 }),
    step("work", "Doc", ["A", "B"], { workers: 2 }),
    step("pair", { kind: "join", of: ["B", "A"], per: "Doc" }, ["Pair"]),
    step("finish", { kind: "gather", of: ["Pair"] }, ["Stop"])
  ])
  const honest = memory.run(spec, { seed: 1, shuffled: false, observed: true })

  /** An honest run with a lie added to its record. */
  const lie = async (tell: (record: Array<Entry>, ran: Ran) => void): Promise<Ran> => {
    const ran = structuredClone(await honest)
    tell(ran.record as Array<Entry>, ran)
    return ran
  }
  const changeInput = (name: string, change: (input: Array<string>) => void) =>
    lie((record) => {
      const entry = record.find((entry) => entry._tag === "started" && spec.steps[entry.step]!.name === name)
      // The record of the run and its entry share one list.
      change((entry as Extract<Entry, { readonly _tag: "started" }>).input as Array<string>)
    })

  const lies: ReadonlyArray<[string, Law, () => Promise<Ran>]> = [
    ["a lost event", follow, () => changeInput("finish", (input) => input.pop())],
    ["a gather in another order", follow, () => changeInput("finish", (input) => input.reverse())],
    ["events joined across scopes", follow, () => changeInput("pair", (input) => input.reverse())],
    ["an event given twice", nothingTwice, () => changeInput("finish", (input) => input.push(input[0]!))],
    ["another result", follow, () => lie((_, ran) => Object.assign(ran.outcome, { id: "another" }))],
    [
      "a worker too many",
      workersAtMost,
      () =>
        lie((record) =>
          record.splice(
            record.findIndex((e) => e._tag === "ended" && e.run > 0),
            1
          )
        )
    ],
    [
      "a worker too few",
      follow,
      () =>
        lie((record) =>
          record.splice(
            record.findIndex((e) => e._tag === "started" && e.run === 2),
            0,
            { _tag: "tick", now: 0 }
          )
        )
    ],
    ["a body after the result", nothingAfter, () => lie((record) => record.push({ _tag: "ended", run: 1 }))],
    [
      "a delivery without an end",
      traceAddsUp,
      () =>
        lie((record) =>
          record.splice(
            record.findIndex((e) => e._tag === "traced" && e.entry._tag === "InvocationStarted"),
            1
          )
        )
    ],
    [
      "a gather that runs twice",
      gathersOnce,
      () =>
        lie((record) =>
          record.push(
            ...record.filter(
              (e) => e._tag === "traced" && e.entry._tag === "InvocationStarted" && e.entry.step === "finish"
            )
          )
        )
    ]
  ]
  it.each(lies)("notices %s", async (_, law, told) => {
    expect(law(spec, await honest)).toBeUndefined()
    expect(law(spec, await told())).toBeTypeOf("string")
  })
})

describe("a mutant", () => {
  // What cannot be loaded fails every law, whatever the mistake.
  it.each(mutants.map((mutant) => [mutant[0], mutant] as const))("%s: has its place in the runtime", (_, mutant) => {
    const planted = plant(mutant, readFileSync(fileOf(mutant), "utf8"))
    expect(stripTypeScriptTypes(planted)).not.toBe("")
  })
})
