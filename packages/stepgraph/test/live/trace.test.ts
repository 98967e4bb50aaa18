import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Random, Schema, SchemaGetter } from "effect"
import { TestClock } from "effect/testing"
import {
  collect,
  defineEvent,
  defineStep,
  gather,
  join,
  launch,
  launchPromise,
  Observer,
  race,
  run,
  runPromise,
  TraceEntry,
  workflow
} from "stepgraph"
import { ended, random, result } from "../support/virtual.ts"

const Start = defineEvent("Start", { docs: Schema.Number })
const Doc = defineEvent("Doc", { n: Schema.Number })
const Left = defineEvent("Left", { n: Schema.Number })
const Right = defineEvent("Right", { n: Schema.Number })
const Both = defineEvent("Both", { n: Schema.Number })
const Stop = defineEvent("Stop", { ns: Schema.Array(Schema.Number) })

const observed = <A, E, R>(program: Effect.Effect<A, E, R>, observe: Observer) =>
  Effect.provideService(program, Observer, observe)

/** A run's trace, however it ended. */
const traced = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const trace: Array<TraceEntry> = []
    return Effect.as(ended(observed(program, (entry) => void trace.push(entry))), trace)
  })

/** A fan-out, two parallel steps for each of its events, a join for each, and all of them gathered. */
const docs = (sleep: () => number) =>
  workflow({
    name: "docs",
    start: Start,
    stop: Stop,
    steps: {
      split: defineStep({
        accepts: Start,
        emits: Doc,
        run: ({ docs }) => Array.from({ length: docs }, (_, n) => Doc({ n }))
      }),
      left: defineStep({ accepts: Doc, emits: Left, run: ({ n }) => Effect.as(Effect.sleep(sleep()), Left({ n })) }),
      right: defineStep({
        accepts: Doc,
        emits: Right,
        workers: 2,
        run: ({ n }) => Effect.as(Effect.sleep(sleep()), [Right({ n })])
      }),
      both: defineStep({
        accepts: join([Left, Right], { per: Doc }),
        emits: Both,
        run: ([{ n }]) => Effect.as(Effect.sleep(sleep()), Both({ n }))
      }),
      all: defineStep({ accepts: gather(Both), emits: Stop, run: (all) => Stop({ ns: all.map(({ n }) => n) }) })
    }
  })

/** Causes and effects: each event with its cause, each invocation with its events, in any order. */
const causes = (trace: ReadonlyArray<TraceEntry>) =>
  trace
    .flatMap((entry): ReadonlyArray<string> => {
      if (entry._tag === "EventEmitted") return [`${entry.event} by ${entry.cause} ${JSON.stringify(entry.data)}`]
      if (entry._tag === "EventDelivered") return [`${entry.event} to ${entry.step}`]
      if (entry._tag === "InvocationStarted") return [`${entry.invocation} of ${entry.events} in ${entry.scope}`]
      return []
    })
    .sort()

describe("ids", () => {
  it.effect("and the causal graph are the same in any timing", () =>
    Effect.gen(function* () {
      const orders = new Set<string>()
      const graphs = new Set<string>()
      for (let seed = 1; seed <= 60; seed++) {
        const next = random(seed)
        const trace = yield* traced(
          run(
            docs(() => Math.floor(next() * 1000)),
            { docs: 5 }
          )
        )
        graphs.add(causes(trace).join("\n"))
        orders.add(trace.flatMap((entry) => (entry._tag === "EventEmitted" ? [entry.event] : [])).join())
      }
      expect(orders.size).toBeGreaterThan(50)
      expect(graphs.size).toBe(1)
    })
  )

  it.effect("are unique within a run", () =>
    Effect.gen(function* () {
      const trace = yield* traced(
        run(
          docs(() => 0),
          { docs: 500 }
        )
      )
      const events = trace.flatMap((entry) => (entry._tag === "EventEmitted" ? [entry.event] : []))
      const invocations = trace.flatMap((entry) => (entry._tag === "InvocationStarted" ? [entry.invocation] : []))
      expect(events.length).toBe(1 + 500 * 4 + 1)
      expect(new Set(events).size).toBe(events.length)
      expect(new Set(invocations).size).toBe(invocations.length)
    })
  )

  it.effect("do not grow in a loop", () =>
    Effect.gen(function* () {
      const loop = workflow({
        name: "loop",
        start: Doc,
        stop: Stop,
        steps: {
          again: defineStep({
            accepts: Doc,
            emits: [Doc, Stop],
            run: ({ n }) => (n === 0 ? Stop({ ns: [] }) : Doc({ n: n - 1 }))
          })
        }
      })
      const trace = yield* traced(run(loop, { n: 1000 }))
      const events = trace.flatMap((entry) => (entry._tag === "EventEmitted" ? [entry.event] : []))
      expect(new Set(events).size).toBe(1002)
      expect(Math.max(...events.map((id) => id.length))).toBeLessThan(30)
    })
  )

  it.effect("of empty batches differ by round and scope", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "empty",
        start: Start,
        stop: Stop,
        steps: {
          split: defineStep({ accepts: Start, emits: Doc, run: () => [Doc({ n: 0 }), Doc({ n: 1 })] }),
          drop: defineStep({ accepts: Doc, emits: Left, run: () => {} }),
          none: defineStep({ accepts: gather(Left, { per: Doc }), emits: Both, run: () => Both({ n: 0 }) }),
          all: defineStep({ accepts: collect(Both, 2), emits: Stop, run: () => Stop({ ns: [] }) })
        }
      })
      const trace = yield* traced(run(flow, { docs: 0 }))
      const fired = trace.flatMap((entry) => (entry._tag === "IntakeFired" ? [entry] : []))
      expect(fired.map(({ step, events }) => [step, events.length])).toEqual([
        ["none", 0],
        ["none", 0],
        ["all", 2]
      ])
      expect(new Set(fired.map(({ invocation }) => invocation)).size).toBe(3)
    })
  )
})

describe("the trace", () => {
  it.effect("covers a run from its start to its end, in order", () =>
    Effect.gen(function* () {
      const trace = yield* traced(
        run(
          docs(() => 10),
          { docs: 1 }
        )
      )
      expect(trace.map(({ seq }) => seq)).toEqual(trace.map((_, index) => index))
      expect(trace.map((entry) => `${entry.at} ${entry._tag}${"step" in entry ? ` ${entry.step}` : ""}`)).toEqual([
        "0 RunStarted",
        "0 EventEmitted",
        "0 EventDelivered split",
        "0 InvocationStarted split",
        "0 EventEmitted",
        "0 EventDelivered left",
        "0 EventDelivered right",
        "0 InvocationEnded split",
        "0 InvocationStarted left",
        "0 InvocationStarted right",
        "10 EventEmitted",
        "10 EventDelivered both",
        "10 InvocationEnded left",
        "10 EventEmitted",
        "10 EventDelivered both",
        "10 IntakeFired both",
        "10 InvocationEnded right",
        "10 InvocationStarted both",
        "20 EventEmitted",
        "20 EventDelivered all",
        "20 InvocationEnded both",
        "20 IntakeFired all",
        "20 InvocationStarted all",
        "20 EventEmitted",
        "20 InvocationEnded all",
        "20 RunFinished"
      ])
    })
  )

  it.effect("names the invocation that each event came from, and null for events from outside", () =>
    Effect.gen(function* () {
      const trace = yield* traced(
        run(
          docs(() => 10),
          { docs: 3 }
        )
      )
      const started = new Set(trace.flatMap((entry) => (entry._tag === "InvocationStarted" ? [entry.invocation] : [])))
      const emitted = trace.flatMap((entry) => (entry._tag === "EventEmitted" ? [entry] : []))
      expect(emitted[0]).toMatchObject({ tag: "Start", cause: null, data: { docs: 3 } })
      for (const { cause } of emitted.slice(1)) expect(started).toContain(cause)
    })
  )

  it.effect("survives JSON and its schema unchanged", () =>
    Effect.gen(function* () {
      const failing = workflow({
        ...docs(() => 10),
        steps: {
          ...docs(() => 10).steps,
          both: defineStep({ accepts: [Left, Right], emits: Both, run: () => Effect.fail("no") })
        }
      })
      const traces = [
        yield* traced(
          run(
            docs(() => 10),
            { docs: 2 }
          )
        ),
        yield* traced(run(failing, { docs: 2 })),
        yield* traced(
          Effect.timeout(
            run(
              docs(() => 1000),
              { docs: 3 }
            ),
            10
          )
        )
      ]
      const Trace = Schema.Array(TraceEntry)
      const seen = new Set<string>()
      for (const trace of traces) {
        const text = JSON.stringify(Schema.encodeSync(Trace)(trace))
        expect(text).toBe(JSON.stringify(trace))
        expect(Schema.decodeUnknownSync(Trace)(JSON.parse(text))).toEqual(trace)
        for (const { _tag } of trace) seen.add(_tag)
      }
      expect(traces.map((trace) => trace.at(-1))).toMatchObject([
        { _tag: "RunFinished", outcome: "stopped", error: null },
        { _tag: "RunFinished", outcome: "failed", error: "no" },
        { _tag: "RunFinished", outcome: "interrupted", error: null }
      ])
      expect(seen).toContain("EventDropped")
    })
  )

  it.effect("contains fields that are not JSON as their schema encodes them", () =>
    Effect.gen(function* () {
      const Odd = defineEvent("Odd", { at: Schema.Date, big: Schema.BigInt, run: Schema.Any })
      const flow = workflow({
        name: "odd",
        start: Odd,
        stop: Stop,
        steps: { end: defineStep({ accepts: Odd, emits: Stop, run: () => Stop({ ns: [] }) }) }
      })
      const trace = yield* traced(run(flow, { at: new Date(0), big: 1n, run: () => 1 }))
      const text = JSON.stringify(trace)
      expect(Schema.decodeUnknownSync(Schema.Array(TraceEntry))(JSON.parse(text))).toEqual(trace)
      expect(trace[1]).toMatchObject({ data: { at: "1970-01-01T00:00:00.000Z", big: "1", run: expect.any(String) } })
    })
  )

  it.effect("contains fields that cannot be encoded, and cycles, as text", () =>
    Effect.gen(function* () {
      const circle: Record<string, unknown> = { n: 1 }
      circle.itself = circle
      const Odd = defineEvent("Odd", {
        set: Schema.declare((value): value is Set<number> => value instanceof Set),
        circle: Schema.Any,
        n: Schema.Number
      })
      const flow = workflow({
        name: "odd",
        start: Odd,
        stop: Stop,
        steps: { end: defineStep({ accepts: Odd, emits: Stop, run: () => Stop({ ns: [] }) }) }
      })
      const trace = yield* traced(run(flow, { set: new Set([1]), circle, n: 2 }))
      expect(JSON.parse(JSON.stringify(trace))).toEqual(trace)
      expect(trace[1]).toMatchObject({
        data: { set: "Set([1])", circle: { n: 1, itself: expect.any(String) }, n: 2 }
      })
    })
  )

  it.effect("shows events cancelled by a race, left over, and dropped after the end", () =>
    Effect.gen(function* () {
      const racing = workflow({
        name: "racing",
        start: Start,
        stop: Stop,
        steps: {
          split: defineStep({
            accepts: Start,
            emits: [Doc, Left],
            run: () => [Left({ n: 9 }), Doc({ n: 1 }), Doc({ n: 2 }), Doc({ n: 3 })]
          }),
          answer: defineStep({
            accepts: Doc,
            emits: Both,
            workers: 2,
            run: ({ n }) => Effect.as(Effect.sleep(n), Both({ n }))
          }),
          pair: defineStep({ accepts: collect(Left, 2), emits: [], run: () => {} }),
          first: defineStep({
            accepts: race(Both),
            emits: [Stop],
            run: ({ n }) => [Stop({ ns: [n] }), Stop({ ns: [] })]
          })
        }
      })
      const trace = yield* traced(run(racing, { docs: 0 }))
      const dropped = trace.flatMap((entry) => (entry._tag === "EventDropped" ? [entry] : []))
      const told = dropped.map(({ event, step, reason }) => `${event.split("#")[0]} ${step} ${reason}`)
      expect(told.sort()).toEqual(["Doc answer raced", "Left pair leftover", "Stop null ended"])
      const ends = trace.flatMap((entry) =>
        entry._tag === "InvocationEnded" ? [`${entry.step} ${entry.outcome}`] : []
      )
      expect(ends.sort()).toEqual(["answer interrupted", "answer succeeded", "first succeeded", "split succeeded"])
    })
  )

  it.effect("shows that an event refused by an intake is dropped", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "by",
        start: Start,
        stop: Stop,
        steps: {
          fan: defineStep({ accepts: Start, emits: Left, run: () => Left({ n: 1 }) }),
          all: defineStep({
            accepts: collect(Left, 2, {
              by: (): string => {
                throw new Error("no key")
              }
            }),
            emits: Stop,
            run: () => Stop({ ns: [] })
          })
        }
      })
      const trace = yield* traced(run(flow, { docs: 0 }))
      const dropped = trace.filter((entry) => entry._tag === "EventDropped")
      expect(dropped).toMatchObject([{ step: "all", reason: "ended" }])
      expect(trace.at(-1)).toMatchObject({ _tag: "RunFinished", outcome: "failed" })
    })
  )

  it.effect("shows each attempt", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "attempts",
        start: Start,
        stop: Stop,
        steps: {
          only: defineStep({
            accepts: Start,
            emits: Stop,
            retry: { times: 1 },
            run: (_, { attempt }) =>
              Effect.andThen(
                Effect.sleep(10),
                attempt === 1 ? Effect.fail(new Error("first")) : Effect.succeed(Stop({ ns: [] }))
              )
          })
        }
      })
      const trace = yield* traced(run(flow, { docs: 0 }))
      const told = trace.filter((entry) => entry._tag.startsWith("Invocation"))
      expect(told).toMatchObject([
        { _tag: "InvocationStarted", attempt: 1, at: 0 },
        { _tag: "InvocationEnded", attempt: 1, at: 10, outcome: "retried", error: "Error: first" },
        { _tag: "InvocationStarted", attempt: 2, at: 10 },
        { _tag: "InvocationEnded", attempt: 2, at: 20, outcome: "succeeded", error: null }
      ])
      expect(new Set(told.map((entry: any) => entry.invocation)).size).toBe(1)
    })
  )

  it.effect("of a live run has its input events, without causes, with ids by their order", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "inputs",
        start: Start,
        stop: Stop,
        inputs: [Doc],
        steps: {
          begin: defineStep({ accepts: Start, emits: [], run: () => {} }),
          end: defineStep({ accepts: collect(Doc, 2), emits: Stop, run: () => Stop({ ns: [] }) })
        }
      })
      const trace: Array<TraceEntry> = []
      const live = yield* observed(launch(flow, { docs: 0 }), (entry) => void trace.push(entry))
      yield* live.send(Doc({ n: 1 }))
      yield* live.send(Doc({ n: 1 }))
      yield* live.result
      const inputs = trace.flatMap((entry) => (entry._tag === "EventEmitted" && entry.tag === "Doc" ? [entry] : []))
      expect(inputs.map(({ cause }) => cause)).toEqual([null, null])
      expect(new Set(inputs.map(({ event }) => event)).size).toBe(2)
    })
  )

  it.effect("is the same for each run, however many run at once", () =>
    Effect.gen(function* () {
      const traces = yield* Effect.all(
        Array.from({ length: 5 }, () =>
          traced(
            run(
              docs(() => 10),
              { docs: 2 }
            )
          )
        ),
        { concurrency: "unbounded" }
      )
      expect(new Set(traces.map((trace) => causes(trace).join("\n"))).size).toBe(1)
      expect(new Set(traces.map(([first]) => (first as { run: string }).run)).size).toBe(5)
    })
  )
})

describe("an observer", () => {
  it.effect("that throws does not harm the run, and receives all later entries", () =>
    Effect.gen(function* () {
      let told = 0
      const program = observed(
        run(
          docs(() => 10),
          { docs: 3 }
        ),
        () => {
          told++
          throw new Error("observer")
        }
      )
      expect((yield* result(program)).ns).toEqual([0, 1, 2])
      expect(told).toBe(
        (yield* traced(
          run(
            docs(() => 10),
            { docs: 3 }
          )
        )).length
      )
    })
  )

  it("that is async and rejects does not harm the program, and is not awaited", async () => {
    const unhandled: Array<unknown> = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on("unhandledRejection", note)
    const observe = async () => {
      await Promise.resolve()
      throw new Error("observer")
    }
    const { ns } = await runPromise(
      docs(() => 0),
      { docs: 2 },
      { observe }
    )
    await new Promise((resume) => setTimeout(resume, 5))
    process.off("unhandledRejection", note)
    expect(ns).toEqual([0, 1])
    expect(unhandled).toEqual([])
  })

  it.effect("cannot change its entries", () =>
    Effect.gen(function* () {
      const program = observed(
        run(
          docs(() => 10),
          { docs: 3 }
        ),
        (entry: any) => {
          expect(() => {
            entry.event = "changed"
          }).toThrow(TypeError)
          if ("events" in entry) expect(() => entry.events.push("changed")).toThrow(TypeError)
          told++
        }
      )
      let told = 0
      expect((yield* result(program)).ns).toEqual([0, 1, 2])
      // Errors of an observer are ignored, including failed expectations.
      expect(told).toBeGreaterThan(40)
    })
  )

  it.effect("is needed for any record: without one no id is made, no clock read and no field encoded", () =>
    Effect.gen(function* () {
      const asked = { clock: 0, random: 0, encoder: 0 }
      const Coded = defineEvent("Coded", {
        n: Schema.Number.pipe(
          Schema.encodeTo(Schema.Number, {
            decode: SchemaGetter.passthrough(),
            encode: SchemaGetter.transform((n: number) => {
              asked.encoder++
              return n
            })
          })
        )
      })
      const flow = workflow({
        name: "coded",
        start: Start,
        stop: Stop,
        steps: {
          fan: defineStep({
            accepts: Start,
            emits: Coded,
            run: async () => [1, 2, 3].map((n) => Coded({ n }))
          }),
          all: defineStep({ accepts: gather(Coded), emits: Stop, run: (all) => Stop({ ns: all.map(({ n }) => n) }) })
        }
      })
      const clock = yield* Clock.Clock
      const random = yield* Random.Random
      const counting = <A, E>(program: Effect.Effect<A, E>) =>
        program.pipe(
          Effect.provideService(
            Clock.Clock,
            new Proxy(clock, {
              get: (target, key) => {
                asked.clock++
                return Reflect.get(target, key)
              }
            })
          ),
          Effect.provideService(Random.Random, {
            ...random,
            nextIntUnsafe: () => {
              asked.random++
              return random.nextIntUnsafe()
            }
          })
        )
      yield* counting(run(flow, { docs: 0 }))
      expect(asked).toEqual({ clock: 0, random: 0, encoder: 0 })
      const trace: Array<TraceEntry> = []
      yield* observed(counting(run(flow, { docs: 0 })), (entry) => void trace.push(entry))
      expect(asked.clock).toBeGreaterThanOrEqual(trace.length)
      expect(asked).toMatchObject({ random: 0, encoder: 3 })
    })
  )

  it("is an option for programs without Effect", async () => {
    const told: Array<string> = []
    const observe = (entry: TraceEntry) => void told.push(entry._tag)
    await runPromise(
      docs(() => 0),
      { docs: 1 },
      { observe }
    )
    expect(told.at(0)).toBe("RunStarted")
    expect(told.at(-1)).toBe("RunFinished")
    told.length = 0
    const live = await launchPromise(
      docs(() => 0),
      { docs: 1 },
      { observe }
    )
    await live.result
    expect(told.at(-1)).toBe("RunFinished")
  })

  it.effect("sees the run finish only when none of its work is running", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "slow to end",
        start: Start,
        stop: Stop,
        steps: {
          hang: defineStep({
            accepts: Start,
            emits: [],
            run: () => Effect.onInterrupt(Effect.sleep("1 day"), () => Effect.sleep("1 minute"))
          }),
          end: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(1000), Stop({ ns: [] })) })
        }
      })
      const trace: Array<TraceEntry> = []
      const live = yield* observed(launch(flow, { docs: 0 }), (entry) => void trace.push(entry))
      yield* TestClock.adjust("1 hour")
      yield* live.result
      expect(trace.at(-1)).toMatchObject({ _tag: "RunFinished", at: 61_000 })
    })
  )
})
