// ctx.collect: a step that accepts single events waits by hand for one of each.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { defineEvent, defineStep, join, run, runPromise, type WorkflowStalled, workflow } from "stepgraph"
import { failure, result } from "./support/virtual.ts"

const n = { n: Schema.Number }
const Start = defineEvent("Start")
const A = defineEvent("A", n)
const B = defineEvent("B", n)
const C = defineEvent("C", n)
const Stop = defineEvent("Stop", { text: Schema.String })

const said = (events: ReadonlyArray<{ readonly _tag: string; readonly n: number }>) =>
  events.map(({ _tag, n }) => `${_tag}${n}`).join(" ")
/** A flow whose first step emits a list of events, for another to collect. */
const feeding = (events: ReadonlyArray<any>, collecting: (event: any, ctx: any) => any, workers = 4) =>
  workflow({
    name: "by hand",
    start: Start,
    stop: Stop,
    steps: {
      feed: defineStep({ accepts: Start, emits: [A, B, C], run: () => events }),
      by: defineStep({ accepts: [A, B, C], emits: Stop, workers, run: collecting })
    }
  })

describe("ctx.collect", () => {
  const orders = ["ABC", "ACB", "BAC", "BCA", "CAB", "CBA"]
  const defs = { A, B, C }

  it.each(orders)("gives the order of its list when %s come", async (order) => {
    const events = [...order].map((tag, n) => defs[tag as "A"]({ n }))
    const flow = feeding(events, (_, { collect }) => {
      const all = collect([C, A, B])
      return all && Stop({ text: all.map((event: { _tag: string }) => event._tag).join("") })
    })
    expect((await runPromise(flow)).text).toBe("CAB")
  })

  it("gives events of one type in the order received, and keeps surplus for the next round", async () => {
    const rounds: Array<string> = []
    const events = [A({ n: 1 }), A({ n: 2 }), A({ n: 3 }), B({ n: 1 }), A({ n: 4 }), B({ n: 2 })]
    const flow = feeding(events, (_, ctx) => {
      const all = ctx.collect([A, A, B])
      if (all) rounds.push(said(all))
      return rounds.length === 2 ? Stop({ text: rounds.join(" | ") }) : undefined
    })
    expect((await runPromise(flow)).text).toBe("A1 A2 B1 | A3 A4 B2")
  })

  it("gives undefined until all have come, and adds an event once, however often it is called", async () => {
    const answers: Array<unknown> = []
    const flow = feeding([A({ n: 1 }), B({ n: 1 })], (event, ctx) => {
      answers.push(ctx.collect([A, B]), ctx.collect([A, B]))
      return event._tag === "B" ? Stop({ text: "" }) : undefined
    })
    await runPromise(flow)
    expect(answers.slice(0, 2)).toEqual([undefined, undefined])
    expect(said(answers[2] as never)).toBe("A1 B1")
    expect(answers[3]).toBe(answers[2])
  })

  it("of an empty list is empty, and adds no event", async () => {
    const flow = feeding([A({ n: 1 })], (_, { collect }) => Stop({ text: JSON.stringify([collect([]), collect([])]) }))
    expect((await runPromise(flow)).text).toBe("[[],[]]")
  })

  it("keeps each list apart", async () => {
    const flow = feeding([A({ n: 1 }), B({ n: 1 }), C({ n: 1 })], (_, ctx) => {
      const ab = ctx.collect([A, B])
      const ac = ctx.collect([A, C])
      return ac ? Stop({ text: `${said(ac)}, ${ab === undefined}` }) : undefined
    })
    expect((await runPromise(flow)).text).toBe("A1 C1, true")
  })

  it.effect("counts an event once, however often its step is retried", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const flow = workflow({
        name: "retried",
        start: Start,
        stop: Stop,
        steps: {
          feed: defineStep({ accepts: Start, emits: [A, B], run: () => [A({ n: 1 }), B({ n: 1 })] }),
          by: defineStep({
            accepts: [A, B],
            emits: Stop,
            retry: { times: 2 },
            run: (event, { attempt, collect }) => {
              const all = collect([A, B])
              seen.push(`${event._tag}${attempt} ${all === undefined ? "waits" : said(all)}`)
              return attempt < 3 ? Effect.fail("again") : Effect.succeed(all && Stop({ text: said(all) }))
            }
          })
        }
      })
      expect((yield* result(run(flow))).text).toBe("A1 B1")
      expect(seen.filter((line) => line.endsWith("waits"))).toEqual(["A1 waits", "A2 waits", "A3 waits"])
    })
  )

  it("shares nothing between two runs", async () => {
    const flow = feeding([A({ n: 1 })], (_, ctx) => {
      const all = ctx.collect([A, A])
      return all && Stop({ text: said(all) })
    })
    const outcomes = await Promise.allSettled([runPromise(flow), runPromise(flow)])
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"])
  })

  it.effect("is named with its events when the run stalls", () =>
    Effect.gen(function* () {
      const flow = feeding([A({ n: 1 }), A({ n: 2 })], (_, ctx) => void ctx.collect([A, B, B]))
      const error = (yield* failure(run(flow))) as WorkflowStalled
      expect(error.waiting).toMatchObject([
        { step: "by", intake: "ctx.collect([A, B, B])", has: { A: 2 }, needs: { B: 2 } }
      ])
    })
  )

  it("does not scan its events: 20,000 take no time", { timeout: 5_000 }, async () => {
    const many = 20_000
    const list = Array.from({ length: many }, () => A)
    const events = Array.from({ length: many }, (_, n) => A({ n }))
    const wanted = feeding(events, (_, ctx) => ctx.collect([A, B]) && undefined)
    await expect(runPromise(wanted)).rejects.toThrow(`has ${many} A, needs 1 B`)
    const all = feeding(events.slice(0, 1000), (_, ctx) => {
      const all = ctx.collect(list.slice(0, 1000))
      return all && Stop({ text: String(all.length) })
    })
    expect((await runPromise(all)).text).toBe("1000")
  })

  it.each<[string, unknown, string]>([
    ["nothing", undefined, "undefined"],
    ["one event's definition", A, "[Function A]"],
    ["a set of them", new Set([A]), "Set(["],
    ["a list that holds something else", [A, undefined], "undefined"],
    ["a list of events", [A({ n: 1 })], 'A {"n":1}']
  ])("explains why it refuses %s", async (_, given, shown) => {
    const flow = feeding([A({ n: 1 })], (_, ctx) => (ctx.collect as (given: unknown) => undefined)(given))
    await expect(runPromise(flow)).rejects.toThrow(
      `ctx.collect takes a list of what defineEvent returned, such as ctx.collect([A, B]), not ${shown}`
    )
  })

  it("explains why it refuses a list that its step does not accept, and a step with an intake", async () => {
    const Lost = defineEvent("Lost")
    const unknown = feeding([A({ n: 1 })], (_, ctx) => ctx.collect([A, Lost]))
    await expect(runPromise(unknown)).rejects.toThrow(
      "ctx.collect waits for 'Lost', but step 'by' does not accept it: add 'Lost' to its 'accepts'"
    )
    const flow = workflow({
      name: "both",
      start: Start,
      stop: Stop,
      steps: {
        feed: defineStep({ accepts: Start, emits: [A, B], run: () => [A({ n: 1 }), B({ n: 1 })] }),
        by: defineStep({ accepts: join([A, B]), emits: Stop, run: (_, ctx) => void ctx.collect([A]) })
      }
    })
    await expect(runPromise(flow)).rejects.toThrow(
      "ctx.collect is for steps that accept one event at a time, and 'by' accepts join([A, B])"
    )
  })
})
