import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Exit, Metric, Option, Schema, Tracer } from "effect"
import { TestClock } from "effect/testing"
import {
  collect,
  defineEvent,
  defineStep,
  gather,
  join,
  launch,
  Observer,
  race,
  run,
  Telemetry,
  type TraceEntry,
  workflow
} from "stepgraph"
import { ended, result } from "../support/virtual.ts"

const Start = defineEvent("Start")
const Left = defineEvent("Left", { n: Schema.Number })
const Right = defineEvent("Right", { n: Schema.Number })
const Stop = defineEvent("Stop")

/** A tracer that keeps its spans. */
const keeping = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { spans, tracer }
}

/** Runs a program with a tracer and a registry of metrics of its own. */
const measured = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const { spans, tracer } = keeping()
    const registry = new Map()
    return ended(program).pipe(
      Effect.provideService(Tracer.Tracer, tracer),
      Effect.provideService(Metric.MetricRegistry, registry),
      Effect.map((exit) => ({
        exit,
        spans,
        named: (name: string) => spans.filter((span) => span.name === name),
        metrics: Metric.snapshotUnsafe(Context.make(Metric.MetricRegistry, registry))
      }))
    )
  })

const parentOf = (span: Tracer.Span) => Option.getOrUndefined(span.parent)
const attributesOf = (span: Tracer.Span) => Object.fromEntries(span.attributes)
const took = ({ status }: Tracer.Span) =>
  status._tag === "Ended" ? Number(status.endTime - status.startTime) / 1e9 : undefined

/** Two steps side by side, one slower than the other, and a join of their events. */
const flow = workflow({
  name: "pair",
  start: Start,
  stop: Stop,
  steps: {
    left: defineStep({ accepts: Start, emits: Left, run: () => Effect.as(Effect.sleep("1 second"), Left({ n: 1 })) }),
    right: defineStep({
      accepts: Start,
      emits: Right,
      run: () => Effect.as(Effect.sleep("2 seconds"), Right({ n: 2 }))
    }),
    both: defineStep({
      accepts: join([Left, Right]),
      emits: Stop,
      run: () => Effect.as(Effect.sleep("3 seconds"), Stop())
    })
  }
})

describe("the spans of a run", () => {
  it.effect("are one for the run and one for each invocation, with its times", () =>
    Effect.gen(function* () {
      const { spans } = yield* measured(run(flow))
      expect(spans.map((span) => [span.name, took(span)])).toEqual([
        ["workflow pair", 5],
        ["step left", 1],
        ["step right", 2],
        ["step both", 3]
      ])
      const [top, ...steps] = spans
      expect(parentOf(top!)).toBeUndefined()
      for (const span of steps) expect(parentOf(span)).toBe(top)
    })
  )

  it.effect("have attributes that identify their work", () =>
    Effect.gen(function* () {
      const trace: Array<TraceEntry> = []
      const observed = Effect.provideService(run(flow), Observer, (entry) => void trace.push(entry))
      const { spans, named } = yield* measured(observed)
      const [{ run: id }] = trace as [TraceEntry & { _tag: "RunStarted" }]
      const both = trace.find((entry) => entry._tag === "InvocationStarted" && entry.step === "both") as TraceEntry & {
        _tag: "InvocationStarted"
      }
      const { event } = trace.at(-1) as TraceEntry & { _tag: "RunFinished" }
      expect(attributesOf(spans[0]!)).toEqual({
        "stepgraph.workflow": "pair",
        "stepgraph.run": id,
        "stepgraph.outcome": "stopped",
        "stepgraph.event": event
      })
      expect(attributesOf(named("step both")[0]!)).toEqual({
        "stepgraph.workflow": "pair",
        "stepgraph.run": id,
        "stepgraph.step": "both",
        "stepgraph.invocation": both.invocation,
        "stepgraph.events": both.events,
        "stepgraph.events.count": 2,
        "stepgraph.attempt": 1,
        "stepgraph.wait": 0,
        "stepgraph.outcome": "succeeded"
      })
    })
  )

  it.effect("name the operation as OpenTelemetry does for generative AI, if asked to, and only for the run", () =>
    Effect.gen(function* () {
      const genAi = (span: Tracer.Span) => [...span.attributes].filter(([name]) => name.startsWith("gen_ai."))
      const asked = Effect.provideService(run(flow), Telemetry, { spans: true, metrics: true, genAi: true })
      const [top, ...steps] = (yield* measured(asked)).spans
      expect(genAi(top!)).toEqual([
        ["gen_ai.operation.name", "invoke_workflow"],
        ["gen_ai.workflow.name", "pair"],
        ["gen_ai.agent.name", "pair"]
      ])
      expect(steps.flatMap(genAi)).toEqual([])
      expect((yield* measured(run(flow))).spans.flatMap(genAi)).toEqual([])
    })
  )

  it.effect("link a join to the invocations of its events, and any step to that of its event", () =>
    Effect.gen(function* () {
      const { named } = yield* measured(run(flow))
      const links = named("step both")[0]!.links
      expect(links.map(({ span }) => span)).toEqual([named("step left")[0], named("step right")[0]])
      expect(links.map(({ attributes }) => String(attributes["stepgraph.event"]).split("#")[0])).toEqual([
        "Left",
        "Right"
      ])
      // The start event comes from no invocation.
      expect(named("step left")[0]!.links).toEqual([])
    })
  )

  it.effect("of a gather of many events have a bounded number of links, and the number of events", () =>
    Effect.gen(function* () {
      const many = workflow({
        name: "many",
        start: Start,
        stop: Stop,
        steps: {
          fan: defineStep({
            accepts: Start,
            emits: Left,
            run: () => Array.from({ length: 1000 }, (_, n) => Left({ n }))
          }),
          all: defineStep({ accepts: gather(Left), emits: Stop, run: () => Stop() })
        }
      })
      const { named } = yield* measured(run(many))
      const [all] = named("step all")
      expect(all!.links).toHaveLength(128)
      expect(attributesOf(all!)).toMatchObject({ "stepgraph.events.count": 1000 })
    })
  )

  it.effect("are the parents of spans that a step makes itself", () =>
    Effect.gen(function* () {
      const Item = defineEvent("Item")
      const own = workflow({
        name: "own",
        start: Start,
        stop: Stop,
        steps: {
          first: defineStep({
            accepts: Start,
            emits: Item,
            run: () => Effect.withSpan(Effect.as(Effect.sleep(10), Item()), "query")
          }),
          second: defineStep({
            accepts: Item,
            emits: Stop,
            retry: { times: 1 },
            run: (_, { attempt }) =>
              Effect.withSpan(attempt === 1 ? Effect.fail("busy") : Effect.succeed(Stop()), "request")
          })
        }
      })
      const { named } = yield* measured(run(own))
      expect(parentOf(named("query")[0]!)).toBe(named("step first")[0])
      expect(named("request").map(parentOf)).toEqual([named("step second")[0], named("step second")[0]])
    })
  )

  it.effect("are children of the span in which the run was started", () =>
    Effect.gen(function* () {
      const { named } = yield* measured(Effect.withSpan(run(flow), "request"))
      expect(parentOf(named("workflow pair")[0]!)).toBe(named("request")[0])
    })
  )

  it.effect("of a nested run are inside the invocation that runs it", () =>
    Effect.gen(function* () {
      const outer = workflow({
        name: "outer",
        start: Start,
        stop: Stop,
        steps: { nest: defineStep({ accepts: Start, emits: Stop, run: () => run(flow) }) }
      })
      const { named } = yield* measured(run(outer))
      expect(parentOf(named("workflow pair")[0]!)).toBe(named("step nest")[0])
      expect(parentOf(named("step nest")[0]!)).toBe(named("workflow outer")[0])
    })
  )

  it.effect("cover all attempts of an invocation, with an event for each failed one", () =>
    Effect.gen(function* () {
      const flaky = workflow({
        name: "flaky",
        start: Start,
        stop: Stop,
        steps: {
          call: defineStep({
            accepts: Start,
            emits: Stop,
            retry: { times: 5 },
            run: (_, { attempt }) =>
              Effect.andThen(
                Effect.sleep("1 second"),
                attempt < 3 ? Effect.fail(new Error(`no ${attempt}`)) : Effect.succeed(Stop())
              )
          })
        }
      })
      const { named } = yield* measured(run(flaky))
      const [call, ...others] = named("step call")
      expect(others).toEqual([])
      expect(took(call!)).toBe(3)
      expect(attributesOf(call!)).toMatchObject({ "stepgraph.attempt": 3, "stepgraph.outcome": "succeeded" })
      expect(call!.events.map(([name, at, attributes]) => [name, Number(at) / 1e9, attributes])).toEqual([
        ["stepgraph.attempt.failed", 1, { "stepgraph.attempt": 1, error: "Error: no 1" }],
        ["stepgraph.attempt.failed", 2, { "stepgraph.attempt": 2, error: "Error: no 2" }]
      ])
    })
  )

  it.effect("end with the exit of their work: a failure, an interruption", () =>
    Effect.gen(function* () {
      const failing = workflow({
        ...flow,
        steps: {
          ...flow.steps,
          left: defineStep({
            accepts: Start,
            emits: Left,
            run: () => Effect.andThen(Effect.sleep(500), Effect.fail("no"))
          })
        }
      })
      const { spans } = yield* measured(run(failing))
      const exits = spans.map(({ name, status }) => [name, status._tag === "Ended" ? status.exit : undefined] as const)
      expect(exits.map(([name]) => name)).toEqual(["workflow pair", "step left", "step right"])
      const failed = { _tag: "Failure", cause: { reasons: [{ _tag: "Fail", error: "no" }] } }
      expect(exits[0]![1]).toMatchObject(failed)
      expect(exits[1]![1]).toMatchObject(failed)
      expect(Exit.hasInterrupts(exits[2]![1]!)).toBe(true)
      expect(attributesOf(spans[2]!)).toMatchObject({ "stepgraph.outcome": "interrupted" })
    })
  )

  it.effect("show how long an invocation waited for a worker", () =>
    Effect.gen(function* () {
      const queue = workflow({
        name: "queue",
        start: Start,
        stop: Stop,
        steps: {
          fan: defineStep({ accepts: Start, emits: Left, run: () => [1, 2, 3].map((n) => Left({ n })) }),
          work: defineStep({
            accepts: Left,
            emits: Right,
            workers: 1,
            run: ({ n }) => Effect.as(Effect.sleep("1 second"), Right({ n }))
          }),
          all: defineStep({ accepts: collect(Right, 3), emits: Stop, run: () => Stop() })
        }
      })
      const { named } = yield* measured(run(queue))
      expect(named("step work").map((span) => span.attributes.get("stepgraph.wait"))).toEqual([0, 1, 2])
    })
  )
})

describe("the metrics of a run", () => {
  const queue = workflow({
    name: "queue",
    start: Start,
    stop: Stop,
    steps: {
      fan: defineStep({ accepts: Start, emits: Left, run: () => [1, 2, 3].map((n) => Left({ n })) }),
      work: defineStep({
        accepts: Left,
        emits: Right,
        workers: 1,
        run: ({ n }) => Effect.as(Effect.sleep("1 second"), Right({ n }))
      }),
      all: defineStep({ accepts: collect(Right, 3), emits: Stop, run: () => Stop() })
    }
  })
  type Metrics = ReadonlyArray<Metric.Metric.Snapshot>
  const histogram = (metrics: Metrics, id: string, step?: string) => {
    const found = metrics.find((metric) => metric.id === id && (step === undefined || metric.attributes?.step === step))
    const { count, sum, min, max } = found!.state as Metric.HistogramState
    return { count, sum, min, max, attributes: found!.attributes }
  }
  const gauges = (metrics: Metrics, step: string) =>
    ["stepgraph.step.queued", "stepgraph.step.busy"].map((id) => {
      const found = metrics.find((metric) => metric.id === id && metric.attributes?.step === step)
      return (found?.state as Metric.GaugeState<number> | undefined)?.value
    })

  it.effect("are the waiting times and durations of invocations, and the duration of the run", () =>
    Effect.gen(function* () {
      const { metrics } = yield* measured(run(queue))
      expect(histogram(metrics, "stepgraph.step.wait", "work")).toEqual({
        count: 3,
        sum: 3,
        min: 0,
        max: 2,
        attributes: { unit: "s", workflow: "queue", step: "work" }
      })
      expect(histogram(metrics, "stepgraph.step.duration", "work")).toEqual({
        count: 3,
        sum: 3,
        min: 1,
        max: 1,
        attributes: { unit: "s", workflow: "queue", step: "work", outcome: "succeeded" }
      })
      expect(histogram(metrics, "stepgraph.run.duration")).toMatchObject({
        count: 1,
        sum: 3,
        attributes: { workflow: "queue", outcome: "stopped" }
      })
    })
  )

  it.effect("count waiting events and busy workers, over all runs", () =>
    Effect.gen(function* () {
      const registry = new Map()
      const context = Context.make(Metric.MetricRegistry, registry)
      const now = () => gauges(Metric.snapshotUnsafe(context), "work")
      const started = yield* Effect.forEach([1, 2], () => launch(queue)).pipe(
        Effect.provideService(Metric.MetricRegistry, registry),
        Effect.provideService(Telemetry, { spans: false, metrics: true })
      )
      expect(now()).toEqual([4, 2])
      yield* TestClock.adjust("1 second")
      expect(now()).toEqual([2, 2])
      yield* started[0]!.interrupt
      expect(now()).toEqual([1, 1])
      yield* TestClock.adjust("2 seconds")
      expect(now()).toEqual([0, 0])
    })
  )

  it.effect("return to zero, even if events were cancelled, dropped or left over", () =>
    Effect.gen(function* () {
      const Item = defineEvent("Item", { n: Schema.Number })
      const racing = workflow({
        name: "racing",
        start: Start,
        stop: Stop,
        steps: {
          fan: defineStep({ accepts: Start, emits: Item, run: () => Array.from({ length: 9 }, (_, n) => Item({ n })) }),
          none: defineStep({ accepts: Item, emits: Right, workers: 1, run: () => Effect.sleep("1 second") }),
          batch: defineStep({ accepts: gather(Right), emits: Left, run: () => {} }),
          pairs: defineStep({ accepts: collect(Item, 2), emits: Left, workers: 1, run: () => Effect.sleep("1 day") }),
          work: defineStep({
            accepts: Item,
            emits: Left,
            workers: 2,
            run: ({ n }) => Effect.as(Effect.sleep("1 minute"), Left({ n }))
          }),
          first: defineStep({ accepts: race(Left), emits: Stop, run: () => Effect.as(Effect.sleep(10), Stop()) })
        }
      })
      const { exit, metrics } = yield* measured(run(racing))
      expect(Exit.isSuccess(exit)).toBe(true)
      for (const step of Object.keys(racing.steps)) {
        expect(
          gauges(metrics, step).filter((value) => value !== undefined && value !== 0),
          step
        ).toEqual([])
      }
    })
  )
})

describe("telemetry", () => {
  it.effect("is off if the program provides no tracer", () =>
    Effect.gen(function* () {
      const registry = new Map()
      let parent: unknown = "unknown"
      const looking = workflow({
        ...flow,
        steps: {
          ...flow.steps,
          left: defineStep({
            accepts: Start,
            emits: Left,
            run: () =>
              Effect.map(Effect.serviceOption(Tracer.ParentSpan), (span) => {
                parent = Option.getOrUndefined(span)
                return Left({ n: 1 })
              })
          })
        }
      })
      yield* result(Effect.provideService(run(looking), Metric.MetricRegistry, registry))
      expect(parent).toBeUndefined()
      expect(registry.size).toBe(0)
    })
  )

  it.effect("is off if the program switches it, or all tracing, off", () =>
    Effect.gen(function* () {
      const off = yield* measured(Effect.provideService(run(flow), Telemetry, { spans: false, metrics: false }))
      expect([off.spans.length, off.metrics.length]).toEqual([0, 0])
      const untraced = yield* measured(Effect.withTracerEnabled(run(flow), false))
      expect([untraced.spans.length, untraced.metrics.length]).toEqual([0, 0])
    })
  )

  it.effect("may be spans alone, or metrics alone", () =>
    Effect.gen(function* () {
      const spans = yield* measured(Effect.provideService(run(flow), Telemetry, { spans: true, metrics: false }))
      expect([spans.spans.length, spans.metrics.length]).toEqual([4, 0])
      const metrics = yield* measured(Effect.provideService(run(flow), Telemetry, { spans: false, metrics: true }))
      expect(metrics.spans).toEqual([])
      expect(metrics.metrics.length).toBeGreaterThan(5)
    })
  )

  it.effect("follows the program's sampling and annotations", () =>
    Effect.gen(function* () {
      const program = run(flow).pipe(
        Effect.annotateSpans("tenant", "acme"),
        Effect.provideService(Tracer.MinimumTraceLevel, "Error")
      )
      const { spans } = yield* measured(program)
      expect(spans.map(({ sampled }) => sampled)).toEqual([false, false, false, false])
      expect(spans.every((span) => span.attributes.get("tenant") === "acme")).toBe(true)
    })
  )

  it.effect("that fails does not harm the run", () =>
    Effect.gen(function* () {
      const tracer = Tracer.make({
        span: () => {
          throw new Error("no exporter")
        }
      })
      expect(yield* result(Effect.provideService(run(flow), Tracer.Tracer, tracer))).toEqual(Stop())
    })
  )

  it.effect("does not change the trace", () =>
    Effect.gen(function* () {
      const traceOf = (telemetry: boolean) =>
        Effect.gen(function* () {
          const trace: Array<TraceEntry> = []
          const observed = Effect.provideService(
            run(flow),
            Observer,
            (entry) => void trace.push({ ...entry, run: "" } as TraceEntry)
          )
          const began = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
          yield* telemetry ? measured(observed) : result(observed)
          return trace.map((entry) => ({ ...entry, at: entry.at - began }))
        })
      expect(yield* traceOf(true)).toEqual(yield* traceOf(false))
    })
  )
})
