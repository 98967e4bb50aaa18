import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { collect, defineEvent, defineStep, gather, join, race, run, workflow } from "stepgraph"
import { failure, result } from "../support/virtual.ts"

const Start = defineEvent("Start")
const Doc = defineEvent("Doc", { doc: Schema.String, millis: Schema.Number })
const A = defineEvent("A", { n: Schema.Number })
const B = defineEvent("B", { n: Schema.Number })
const Pair = defineEvent("Pair", { text: Schema.String })
const Stop = defineEvent("Stop", { text: Schema.String })

type Given = ReadonlyArray<ReturnType<typeof A> | ReturnType<typeof B> | undefined>
const names = (events: Given) => events.map((event) => (event === undefined ? "-" : `${event._tag}${event.n}`)).join("")
const define = { name: "deadlines", start: Start, stop: Stop }
const after = <A>(millis: number, value: A) => Effect.as(Effect.sleep(millis), value)
const timed = (text: string) => Effect.map(Clock.currentTimeMillis, (now) => Pair({ text: `${text} at ${now}` }))

const all = defineStep({
  accepts: gather(Pair),
  emits: Stop,
  run: (pairs) => Stop({ text: pairs.map(({ text }) => text).join(", ") })
})
const within = 100
const both = defineStep({ accepts: join([A, B], { within }), emits: Pair, run: (events) => timed(names(events)) })
const three = defineStep({
  accepts: collect([A, B], 3, { within }),
  emits: Pair,
  run: (events) => timed(names(events))
})

type Timed = readonly [at: number, event: ReturnType<typeof A> | ReturnType<typeof B>]

/** Sends events, each at its time. */
const feed = (...events: ReadonlyArray<Timed>) =>
  defineStep({
    accepts: Start,
    emits: [A, B],
    run: (_, { send }) =>
      Effect.forEach(
        events,
        ([at, event]) =>
          Effect.andThen(
            Effect.sleep(at),
            Effect.sync(() => send(event))
          ),
        { concurrency: "unbounded", discard: true }
      )
  })
const told = (step: typeof both | typeof three, ...events: ReadonlyArray<Timed>) =>
  Effect.map(
    result(run(workflow({ ...define, steps: { feed: feed(...events), step: step as typeof both, all } }))),
    ({ text }) => text
  )
const a = (n = 1) => A({ n })
const b = (n = 1) => B({ n })

describe("within", () => {
  it.effect("runs a join at the deadline, with undefined for missing events", () =>
    Effect.gen(function* () {
      expect(yield* told(both, [10, a()])).toBe("A1- at 110")
      expect(yield* told(both, [10, b()])).toBe("-B1 at 110")
    })
  )

  it.effect("runs a collect at the deadline with fewer events", () =>
    Effect.gen(function* () {
      expect(yield* told(three, [0, a()])).toBe("A1 at 100")
      expect(yield* told(three, [5, a()], [50, b()])).toBe("A1B1 at 105")
    })
  )

  it.effect("runs at once, and only once, when all come in time", () =>
    Effect.gen(function* () {
      expect(yield* told(both, [10, a()], [109, b()])).toBe("A1B1 at 109")
      expect(yield* told(three, [0, a()], [1, b()], [2, a(2)])).toBe("A1B1A2 at 2")
    })
  )

  it.effect("counts from the first event, not from the last", () =>
    Effect.gen(function* () {
      expect(yield* told(three, [0, a()], [90, b()], [150, a(2)])).toBe("A1B1 at 100, A2 at 250")
    })
  )

  it.effect("starts again with the first event after the deadline", () =>
    Effect.gen(function* () {
      expect(yield* told(both, [0, a()], [101, b()])).toBe("A1- at 100, -B1 at 201")
    })
  )

  it.effect("counts from the arrival of the surplus", () =>
    Effect.gen(function* () {
      expect(yield* told(both, [0, a(1)], [30, a(2)], [40, b()])).toBe("A1B1 at 40, A2- at 130")
      expect(yield* told(both, [0, a(1)], [30, a(2)])).toBe("A1- at 100, A2- at 130")
      expect(yield* told(both, [0, a(1)], [30, a(2)], [60, a(3)], [120, b()])).toBe(
        "A1- at 100, A2B1 at 120, A3- at 160"
      )
    })
  )

  it.effect("has a deadline for each key", () =>
    Effect.gen(function* () {
      const keyed = defineStep({
        accepts: join([A, B], { within, by: ({ n }) => n }),
        emits: Pair,
        run: (events) => timed(names(events))
      })
      const text = yield* told(keyed, [0, a(1)], [20, a(2)], [30, b(3)], [40, b(2)], [60, b(4)])
      expect(text.split(", ").sort()).toEqual(["-B3 at 130", "-B4 at 160", "A1- at 100", "A2B2 at 40"])
    })
  )

  it.effect("has a deadline for each scope, and holds back its gathers", () =>
    Effect.gen(function* () {
      const docs = defineStep({
        accepts: Start,
        emits: Doc,
        run: () => [Doc({ doc: "x", millis: 10 }), Doc({ doc: "y", millis: 300 })]
      })
      const quick = defineStep({ accepts: Doc, emits: A, run: () => a() })
      const slow = defineStep({ accepts: Doc, emits: B, run: ({ millis }) => after(millis, b()) })
      const perDoc = defineStep({
        accepts: join([A, B], { within, per: Doc }),
        emits: Pair,
        run: (events) => timed(names(events))
      })
      const Read = defineEvent("Read", { text: Schema.String })
      const docRead = defineStep({
        accepts: gather(Pair, { per: Doc }),
        emits: Read,
        run: (pairs, { per }) => Read({ text: `${per.doc}(${pairs.map(({ text }) => text)})` })
      })
      const end = defineStep({
        accepts: gather(Read),
        emits: Stop,
        run: (reads) => Stop({ text: reads.map(({ text }) => text).join(" ") })
      })
      const flow = workflow({ ...define, steps: { docs, quick, slow, perDoc, docRead, end } })
      expect((yield* result(run(flow))).text).toBe("x(A1B1 at 10) y(A1- at 100,-B1 at 400)")
    })
  )

  it.effect("holds back the gather of a document for a deadline by key", () =>
    Effect.gen(function* () {
      // The join has no `per`, but all that it holds for a key is of one document: it will run in there.
      const docs = defineStep({
        accepts: Start,
        emits: Doc,
        run: () => [1, 2].map((millis) => Doc({ doc: `${millis}`, millis }))
      })
      const halves = defineStep({
        accepts: Doc,
        emits: [A, B],
        run: ({ millis: n }) => (n === 1 ? [a(n), b(n)] : a(n))
      })
      const keyed = defineStep({
        accepts: join([A, B], { within, by: ({ n }) => n }),
        emits: Pair,
        run: (events) => timed(names(events))
      })
      const Read = defineEvent("Read", { text: Schema.String })
      const docRead = defineStep({
        accepts: gather(Pair, { per: Doc }),
        emits: Read,
        run: (pairs, { per }) => Read({ text: `${per.doc}(${pairs.map(({ text }) => text)})` })
      })
      const end = defineStep({
        accepts: gather(Read),
        emits: Stop,
        run: (reads) => Stop({ text: reads.map(({ text }) => text).join(" ") })
      })
      const flow = workflow({ ...define, steps: { docs, halves, keyed, docRead, end } })
      expect((yield* result(run(flow))).text).toBe("1(A1B1 at 0) 2(A2- at 100)")
    })
  )

  it.effect("gives a step that is retried the same events again", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const shaky = defineStep({
        accepts: join([A, B], { within }),
        emits: Pair,
        retry: { times: 1 },
        run: (events, { attempt }) => {
          seen.push(names(events))
          return attempt === 1 ? Effect.fail("not yet") : timed(names(events))
        }
      })
      expect(yield* told(shaky as unknown as typeof both, [0, a()], [500, b()])).toBe("A1- at 100, -B1 at 600")
      expect(seen).toEqual(["A1-", "A1-", "-B1", "-B1"])
    })
  )

  it.live("follows the real clock, too", () =>
    Effect.gen(function* () {
      const finish = defineStep({
        accepts: join([A, B], { within: 20 }),
        emits: Stop,
        run: (events) => Stop({ text: names(events) })
      })
      const one = defineStep({ accepts: Start, emits: [A, B], run: () => [a()] })
      expect((yield* run(workflow({ ...define, steps: { one, finish } }))).text).toBe("A1-")
    })
  )
})

describe("a last event at the very instant of the deadline", () => {
  const first = defineStep({ accepts: Start, emits: A, run: () => a() })
  const exactly = (effect: Effect.Effect<ReturnType<typeof B>>) =>
    defineStep({ accepts: Start, emits: B, run: () => effect })
  const Hop = defineEvent("Hop")

  const last = {
    "of a step that sleeps": { second: exactly(after(within, b())) },
    "of a step that sleeps twice": { second: exactly(Effect.andThen(Effect.sleep(40), after(60, b()))) },
    "of a step that lets others go first": {
      second: exactly(Effect.andThen(Effect.sleep(within), Effect.as(Effect.yieldNow, b())))
    },
    "of a step with a timeout": {
      second: defineStep({ accepts: Start, emits: B, timeout: 500, run: () => after(within, b()), recover: () => b(2) })
    },
    "of a step that times out and is recovered": {
      second: defineStep({ accepts: Start, emits: B, timeout: within, run: () => after(500, b(2)), recover: () => b() })
    },
    "of a step behind another": {
      second: defineStep({ accepts: Start, emits: Hop, run: () => after(within, Hop()) }),
      third: defineStep({ accepts: Hop, emits: B, run: () => Effect.as(Effect.yieldNow, b()) })
    },
    "of a step behind an async one": {
      second: defineStep({ accepts: Start, emits: Hop, run: () => after(within, Hop()) }),
      third: defineStep({ accepts: Hop, emits: B, run: async () => b() })
    }
  }
  const cases = Object.entries(last).flatMap(([name, steps]) => [
    { name, order: "first", steps: { first, ...steps, both, all } },
    { name, order: "last", steps: { both, ...steps, first, all } }
  ])
  it.effect.each(cases)("$name makes one run, with the first event's step $order", ({ steps }) =>
    Effect.gen(function* () {
      const { text } = yield* result(run(workflow({ ...define, steps: steps as never })))
      expect(text).toBe("A1B1 at 100")
    })
  )

  it.effect("makes one run of a collect", () =>
    Effect.gen(function* () {
      expect(yield* told(three, [0, a()], [50, a(2)], [100, b()])).toBe("A1A2B1 at 100")
      expect(yield* told(three, [100, b()], [50, a(2)], [0, a()])).toBe("A1A2B1 at 100")
    })
  )

  it.effect("makes one run for each of several keys", () =>
    Effect.gen(function* () {
      const keyed = defineStep({
        accepts: join([A, B], { within, by: ({ n }) => n }),
        emits: Pair,
        run: (events) => timed(names(events))
      })
      const text = yield* told(keyed, [0, a(1)], [0, a(2)], [0, a(3)], [100, b(3)], [100, b(1)])
      expect(text.split(", ").sort()).toEqual(["A1B1 at 100", "A2- at 100", "A3B3 at 100"])
    })
  )

  it.effect("belongs to the next round if that one is complete", () =>
    Effect.gen(function* () {
      expect(yield* told(both, [0, a(1)], [100, b(1)], [100, b(2)])).toBe("A1B1 at 100, -B2 at 200")
    })
  )
})

describe("a pending deadline", () => {
  it.effect("is not a stall, and holds back a gather downstream", () =>
    Effect.gen(function* () {
      expect(yield* told(both, [0, a(1)], [0, a(2)], [0, b(1)])).toBe("A1B1 at 0, A2- at 100")
    })
  )

  it.effect("does not hold back a gather that it cannot lead to", () =>
    Effect.gen(function* () {
      const Other = defineEvent("Other")
      const aside = defineStep({ accepts: join([A, B], { within }), emits: [], run: () => {} })
      const other = defineStep({ accepts: Start, emits: Other, run: () => after(5, Other()) })
      const end = defineStep({
        accepts: gather(Other),
        emits: Stop,
        run: () => Effect.map(Clock.currentTimeMillis, (now) => Stop({ text: `${now}` }))
      })
      const flow = workflow({ ...define, steps: { feed: feed([0, a()]), aside, other, end } })
      expect((yield* result(run(flow))).text).toBe("5")
    })
  )

  it.effect("is cancelled when the run stops: the run ends at once, and the step never runs", () =>
    Effect.gen(function* () {
      const runs: Array<string> = []
      const late = defineStep({
        accepts: join([A, B], { within }),
        emits: [],
        run: (events) => void runs.push(names(events))
      })
      const stop = defineStep({ accepts: Start, emits: Stop, run: () => after(10, Stop({ text: "" })) })
      const flow = workflow({ ...define, steps: { feed: feed([0, a()]), late, stop } })
      const at = yield* result(Effect.andThen(run(flow), Clock.currentTimeMillis))
      expect(at).toBe(10)
      expect(runs).toEqual([])
    })
  )

  it.effect("is cancelled when the run fails or is interrupted", () =>
    Effect.gen(function* () {
      const runs: Array<string> = []
      const late = defineStep({
        accepts: join([A, B], { within }),
        emits: Stop,
        run: (events) => void runs.push(names(events))
      })
      const fail = defineStep({
        accepts: Start,
        emits: Stop,
        run: () => Effect.andThen(Effect.sleep(10), Effect.fail("no"))
      })
      expect(yield* failure(run(workflow({ ...define, steps: { feed: feed([0, a()]), late, fail } })))).toBe("no")
      const fiber = yield* Effect.forkChild(run(workflow({ ...define, steps: { feed: feed([0, a()]), late } })))
      yield* TestClock.adjust(50)
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust(500)
      expect(runs).toEqual([])
    })
  )

  it.effect("is cancelled by a race that it leads to, so that a gather around does not wait for it", () =>
    Effect.gen(function* () {
      const docs = defineStep({
        accepts: Start,
        emits: Doc,
        run: () => [1, 7].map((millis) => Doc({ doc: "x", millis }))
      })
      const halves = defineStep({ accepts: Doc, emits: A, run: () => a() })
      const others = defineStep({
        accepts: Doc,
        emits: Pair,
        run: ({ millis }) => after(millis, Pair({ text: `${millis}` }))
      })
      const perDoc = defineStep({
        accepts: join([A, B], { within, per: Doc }),
        emits: Pair,
        run: (events) => timed(names(events))
      })
      const toB = defineStep({ accepts: Doc, emits: B, run: () => {} })
      const Best = defineEvent("Best", { text: Schema.String })
      const first = defineStep({ accepts: race(Pair, { per: Doc }), emits: Best, run: ({ text }) => Best({ text }) })
      const end = defineStep({
        accepts: gather(Best),
        emits: Stop,
        run: (bests) =>
          Effect.map(Clock.currentTimeMillis, (now) => Stop({ text: `${bests.map(({ text }) => text)} at ${now}` }))
      })
      const flow = workflow({ ...define, steps: { docs, halves, others, toB, perDoc, first, end } })
      expect((yield* result(run(flow))).text).toBe("1,7 at 7")
    })
  )

  it.effect("that a race has cancelled does not prevent a new one for a later event", () =>
    Effect.gen(function* () {
      // The pair leads to the race and to the end; a first half waits when the race is decided, another one comes after.
      const Again = defineEvent("Again")
      const half = defineStep({
        accepts: [Start, Again],
        emits: [A, B],
        run: ({ _tag }) => A({ n: _tag === "Start" ? 1 : 2 })
      })
      const quick = defineStep({ accepts: Start, emits: Doc, run: () => after(50, Doc({ doc: "x", millis: 0 })) })
      const pair = defineStep({ accepts: join([A, B], { within }), emits: Pair, run: (events) => timed(names(events)) })
      const first = defineStep({
        accepts: race([Pair, Doc]),
        emits: Again,
        run: () => after(200, Again())
      })
      const finish = defineStep({ accepts: Pair, emits: Stop, run: ({ text }) => Stop({ text }) })
      const flow = workflow({ ...define, steps: { half, quick, pair, first, finish } })
      const { text } = yield* result(run(flow))
      expect(text).toMatch(/^A[12]- at/)
    })
  )

  it.effect("lets a race cancel the round that its own event completes", () =>
    Effect.gen(function* () {
      const given: Array<Given> = []
      const begin = defineStep({ accepts: Start, emits: [A, B], run: () => [b(), a()] })
      const first = defineStep({ accepts: race(A), emits: Pair, run: (event) => timed(names([event])) })
      const two = defineStep({
        accepts: collect([B, A], 2, { within }),
        emits: A,
        run: (events) => {
          given.push(events)
        }
      })
      expect(yield* result(run(workflow({ ...define, steps: { begin, first, two, all } })))).toMatchObject({
        text: "A1 at 0"
      })
      expect(given).toEqual([])
    })
  )

  it.effect("of a complete round decides no race before all events returned together are delivered", () =>
    Effect.gen(function* () {
      const Late = defineEvent("Late")
      let late = 0
      const begin = defineStep({ accepts: Start, emits: [A, B, Late], run: () => [b(1), a(), b(2), Late()] })
      const first = defineStep({ accepts: race(A), emits: Pair, run: (event) => timed(names([event])) })
      const pair = defineStep({
        accepts: collect(B, 2, { within }),
        emits: Pair,
        run: (events) => timed(names(events))
      })
      const upstream = defineStep({ accepts: Late, emits: A, run: () => void late++ })
      expect(yield* result(run(workflow({ ...define, steps: { begin, first, pair, upstream, all } })))).toMatchObject({
        text: expect.stringContaining("B1B2 at 0")
      })
      expect(late).toBe(0)
    })
  )

  it.effect("that never ends is ignored: the run stalls", () =>
    Effect.gen(function* () {
      const forever = defineStep({
        accepts: join([A, B], { within: Duration.infinity }),
        emits: Stop,
        run: () => Stop({ text: "" })
      })
      const error = yield* failure(run(workflow({ ...define, steps: { feed: feed([0, a()]), forever } })))
      expect(error).toMatchObject({ _tag: "WorkflowStalled", waiting: [{ step: "forever", has: { A: 1 } }] })
    })
  )

  it.effect("of 0 runs at once", () =>
    Effect.gen(function* () {
      const hasty = defineStep({
        accepts: join([A, B], { within: 0 }),
        emits: Pair,
        run: (events) => timed(names(events))
      })
      expect(yield* told(hasty, [10, a()])).toBe("A1- at 10")
    })
  )

  it.effect("is named with its events when the workflow times out", () =>
    Effect.gen(function* () {
      const flow = workflow({ ...define, timeout: 50, steps: { feed: feed([0, a()]), both, all } })
      expect(yield* failure(run(flow))).toMatchObject({
        _tag: "WorkflowTimedOut",
        waiting: [{ step: "both", intake: "join([A, B], { within: 100ms })", has: { A: 1 }, needs: { B: 1 } }]
      })
    })
  )
})
