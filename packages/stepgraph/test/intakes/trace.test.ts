// The trace shows what an intake does: which events it fired with, and what happened to the others.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { collect, defineEvent, defineStep, gather, join, race, run, workflow } from "stepgraph"
import { recorded } from "../support/flow.ts"
import { ended } from "../support/virtual.ts"

const Start = defineEvent("Start")
const Doc = defineEvent("Doc", { n: Schema.Number })
const A = defineEvent("A", { n: Schema.Number })
const B = defineEvent("B", { n: Schema.Number })
const Stop = defineEvent("Stop")

const define = { name: "traced", start: Start, stop: Stop }
const after = <A>(millis: number, value: A) => Effect.as(Effect.sleep(millis), value)

/** The trace of a run's intakes and drops, with events as tag and number. */
const traced = (flow: ReturnType<typeof workflow>) =>
  Effect.gen(function* () {
    const trace = recorded()
    yield* ended(trace.record(run(flow as never)))
    const names = new Map(
      trace.of("EventEmitted").map(({ event, tag, data }) => [event, `${tag}${(data as { n?: number }).n ?? ""}`])
    )
    const finished = trace.entries.findIndex(({ _tag }) => _tag === "RunFinished")
    return {
      fired: trace.of("IntakeFired").map(({ step, events }) => `${step}: ${events.map((event) => names.get(event))}`),
      dropped: trace
        .of("EventDropped")
        .map(({ event, step, reason }) => `${names.get(event)} to ${step}: ${reason}`)
        .sort(),
      last: finished > 0 && finished === trace.entries.length - 1
    }
  })

describe("the trace of", () => {
  it.effect("a join lists its events, and the surplus as left over", () =>
    Effect.gen(function* () {
      const feed = defineStep({
        accepts: Start,
        emits: [A, B],
        run: () => [A({ n: 1 }), A({ n: 2 }), A({ n: 3 }), B({ n: 4 })]
      })
      const both = defineStep({ accepts: join([B, A]), emits: Stop, run: () => {} })
      expect(yield* traced(workflow({ ...define, steps: { feed, both } }) as never)).toEqual({
        fired: ["both: B4,A1"],
        dropped: ["A2 to both: leftover", "A3 to both: leftover"],
        last: true
      })
    })
  )

  it.effect("a collect lists its leftovers", () =>
    Effect.gen(function* () {
      const feed = defineStep({ accepts: Start, emits: A, run: () => [A({ n: 1 }), A({ n: 2 }), A({ n: 3 })] })
      const two = defineStep({ accepts: collect(A, 2), emits: Stop, run: () => {} })
      expect(yield* traced(workflow({ ...define, steps: { feed, two } }) as never)).toEqual({
        fired: ["two: A1,A2"],
        dropped: ["A3 to two: leftover"],
        last: true
      })
    })
  )

  it.effect("a race lists the events it dropped, queued and later ones", () =>
    Effect.gen(function* () {
      const docs = defineStep({ accepts: Start, emits: Doc, run: () => [1, 2].map((n) => Doc({ n })) })
      const read = defineStep({
        accepts: Doc,
        emits: A,
        workers: 1,
        run: ({ n }) => [A({ n }), A({ n: n + 10 })]
      })
      const first = defineStep({ accepts: race(A), emits: Stop, run: () => Stop() })
      expect(yield* traced(workflow({ ...define, steps: { docs, read, first } }) as never)).toEqual({
        fired: ["first: A1"],
        dropped: ["A11 to first: raced", "Doc2 to read: raced"],
        last: true
      })
    })
  )

  it.effect("a gather overtaken by a stop lists its events, and that it never fired", () =>
    Effect.gen(function* () {
      const docs = defineStep({ accepts: Start, emits: Doc, run: () => [10, 1000].map((n) => Doc({ n })) })
      const read = defineStep({ accepts: Doc, emits: A, run: ({ n }) => after(n, A({ n })) })
      const all = defineStep({ accepts: gather(A), emits: [], run: () => {} })
      const stop = defineStep({ accepts: Start, emits: Stop, run: () => after(100, Stop()) })
      expect(yield* traced(workflow({ ...define, steps: { docs, read, all, stop } }) as never)).toEqual({
        fired: [],
        dropped: ["A10 to all: leftover"],
        last: true
      })
    })
  )

  it.effect("a gather overtaken by a failure shows that it never fired", () =>
    Effect.gen(function* () {
      const docs = defineStep({ accepts: Start, emits: Doc, run: () => [10, 1000].map((n) => Doc({ n })) })
      const read = defineStep({
        accepts: Doc,
        emits: A,
        run: ({ n }) => Effect.andThen(Effect.sleep(n), n === 10 ? Effect.fail("no") : Effect.succeed(A({ n })))
      })
      const all = defineStep({ accepts: gather(A), emits: Stop, run: () => {} })
      expect(yield* traced(workflow({ ...define, steps: { docs, read, all } }) as never)).toEqual({
        fired: [],
        dropped: [],
        last: true
      })
    })
  )

  it.effect("a deadline that a stop has overtaken has nothing that fired, at the join or downstream of it", () =>
    Effect.gen(function* () {
      const feed = defineStep({ accepts: Start, emits: [A, B], run: () => [A({ n: 1 })] })
      const both = defineStep({ accepts: join([A, B], { within: 100 }), emits: Doc, run: () => Doc({ n: 1 }) })
      const all = defineStep({ accepts: gather(Doc), emits: [], run: () => {} })
      const stop = defineStep({ accepts: Start, emits: Stop, run: () => after(10, Stop()) })
      expect(yield* traced(workflow({ ...define, steps: { feed, both, all, stop } }) as never)).toEqual({
        fired: [],
        dropped: ["A1 to both: leftover"],
        last: true
      })
    })
  )

  it.effect("gathers of nothing gives each an invocation of its own", () =>
    Effect.gen(function* () {
      const docs = defineStep({ accepts: Start, emits: Doc, run: () => [1, 2].map((n) => Doc({ n })) })
      const read = defineStep({ accepts: Doc, emits: A, run: () => {} })
      const perDoc = defineStep({ accepts: gather(A, { per: Doc }), emits: B, run: (_, { per }) => B({ n: per.n }) })
      const all = defineStep({ accepts: gather(B), emits: Stop, run: () => Stop() })
      const trace = recorded()
      yield* ended(trace.record(run(workflow({ ...define, steps: { docs, read, perDoc, all } }))))
      const ids = trace.of("IntakeFired").map(({ invocation }) => invocation)
      expect(ids).toHaveLength(3)
      expect(new Set(ids).size).toBe(3)
    })
  )

  it.effect("the same run has the same ids in every timing, that of a join by arrival aside", () =>
    Effect.gen(function* () {
      const ids = (delay: (n: number) => number) =>
        Effect.gen(function* () {
          const docs = defineStep({ accepts: Start, emits: Doc, run: () => [1, 2, 3].map((n) => Doc({ n })) })
          const read = defineStep({
            accepts: Doc,
            emits: A,
            run: ({ n }) => after(delay(n), n === 2 ? undefined : [A({ n }), A({ n: -n })])
          })
          const perDoc = defineStep({
            accepts: gather(A, { per: Doc }),
            emits: B,
            run: (_, { per }) => after(delay(per.n), B({ n: per.n }))
          })
          const all = defineStep({ accepts: gather(B), emits: Stop, run: () => Stop() })
          const trace = recorded()
          yield* ended(trace.record(run(workflow({ ...define, steps: { docs, read, perDoc, all } }))))
          return trace
            .of("InvocationStarted")
            .map(({ invocation }) => invocation)
            .sort()
        })
      const [early, late] = [yield* ids((n) => 10 * n), yield* ids((n) => 50 - n)]
      expect(early).toHaveLength(8)
      expect(late).toEqual(early)
    })
  )
})
