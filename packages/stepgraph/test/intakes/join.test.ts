import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { collect, defineEvent, defineStep, type Intake, join, run, workflow } from "stepgraph"
import { failure, random, result } from "../support/virtual.ts"

const Start = defineEvent("Start")
const Doc = defineEvent("Doc", { n: Schema.Number })
const A = defineEvent("A", { n: Schema.Number })
const B = defineEvent("B", { n: Schema.Number })
const Pair = defineEvent("Pair", { a: Schema.Number, b: Schema.Number })
const Stop = defineEvent("Stop", { text: Schema.String })

const define = { name: "pairs", start: Start, stop: Stop }
const after = <A>(millis: number, value: A) => Effect.as(Effect.sleep(millis), value)
const docs = defineStep({ accepts: Start, emits: Doc, run: () => [1, 2, 3].map((n) => Doc({ n })) })
const finish = defineStep({
  accepts: collect(Pair, 3),
  emits: Stop,
  run: (pairs) =>
    Stop({
      text: pairs
        .map(({ a, b }) => `${a}${b}`)
        .sort()
        .join()
    })
})
const pair = ([b, a]: readonly [{ readonly n: number }, { readonly n: number }]) => Pair({ a: a.n, b: b.n })

/** The pairings of three documents' As and Bs over many timings. */
const pairings = (both: typeof perDoc | typeof byArrival) =>
  Effect.gen(function* () {
    const found = new Set<string>()
    for (let seed = 1; seed <= 100; seed++) {
      const next = random(seed)
      const a = defineStep({ accepts: Doc, emits: A, run: ({ n }) => after(Math.floor(next() * 20), A({ n })) })
      const b = defineStep({ accepts: Doc, emits: B, run: ({ n }) => after(Math.floor(next() * 20), B({ n })) })
      found.add((yield* result(run(workflow({ ...define, steps: { docs, a, b, both, finish } })))).text)
    }
    return [...found]
  })
const byArrival = defineStep({ accepts: join([B, A]), emits: Pair, run: pair })
const perDoc = defineStep({ accepts: join([B, A], { per: Doc }), emits: Pair, run: pair })

/** The input of a step with an intake for events in this order, and how the run stalls. */
const fed = (events: ReadonlyArray<ReturnType<typeof A> | ReturnType<typeof B>>, accepts: Intake<"A" | "B", Given>) => {
  const log: Array<string> = []
  const feed = defineStep({ accepts: Start, emits: [A, B], run: () => events.values() })
  const step = defineStep({ accepts, emits: Stop, run: (events) => void log.push(names(events)) })
  const sink = defineStep({ accepts: [A, B], emits: Stop, run: () => {} })
  return Effect.map(failure(run(workflow({ ...define, steps: { feed, step, sink } }))), (error) => ({ log, error }))
}
type Given = ReadonlyArray<ReturnType<typeof A> | ReturnType<typeof B> | undefined>
const names = (events: Given) =>
  events.map((event) => (event === undefined ? "-" : `${event._tag}${event.n}`)).join(" ")
const as = (...ns: ReadonlyArray<number>) => ns.map((n) => A({ n }))
const bs = (...ns: ReadonlyArray<number>) => ns.map((n) => B({ n }))

describe("join", () => {
  it.effect("gives the events in the order of its list, whichever came first", () =>
    Effect.gen(function* () {
      for (const delay of [0, 10, 20]) {
        const a = defineStep({ accepts: Start, emits: A, run: () => after(10, A({ n: 1 })) })
        const b = defineStep({ accepts: Start, emits: B, run: () => after(delay, B({ n: 2 })) })
        const both = defineStep({ accepts: join([B, A]), emits: Stop, run: (events) => Stop({ text: names(events) }) })
        expect((yield* result(run(workflow({ ...define, steps: { a, b, both } })))).text).toBe("B2 A1")
      }
    })
  )

  it.effect("per document pairs the events of one document, in every timing", () =>
    Effect.gen(function* () {
      expect(yield* pairings(perDoc)).toEqual(["11,22,33"])
    })
  )

  it.effect("without per pairs by arrival, so that timing decides: all six pairings occur", () =>
    Effect.gen(function* () {
      const found = yield* pairings(byArrival as typeof perDoc)
      expect(found.sort()).toEqual(["11,22,33", "11,23,32", "12,21,33", "12,23,31", "13,21,32", "13,22,31"])
    })
  )

  it.effect("runs twice for A A B B, as for any other order, and pairs each type in the order received", () =>
    Effect.gen(function* () {
      for (const events of [
        [...as(1, 2), ...bs(3, 4)],
        [...bs(3, 4), ...as(1, 2)],
        [...as(1), ...bs(3, 4), ...as(2)],
        [...as(1), ...bs(3), ...as(2), ...bs(4)]
      ]) {
        const { log, error } = yield* fed(events, join([A, B]))
        expect(log).toEqual(["A1 B3", "A2 B4"])
        expect(error).toMatchObject({ _tag: "WorkflowStalled" })
      }
    })
  )

  it.effect("takes a type that stands more than once as often, in the order received", () =>
    Effect.gen(function* () {
      const events = [...as(1, 2, 3), ...bs(4), ...as(5), ...bs(6), ...as(7, 8), ...bs(9)]
      const { log } = yield* fed(events, join([A, B, A]))
      expect(log).toEqual(["A1 B4 A2", "A3 B6 A5", "A7 B9 A8"])
    })
  )

  it.effect("of one event alone runs for each", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const one = defineStep({ accepts: join([A]), emits: Stop, run: (events) => void log.push(names(events)) })
      const feed = defineStep({ accepts: Start, emits: A, run: () => as(1, 2) })
      yield* failure(run(workflow({ ...define, steps: { feed, one } })))
      expect(log).toEqual(["A1", "A2"])
    })
  )

  it.effect("takes the opener of its scope as one of its events", () =>
    Effect.gen(function* () {
      const a = defineStep({ accepts: Doc, emits: A, run: ({ n }) => after(10 - n, A({ n })) })
      const both = defineStep({
        accepts: join([A, Doc], { per: Doc }),
        emits: Pair,
        run: ([{ n }, doc]) => Pair({ a: n, b: doc.n })
      })
      expect((yield* result(run(workflow({ ...define, steps: { docs, a, both, finish } })))).text).toBe("11,22,33")
    })
  )

  it.effect("reports in the stall what it has and needs", () =>
    Effect.gen(function* () {
      const { error } = yield* fed([...as(1, 2, 3), ...bs(4)], join([A, B]))
      expect(error).toMatchObject({
        _tag: "WorkflowStalled",
        waiting: [{ step: "step", intake: "join([A, B])", has: { A: 2 }, needs: { B: 1 } }]
      })
      expect(error.message).toContain("step 'step' waits for join([A, B]): has 2 A, needs 1 B")
    })
  )

  it.effect("names in the stall which documents are left", () =>
    Effect.gen(function* () {
      const a = defineStep({ accepts: Doc, emits: A, run: ({ n }) => A({ n }) })
      const b = defineStep({ accepts: Doc, emits: B, run: ({ n }) => (n === 2 ? undefined : B({ n })) })
      const error = yield* failure(run(workflow({ ...define, steps: { docs, a, b, perDoc, finish } })))
      expect(error).toMatchObject({
        waiting: [
          { step: "perDoc", per: { _tag: "Doc", n: 2 }, has: { A: 1 }, needs: { B: 1 } },
          { step: "finish", intake: "collect(Pair, 3)", has: { Pair: 2 }, needs: { Pair: 1 } }
        ]
      })
      expect(error.message).toContain(
        `step 'perDoc' waits for join([B, A], { per: Doc }) of Doc {"n":2}: has 1 A, needs 1 B`
      )
    })
  )

  it.effect("that has nothing says what it needs", () =>
    Effect.gen(function* () {
      const { error } = yield* fed([], join([A, B, A]))
      expect(error).toMatchObject({ waiting: [{ step: "step", has: {}, needs: { A: 2, B: 1 } }] })
    })
  )
})

describe("collect", () => {
  it.effect("runs when there are n, in the order received", () =>
    Effect.gen(function* () {
      const slow = defineStep({ accepts: Doc, emits: A, run: ({ n }) => after(10 - n, A({ n })) })
      const three = defineStep({ accepts: collect(A, 3), emits: Stop, run: (events) => Stop({ text: names(events) }) })
      expect((yield* result(run(workflow({ ...define, steps: { docs, slow, three } })))).text).toBe("A3 A2 A1")
    })
  )

  it.effect("runs again for each n, and keeps the rest", () =>
    Effect.gen(function* () {
      const { log, error } = yield* fed(as(1, 2, 3, 4, 5), collect(A, 2))
      expect(log).toEqual(["A1 A2", "A3 A4"])
      expect(error).toMatchObject({
        waiting: [{ step: "step", intake: "collect(A, 2)", has: { A: 1 }, needs: { A: 1 } }]
      })
    })
  )

  it.effect("of one runs for each", () =>
    Effect.gen(function* () {
      expect((yield* fed(as(1, 2), collect(A, 1))).log).toEqual(["A1", "A2"])
    })
  )

  it.effect("of several types counts them together", () =>
    Effect.gen(function* () {
      const { log, error } = yield* fed([...as(1), ...bs(2), ...as(3, 4)], collect([A, B], 3))
      expect(log).toEqual(["A1 B2 A3"])
      expect(error.message).toContain("waits for collect([A, B], 3): has 1 A, needs 2 A or B")
    })
  )

  it.effect("per document counts each document's own", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 20; seed++) {
        const next = random(seed)
        const twice = defineStep({
          accepts: Doc,
          emits: A,
          run: ({ n }, ctx) =>
            Effect.gen(function* () {
              yield* Effect.sleep(Math.floor(next() * 20))
              ctx.send(A({ n }))
              yield* Effect.sleep(Math.floor(next() * 20))
              return A({ n: 10 * n })
            })
        })
        const two = defineStep({
          accepts: collect(A, 2, { per: Doc }),
          emits: Pair,
          run: ([first, second], { per }) => {
            expect(first!.n).toBe(per.n)
            return Pair({ a: first!.n, b: second!.n })
          }
        })
        const { text } = yield* result(run(workflow({ ...define, steps: { docs, twice, two, finish } })))
        expect(text).toBe("110,220,330")
      }
    })
  )
})
