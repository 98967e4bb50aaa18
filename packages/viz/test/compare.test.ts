import { describe, expect, it } from "@effect/vitest"
import { compare, timeline, toHtml, toText } from "@stepgraph/viz"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { defineEvent, defineStep, gather, Observer, run, type TraceEntry, workflow } from "stepgraph"
import { fan } from "./support/traces.ts"

const Start = defineEvent("Start", { delays: Schema.Array(Schema.Number), last: Schema.String })
const Job = defineEvent("Job", { n: Schema.Number, millis: Schema.Number })
const Done = defineEvent("Done", { n: Schema.Number })
const Stop = defineEvent("Stop", { last: Schema.String })

let last = ""
const flow = workflow({
  name: "jobs",
  start: Start,
  stop: Stop,
  steps: {
    plan: defineStep({
      accepts: Start,
      emits: Job,
      run: ({ delays }) => delays.map((millis, n) => Job({ n, millis }))
    }),
    work: defineStep({
      accepts: Job,
      emits: Done,
      run: ({ n, millis }) => Effect.as(Effect.sleep(millis), Done({ n }))
    }),
    note: defineStep({ accepts: Done, emits: Stop, run: ({ n }) => (n === 2 ? Stop({ last }) : undefined) })
  }
})

const traced = (delays: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const entries: Array<TraceEntry> = []
    const running = yield* Effect.forkChild(
      run(flow, { delays, last: "" }).pipe(Effect.provideService(Observer, (entry) => void entries.push(entry)))
    )
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(running)
    return timeline(entries, { workflow: flow })
  })

describe("compare", () => {
  it.effect("finds no differences between two equal runs", () =>
    Effect.gen(function* () {
      const both = compare(yield* traced([10, 20, 30]), yield* traced([10, 20, 30]))
      expect(both.same).toBe(true)
      expect(toText(both)).toContain("Both had the same events, in the same order in each step, and the same end.")
    })
  )

  it.effect("distinguishes another order from other events, by causal ids", () =>
    Effect.gen(function* () {
      const left = yield* traced([10, 20, 30])
      const right = yield* traced([20, 10, 30])
      const both = compare(left, right)
      expect(both.events.onlyLeft).toEqual([])
      expect(both.events.onlyRight).toEqual([])
      expect(both.order.map(({ step }) => step)).toEqual(["note"])
      // The input itself differed.
      expect(both.events.changed.map(({ left }) => left.tag)).toEqual(["Start", "Job", "Job"])
      expect(both.durations.slice(0, 2).map(({ difference }) => difference)).toEqual([10, -10])
    })
  )

  it.effect("finds events of only one run, and different data", () =>
    Effect.gen(function* () {
      last = "left"
      const left = yield* traced([10, 20, 30])
      last = "right"
      const right = yield* traced([10, 20, 30, 25])
      const { events, same, parted } = compare(left, right)
      expect(same).toBe(false)
      expect(events.onlyRight.map(({ tag, data }) => [tag, data])).toEqual([
        ["Job", { n: 3, millis: 25 }],
        ["Done", { n: 3 }]
      ])
      expect(events.changed.map(({ left }) => left.tag)).toEqual(["Start", "Stop"])
      // The step that got the same events in both runs but did something else.
      expect(parted.map(({ left }) => left.step)).toEqual(["note"])
    })
  )

  it("reports runs of two different workflows", () => {
    const [one, two] = ["one", "two"].map((workflow) =>
      timeline(
        fan({ invocations: 2, name: workflow }).map((entry) =>
          entry._tag === "RunStarted" ? { ...entry, workflow } : entry
        )
      )
    )
    expect(toText(compare(one!, two!))).toContain("These are runs of two workflows, one and two.")
  })

  it("compares the ends by the stop event's data, not by its cause", () => {
    const [short, long] = [2, 3].map((invocations) => timeline(fan({ invocations })))
    expect(compare(short!, long!)).toMatchObject({ same: false, sameOutcome: true })
    expect(compare(short!, timeline(fan({ invocations: 2 }).slice(0, -1)))).toMatchObject({ sameOutcome: false })
  })

  it.effect("lists failures before the interruptions that they caused", () =>
    Effect.gen(function* () {
      const Start = defineEvent("Start")
      const failing = (one: number | undefined) => {
        const work = defineStep({
          accepts: Job,
          emits: Done,
          workers: 9,
          run: ({ n }) =>
            n === one
              ? Effect.andThen(Effect.sleep(5), Effect.fail(new Error("no luck")))
              : Effect.as(Effect.sleep(10), Done({ n }))
        })
        const plan = defineStep({
          accepts: Start,
          emits: Job,
          run: () => [0, 1, 2, 3, 4, 5, 6].map((n) => Job({ n, millis: 0 }))
        })
        const Stop = defineEvent("Stop")
        const report = defineStep({ accepts: gather(Done), emits: Stop, run: () => Stop() })
        return workflow({ name: "jobs", start: Start, stop: Stop, steps: { plan, work, report } })
      }
      const traced = (one?: number) =>
        Effect.gen(function* () {
          const entries: Array<TraceEntry> = []
          const running = yield* run(failing(one)).pipe(
            Effect.provideService(Observer, (entry) => void entries.push(entry)),
            Effect.exit,
            Effect.forkChild
          )
          yield* TestClock.adjust("1 second")
          yield* Fiber.join(running)
          return timeline(entries)
        })
      const lines = toText(compare(yield* traced(), yield* traced(5))).split("\n")
      const from = lines.indexOf("The runs diverged where a step got the same events but did something else:")
      expect(lines.slice(from + 1, from + 4)).toEqual([
        '  work, given Job {"n":5,"millis":0}',
        '    left   succeeded, Done {"n":5}',
        "    right  failed, Error: no luck, nothing"
      ])
      expect(lines.slice(from + 12, from + 15)).toEqual(["    right  interrupted, nothing", "  and 3 more", ""])
    })
  )

  it.effect("renders as text, as a table and as a page", () =>
    Effect.gen(function* () {
      last = "<b>left</b>"
      const left = yield* traced([10, 20, 30])
      last = "right"
      const both = compare(left, yield* traced([20, 10, 30, 25]))
      expect(toText(both)).toMatchSnapshot()
      const html = toHtml(both)
      expect(html).toContain("left   stopped with Stop {&quot;last&quot;:&quot;&lt;b&gt;left&lt;/b&gt;&quot;}")
      expect(html).not.toContain("<b>left</b>")
    })
  )
})
