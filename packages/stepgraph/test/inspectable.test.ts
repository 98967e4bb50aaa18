// How definitions are known, and how they print.
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import {
  collect,
  defineEvent,
  defineStep,
  gather,
  isEventDef,
  isIntake,
  isStep,
  isWorkflow,
  join,
  run,
  workflow
} from "stepgraph"

const Start = defineEvent("Start", { n: Schema.Number })
const Ok = defineEvent("Ok", { yes: Schema.Boolean })
const Note = defineEvent("Note", { text: Schema.String })
const Stop = defineEvent("Stop", { n: Schema.Number })
const note = defineStep({ accepts: Ok, emits: Note, run: () => Note({ text: "" }) })
const double = defineStep({ accepts: Start, emits: Stop, workers: 2, run: ({ n }) => Stop({ n: 2 * n }) })
const flow = workflow({
  name: "double",
  start: Start,
  stop: Stop,
  inputs: [Ok],
  outputs: [Note],
  steps: { double, note }
})
const both = join([Start, Ok])
const definitions = { Start, both, double, flow }
const guards = { Start: isEventDef, both: isIntake, double: isStep, flow: isWorkflow }

describe("a guard", () => {
  it.each(Object.keys(guards) as ReadonlyArray<keyof typeof guards>)("knows %s, and nothing else", (name) => {
    for (const [other, definition] of Object.entries(definitions)) expect(guards[name](definition)).toBe(other === name)
    for (const value of [null, undefined, 3, "text", {}, [], () => {}, Start({ n: 1 }), Schema.String]) {
      expect(guards[name](value)).toBe(false)
    }
  })
})

describe("what prints", () => {
  it("of a workflow is three lines", () => {
    expect(inspect(flow)).toBe("Workflow(double: Start → Stop)\n  steps: double, note\n  inputs: Ok; outputs: Note")
    expect(String(flow)).toBe(inspect(flow))
    const json = {
      _id: "Workflow",
      name: "double",
      start: "Start",
      stop: ["Stop"],
      inputs: ["Ok"],
      outputs: ["Note"],
      steps: ["double", "note"]
    }
    expect(JSON.parse(JSON.stringify(flow))).toEqual(json)
  })

  it("of a workflow of a hundred steps is no more than that", () => {
    const steps = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`s${n}`, double]))
    const large = workflow({ name: "large", start: Start, stop: Stop, steps: steps as { readonly s0: typeof double } })
    expect(inspect(large)).toBe(
      "Workflow(large: Start → Stop)\n  steps: s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10 and 89 more"
    )
  })

  it("of a step, an intake and the definition of an event is one", () => {
    const all = defineStep({ accepts: gather([Note, Ok]), emits: [], run: () => {} })
    expect(inspect({ double, all })).toBe("{ double: Step(Start → Stop), all: Step(gather(Note, Ok) → nothing) }")
    expect(inspect([both, collect(Note, 3), Start])).toBe("[ join(Start, Ok), collect(Note, 3), EventDef(Start) ]")
    expect(JSON.stringify([double, both, Start])).toBe('["Step(Start → Stop)","join(Start, Ok)","EventDef(Start)"]')
  })

  it("is not part of the data: a workflow and a step can be spread", () => {
    expect(Object.keys(flow)).toEqual(["name", "start", "stop", "inputs", "outputs", "steps"])
    const again = workflow({ ...flow, steps: { ...flow.steps, double: { ...double, workers: 8 } } })
    expect(isWorkflow(again)).toBe(true)
    expect(isWorkflow({ ...flow })).toBe(false)
    expect(again.steps.double.workers).toBe(8)
  })
})

it.effect("a workflow can be piped", () =>
  Effect.gen(function* () {
    const { n } = yield* flow.pipe((flow) => run(flow, { n: 21 }))
    expect(n).toBe(42)
  })
)
