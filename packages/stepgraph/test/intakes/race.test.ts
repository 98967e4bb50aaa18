import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { collect, defineEvent, defineStep, gather, join, launch, race, run, workflow } from "stepgraph"
import { recorded } from "../support/flow.ts"
import { failure, random, result } from "../support/virtual.ts"

const Start = defineEvent("Start")
const Question = defineEvent("Question", { q: Schema.String })
const Ask = defineEvent("Ask", { q: Schema.String, millis: Schema.Number })
const Answer = defineEvent("Answer", { q: Schema.String, millis: Schema.Number })
const Best = defineEvent("Best", { text: Schema.String })
const Stop = defineEvent("Stop", { text: Schema.String })

const define = { name: "race", start: Start, stop: Stop }
const after = <A>(millis: number, value: A) => Effect.as(Effect.sleep(millis), value)

/** Asks each question of several mirrors, each with a time of its own. */
const asking = (delays: Readonly<Record<string, ReadonlyArray<number>>>) => ({
  start: defineStep({ accepts: Start, emits: Question, run: () => Object.keys(delays).map((q) => Question({ q })) }),
  fan: defineStep({ accepts: Question, emits: Ask, run: ({ q }) => delays[q]!.map((millis) => Ask({ q, millis })) })
})
const ask = defineStep({
  accepts: Ask,
  emits: Answer,
  workers: "unbounded",
  run: ({ q, millis }) => after(millis, Answer({ q, millis }))
})
const first = defineStep({
  accepts: race(Answer, { per: Question }),
  emits: Best,
  run: ({ q, millis }) => Best({ text: `${q}${millis}` })
})
const all = defineStep({
  accepts: gather(Best),
  emits: Stop,
  run: (bests) =>
    Effect.map(Clock.currentTimeMillis, (now) => Stop({ text: `${bests.map(({ text }) => text)} at ${now}` }))
})

describe("race", () => {
  it.effect("gives the first of many for each question, and a gather over the winners closes at once", () =>
    Effect.gen(function* () {
      const questions = { a: [30, 10, 20], b: [5, 100_000], c: [40, 41] }
      const flow = workflow({ ...define, steps: { ...asking(questions), ask, first, all } })
      expect((yield* result(run(flow))).text).toBe("a10,b5,c40 at 40")
    })
  )

  it.effect("gives the first in every timing", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 50; seed++) {
        const next = random(seed)
        const delays = () => Array.from({ length: 1 + Math.floor(next() * 5) }, () => 1 + Math.floor(next() * 1000))
        const questions = { a: delays(), b: delays(), c: delays() }
        const least = Object.entries(questions).map(([q, millis]) => ({ q, millis: Math.min(...millis) }))
        const flow = workflow({ ...define, steps: { ...asking(questions), ask, first, all } })
        const last = Math.max(...least.map(({ millis }) => millis))
        const winners = least.map(({ q, millis }) => `${q}${millis}`)
        expect((yield* result(run(flow))).text, `seed ${seed}`).toBe(`${winners} at ${last}`)
      }
    })
  )

  it.effect("interrupts the rest of its scope, with their finalizers, and nothing in other scopes", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const logged = defineStep({
        accepts: Ask,
        emits: Answer,
        workers: "unbounded",
        run: ({ q, millis }) =>
          after(millis, Answer({ q, millis })).pipe(
            Effect.onInterrupt(() =>
              Effect.andThen(
                Effect.sleep(1),
                Effect.sync(() => void log.push(`-${q}${millis}`))
              )
            ),
            Effect.tap(() => Effect.sync(() => void log.push(`+${q}${millis}`)))
          )
      })
      const flow = workflow({ ...define, steps: { ...asking({ a: [30, 10, 20], b: [100] }), ask: logged, first, all } })
      expect((yield* result(run(flow))).text).toBe("a10,b100 at 100")
      expect(log).toEqual(["+a10", "-a30", "-a20", "+b100"])
    })
  )

  it.effect("has the finalizers of the losers run before the run's result", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const slow = defineStep({
        accepts: Ask,
        emits: Answer,
        workers: "unbounded",
        run: ({ q, millis }) =>
          after(millis, Answer({ q, millis })).pipe(
            Effect.onInterrupt(() =>
              Effect.andThen(
                Effect.sleep(5000),
                Effect.sync(() => void log.push(`${millis} closed`))
              )
            )
          )
      })
      const finish = defineStep({
        accepts: race(Answer),
        emits: Stop,
        run: ({ millis }) => Stop({ text: `${millis}` })
      })
      const flow = workflow({ ...define, steps: { ...asking({ a: [30, 10, 20] }), slow, finish } })
      const { text } = yield* result(Effect.tap(run(flow), () => Effect.sync(() => void log.push("result"))))
      expect(text).toBe("10")
      expect(log).toEqual(["30 closed", "20 closed", "result"])
    })
  )

  it.effect("keeps an outer gather open while losers still finalize, as these may be at work", () =>
    Effect.gen(function* () {
      const slow = defineStep({
        accepts: Ask,
        emits: Answer,
        workers: "unbounded",
        run: ({ q, millis }) => Effect.onInterrupt(after(millis, Answer({ q, millis })), () => Effect.sleep(500))
      })
      const flow = workflow({ ...define, steps: { ...asking({ a: [30, 10] }), slow, first, all } })
      expect((yield* result(run(flow))).text).toBe("a10 at 510")
    })
  )

  it.effect("never runs the queued deliveries of a scope that is lost, and no gather waits for them", () =>
    Effect.gen(function* () {
      const begun: Array<string> = []
      const oneByOne = defineStep({
        accepts: Ask,
        emits: Answer,
        workers: 1,
        run: ({ q, millis }) => {
          begun.push(`${q}${millis}`)
          return after(millis, Answer({ q, millis }))
        }
      })
      const flow = workflow({
        ...define,
        steps: { ...asking({ a: [10, 1000, 2000], b: [20, 3000] }), oneByOne, first, all }
      })
      expect((yield* result(run(flow))).text).toBe("a10,b20 at 30")
      expect(begun).toEqual(["a10", "b20"])
    })
  )

  it.effect("cancels work several steps away, too", () =>
    Effect.gen(function* () {
      const begun: Array<string> = []
      const Hop = defineEvent("Hop", { q: Schema.String, millis: Schema.Number })
      const hop = defineStep({
        accepts: Ask,
        emits: Hop,
        run: ({ q, millis }) => after(millis, [Hop({ q, millis }), Hop({ q, millis })])
      })
      const land = defineStep({
        accepts: Hop,
        emits: Answer,
        run: ({ q, millis }) => {
          begun.push(`${q}${millis}`)
          return after(5, Answer({ q, millis }))
        }
      })
      const flow = workflow({ ...define, steps: { ...asking({ a: [10, 12, 20] }), hop, land, first, all } })
      expect((yield* result(run(flow))).text).toBe("a10 at 15")
      expect(begun).toEqual(["a10", "a10", "a12", "a12"])
    })
  )

  it.effect("drops later events", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const both = defineStep({
        accepts: Ask,
        emits: Answer,
        run: ({ q }) => [1, 2, 3].map((millis) => Answer({ q, millis }))
      })
      const once = defineStep({
        accepts: race(Answer, { per: Question }),
        emits: Best,
        run: ({ q, millis }) => {
          seen.push(`${q}${millis}`)
          return Best({ text: q })
        }
      })
      const flow = workflow({ ...define, steps: { ...asking({ a: [1, 1], b: [1] }), both, once, all } })
      expect((yield* result(run(flow))).text).toBe("a,b at 0")
      expect(seen).toEqual(["a1", "b1"])
    })
  )

  it.effect("leaves work that is not upstream of it alone", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const side = defineStep({
        accepts: Ask,
        emits: Best,
        run: ({ q }) =>
          Effect.map(Effect.sleep(700), () => {
            log.push(q)
            return Best({ text: "side" })
          })
      })
      const flow = workflow({ ...define, steps: { ...asking({ a: [10, 2000] }), ask, side, first, all } })
      expect((yield* result(run(flow))).text).toBe("a10,side,side at 700")
      expect(log).toEqual(["a", "a"])
    })
  )

  it.effect("does not wait for promises that ignore their signal, or for their results", () =>
    Effect.gen(function* () {
      const signals: Array<AbortSignal> = []
      const stubborn = defineStep({
        accepts: Ask,
        emits: Answer,
        workers: "unbounded",
        run: ({ q, millis }, { signal }) => {
          signals.push(signal)
          if (millis === 0) return Promise.resolve(Answer({ q, millis }))
          return new Promise<ReturnType<typeof Answer>>(() => {})
        }
      })
      const flow = workflow({ ...define, steps: { ...asking({ a: [1, 2, 0], b: [0, 1] }), stubborn, first, all } })
      expect((yield* result(run(flow))).text).toBe("a0,b0 at 0")
      const [lost, ended] = ["a race has been won", "has ended"]
      expect(signals.map(({ reason }) => [lost, ended].find((why) => reason.message.endsWith(why)))).toEqual([
        lost,
        lost,
        ended,
        ended,
        lost
      ])
    })
  )

  it.effect("does not let a loser's own error, thrown as it is interrupted, fail the run", () =>
    Effect.gen(function* () {
      const abortable = defineStep({
        accepts: Ask,
        emits: Answer,
        workers: "unbounded",
        run: ({ q, millis }, { signal }) =>
          new Promise<ReturnType<typeof Answer>>((resolve, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason))
            if (millis === 0) resolve(Answer({ q, millis }))
          })
      })
      const flow = workflow({ ...define, steps: { ...asking({ a: [1, 0] }), abortable, first, all } })
      expect((yield* result(run(flow))).text).toBe("a0 at 0")
    })
  )

  describe("interrupts the step that sent the winner, if that is still at work", () => {
    type Send = (event: ReturnType<typeof Answer>) => void
    const answer = Answer({ q: "a", millis: 0 })
    const ways = {
      "an Effect that sends at once": (send: Send) =>
        Effect.andThen(
          Effect.sync(() => send(answer)),
          Effect.never
        ),
      "an Effect that sends later": (send: Send) =>
        Effect.andThen(
          Effect.delay(
            Effect.sync(() => send(answer)),
            10
          ),
          Effect.never
        ),
      "an Effect behind a send": (send: Send) => {
        send(answer)
        return Effect.never
      },
      "a promise behind a send": (send: Send) => {
        send(answer)
        return new Promise<never>(() => {})
      },
      "an async function that sends later": async (send: Send) => {
        await Promise.resolve()
        send(answer)
        return new Promise<never>(() => {})
      },
      "an endless generator": function* () {
        for (;;) yield answer
      },
      "an endless async generator": async function* () {
        for (;;) yield answer
      }
    }
    it.effect.each(Object.entries(ways))("%s", ([, way]) =>
      Effect.gen(function* () {
        const endless = defineStep({
          accepts: Ask,
          emits: Answer,
          run: (_, { send }) => way(send) as Effect.Effect<never>
        })
        const flow = workflow({ ...define, steps: { ...asking({ a: [0] }), endless, first, all } })
        expect((yield* result(run(flow))).text).toMatch(/^a0 at/)
      })
    )
  })

  it.effect("starts nothing more upstream once it is decided, whatever emits it", () =>
    Effect.gen(function* () {
      for (const way of ["sent", "pulled", "returned"]) {
        const begun: Array<number> = []
        const again = defineStep({
          accepts: Ask,
          emits: [Answer, Ask],
          run: ({ q, millis }, ctx) => {
            begun.push(millis)
            const events = millis > 5 ? [] : [Answer({ q, millis }), Ask({ q, millis: millis + 1 })]
            if (way === "returned") return events
            if (way === "pulled") return events.values()
            for (const event of events) ctx.send(event)
            return undefined
          }
        })
        const flow = workflow({ ...define, steps: { ...asking({ a: [1] }), again, first, all } })
        expect((yield* result(run(flow))).text).toBe("a1 at 0")
        expect(begun, `what is ${way}`).toEqual([1])
      }
    })
  )

  it.effect("starts nothing of the winner's own way on, wherever the steps stand", () =>
    Effect.gen(function* () {
      const begun: Array<string> = []
      // An answer may be refined to a better one, and is an answer as it is.
      const refine = defineStep({
        accepts: Answer,
        emits: Answer,
        run: ({ q, millis }) => {
          begun.push(`${q}${millis}`)
          return after(1000, Answer({ q, millis: millis + 1 }))
        }
      })
      const from = asking({ a: [1, 2] })
      for (const steps of [
        { ...from, ask, refine, first, all },
        { ...from, ask, first, refine, all }
      ]) {
        expect((yield* result(run(workflow({ ...define, steps })))).text).toBe("a1 at 1")
      }
      expect(begun).toEqual([])
    })
  )

  it.effect("is decided by the opening event of its scope if it accepts that", () =>
    Effect.gen(function* () {
      const begun: Array<string> = []
      const start = defineStep({ accepts: Start, emits: Question, run: () => ["a", "b"].map((q) => Question({ q })) })
      const slow = defineStep({
        accepts: Question,
        emits: Answer,
        run: ({ q }) => {
          begun.push(q)
          return after(1000, Answer({ q, millis: 1000 }))
        }
      })
      const any = defineStep({
        accepts: race([Question, Answer], { per: Question }),
        emits: Best,
        run: ({ _tag, q }) => Best({ text: `${_tag} ${q}` })
      })
      for (const steps of [
        { start, slow, any, all },
        { start, any, slow, all }
      ]) {
        expect((yield* result(run(workflow({ ...define, steps })))).text).toBe("Question a,Question b at 0")
      }
      expect(begun).toEqual([])
    })
  )

  it.effect("gives the winner to other steps that accept it, too", () =>
    Effect.gen(function* () {
      const heard: Array<number> = []
      const listen = defineStep({ accepts: Answer, emits: [], run: ({ millis }) => void heard.push(millis) })
      const from = asking({ a: [20, 10, 30] })
      for (const steps of [
        { ...from, ask, listen, first, all },
        { ...from, ask, first, all, listen }
      ]) {
        expect((yield* result(run(workflow({ ...define, steps })))).text).toBe("a10 at 10")
      }
      expect(heard).toEqual([10, 10])
    })
  )

  it.effect("leaves another gather over the same events with what had come", () =>
    Effect.gen(function* () {
      const came = defineStep({
        accepts: gather(Answer, { per: Question }),
        emits: Best,
        run: (answers, { per }) => Best({ text: `${per.q}:${answers.map(({ millis }) => millis).join("/")}` })
      })
      const two = defineStep({ accepts: race(Answer, { per: Question, take: 2 }), emits: [], run: () => {} })
      const flow = workflow({ ...define, steps: { ...asking({ a: [30, 10, 20], b: [5] }), ask, two, came, all } })
      expect((yield* result(run(flow))).text).toBe("a:10/20,b:5 at 20")
    })
  )

  it.effect("closes the generator that still feeds it, and drops what a loser's finalizer sends", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const endless = defineStep({
        accepts: Question,
        emits: Ask,
        run: function* ({ q }) {
          try {
            for (let millis = 5; ; millis++) yield Ask({ q, millis })
          } finally {
            log.push("closed")
          }
        }
      })
      const sending = defineStep({
        accepts: Ask,
        emits: Answer,
        run: ({ q, millis }, { send }) =>
          Effect.onInterrupt(after(millis, Answer({ q, millis })), () =>
            Effect.sync(() => send(Answer({ q, millis: -1 })))
          )
      })
      const { start } = asking({ a: [] })
      const flow = workflow({ ...define, steps: { start, endless, sending, first, all } })
      expect((yield* result(run(flow))).text).toBe("a5 at 5")
      expect(log).toEqual(["closed"])
    })
  )

  it.effect("interrupts the run of a workflow in a loser, with its finalizers", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const inner = workflow({
        name: "inner",
        start: Ask,
        stop: Answer,
        steps: {
          answer: defineStep({
            accepts: Ask,
            emits: Answer,
            run: ({ q, millis }) =>
              Effect.onInterrupt(after(millis, Answer({ q, millis })), () =>
                Effect.sync(() => void log.push(`${q}${millis}`))
              )
          })
        }
      })
      const nested = defineStep({ accepts: Ask, emits: Answer, run: (given) => run(inner, given) })
      const flow = workflow({ ...define, steps: { ...asking({ a: [30, 10], b: [40] }), nested, first, all } })
      expect((yield* result(run(flow))).text).toBe("a10,b40 at 40")
      expect(log).toEqual(["a30"])
    })
  )

  it.effect("on the run's own scope leaves later phases their steps", () =>
    Effect.gen(function* () {
      // What has been raced for is asked about once more, by the same step.
      const Detail = defineEvent("Detail", { q: Schema.String })
      const both = defineStep({
        accepts: [Ask, Detail],
        emits: [Answer, Best],
        workers: "unbounded",
        run: (event) =>
          event._tag === "Ask"
            ? after(event.millis, Answer({ q: event.q, millis: event.millis }))
            : after(7, Best({ text: `more of ${event.q}` }))
      })
      const winner = defineStep({
        accepts: race(Answer),
        emits: Detail,
        run: ({ q, millis }) => Detail({ q: `${q}${millis}` })
      })
      const flow = workflow({ ...define, steps: { ...asking({ a: [30, 10] }), both, winner, all } })
      expect((yield* result(run(flow))).text).toBe("more of a10 at 17")
    })
  )

  it.effect("runs once in its scope: on the run's own, a loop gives it nothing more", () =>
    Effect.gen(function* () {
      let runs = 0
      const loop = defineStep({
        accepts: race(Answer),
        emits: [Question, Stop],
        run: () => {
          runs++
          return Question({ q: "a" })
        }
      })
      const error = yield* failure(run(workflow({ ...define, steps: { ...asking({ a: [1, 2] }), ask, loop } })))
      expect(error._tag).toBe("WorkflowStalled")
      expect(runs).toBe(1)
    })
  )

  it.effect("runs once for each scope of a loop", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const loop = defineStep({
        accepts: race(Answer, { per: Question }),
        emits: [Question, Stop],
        run: ({ q, millis }) => {
          seen.push(millis)
          return seen.length < 3 ? Question({ q }) : Stop({ text: q })
        }
      })
      yield* result(run(workflow({ ...define, steps: { ...asking({ a: [9, 8, 7] }), ask, loop } })))
      expect(seen).toEqual([7, 7, 7])
    })
  )

  it.effect("of several types gives the first of any", () =>
    Effect.gen(function* () {
      const Cached = defineEvent("Cached", { q: Schema.String })
      const cache = defineStep({
        accepts: Question,
        emits: Cached,
        run: ({ q }) => after(q === "a" ? 5 : 50, Cached({ q }))
      })
      const either = defineStep({
        accepts: race([Answer, Cached], { per: Question }),
        emits: Best,
        run: ({ _tag, q }) => Best({ text: `${_tag} ${q}` })
      })
      const flow = workflow({ ...define, steps: { ...asking({ a: [10], b: [10] }), cache, ask, either, all } })
      expect((yield* result(run(flow))).text).toBe("Cached a,Answer b at 10")
    })
  )

  it.effect("completes although a join upstream is half full", () =>
    Effect.gen(function* () {
      // Half of a pair is held when the race is decided: it is dropped, and keeps nothing open.
      const Half = defineEvent("Half", { q: Schema.String })
      const half = defineStep({ accepts: Ask, emits: Half, run: ({ q, millis }) => after(millis, Half({ q })) })
      const pair = defineStep({
        accepts: join([Half, Half], { per: Question }),
        emits: Answer,
        run: ([{ q }]) => Answer({ q, millis: 2 })
      })
      const flow = workflow({ ...define, steps: { ...asking({ a: [1, 5, 6], b: [1] }), half, pair, ask, first, all } })
      expect((yield* result(run(flow))).text).toBe("a1,b1 at 1")
    })
  )
})

describe("race whose every branch is dropped", () => {
  const drop = defineStep({ accepts: Ask, emits: Answer, run: ({ millis }) => Effect.asVoid(Effect.sleep(millis)) })

  it.effect("does not run, and an outer gather closes without it", () =>
    Effect.gen(function* () {
      const some = defineStep({
        accepts: Ask,
        emits: Answer,
        run: ({ q, millis }) => after(millis, q === "a" ? undefined : Answer({ q, millis }))
      })
      const flow = workflow({ ...define, steps: { ...asking({ a: [30, 10], b: [20] }), some, first, all } })
      expect((yield* result(run(flow))).text).toBe("b20 at 30")
    })
  )

  it.effect("stalls the run with an error that names it and its scope", () =>
    Effect.gen(function* () {
      const finish = defineStep({
        accepts: race(Answer, { per: Question }),
        emits: Stop,
        run: ({ q }) => Stop({ text: q })
      })
      const error = yield* failure(run(workflow({ ...define, steps: { ...asking({ a: [30, 10] }), drop, finish } })))
      expect(error).toMatchObject({
        _tag: "WorkflowStalled",
        waiting: [
          { step: "finish", intake: "race(Answer, { per: Question })", per: { q: "a" }, has: {}, needs: { Answer: 1 } }
        ]
      })
    })
  )

  it.effect("stalls the run with an error that names it if its scope is the run", () =>
    Effect.gen(function* () {
      const finish = defineStep({ accepts: race(Answer), emits: Stop, run: ({ q }) => Stop({ text: q }) })
      const error = yield* failure(run(workflow({ ...define, steps: { ...asking({ a: [30, 10] }), drop, finish } })))
      expect(error.message).toContain("step 'finish' waits for race(Answer): has nothing, needs 1 Answer")
    })
  )
})

describe("race with take", () => {
  const two = defineStep({
    accepts: race(Answer, { take: 2, per: Question }),
    emits: Best,
    run: (answers, { per }) => Best({ text: `${per.q}:${answers.map(({ millis }) => millis).join("/")}` })
  })
  const taken = (questions: Readonly<Record<string, ReadonlyArray<number>>>, asked: typeof ask = ask) =>
    Effect.map(
      result(run(workflow({ ...define, steps: { ...asking(questions), asked, two, all } }))),
      ({ text }) => text
    )

  it.effect("takes the first two, and interrupts the rest", () =>
    Effect.gen(function* () {
      expect(yield* taken({ a: [30, 10, 20], b: [2, 1, 1000] })).toBe("a:10/20,b:1/2 at 20")
    })
  )

  it.effect("takes fewer, or none, once everything has gone quiet", () =>
    Effect.gen(function* () {
      expect(yield* taken({ a: [30], b: [], c: [1, 2] })).toBe("a:30,b:,c:1/2 at 30")
    })
  )

  it.effect("takes fewer when the other branches were dropped", () =>
    Effect.gen(function* () {
      const odd = defineStep({
        accepts: Ask,
        emits: Answer,
        workers: "unbounded",
        run: ({ q, millis }) => after(millis, millis % 2 ? Answer({ q, millis }) : undefined)
      })
      expect(yield* taken({ a: [1, 2, 4], b: [2, 4] }, odd as typeof ask)).toBe("a:1,b: at 4")
    })
  )

  it.effect("of one gives a list, and [] when nothing came", () =>
    Effect.gen(function* () {
      const one = defineStep({
        accepts: race(Answer, { take: 1 }),
        emits: Stop,
        run: (answers) => Stop({ text: JSON.stringify(answers.map(({ millis }) => millis)) })
      })
      const steps = (...delays: ReadonlyArray<number>) => ({ ...asking({ a: delays }), ask, one })
      expect((yield* result(run(workflow({ ...define, steps: steps(3, 2) })))).text).toBe("[2]")
      expect((yield* result(run(workflow({ ...define, steps: steps() })))).text).toBe("[]")
    })
  )

  it.effect("runs once only: what its own step starts over is dropped", () =>
    Effect.gen(function* () {
      let runs = 0
      const again = defineStep({
        accepts: race(Answer, { take: 2 }),
        emits: [Ask, Stop],
        run: () => {
          runs++
          return Ask({ q: "a", millis: 1 })
        }
      })
      const error = yield* failure(run(workflow({ ...define, steps: { ...asking({ a: [1] }), ask, again } })))
      expect(error._tag).toBe("WorkflowStalled")
      expect(runs).toBe(1)
    })
  )
})

describe("a race inside of a race's scope", () => {
  const Topic = defineEvent("Topic", { t: Schema.String })
  const topics = defineStep({ accepts: Start, emits: Topic, run: () => ["x", "y"].map((t) => Topic({ t })) })
  /** Each topic is asked as a quick and as a slow question, of two mirrors each. */
  const questions = defineStep({
    accepts: Topic,
    emits: Question,
    run: ({ t }) => [Question({ q: `${t}slow` }), Question({ q: `${t}quick` })]
  })
  const fan = defineStep({
    accepts: Question,
    emits: Ask,
    run: ({ q }) => (q.endsWith("quick") ? [20, 10] : [1000, 2000]).map((millis) => Ask({ q, millis }))
  })

  it.effect("is called off with it, and the other topics are not", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const asked = defineStep({
        accepts: Ask,
        emits: Answer,
        workers: "unbounded",
        run: ({ q, millis }) =>
          Effect.onInterrupt(after(q.startsWith("y") ? millis * 2 : millis, Answer({ q, millis })), () =>
            Effect.sync(() => void log.push(`${q}${millis}`))
          )
      })
      const inner = defineStep({
        accepts: race(Answer, { per: Question }),
        emits: Best,
        run: ({ q, millis }) => Best({ text: `${q}${millis}` })
      })
      const Winner = defineEvent("Winner", { text: Schema.String })
      const outer = defineStep({
        accepts: race(Best, { per: Topic }),
        emits: Winner,
        run: ({ text }) => Winner({ text })
      })
      const end = defineStep({
        accepts: gather(Winner),
        emits: Stop,
        run: (winners) =>
          Effect.map(Clock.currentTimeMillis, (now) => Stop({ text: `${winners.map(({ text }) => text)} at ${now}` }))
      })
      const flow = workflow({ ...define, steps: { topics, questions, fan, asked, inner, outer, end } })
      expect((yield* result(run(flow))).text).toBe("xquick10,yquick10 at 20")
      expect(log).toEqual(["xquick20", "xslow1000", "xslow2000", "yquick20", "yslow1000", "yslow2000"])
    })
  )

  it.effect("with take does not run with fewer because the outer one has called its branches off", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const inner = defineStep({
        accepts: race(Answer, { per: Question, take: 2 }),
        emits: Best,
        run: (answers, { per }) => {
          seen.push(`${per.q}:${answers.map(({ millis }) => millis)}`)
          return Best({ text: per.q })
        }
      })
      const outer = defineStep({ accepts: race(Best), emits: Stop, run: ({ text }) => after(5000, Stop({ text })) })
      const flow = workflow({ ...define, steps: { topics, questions, fan, ask, inner, outer } })
      expect((yield* result(run(flow))).text).toBe("xquick")
      expect(seen).toEqual(["xquick:10,20"])
    })
  )

  it.effect("of the same kind of scope is decided for the nearest, and called off with the one around it", () =>
    Effect.gen(function* () {
      // A question that asks another one: the answers to the inner question are not the outer one's.
      const start = defineStep({ accepts: Start, emits: Question, run: () => Question({ q: "a" }) })
      const nested = (inner: number, outer: number) => {
        const follow = defineStep({
          accepts: Question,
          emits: [Question, Ask],
          run: ({ q }) =>
            q === "a"
              ? [Question({ q: "ab" }), Ask({ q, millis: outer }), Ask({ q, millis: 900 })]
              : [Ask({ q, millis: inner }), Ask({ q, millis: 800 })]
        })
        return Effect.map(
          result(run(workflow({ ...define, steps: { start, follow, ask, first, all } }))),
          ({ text }) => text
        )
      }
      expect(yield* nested(20, 30)).toBe("ab20,a30 at 30")
      expect(yield* nested(30, 20)).toBe("a20 at 20")
    })
  )
})

describe("a race around rounds that are over", () => {
  it.effect("interrupts the running work of the youngest round", () =>
    Effect.gen(function* () {
      const interrupted: Array<string> = []
      // Round "aa" emits nothing but round "aaa": once it is over, it no longer stands between that and round "a".
      const rounds = defineStep({
        accepts: Question,
        emits: [Question, Ask],
        run: ({ q }) => {
          if (q === "aa") return after(10, Question({ q: "aaa" }))
          return q === "a" ? [Ask({ q, millis: 50 }), Question({ q: "aa" })] : Ask({ q, millis: 1_000 })
        }
      })
      const slow = defineStep({
        accepts: Ask,
        emits: Answer,
        run: ({ q, millis }) =>
          Effect.onInterrupt(after(millis, Answer({ q, millis })), () => Effect.sync(() => interrupted.push(q)))
      })
      const begin = defineStep({ accepts: Start, emits: Question, run: () => Question({ q: "a" }) })
      const flow = workflow({ ...define, steps: { begin, rounds, slow, first, all } })
      expect((yield* result(run(flow))).text).toBe("a50 at 50")
      expect(interrupted).toEqual(["aaa"])
    })
  )
})

describe("a race that cannot be won", () => {
  it.effect("is let go when the youngest of its rounds has ended, whichever rounds were over before", () =>
    Effect.gen(function* () {
      const rounds = defineStep({
        accepts: Question,
        emits: [Question, Ask],
        run: ({ q }) => {
          if (q === "a") return [Ask({ q, millis: 50 }), Question({ q: "aa" })]
          return after(10, q === "aa" ? Question({ q: "aaa" }) : undefined)
        }
      })
      const loser = defineStep({ accepts: Ask, emits: Answer, run: ({ millis }) => after(millis, undefined) })
      const never = defineStep({ accepts: Start, emits: Stop, run: () => {} })
      const won = defineStep({ accepts: race(Answer, { per: Question }), emits: [], run: () => {} })
      const live = yield* launch(workflow({ ...define, inputs: [Question], steps: { never, rounds, loser, won } }))
      yield* live.send(Question({ q: "a" }))
      yield* TestClock.adjust(40)
      expect((yield* live.status).waiting).toMatchObject([{ step: "won", per: { q: "a" } }])
      yield* TestClock.adjust(20)
      expect((yield* live.status).waiting).toEqual([])
    })
  )
})

describe("events held by an intake on the way to a race", () => {
  const Half = defineEvent("Half", { q: Schema.String })
  const Other = defineEvent("Other", { q: Schema.String })
  const within = 1000
  /** Each question is answered after 10 ms by the quick way; the other way has half of what it needs by then. */
  const slow = {
    "a join": join([Half, Other], { per: Question }),
    "a join with a deadline": join([Half, Other], { per: Question, within }),
    "a join for each key": join([Half, Other], { per: Question, by: ({ q }) => q, within }),
    "a collect": collect([Half, Other], 3, { per: Question }),
    "a collect with a deadline": collect([Half, Other], 3, { per: Question, within })
  }
  const split = defineStep({
    accepts: Question,
    emits: [Half, Other, Ask],
    run: ({ q }) => [Half({ q }), Ask({ q, millis: 10 })]
  })
  const start = defineStep({ accepts: Start, emits: Question, run: () => ["a", "b"].map((q) => Question({ q })) })

  it.effect.each(Object.entries(slow))("is dropped once that is decided: %s", ([, accepts]) =>
    Effect.gen(function* () {
      const trace = recorded()
      const late: Array<unknown> = []
      const both = defineStep({
        accepts: accepts as (typeof slow)["a join"],
        emits: Answer,
        run: (events) => void late.push(events)
      })
      const flow = workflow({ ...define, steps: { start, split, ask, both, first, all } })
      // `all` waits for whatever may still happen: a deadline that ticks on would be seen here.
      expect((yield* result(trace.record(run(flow)))).text).toBe("a10,b10 at 10")
      expect(late).toEqual([])
      const dropped = trace.of("EventDropped").map(({ event, step, reason }) => [event.split("#")[0], step, reason])
      expect(dropped).toEqual([
        ["Half", "both", "raced"],
        ["Half", "both", "raced"]
      ])
    })
  )

  it.effect("does not show in the status of a live run any more", () =>
    Effect.gen(function* () {
      const both = defineStep({ accepts: join([Half, Other], { per: Question }), emits: Answer, run: () => {} })
      const won = defineStep({ accepts: race(Answer, { per: Question }), emits: [], run: () => {} })
      const never = defineStep({ accepts: Start, emits: Stop, run: () => {} })
      const live = yield* launch(workflow({ ...define, inputs: [Question], steps: { never, split, ask, both, won } }))
      yield* live.send(Question({ q: "a" }))
      yield* TestClock.adjust(9)
      expect((yield* live.status).waiting).toMatchObject([{ step: "both", per: { q: "a" }, has: { Half: 1 } }])
      yield* TestClock.adjust(1)
      expect((yield* live.status).waiting).toEqual([])
    })
  )

  it.effect("is dropped in the scopes nested in the race's own, too", () =>
    Effect.gen(function* () {
      const trace = recorded()
      const nested = defineStep({
        accepts: Question,
        emits: [Question, Half, Other, Ask],
        run: ({ q }) => [Half({ q }), ...(q.length < 3 ? [Question({ q: `${q}a` })] : [Ask({ q, millis: 50 })])]
      })
      const quick = defineStep({
        accepts: Question,
        emits: Answer,
        run: ({ q }) => (q === "a" ? after(10, Answer({ q, millis: 10 })) : undefined)
      })
      const begin = defineStep({ accepts: Start, emits: Question, run: () => Question({ q: "a" }) })
      const both = defineStep({
        accepts: join([Half, Other], { per: Question, within }),
        emits: Answer,
        run: () => {}
      })
      const flow = workflow({ ...define, steps: { begin, nested, quick, ask, both, first, all } })
      expect((yield* result(trace.record(run(flow)))).text).toBe("a10 at 10")
      const dropped = trace.of("EventDropped").filter(({ step }) => step === "both")
      expect(dropped.map(({ event, reason }) => [event.split("#")[0], reason])).toEqual([
        ["Half", "raced"],
        ["Half", "raced"],
        ["Half", "raced"]
      ])
    })
  )

  it.effect("is kept if the race's own step can lead to the other half", () =>
    Effect.gen(function* () {
      // A question is judged by its best answer, and asked again in other words where that is not good enough.
      const judge = defineStep({
        accepts: join([Question, Best], { per: Question }),
        emits: [Question, Stop],
        run: ([{ q }, { text }]) => (q.length < 3 ? Question({ q: `${q}a` }) : Stop({ text }))
      })
      const begin = defineStep({ accepts: Start, emits: Question, run: () => Question({ q: "a" }) })
      const both = defineStep({
        accepts: Question,
        emits: Ask,
        run: ({ q }) => [Ask({ q, millis: 10 }), Ask({ q, millis: 20 })]
      })
      const flow = workflow({ ...define, steps: { begin, both, ask, first, judge } })
      expect((yield* result(run(flow))).text).toBe("aaa10")
    })
  )

  it.effect("is kept if an input can be the other half", () =>
    Effect.gen(function* () {
      const begin = defineStep({
        accepts: Start,
        emits: [Half, Ask],
        run: () => [Half({ q: "a" }), Ask({ q: "a", millis: 10 })]
      })
      const both = defineStep({
        accepts: join([Half, Other]),
        emits: [Answer, Stop],
        run: ([{ q }]) => Stop({ text: q })
      })
      const won = defineStep({ accepts: race(Answer), emits: [], run: () => {} })
      const live = yield* launch(workflow({ ...define, inputs: [Other], steps: { begin, ask, both, won } }))
      yield* TestClock.adjust(10)
      yield* live.send(Other({ q: "b" }))
      expect((yield* live.result).text).toBe("a")
    })
  )

  it.effect("is kept, with its deadline, in an intake of an outer scope", () =>
    Effect.gen(function* () {
      const Topic = defineEvent("Topic")
      const begin = defineStep({ accepts: Start, emits: Topic, run: () => Topic() })
      const questions = defineStep({
        accepts: Topic,
        emits: Question,
        run: () => ["a", "b"].map((q) => Question({ q }))
      })
      // Halves of both questions make a third one, whose answers are its own.
      const together = defineStep({
        accepts: collect([Half, Other], 3, { per: Topic, within }),
        emits: Question,
        run: (halves) => (halves.length === 2 ? Question({ q: halves.map(({ q }) => q).join("") }) : undefined)
      })
      const flow = workflow({ ...define, steps: { begin, questions, split, together, ask, first, all } })
      expect((yield* result(run(flow))).text).toBe("ab10,a10,b10 at 2000")
    })
  )

  it.effect("is dropped by a race of the run where a step keeps it with ctx.collect", () =>
    Effect.gen(function* () {
      const trace = recorded()
      const begin = defineStep({
        accepts: Start,
        emits: [Half, Other, Ask],
        run: () => [Half({ q: "a" }), Ask({ q: "a", millis: 10 })]
      })
      const byHand = defineStep({
        accepts: [Half, Other],
        emits: Answer,
        run: (_, { collect }) => void collect([Half, Other])
      })
      const won = defineStep({ accepts: race(Answer), emits: Best, run: () => {} })
      const end = defineStep({ accepts: Best, emits: Stop, run: () => {} })
      const flow = workflow({ ...define, steps: { begin, byHand, ask, won, end } })
      const error = yield* failure(trace.record(run(flow)))
      expect(error).toMatchObject({ _tag: "WorkflowStalled", waiting: [] })
      const dropped = trace.of("EventDropped").map(({ event, step, reason }) => [event.split("#")[0], step, reason])
      expect(dropped).toEqual([["Half", "byHand", "raced"]])
    })
  )
})

describe("scopes nested 20,000 deep", () => {
  const Page = defineEvent("Page", { n: Schema.Number })
  const Found = defineEvent("Found", { n: Schema.Number })
  const begin = defineStep({ accepts: Start, emits: Page, run: () => Page({ n: 0 }) })
  const deep = 20_000
  /** Each page is opened in the one before. What they do then is up to `found`, which is called once all of them are open. */
  const open = (found: (n: number) => Promise<ReturnType<typeof Found>>) => {
    let opened = () => {}
    const allOpen = new Promise<void>((resolve) => {
      opened = resolve
    })
    return defineStep({
      accepts: Page,
      emits: [Page, Found],
      workers: "unbounded",
      run: async ({ n }, { send }) => {
        if (n < deep) send(Page({ n: n + 1 }))
        else opened()
        await allOpen
        return found(n)
      }
    })
  }
  const never = new Promise<never>(() => {})

  it.effect("are called off at once by a race that is decided in the outermost", () =>
    Effect.gen(function* () {
      const outermost = open(async (n) => (n === 0 ? Found({ n }) : never))
      const found = defineStep({
        accepts: race(Found, { per: Page }),
        emits: Stop,
        run: ({ n }) => Stop({ text: `${n}` })
      })
      expect((yield* result(run(workflow({ ...define, steps: { begin, open: outermost, found } })))).text).toBe("0")
    })
  )

  it.effect("end with their gathers, from the inside to the outside", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const each = open(async (n) => Found({ n }))
      const gathered = defineStep({
        accepts: gather(Found, { per: Page }),
        emits: Best,
        run: (_, { per }) => {
          seen.push(per.n)
          return per.n === 0 ? Best({ text: "done" }) : undefined
        }
      })
      const end = defineStep({ accepts: Best, emits: Stop, run: ({ text }) => Stop({ text }) })
      expect((yield* result(run(workflow({ ...define, steps: { begin, open: each, gathered, end } })))).text).toBe(
        "done"
      )
      expect(seen).toEqual(Array.from({ length: deep + 1 }, (_, n) => deep - n))
    })
  )

  it.effect("end by the workflow's timeout", () =>
    Effect.gen(function* () {
      const found = defineStep({ accepts: race(Found, { per: Page }), emits: Stop, run: () => {} })
      const flow = workflow({ ...define, timeout: 100, steps: { begin, open: open(() => never), found } })
      expect((yield* failure(run(flow)))._tag).toBe("WorkflowTimedOut")
    })
  )
})
