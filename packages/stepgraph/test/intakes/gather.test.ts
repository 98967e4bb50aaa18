import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Schema, Stream } from "effect"
import { defineEvent, defineStep, gather, run, workflow } from "stepgraph"
import { failure, result } from "../support/virtual.ts"

const Start = defineEvent("Start")
const Query = defineEvent("Query", { n: Schema.Number })
const Answer = defineEvent("Answer", { n: Schema.Number })
const Note = defineEvent("Note", { n: Schema.Number })
const Summary = defineEvent("Summary", { ns: Schema.Array(Schema.Number) })
const Stop = defineEvent("Stop", { ns: Schema.Array(Schema.Number) })

const numbers = (events: ReadonlyArray<{ readonly n: number }>) => events.map(({ n }) => n)
const queries = (...ns: ReadonlyArray<number>) => ns.map((n) => Query({ n }))
const ask = (...ns: ReadonlyArray<number>) => defineStep({ accepts: Start, emits: Query, run: () => queries(...ns) })
const after = <A>(millis: number, value: A) => Effect.as(Effect.sleep(millis), value)

/** The later a query was emitted, the sooner it is answered. */
const search = defineStep({
  accepts: Query,
  emits: Answer,
  workers: "unbounded",
  run: ({ n }) => after(1000 - n, Answer({ n }))
})
const finish = defineStep({
  accepts: gather(Answer),
  emits: Stop,
  run: (answers) => Stop({ ns: numbers(answers) })
})
const define = { name: "gather", start: Start, stop: Stop }

describe("gather", () => {
  it.effect("gives the events in the order of emission, not of arrival", () =>
    Effect.gen(function* () {
      const flow = workflow({ ...define, steps: { ask: ask(1, 2, 3, 4, 5), search, finish } })
      expect((yield* result(run(flow))).ns).toEqual([1, 2, 3, 4, 5])
    })
  )

  describe("of an empty fan-out gives []", () => {
    const empty = {
      "an empty list": () => [],
      "nothing at all": () => {},
      "a generator that yields nothing": function* () {},
      "an async generator that yields nothing": async function* () {},
      "a promise of nothing": async () => {},
      "an Effect of an empty list": () => after(10, []),
      "an empty stream": () => Stream.empty
    }
    it.effect.each(Object.entries(empty))("%s", ([, nothing]) =>
      Effect.gen(function* () {
        const fan = defineStep({ accepts: Start, emits: Query, run: nothing as () => [] })
        const flow = workflow({ ...define, steps: { fan, search, finish } })
        expect((yield* result(run(flow))).ns).toEqual([])
      })
    )
  })

  it.effect("gives [] when every branch was dropped", () =>
    Effect.gen(function* () {
      const drop = defineStep({ accepts: Query, emits: Answer, run: ({ n }) => Effect.sleep(n) })
      const flow = workflow({ ...define, steps: { ask: ask(1, 2, 3), drop, finish } })
      expect((yield* result(run(flow))).ns).toEqual([])
    })
  )

  it.effect("gives what is left when some branches were dropped", () =>
    Effect.gen(function* () {
      const odd = defineStep({
        accepts: Query,
        emits: Answer,
        run: ({ n }) => after(100 - n, n % 2 === 1 ? Answer({ n }) : undefined)
      })
      const flow = workflow({ ...define, steps: { ask: ask(1, 2, 3, 4, 5), odd, finish } })
      expect((yield* result(run(flow))).ns).toEqual([1, 3, 5])
    })
  )

  it.effect("gives one event without a fan-out", () =>
    Effect.gen(function* () {
      const only = defineStep({ accepts: Start, emits: Answer, run: () => Answer({ n: 7 }) })
      const flow = workflow({ ...define, steps: { only, finish } })
      expect((yield* result(run(flow))).ns).toEqual([7])
    })
  )

  it.effect("accepts the start event directly", () =>
    Effect.gen(function* () {
      const Begin = defineEvent("Begin", { n: Schema.Number })
      const all = defineStep({ accepts: gather(Begin), emits: Stop, run: (begins) => Stop({ ns: numbers(begins) }) })
      const flow = workflow({ ...define, start: Begin, steps: { all } })
      expect((yield* result(run(flow, { n: 3 }))).ns).toEqual([3])
    })
  )

  it.effect("waits for branches of several hops, short ones and long", () =>
    Effect.gen(function* () {
      const Hop = defineEvent("Hop", { n: Schema.Number })
      const first = defineStep({
        accepts: Query,
        emits: [Hop, Answer],
        run: ({ n }) => after(n, n % 2 ? Hop({ n }) : Answer({ n }))
      })
      const second = defineStep({ accepts: Hop, emits: Note, run: async ({ n }) => Note({ n }) })
      const third = defineStep({ accepts: Note, emits: Answer, run: ({ n }) => after(500 - n, Answer({ n })) })
      const flow = workflow({ ...define, steps: { ask: ask(1, 2, 3, 4), first, second, third, finish } })
      expect((yield* result(run(flow))).ns).toEqual([1, 2, 3, 4])
    })
  )

  it.effect("gives all that branches emit, each branch's own together", () =>
    Effect.gen(function* () {
      const many = defineStep({
        accepts: Query,
        emits: Answer,
        run: ({ n }, ctx) =>
          Effect.gen(function* () {
            yield* Effect.sleep(100 - n)
            for (let i = 0; i < n; i++) {
              ctx.send(Answer({ n: 10 * n + i }))
              yield* Effect.sleep(7)
            }
            return [Answer({ n: 10 * n + n }), Answer({ n: 10 * n + n + 1 })]
          })
      })
      const flow = workflow({ ...define, steps: { ask: ask(0, 2, 1), many, finish } })
      expect((yield* result(run(flow))).ns).toEqual([0, 1, 20, 21, 22, 23, 10, 11, 12])
    })
  )

  it.effect("waits for further events that branches emit before they answer", () =>
    Effect.gen(function* () {
      const halve = defineStep({
        accepts: Query,
        emits: [Query, Answer],
        run: ({ n }) => after(n, n > 1 ? queries(Math.floor(n / 2), Math.ceil(n / 2)) : Answer({ n }))
      })
      const flow = workflow({ ...define, steps: { ask: ask(13, 8), halve, finish } })
      expect((yield* result(run(flow))).ns).toEqual(Array.from({ length: 21 }, () => 1))
    })
  )

  it.effect("runs once for a fan-out of ten thousand that is pulled as there is room", () =>
    Effect.gen(function* () {
      let runs = 0
      const fan = defineStep({
        accepts: Start,
        emits: Query,
        run: function* () {
          for (let n = 0; n < 10_000; n++) yield Query({ n })
        }
      })
      const answer = defineStep({ accepts: Query, emits: Answer, workers: 1, run: ({ n }) => Answer({ n }) })
      const all = defineStep({
        accepts: gather(Answer),
        emits: Stop,
        run: (answers) => {
          runs++
          return Stop({ ns: numbers(answers) })
        }
      })
      const { ns } = yield* result(run(workflow({ ...define, steps: { fan, answer, all } })))
      expect(ns).toEqual(Array.from({ length: 10_000 }, (_, n) => n))
      expect(runs).toBe(1)
    })
  )

  it.effect("does not wait for a slow branch that cannot lead to it", () =>
    Effect.gen(function* () {
      const slow = defineStep({ accepts: Query, emits: Note, run: ({ n }) => after(60_000, Note({ n })) })
      const never = defineStep({ accepts: Note, emits: Stop, run: () => Stop({ ns: [-1] }) })
      const timed = defineStep({
        accepts: gather(Answer),
        emits: Stop,
        run: () => Effect.map(Clock.currentTimeMillis, (now) => Stop({ ns: [now] }))
      })
      const flow = workflow({ ...define, steps: { ask: ask(1, 2, 3), slow, never, search, timed } })
      expect((yield* result(run(flow))).ns).toEqual([999])
    })
  )

  it.effect("makes one batch of two producers", () =>
    Effect.gen(function* () {
      const left = defineStep({
        accepts: Start,
        emits: Answer,
        run: () => after(50, [Answer({ n: 1 }), Answer({ n: 2 })])
      })
      const right = defineStep({ accepts: Start, emits: Answer, run: () => Answer({ n: 3 }) })
      const flow = workflow({ ...define, steps: { left, right, finish } })
      expect((yield* result(run(flow))).ns).toEqual([1, 2, 3])
    })
  )

  it.effect("of several types gives them together, in the order they were emitted", () =>
    Effect.gen(function* () {
      const either = defineStep({
        accepts: Query,
        emits: [Answer, Note],
        run: ({ n }) => after(100 - n, n % 2 ? [Answer({ n }), Note({ n: -n })] : Note({ n }))
      })
      const both = defineStep({
        accepts: gather([Note, Answer]),
        emits: Stop,
        run: (events) => Stop({ ns: events.map((event) => (event._tag === "Note" ? 1000 : 0) + event.n) })
      })
      const flow = workflow({ ...define, steps: { ask: ask(1, 2, 3), either, both } })
      expect((yield* result(run(flow))).ns).toEqual([1, 999, 1002, 3, 997])
    })
  )

  it.effect("leaves an event to every gather and step that accepts it", () =>
    Effect.gen(function* () {
      const heard: Array<unknown> = []
      const count = defineStep({
        accepts: gather(Answer),
        emits: Note,
        run: ({ length }) => after(5, Note({ n: length }))
      })
      const listen = defineStep({ accepts: Answer, emits: [], run: ({ n }) => void heard.push(n) })
      const all = defineStep({
        accepts: gather([Answer, Note]),
        emits: Stop,
        run: (events) => Stop({ ns: numbers(events) })
      })
      const flow = workflow({ ...define, steps: { ask: ask(7, 8), search, count, listen, all } })
      const { ns } = yield* result(run(flow))
      expect([...ns].sort()).toEqual([2, 7, 8])
      expect(heard).toEqual([8, 7])
    })
  )

  it.effect("gives a cause before its effects, whatever the order of the steps", () =>
    Effect.gen(function* () {
      const echo = defineStep({
        accepts: Answer,
        emits: Note,
        run: ({ n }) => after(100 - n, [Note({ n: n + 1 }), Note({ n: n + 2 })])
      })
      const all = defineStep({
        accepts: gather([Answer, Note]),
        emits: Stop,
        run: (events) => Stop({ ns: numbers(events) })
      })
      const steps = { ask: ask(10, 20), search }
      const first = yield* result(run(workflow({ ...define, steps: { all, echo, ...steps } })))
      const last = yield* result(run(workflow({ ...define, steps: { ...steps, echo, all } })))
      expect(first.ns).toEqual([10, 11, 12, 20, 21, 22])
      expect(last.ns).toEqual(first.ns)
    })
  )

  it.effect("runs nothing when the run stops before it is quiet", () =>
    Effect.gen(function* () {
      let runs = 0
      const all = defineStep({
        accepts: gather(Answer),
        emits: Stop,
        run: (answers) => {
          runs++
          return Stop({ ns: numbers(answers) })
        }
      })
      const stop = defineStep({ accepts: Start, emits: Stop, run: () => after(998, Stop({ ns: [0] })) })
      const flow = workflow({ ...define, steps: { ask: ask(1, 2, 3), search, all, stop } })
      expect((yield* result(run(flow))).ns).toEqual([0])
      expect(runs).toBe(0)
    })
  )

  it.effect("that emits nothing lets the run stall at once", () =>
    Effect.gen(function* () {
      const mute = defineStep({ accepts: gather(Answer), emits: Stop, run: () => {} })
      const error = yield* failure(run(workflow({ ...define, steps: { ask: ask(1), search, mute } })))
      expect(error).toMatchObject({ _tag: "WorkflowStalled", waiting: [] })
    })
  )
})

describe("gather in rounds", () => {
  it.effect("runs once each round of a loop that fans out again", () =>
    Effect.gen(function* () {
      const seen: Array<ReadonlyArray<number>> = []
      const again = defineStep({
        accepts: gather(Answer),
        emits: [Query, Stop],
        run: (answers) => {
          const ns = numbers(answers)
          seen.push(ns)
          return ns[0]! < 200 ? queries(...ns.map((n) => n + 100), 5) : Stop({ ns })
        }
      })
      const flow = workflow({ ...define, steps: { ask: ask(1, 2), search, again } })
      yield* result(run(flow))
      expect(seen).toEqual([
        [1, 2],
        [101, 102, 5],
        [201, 202, 105, 5]
      ])
    })
  )

  it.effect("runs with [] for a round whose branches were all dropped", () =>
    Effect.gen(function* () {
      const seen: Array<ReadonlyArray<number>> = []
      const drop = defineStep({
        accepts: Query,
        emits: Answer,
        run: ({ n }) => after(n, n > 2 ? undefined : Answer({ n }))
      })
      const again = defineStep({
        accepts: gather(Answer),
        emits: [Query, Stop],
        run: (answers) => {
          seen.push(numbers(answers))
          return answers.length > 0 ? queries(...answers.map(({ n }) => n + 1)) : Stop({ ns: [] })
        }
      })
      yield* result(run(workflow({ ...define, steps: { ask: ask(1, 2), drop, again } })))
      expect(seen).toEqual([[1, 2], [2], []])
    })
  )

  it.effect("does not run again after a round that started nothing", () =>
    Effect.gen(function* () {
      let runs = 0
      const once = defineStep({
        accepts: gather(Answer),
        emits: [Query, Stop],
        run: () => {
          runs++
        }
      })
      const error = yield* failure(run(workflow({ ...define, steps: { ask: ask(1, 2), search, once } })))
      expect(error._tag).toBe("WorkflowStalled")
      expect(runs).toBe(1)
    })
  )

  it.effect("takes its own step's emissions as the next round, and has none if there are none", () =>
    Effect.gen(function* () {
      const seen: Array<ReadonlyArray<number>> = []
      const three = defineStep({ accepts: Start, emits: Answer, run: () => [3, 2, 1].map((n) => Answer({ n })) })
      const fewer = defineStep({
        accepts: gather(Answer),
        emits: [Answer, Stop],
        run: (answers) => {
          seen.push(numbers(answers))
          return answers.slice(1)
        }
      })
      const error = yield* failure(run(workflow({ ...define, steps: { three, fewer } })))
      expect(error._tag).toBe("WorkflowStalled")
      expect(seen).toEqual([[3, 2, 1], [2, 1], [1]])
    })
  )

  it.effect("holds back the next round while its own step is running", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const slow = defineStep({
        accepts: gather(Answer),
        emits: [Query, Stop],
        run: (answers, ctx) =>
          Effect.gen(function* () {
            const ns = numbers(answers)
            log.push(`begins ${ns}`)
            if (ns[0] === 3) return Stop({ ns })
            // The next round's first answer is there long before this one ends, and its second is emitted at the end.
            ctx.send(Query({ n: 3 }))
            yield* Effect.sleep(10_000)
            log.push(`ends ${ns}`)
            return Query({ n: 4 })
          })
      })
      const flow = workflow({ ...define, steps: { ask: ask(1, 2), search, slow } })
      expect((yield* result(run(flow))).ns).toEqual([3, 4])
      expect(log).toEqual(["begins 1,2", "ends 1,2", "begins 3,4"])
    })
  )
})

describe("two gathers", () => {
  const summarize = defineStep({
    accepts: gather(Answer),
    emits: Note,
    run: (answers) =>
      after(
        50,
        answers.map(({ n }) => Note({ n: n * 10 }))
      )
  })
  const all = defineStep({ accepts: gather(Note), emits: Stop, run: (notes) => Stop({ ns: numbers(notes) }) })

  it.effect("one after the other run once each", () =>
    Effect.gen(function* () {
      const flow = workflow({ ...define, steps: { all, summarize, search, ask: ask(1, 2, 3) } })
      expect((yield* result(run(flow))).ns).toEqual([10, 20, 30])
    })
  )

  it.effect("one after the other both give [] of an empty fan-out", () =>
    Effect.gen(function* () {
      const flow = workflow({ ...define, steps: { ask: ask(), search, summarize, all } })
      expect((yield* result(run(flow))).ns).toEqual([])
    })
  )

  it.effect("one after the other run once when the second has branches of its own, slow or quick", () =>
    Effect.gen(function* () {
      for (const delay of [0, 1, 998, 999, 1000, 1049, 1050, 5000]) {
        const seen: Array<ReadonlyArray<number>> = []
        const side = defineStep({ accepts: Start, emits: Note, run: () => after(delay, Note({ n: 1 })) })
        const once = defineStep({
          accepts: gather(Note),
          emits: Stop,
          run: (notes) => {
            seen.push(numbers(notes))
            return Stop({ ns: [] })
          }
        })
        yield* result(run(workflow({ ...define, steps: { ask: ask(1, 2), search, side, summarize, once } })))
        expect(seen, `after ${delay}`).toEqual([[10, 20, 1]])
      }
    })
  )

  it.effect("in a circle take turns", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const forth = defineStep({
        accepts: gather(Answer),
        emits: Note,
        run: (answers) => {
          log.push(`forth ${numbers(answers)}`)
          return after(
            10,
            answers.map(({ n }) => Note({ n: n + 1 }))
          )
        }
      })
      const back = defineStep({
        accepts: gather(Note),
        emits: [Answer, Stop],
        run: (notes) => {
          log.push(`back ${numbers(notes)}`)
          return after(10, notes[0]!.n > 3 ? Stop({ ns: [] }) : notes.map(({ n }) => Answer({ n: n * 2 })))
        }
      })
      const flow = workflow({ ...define, steps: { back, forth, search, ask: ask(0, 1) } })
      yield* result(run(flow))
      expect(log).toEqual(["forth 0,1", "back 1,2", "forth 2,4", "back 3,5", "forth 6,10", "back 7,11"])
    })
  )

  it.effect("in a circle run one after the other when both have something at the start", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const fan = defineStep({ accepts: Start, emits: [Answer, Note], run: () => [Note({ n: 9 }), Answer({ n: 1 })] })
      const forth = defineStep({
        accepts: gather(Answer),
        emits: Note,
        run: (answers) => {
          log.push(`forth ${numbers(answers)}`)
          return answers.map(({ n }) => Note({ n: n + 1 }))
        }
      })
      const back = defineStep({
        accepts: gather(Note),
        emits: [Answer, Stop],
        run: (notes) => {
          log.push(`back ${numbers(notes)}`)
          return notes.length > 1 ? Answer({ n: 5 }) : Stop({ ns: numbers(notes) })
        }
      })
      const flow = workflow({ ...define, steps: { fan, forth, back } })
      expect((yield* result(run(flow))).ns).toEqual([6])
      expect(log).toEqual(["forth 1", "back 9,2", "forth 5", "back 6"])
    })
  )

  it.effect("of which one feeds the other's branches see the whole of it", () =>
    Effect.gen(function* () {
      const deep = defineStep({ accepts: Summary, emits: Query, run: ({ ns }) => ns.map((n) => Query({ n: n + 100 })) })
      const look = defineStep({
        accepts: gather(Note),
        emits: Summary,
        run: (notes) => Summary({ ns: numbers(notes) })
      })
      const begin = defineStep({ accepts: Start, emits: Note, run: () => [Note({ n: 1 }), Note({ n: 2 })] })
      const flow = workflow({ ...define, steps: { begin, look, deep, search, finish } })
      expect((yield* result(run(flow))).ns).toEqual([101, 102])
    })
  )
})

describe("gather over steps that fail", () => {
  class Down extends Schema.TaggedError<Down>()("Down", { n: Schema.Number }) {}
  const answers = (steps: { readonly shaky: ReturnType<typeof shaky> }) =>
    Effect.map(result(run(workflow({ ...define, steps: { ask: ask(1, 2, 3), ...steps, finish } }))), ({ ns }) => ns)
  const shaky = (options: object, behave: (n: number, attempt: number) => Effect.Effect<any, Down>) =>
    defineStep({
      accepts: Query,
      emits: Answer,
      run: ({ n }, ctx): Effect.Effect<any, never> => {
        ctx.send(Answer({ n: n * 100 + ctx.attempt }))
        return behave(n, ctx.attempt) as Effect.Effect<any, never>
      },
      ...options
    })
  const fails = (n: number) => Effect.andThen(Effect.sleep(n), Effect.fail(new Down({ n })))

  it.effect("counts a recovered failure once, without the failed attempt's events", () =>
    Effect.gen(function* () {
      const recovered = shaky({ recover: (_: Down, { n }: { n: number }) => Answer({ n: -n }) }, (n) =>
        n === 2 ? fails(n) : after(n, undefined)
      )
      expect(yield* answers({ shaky: recovered })).toEqual([101, -2, 301])
    })
  )

  it.effect("counts a step that timed out and was recovered once", () =>
    Effect.gen(function* () {
      const slow = shaky(
        { timeout: 50, recover: (_: unknown, { n }: { n: number }) => after(n, Answer({ n: -n })) },
        (n) => after(n === 2 ? 1000 : n, undefined)
      )
      expect(yield* answers({ shaky: slow })).toEqual([101, -2, 301])
    })
  )

  it.effect("counts a retried step once, with only the last attempt's events", () =>
    Effect.gen(function* () {
      const retried = shaky({ retry: { times: 5 } }, (n, attempt) => (attempt < n ? fails(n) : after(n, undefined)))
      expect(yield* answers({ shaky: retried })).toEqual([101, 202, 303])
    })
  )

  it.effect("counts a recovery that emits nothing as a dropped branch", () =>
    Effect.gen(function* () {
      const dropped = shaky({ recover: () => undefined }, (n) => (n === 2 ? fails(n) : after(n, undefined)))
      expect(yield* answers({ shaky: dropped })).toEqual([101, 301])
    })
  )

  it.effect("gives its own step the same batch again when that is retried", () =>
    Effect.gen(function* () {
      const seen: Array<ReadonlyArray<number>> = []
      const all = defineStep({
        accepts: gather(Answer),
        emits: Stop,
        retry: { times: 2 },
        run: (answers, ctx) => {
          seen.push(numbers(answers))
          return ctx.attempt < 3 ? Effect.fail(new Down({ n: 0 })) : Effect.succeed(Stop({ ns: numbers(answers) }))
        }
      })
      const flow = workflow({ ...define, steps: { ask: ask(1, 2), search, all } })
      expect((yield* result(run(flow))).ns).toEqual([1, 2])
      expect(seen).toEqual([
        [1, 2],
        [1, 2],
        [1, 2]
      ])
    })
  )

  it.effect("fails the run with the failure of its own step", () =>
    Effect.gen(function* () {
      const all = defineStep({
        accepts: gather(Answer),
        emits: Stop,
        run: ({ length }) => Effect.fail(new Down({ n: length }))
      })
      const flow = workflow({ ...define, steps: { ask: ask(1, 2), search, all } })
      expect(yield* failure(run(flow))).toMatchObject({ _tag: "Down", n: 2 })
    })
  )
})
