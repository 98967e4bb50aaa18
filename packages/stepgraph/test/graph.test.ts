// A workflow's graph as data: the same relations as in the workflow, in any shape that `workflow()` accepts.
import { anyShape, buildWorkflow, everything, isValid, nested, type Spec, searched } from "@stepgraph/conformance"
import { workOf } from "@stepgraph/conformance/support/work"
import { Effect, Schema } from "effect"
import {
  type AnyWorkflow,
  CurrentInvocation,
  collect,
  defineEvent,
  defineStep,
  gather,
  type InputsOf,
  join,
  type OutputsOf,
  race,
  runPromise,
  type StartOf,
  type TraceEntry,
  workflow
} from "stepgraph"
import { edgesOf, type Graph, graphOf, isGraph, isWorkflow, scopesOf, upstreamOf } from "stepgraph/graph"
import { describe, expect, expectTypeOf, it } from "vitest"

const Start = defineEvent("Start", { docs: Schema.Number, name: Schema.String })
const Doc = defineEvent("Doc", { n: Schema.Number })
const Word = defineEvent("Word")
const More = defineEvent("More")
const Text = defineEvent("Text")
const Vote = defineEvent("Vote")
const Log = defineEvent("Log")
const Stop = defineEvent("Stop")
const GivenUp = defineEvent("GivenUp")

const flow = workflow({
  name: "reading",
  start: Start,
  stop: [Stop, GivenUp],
  inputs: [More],
  outputs: [Log],
  steps: {
    list: defineStep({ accepts: [Start, More], emits: Doc, run: () => Doc({ n: 1 }) }),
    read: defineStep({
      accepts: Doc,
      emits: [Word, Log],
      workers: 8,
      timeout: "2 seconds",
      retry: { times: 2 },
      run: () => Word()
    }),
    text: defineStep({
      accepts: gather(Word, { per: Doc }),
      emits: [Text, Vote],
      recover: () => Text(),
      run: () => Text()
    }),
    pair: defineStep({
      accepts: join([Text, Text], { by: () => 1, within: "1 minute" }),
      emits: GivenUp,
      run: () => GivenUp()
    }),
    count: defineStep({ accepts: collect(Vote, 3), emits: Stop, workers: "unbounded", run: () => Stop() }),
    first: defineStep({ accepts: race(Vote, { take: 2 }), emits: Stop, run: () => Stop() }),
    one: defineStep({ accepts: race([Vote, Text]), emits: [], run: () => {} })
  }
})

describe("graphOf", () => {
  const graph = graphOf(flow)
  const step = (name: string) => graph.steps.find((step) => step.name === name)!

  it("lists a workflow's start, stop, input and output events", () => {
    const { _tag, name, start, stops, inputs, outputs } = graph
    expect({ _tag, name, start, stops, inputs, outputs }).toEqual({
      _tag: "Graph",
      name: "reading",
      start: "Start",
      stops: ["Stop", "GivenUp"],
      inputs: ["More"],
      outputs: ["Log"]
    })
  })

  it("has the settings of each step, with durations as text", () => {
    expect(step("read")).toEqual({
      name: "read",
      accepts: ["Doc"],
      asks: [],
      streams: [],
      intake: null,
      emits: ["Word", "Log"],
      workers: 8,
      timeout: "2s",
      retries: true,
      recovers: false,
      limits: [],
      inner: null
    })
    expect(step("text")).toMatchObject({ workers: 4, timeout: null, retries: false, recovers: true })
    expect(step("count").workers).toBe("unbounded")
  })

  it("has each intake as data and as source text", () => {
    const none = { count: null, single: false, per: null, by: false, within: null }
    const written = Object.fromEntries(graph.steps.map(({ name, intake }) => [name, intake]))
    expect(written).toEqual({
      list: null,
      read: null,
      text: { ...none, kind: "gather", text: "gather(Word, { per: Doc })", per: "Doc" },
      pair: { ...none, kind: "join", text: "join([Text, Text], { by, within: 1m })", by: true, within: "1m" },
      count: { ...none, kind: "collect", text: "collect(Vote, 3)", count: 3 },
      first: { ...none, kind: "race", text: "race(Vote, { take: 2 })", count: 2 },
      one: { ...none, kind: "race", text: "race([Vote, Text])", count: 1, single: true }
    })
    expect(step("pair").accepts).toEqual(["Text", "Text"])
  })

  it("has the fields of each event, and the steps that emit and accept it", () => {
    const event = (tag: string) => graph.events.find((event) => event.tag === tag)
    expect(event("Start")).toEqual({
      tag: "Start",
      fields: ["docs", "name"],
      emittedBy: [],
      acceptedBy: ["list"],
      askedBy: []
    })
    expect(event("Text")).toEqual({
      tag: "Text",
      fields: [],
      emittedBy: ["text"],
      acceptedBy: ["pair", "one"],
      askedBy: []
    })
    expect(event("Log")).toEqual({ tag: "Log", fields: [], emittedBy: ["read"], acceptedBy: [], askedBy: [] })
  })

  it("has scopes and upstream steps", () => {
    expect(scopesOf(graph)).toEqual([{ event: "Doc", steps: ["read", "text"] }])
    expect([...upstreamOf(graph, "pair")].sort()).toEqual(["list", "read", "text"])
    expect([...upstreamOf(graph, "list")]).toEqual([])
    expect([...upstreamOf(graph, "none")]).toEqual([])
  })

  it("is the same for plain data, and for a graph from JSON", () => {
    const plain = ({ tag, schema }: { readonly tag: string; readonly schema: unknown }) => {
      const { fields } = schema as { readonly fields: object }
      return { tag, schema: { fields } }
    }
    const copy = {
      ...flow,
      start: plain(flow.start),
      stop: flow.stop.map(plain),
      inputs: flow.inputs.map(plain),
      outputs: flow.outputs.map(plain)
    }
    expect(graphOf(copy)).toEqual(graph)
    const sent: Graph = JSON.parse(JSON.stringify(graph))
    expect(sent).toEqual(graph)
    expect(graphOf(sent)).toBe(sent)
    expect(isGraph(sent)).toBe(true)
  })

  it("refuses a value that is not a workflow", () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error("no")
        }
      }
    )
    for (const value of [undefined, null, "flow", 1, [], {}, { steps: {} }, flow.steps.read, hostile]) {
      expect(isWorkflow(value)).toBe(false)
      expect(isGraph(value)).toBe(false)
      expect(() => graphOf(value as never)).toThrow(TypeError)
    }
    expect(() => graphOf([] as never)).toThrow("graphOf takes a workflow, not an array: pass the result of workflow()")
    expect(isWorkflow(flow)).toBe(true)
  })

  it("names the events of a workflow in types", () => {
    expectTypeOf<StartOf<typeof flow>["_tag"]>().toEqualTypeOf<"Start">()
    expectTypeOf<InputsOf<typeof flow>["_tag"]>().toEqualTypeOf<"More">()
    expectTypeOf<OutputsOf<typeof flow>["_tag"]>().toEqualTypeOf<"Log">()
    expectTypeOf(flow).toExtend<AnyWorkflow>()
  })
})

describe("the graph of any workflow", () => {
  const specs = Array.from({ length: searched(300) }, (_, seed) =>
    (seed % 3 === 0 ? nested : anyShape)(seed + 1, everything)
  ).filter(isValid)
  const accepts = ({ accepts: { of } }: Spec["steps"][number], tag: string) => of.includes(tag)

  it("has exactly the paths that events can take", () => {
    expect(specs.length).toBeGreaterThan(searched(200))
    for (const spec of specs) {
      const expected = new Set<string>()
      const leaves = [...spec.stops, ...spec.outputs]
      for (const from of [null, ...spec.steps]) {
        for (const event of new Set(from === null ? [spec.start] : from.emits)) {
          const name = from === null ? null : from.name
          for (const to of spec.steps) if (accepts(to, event)) expected.add(JSON.stringify([name, event, to.name]))
          if (leaves.includes(event)) expected.add(JSON.stringify([name, event, null]))
        }
      }
      const edges = edgesOf(graphOf(buildWorkflow(spec))).map(({ from, event, to }) =>
        JSON.stringify([from, event, to])
      )
      expect(new Set(edges)).toEqual(expected)
      expect(edges).toHaveLength(expected.size)
    }
  })

  it("finds all upstream steps, over any number of hops", () => {
    for (const spec of specs) {
      const graph = graphOf(buildWorkflow(spec))
      for (const { name, accepts } of spec.steps) {
        const upstream = upstreamOf(graph, name)
        // The smallest set with the steps that emit to this one, and those that emit to its members.
        const taken = new Set([...accepts.of, ...spec.steps.flatMap((s) => (upstream.has(s.name) ? s.accepts.of : []))])
        const emitting = spec.steps.filter(({ emits }) => emits.some((tag) => taken.has(tag)))
        expect([...upstream].sort()).toEqual(emitting.map(({ name }) => name).sort())
      }
    }
  })

  it("takes time proportional to its steps", () => {
    const chain = (count: number) => {
      const events = Array.from({ length: count }, (_, n) => defineEvent(`E${n}`))
      const steps = events.map((event, n) => [
        `step ${n}`,
        defineStep({ accepts: event, emits: events[n + 1] ?? Stop, run: () => {} })
      ])
      const flow = workflow({ name: "large", start: events[0]!, stop: Stop, steps: Object.fromEntries(steps) } as never)
      return workOf(() => {
        const graph = graphOf(flow)
        edgesOf(graph)
        scopesOf(graph)
        upstreamOf(graph, `step ${count - 1}`)
      })
    }
    expect(chain(400) / chain(200)).toBeLessThanOrEqual(2.3)
  })
})

describe("CurrentInvocation", () => {
  it("is the invocation by its ids in the trace, if the run is observed", async () => {
    const Begin = defineEvent("Begin")
    const seen: Array<unknown> = []
    const end = defineStep({
      accepts: Begin,
      emits: Stop,
      run: () =>
        Effect.map(CurrentInvocation, (current) => {
          seen.push(current)
          return Stop()
        })
    })
    const flow = workflow({ name: "one", start: Begin, stop: Stop, steps: { end } })
    const started: Array<unknown> = []
    const observe = (entry: TraceEntry) => {
      if (entry._tag !== "InvocationStarted") return
      started.push({ run: entry.run, workflow: "one", invocation: entry.invocation })
    }
    await runPromise(flow, {}, { observe })
    expect(started).toHaveLength(1)
    expect(seen).toEqual(started)
    await runPromise(flow)
    expect(seen[1]).toBe(null)
  })
})
