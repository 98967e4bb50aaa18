// Tests the trace model against plain queries of the list of entries, at every entry of runs of generated workflows.
import { anyShape, buildWorkflow, everything, generated, memory, nested } from "@stepgraph/conformance"
import { workOf } from "@stepgraph/conformance/support/work"
import { Schema } from "effect"
import { collect, defineEvent, defineStep, run, runPromise, type TraceEntry, workflow } from "stepgraph"
import { type Graph, graphOf } from "stepgraph/graph"
import { RunModel, type StepModel, TraceModel } from "stepgraph/trace"
import { beforeAll, describe, expect, it } from "vitest"

type Entry<Tag extends TraceEntry["_tag"]> = Extract<TraceEntry, { readonly _tag: Tag }>
interface Traced {
  readonly graph: Graph
  readonly trace: ReadonlyArray<TraceEntry>
}

const of = <Tag extends TraceEntry["_tag"]>(trace: ReadonlyArray<TraceEntry>, tag: Tag): ReadonlyArray<Entry<Tag>> =>
  trace.filter((entry): entry is Entry<Tag> => entry._tag === tag)

const folded = (trace: Iterable<TraceEntry>, options?: ConstructorParameters<typeof RunModel>[0]): RunModel => {
  const model = new RunModel(options)
  for (const entry of trace) model.add(entry)
  return model
}

/** All that can be asked of a run, as plain data. */
const said = (run: RunModel) => ({
  ...counted(run),
  invocations: [...run.invocations.values()],
  events: [...run.events.values()],
  drops: run.drops,
  finalizerFailures: run.finalizerFailures
})
/** The parts that do not depend on how much is kept. */
const counted = (run: RunModel) => ({
  id: run.id,
  workflow: run.workflow,
  parent: run.parent,
  state: run.state,
  stop: run.stop,
  error: run.error,
  began: run.began,
  last: run.last,
  entries: run.entries,
  steps: [...run.steps.values()].map(numbers),
  running: [...run.running.keys()],
  unfinished: run.unfinished
})
const numbers = (step: StepModel) => ({
  name: step.name,
  intake: step.intake,
  waiting: [...step.waiting],
  held: step.held,
  queued: step.queued,
  running: step.running,
  most: step.most,
  fired: step.fired,
  invocations: step.invocations,
  succeeded: step.succeeded,
  failed: step.failed,
  interrupted: step.interrupted,
  retried: step.retried,
  dropped: step.dropped,
  unserved: step.unserved,
  busy: step.busy,
  waited: step.waited,
  longestWait: step.longestWait
})

let runs: ReadonlyArray<Traced>
beforeAll(async () => {
  const specs = [
    ...generated(160, (seed) => anyShape(seed, everything)),
    ...generated(60, (seed) => nested(seed, everything))
  ]
  const traced = specs.map(async (spec, n): Promise<Traced> => {
    const { record } = await memory.run(spec, { seed: n % 3, shuffled: n % 3 > 0, observed: true })
    return {
      graph: graphOf(buildWorkflow(spec)),
      trace: record.flatMap((entry) => (entry._tag === "traced" ? [entry.entry] : []))
    }
  })
  runs = await Promise.all(traced)
})

describe("a run's model", () => {
  it("counts correctly for each step at every entry", () => {
    for (const { graph, trace } of runs) {
      const model = new RunModel({ graph })
      const most = new Map<string, number>()
      for (const [at, entry] of trace.entries()) {
        model.add(entry)
        if (at % 3 > 0 && at < trace.length - 1) continue
        const seen = trace.slice(0, at + 1)
        const over = of(seen, "RunFinished").length > 0
        for (const step of model.steps.values()) {
          const at = <E extends { readonly step: string | null }>(entries: ReadonlyArray<E>) =>
            entries.filter((entry) => entry.step === step.name)
          const begun = new Map(at(of(seen, "InvocationStarted")).map((entry) => [entry.invocation, entry]))
          const ended = at(of(seen, "InvocationEnded"))
          const gone = new Set(ended.filter(({ outcome }) => outcome !== "retried").map((entry) => entry.invocation))
          const batches = at(of(seen, "IntakeFired"))
          const drops = at(of(seen, "EventDropped")).map(({ event }) => event)
          const taken = new Set([...batches, ...begun.values()].flatMap(({ events }) => events))
          const waiting = at(of(seen, "EventDelivered")).filter(
            ({ event }) => !taken.has(event) && !drops.includes(event)
          )
          const queued = batches.filter(
            ({ invocation, events }) => !begun.has(invocation) && !events.some((event) => drops.includes(event))
          )
          const how = (outcome: string) => ended.filter((entry) => entry.outcome === outcome).length
          const expected = {
            held: over || !step.intake ? 0 : waiting.length,
            queued: over ? 0 : step.intake ? queued.length : waiting.length,
            running: [...begun.keys()].filter((id) => !gone.has(id)).length,
            fired: batches.length,
            invocations: begun.size,
            succeeded: how("succeeded"),
            failed: how("failed"),
            interrupted: how("interrupted"),
            retried: how("retried"),
            dropped: drops.length
          }
          expect(step).toMatchObject(expected)
          if (!over) expect([...step.waiting.keys()]).toEqual(waiting.map(({ event }) => event))
          most.set(step.name, Math.max(most.get(step.name) ?? 0, step.running))
          expect(step.most).toBeGreaterThanOrEqual(most.get(step.name)!)
        }
      }
    }
  })

  it("knows the cause, the targets and the effects of every event", () => {
    for (const { trace } of runs) {
      const model = folded(trace)
      const emitted = of(trace, "EventEmitted")
      expect([...model.events.keys()]).toEqual(emitted.map(({ event }) => event))
      for (const { event: id, tag, cause, data } of emitted) {
        const to = of(trace, "EventDelivered").flatMap(({ event, step }) => (event === id ? [step] : []))
        const began = of(trace, "InvocationStarted").filter(
          ({ events, attempt }) => attempt === 1 && events.includes(id)
        )
        expect(model.events.get(id)).toMatchObject({
          tag,
          cause,
          data,
          to,
          takenBy: began.map((entry) => entry.invocation)
        })
        if (cause !== null) expect(model.invocations.get(cause)!.emitted).toContain(id)
      }
      for (const { id, events, emitted } of model.invocations.values()) {
        for (const event of events) expect(model.events.get(event)!.takenBy).toContain(id)
        for (const event of emitted) expect(model.events.get(event)!.cause).toBe(id)
      }
    }
  })

  it("knows the attempts, outcomes and waits of every invocation", () => {
    for (const { trace } of runs) {
      const model = folded(trace)
      const began = of(trace, "InvocationStarted").filter(({ attempt }) => attempt === 1)
      expect([...model.invocations.keys()]).toEqual(began.map(({ invocation }) => invocation))
      for (const {
        id,
        since,
        ready,
        start,
        end,
        outcome,
        attempts,
        intake,
        row,
        step,
        events,
        quietAfter
      } of model.invocations.values()) {
        const ends = of(trace, "InvocationEnded").filter(({ invocation }) => invocation === id)
        expect(attempts.map((attempt) => attempt.outcome)).toEqual(ends.map((entry) => entry.outcome))
        expect(attempts.map((attempt) => attempt.end?.seq)).toEqual(ends.map(({ seq }) => seq))
        expect([outcome, end?.seq]).toEqual([ends.at(-1)!.outcome, ends.at(-1)!.seq])
        const moments = [since, ready, start, end!].map(({ seq }) => seq)
        expect(moments).toEqual(moments.toSorted((a, b) => a - b))
        expect(intake).toBe(of(trace, "IntakeFired").some(({ invocation }) => invocation === id))
        expect(row).toBeLessThan(model.steps.get(step)!.most)
        const came = of(trace, "EventDelivered").filter((entry) => entry.step === step && events.includes(entry.event))
        const fired = of(trace, "IntakeFired").find(({ invocation }) => invocation === id)
        expect(ready.seq).toBe(fired?.seq ?? came.at(-1)!.seq)
        expect(since.seq).toBe(came[0]?.seq ?? ready.seq)
        // Either an event completed its intake, or the end of an invocation did.
        const before = trace.findLast(({ _tag, seq }) => _tag !== "IntakeFired" && seq < ready.seq)
        const byEvent = fired === undefined || (before?._tag === "EventDelivered" && before.step === step)
        const ended = of(trace, "InvocationEnded").findLast(
          ({ outcome, seq }) => seq < ready.seq && outcome !== "retried"
        )
        expect(quietAfter).toBe(byEvent ? null : (ended?.invocation ?? null))
      }
      expect(model.running.size + model.unfinished.length).toBe(0)
    }
  })

  it("knows how long dropped events waited for a worker, excluding those in an intake", () => {
    let waited = 0
    for (const { trace, graph } of runs) {
      const intakes = new Set(graph.steps.flatMap(({ name, intake }) => (intake === null ? [] : [name])))
      const model = folded(trace, { graph })
      expect(model.drops).toHaveLength(of(trace, "EventDropped").length)
      for (const { event, step, since, at, reason } of model.drops) {
        const came = intakes.has(step ?? "")
          ? of(trace, "IntakeFired").find((entry) => entry.step === step && entry.events.includes(event))
          : of(trace, "EventDelivered").find((entry) => entry.step === step && entry.event === event)
        expect(since?.seq).toBe(reason === "leftover" ? undefined : came?.seq)
        if (since !== null && at.at > since.at) waited++
      }
    }
    expect(waited).toBeGreaterThan(0)
  })

  it("lists invocations without an end when the run has ended", () => {
    for (const { trace } of runs) {
      const invocation = of(trace, "InvocationEnded").at(-1)?.invocation
      if (invocation === undefined) continue
      const model = folded(trace.filter((entry) => entry._tag !== "InvocationEnded" || entry.invocation !== invocation))
      expect(model.unfinished.map(({ id }) => id)).toEqual([invocation])
    }
  })

  it("knows how the run ended", () => {
    for (const { trace, graph } of runs) {
      const model = folded(trace, { graph })
      const end = of(trace, "RunFinished")[0]!
      const { run, at } = trace[0]!
      expect(model).toMatchObject({ id: run, workflow: graph.name, parent: null, began: at, entries: trace.length })
      expect([model.state, model.stop, model.error]).toEqual([end.outcome, end.event, end.error])
      expect(folded(trace.slice(0, -1)).state).toBe("running")
    }
    expect(new RunModel().state).toBe("pending")
  })

  it("takes an entry once, and none of another run", () => {
    for (const { trace, graph } of runs) {
      const twice = new RunModel({ graph })
      for (const entry of trace) {
        expect(twice.add(entry)).toBe(true)
        expect(twice.add(entry)).toBe(false)
        expect(twice.add({ ...entry, run: "another" })).toBe(false)
      }
      for (const entry of trace) expect(twice.add(entry)).toBe(false)
      expect(said(twice)).toEqual(said(folded(trace, { graph })))
    }
  })

  it("passes over entries of kinds that it does not know", () => {
    for (const { trace, graph } of runs) {
      const mixed = trace.flatMap((entry) => [
        entry,
        { ...entry, _tag: "SomethingNewer", seq: entry.seq + 0.5 } as unknown as TraceEntry
      ])
      const { entries, last, ...rest } = said(folded(mixed.slice(0, -1), { graph }))
      const { entries: fewer, last: lastSeen, ...expected } = said(folded(trace, { graph }))
      expect(rest).toEqual(expected)
      expect(entries).toBe(2 * fewer - 1)
      expect(last).toEqual(lastSeen)
    }
  })

  it("accepts a trace that begins in the middle", () => {
    for (const { trace } of runs) {
      for (const from of [1, Math.floor(trace.length / 3), Math.floor(trace.length / 2), trace.length - 1]) {
        const model = new RunModel()
        for (const [at, entry] of trace.slice(from).entries()) {
          model.add(entry)
          for (const step of at % 5 === 0 ? model.steps.values() : []) {
            for (const [name, value] of Object.entries(numbers(step))) {
              if (typeof value === "number") expect(value, name).toBeGreaterThanOrEqual(0)
            }
          }
        }
        const rest = trace.slice(from)
        const ends = of(rest, "InvocationEnded").filter(({ outcome }) => outcome === "succeeded").length
        expect([...model.steps.values()].reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(ends)
        expect(model.workflow).toBeUndefined()
        expect(model.began).toBe(rest[0]!.at)
        expect(model.running.size).toBe(0)
      }
    }
  })

  it("bears entries that are missing anywhere", () => {
    for (const [n, { trace, graph }] of runs.entries()) {
      const some = trace.filter((_, i) => (i * 7919 + n) % 4 > 0)
      const model = folded(some, { graph })
      for (const { end, attempts } of model.invocations.values()) {
        for (const attempt of attempts.slice(0, end === null ? -1 : undefined)) expect(attempt.end).not.toBeNull()
      }
      for (const step of model.steps.values()) expect(step.running).toBeGreaterThanOrEqual(0)
    }
  })
})

describe("a model that keeps only the latest", () => {
  it.each([0, 1, 5])("counts the same, keeps %i and everything that still runs or waits", (keep) => {
    for (const { trace, graph } of runs) {
      const [all, few] = [new RunModel({ graph }), new RunModel({ graph, keep })]
      for (const entry of trace) {
        all.add(entry)
        few.add(entry)
        const waiting = [...all.events.values()].filter((event) => event.waiting > 0)
        expect(few.events.size).toBeLessThanOrEqual(keep === 0 ? 0 : keep + waiting.length)
        expect(few.invocations.size).toBeLessThanOrEqual(keep === 0 ? 0 : keep + few.running.size)
        expect(few.drops.length).toBeLessThanOrEqual(2 * keep)
        if (keep > 0) for (const { id } of waiting) expect(few.events.get(id)).toEqual(all.events.get(id))
        expect([...few.running.keys()]).toEqual([...all.running.keys()])
      }
      expect({ ...counted(few), unfinished: [] }).toEqual({ ...counted(all), unfinished: [] })
      if (keep > 0) {
        const latest = [...all.events.keys()].slice(-keep)
        for (const id of latest) expect(few.events.get(id)).toEqual(all.events.get(id))
      }
    }
  })

  it("is bounded in an endless run, and in one invocation that emits forever", () => {
    const model = new RunModel({ keep: 10 })
    let seq = 0
    const add = (entry: object) => model.add({ run: "1", seq: seq++, at: seq, ...entry } as unknown as TraceEntry)
    const source = { invocation: "source", step: "source" }
    add({ _tag: "RunStarted", workflow: "for ever", parent: null })
    add({ _tag: "InvocationStarted", ...source, events: [], attempt: 1, scope: null })
    for (let n = 0; n < 5_000; n++) {
      const [event, invocation] = [`E#${n}`, `work#${n}`]
      const work = { invocation, step: "work", attempt: 1 }
      add({ _tag: "EventEmitted", event, tag: "E", cause: "source", data: {} })
      add({ _tag: "EventDelivered", event, step: "work" })
      add({ _tag: "InvocationStarted", ...work, events: [event], scope: null })
      add({ _tag: "FinalizerFailed", ...work, error: "none" })
      add({ _tag: "InvocationEnded", ...work, outcome: "succeeded", error: null })
      add({ _tag: "EventDropped", event, step: "late", reason: "late" })
      add({ _tag: "InvocationEnded", ...source, attempt: n + 1, outcome: "retried", error: "again" })
      add({ _tag: "InvocationStarted", ...source, events: [], attempt: n + 2, scope: null })
    }
    const { emitted, attempts } = model.invocations.get("source")!
    const kept = [model.events, model.invocations].map(({ size }) => size)
    const lists = [emitted, attempts, model.drops, model.finalizerFailures].map(({ length }) => length)
    expect(Math.max(...kept)).toBeLessThanOrEqual(11)
    expect(Math.max(...lists)).toBeLessThanOrEqual(20)
    expect(model.steps.get("work")).toMatchObject({ succeeded: 5_000, running: 0, queued: 0, most: 1 })
    expect(model.steps.get("source")).toMatchObject({ retried: 5_000, running: 1 })
  })
})

describe("the cost of an entry", () => {
  const Start = defineEvent("Start", { count: Schema.Number })
  const Item = defineEvent("Item", { n: Schema.Number })
  const Done = defineEvent("Done", { n: Schema.Number })
  const Stop = defineEvent("Stop")
  const flow = (count: number) =>
    workflow({
      name: "fan",
      start: Start,
      stop: Stop,
      steps: {
        split: defineStep({
          accepts: Start,
          emits: Item,
          run: ({ count }) => Array.from({ length: count }, (_, n) => Item({ n }))
        }),
        work: defineStep({ accepts: Item, emits: Done, workers: "unbounded", run: async ({ n }) => Done({ n }) }),
        all: defineStep({ accepts: collect(Done, count), emits: Stop, run: () => Stop() })
      }
    })
  const traceOf = async (count: number) => {
    const trace: Array<TraceEntry> = []
    await runPromise(flow(count), { count }, { observe: (entry) => trace.push(entry) })
    return trace
  }

  it.each([
    ["all is kept", undefined],
    ["only the latest are", 10],
    ["nothing is", 0]
  ])("is the same however long the run, if %s", async (_, keep) => {
    const [short, long] = [await traceOf(250), await traceOf(500)]
    const cost = (trace: ReadonlyArray<TraceEntry>) => workOf(() => void folded(trace, { keep })) / trace.length
    expect(cost(long) / cost(short)).toBeLessThanOrEqual(1.05)
  })

  it("is the same for batches that are dropped event by event", () => {
    const trace = (batches: number): ReadonlyArray<TraceEntry> => {
      const events = Array.from({ length: batches }, (_, n) => [`A#${n}`, `B#${n}`])
      const entries = [
        { _tag: "RunStarted", workflow: "drops", parent: null },
        ...events.flat().map((event) => ({ _tag: "EventDelivered", event, step: "pair" })),
        ...events.map((events, n) => ({ _tag: "IntakeFired", step: "pair", invocation: `pair#${n}`, events })),
        ...events.flat().map((event) => ({ _tag: "EventDropped", event, step: "pair", reason: "ended" }))
      ]
      return entries.map((entry, seq) => ({ run: "1", seq, at: seq, ...entry }) as unknown as TraceEntry)
    }
    expect(folded(trace(200)).steps.get("pair")).toMatchObject({ queued: 0, dropped: 400, unserved: 200 })
    const cost = (batches: number) => workOf(() => void folded(trace(batches)))
    expect(cost(400) / cost(200)).toBeLessThanOrEqual(2.1)
  })
})

describe("a trace's model", () => {
  it("separates runs, however their entries are mixed", () => {
    for (let n = 0; n + 2 < runs.length; n += 3) {
      const mixed = runs.slice(n, n + 3)
      const model = new TraceModel({ graphs: mixed.map(({ graph }) => graph) })
      const left = mixed.map(({ trace }) => [...trace])
      for (let turn = n; left.some(({ length }) => length > 0); turn += 7) {
        const entry = left[turn % 3]!.shift()
        if (entry === undefined) turn += 1
        else expect(model.add(entry)?.id).toBe(entry.run)
      }
      expect(new Set(model.runs.keys())).toEqual(new Set(mixed.map(({ trace }) => trace[0]!.run)))
      for (const { trace, graph } of mixed) {
        const run = model.runs.get(trace[0]!.run)!
        const known = mixed.findLast((other) => other.graph.name === graph.name)!.graph
        expect(said(run)).toEqual(said(folded(trace, { graph: known })))
        expect(model.add(trace[0]!)).toBeUndefined()
        model.delete(run.id!)
      }
      expect(model.runs.size).toBe(0)
    }
  })

  it("names the run and the invocation in which a run was started", async () => {
    const Begin = defineEvent("Begin")
    const Stop = defineEvent("Stop")
    const inner = workflow({
      name: "inner",
      start: Begin,
      stop: Stop,
      steps: { end: defineStep({ accepts: Begin, emits: Stop, run: () => Stop() }) }
    })
    const model = new TraceModel()
    const observe = (entry: TraceEntry) => void model.add(entry)
    const outer = workflow({
      name: "outer",
      start: Begin,
      stop: Stop,
      steps: { call: defineStep({ accepts: Begin, emits: Stop, run: () => run(inner) }) }
    })
    await runPromise(outer, {}, { observe })
    const [first, second] = [...model.runs.values()]
    const [call] = [...first!.invocations.values()]
    expect(second!.parent).toEqual({ run: first!.id, workflow: "outer", invocation: call!.id })
    expect([first!.workflow, second!.workflow]).toEqual(["outer", "inner"])
  })
})
