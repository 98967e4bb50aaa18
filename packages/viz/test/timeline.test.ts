import { beforeAll, describe, expect, it } from "@effect/vitest"
import { type Timeline, timeline, timelines, toSvg, toText } from "@stepgraph/viz"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import {
  collect,
  defineEvent,
  defineLimit,
  defineStep,
  gather,
  join,
  launch,
  Observer,
  run,
  runPromise,
  type TraceEntry,
  workflow
} from "stepgraph"
import { levels } from "../src/internal/levels.ts"
import { busyFlow, traced } from "./support/runs.ts"
import { fan } from "./support/traces.ts"

/** A trace of the busy workflow in virtual time, so its numbers never change. */
const busyTrace = (docs: number) =>
  Effect.gen(function* () {
    const entries: Array<TraceEntry> = []
    const running = yield* run(busyFlow, { docs }).pipe(
      Effect.provideService(Observer, (entry) => void entries.push(entry)),
      Effect.forkChild
    )
    yield* TestClock.adjust("1 second")
    yield* Fiber.join(running)
    return entries
  })

describe("timeline", () => {
  const Start = defineEvent("Start")
  const Job = defineEvent("Job", { n: Schema.Number })
  const Done = defineEvent("Done", { n: Schema.Number })
  const Stop = defineEvent("Stop")
  const jobs = (workers: number | "unbounded", count = 4) =>
    workflow({
      name: "jobs",
      start: Start,
      stop: Stop,
      steps: {
        plan: defineStep({ accepts: Start, emits: Job, run: () => [1, 2, 3, 4].map((n) => Job({ n })) }),
        work: defineStep({
          accepts: Job,
          emits: Done,
          workers,
          run: ({ n }) => Effect.as(Effect.sleep(n * 10), Done({ n }))
        }),
        finish: defineStep({ accepts: collect(Done, count), emits: Stop, run: () => Stop() })
      }
    })
  it.effect("shows where a step waits for an answer", () =>
    Effect.gen(function* () {
      const Yes = defineEvent("Yes")
      const flow = workflow({
        name: "asking",
        start: Start,
        stop: Stop,
        inputs: [Yes],
        outputs: [Job],
        steps: {
          tool: defineStep({
            accepts: Start,
            emits: [Job, Stop],
            asks: Yes,
            run: (_, { ask }) =>
              Effect.gen(function* () {
                yield* Effect.sleep(10)
                yield* ask(Job({ n: 1 }), Yes)
                yield* Effect.sleep(10)
                return Stop()
              })
          })
        }
      })
      const entries: Array<TraceEntry> = []
      const live = yield* launch(flow).pipe(Effect.provideService(Observer, (entry) => void entries.push(entry)))
      yield* TestClock.adjust(40)
      yield* live.send(Yes())
      yield* TestClock.adjust(10)
      yield* live.result
      const run = timeline(entries)
      expect(run.invocations[0]!.questions).toMatchObject([
        { number: 1, awaits: ["Yes"], outcome: "answered", start: { at: 10 }, end: { at: 40 } }
      ])
      const text = toText(run, { width: 76 })
      expect(text).toMatch(/═{4,9}┄{20,28}═{4,9}/)
      expect(text).toContain("┄ waiting for an answer")
      expect(toSvg(run)).toContain('<rect class="asking"')
    }).pipe(Effect.scoped)
  )

  const traceOf = (flow: ReturnType<typeof jobs>) =>
    Effect.gen(function* () {
      const entries: Array<TraceEntry> = []
      const running = yield* Effect.forkChild(
        run(flow).pipe(Effect.provideService(Observer, (entry) => void entries.push(entry)))
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.await(running)
      return entries
    })

  it.effect("shows which calls wait for which limit, though their workers are busy", () =>
    Effect.gen(function* () {
      const { name, start, stop, steps } = jobs("unbounded")
      const limit = defineLimit("model", { concurrent: 1, by: ({ n }: { readonly n: number }) => `key ${n % 2}` })
      const flow = workflow({ name, start, stop, steps: { ...steps, work: { ...steps.work, limit } } })
      const run = timeline(yield* traceOf(flow), { workflow: flow })
      const waits = run.invocations.flatMap(({ limits }) =>
        limits.map(({ limit, key, from, to }) => [limit, key, from.at, to.at])
      )
      expect(waits).toEqual([
        ["model", "key 1", 0, 10],
        ["model", "key 0", 0, 20]
      ])
      expect(toText(run)).toContain("2 calls waited 30 ms in all for limit 'model'.")
      expect(toText(run)).toContain("┄ waiting for a limit")
      expect(toText(run)).toMatch(/┄+━/)
      expect(toSvg(run)).toContain("20 ms waiting for limit model")
      expect(toSvg(run)).toContain("waiting for a limit</text>")
      expect(toText(flow)).toContain("work, unbounded workers, limit model")
    })
  )

  it.effect("gives each worker a row, and distinguishes waiting from running", () =>
    Effect.gen(function* () {
      const flow = jobs(2)
      const { invocations, duration, outcome } = timeline(yield* traceOf(flow), { workflow: flow })
      const work = invocations.filter(({ step }) => step === "work")
      expect(work.map(({ row, ready, start, end }) => [row, ready.at, start.at, end.at])).toEqual([
        [0, 0, 0, 10],
        [1, 0, 0, 20],
        [0, 0, 10, 40],
        [1, 0, 20, 60]
      ])
      expect({ duration, outcome }).toEqual({ duration: 60, outcome: "stopped" })
    })
  )

  it.effect("never gives a worker two invocations at once, nor a step too many workers", () =>
    Effect.gen(function* () {
      for (const docs of [1, 4, 9]) {
        const { invocations, steps } = timeline(yield* busyTrace(docs), { workflow: busyFlow })
        const ended = new Map<string, number>()
        for (const { step, row, start, end } of invocations) {
          expect(start.seq).toBeGreaterThan(ended.get(`${step} ${row}`) ?? -1)
          ended.set(`${step} ${row}`, end.seq)
        }
        for (const { rows, workers } of steps) expect(rows).toBeLessThanOrEqual(workers as number)
      }
    })
  )

  it.effect("shows how busy the workers were, how long events waited, and which step needs more workers", () =>
    Effect.gen(function* () {
      const flow = jobs(2)
      const { steps, hint } = timeline(yield* traceOf(flow), { workflow: flow })
      expect(steps.find(({ name }) => name === "work")).toMatchObject({
        invocations: 4,
        workers: 2,
        rows: 2,
        busy: 100,
        utilisation: 100 / 120,
        waited: 30,
        longestWait: 20,
        critical: { running: 40, waiting: 20 }
      })
      expect(hint).toBe(
        "More workers for 'work' would help most: 20 ms of the critical path was waiting for one (it has 2)."
      )
    })
  )

  it.effect("gives no hint if there are enough workers", () =>
    Effect.gen(function* () {
      const flow = jobs("unbounded")
      expect(timeline(yield* traceOf(flow), { workflow: flow }).hint).toBeUndefined()
    })
  )

  it.effect("traces the critical path back from the stop event through the last thing waited for", () =>
    Effect.gen(function* () {
      const { critical } = timeline(yield* traceOf(jobs(2)))
      const path = critical.filter(({ from, to }) => to.at > from.at)
      expect(path.map(({ step, doing, from, to }) => [step, doing, from.at, to.at])).toEqual([
        ["work", "waiting", 0, 20],
        ["work", "running", 20, 60]
      ])
      expect(critical.at(-1)).toMatchObject({ step: "finish", doing: "running" })
      expect(critical[0]).toMatchObject({ step: "plan" })
    })
  )

  it.effect("has a critical path without gaps, from start to end", () =>
    Effect.gen(function* () {
      for (const docs of [1, 2, 5, 9]) {
        const { critical, duration } = timeline(yield* busyTrace(docs))
        expect(critical[0]?.from.at).toBe(0)
        expect(critical.at(-1)?.to.at).toBe(duration)
        for (const [i, { from }] of critical.slice(1).entries()) expect(from.at).toBe(critical[i]!.to.at)
      }
    })
  )

  it.effect("leads the critical path through the step whose end let a gather run, although it emitted nothing", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "quiet",
        start: Start,
        stop: Stop,
        steps: {
          plan: defineStep({ accepts: Start, emits: Job, run: () => [1, 4].map((n) => Job({ n })) }),
          work: defineStep({
            accepts: Job,
            emits: Done,
            run: ({ n }) => Effect.as(Effect.sleep(n * 10), n === 1 ? Done({ n }) : undefined)
          }),
          finish: defineStep({ accepts: gather(Done), emits: Stop, run: () => Stop() })
        }
      })
      const { critical } = timeline(yield* traceOf(flow as never))
      const spent = critical.filter(({ from, to }) => to.at > from.at)
      expect(spent.map(({ step, doing, from, to }) => [step, doing, from.at, to.at])).toEqual([
        ["work", "running", 0, 40]
      ])
    })
  )

  it.effect("begins the critical path with the wait for an input", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "asking",
        start: Start,
        stop: Stop,
        inputs: [Done],
        steps: {
          decide: defineStep({
            accepts: join([Start, Done]),
            emits: Stop,
            run: () => Effect.as(Effect.sleep(30), Stop())
          })
        }
      })
      const entries: Array<TraceEntry> = []
      const live = yield* launch(flow, {}).pipe(Effect.provideService(Observer, (entry) => void entries.push(entry)))
      yield* TestClock.adjust(80)
      yield* live.send(Done({ n: 1 }))
      yield* TestClock.adjust(30)
      yield* live.result
      const { critical } = timeline(entries)
      const spent = critical.filter(({ from, to }) => to.at > from.at)
      expect(spent.map(({ doing, from, to }) => [doing, from.at, to.at])).toEqual([
        ["collecting", 0, 80],
        ["running", 80, 110]
      ])
    })
  )

  it("counts back-pressure as running time of the step that is held back", () => {
    const trace = fan({ invocations: 1 })
    const held = trace.findIndex(
      ({ _tag, ...entry }) => _tag === "EventDelivered" && "step" in entry && entry.step === "work"
    )
    const { critical } = timeline(trace.map((entry, i) => (i < held ? entry : { ...entry, at: entry.at + 3 })))
    const spent = critical.filter(({ from, to }) => to.at > from.at)
    expect(spent.map(({ step, doing, from, to }) => [step, doing, to.at - from.at])).toEqual([
      ["list", "running", 3],
      ["work", "running", 10]
    ])
  })

  it.effect("shows what was interrupted and what was dropped", () =>
    Effect.gen(function* () {
      const { drops, steps } = timeline(yield* traceOf(jobs("unbounded", 2)))
      expect(steps.find(({ name }) => name === "work")?.interrupted).toBe(2)
      expect(drops).toEqual([])
      const stopped = timeline(yield* traceOf(jobs(1, 3)))
      expect(stopped.steps.find(({ name }) => name === "work")).toMatchObject({ invocations: 3, dropped: 1 })
      expect(stopped.drops.map(({ step, reason }) => [step, reason])).toEqual([["work", "ended"]])
    })
  )

  it.effect("counts the events that still waited for a worker at the end", () =>
    Effect.gen(function* () {
      const flow = { ...jobs(1), timeout: "35 millis" }
      const run = timeline(yield* traceOf(workflow(flow as never)), { workflow: flow })
      // The first two got a worker; the third is interrupted after 5 ms, and the fourth waited all the time.
      expect(run.steps.find(({ name }) => name === "work")).toMatchObject({
        invocations: 3,
        waited: 10 + 30 + 35,
        longestWait: 35,
        unserved: 1
      })
      expect(run.hint).toBe("1 event still waited for a worker of 'work' when the run ended (it has 1).")
      expect(toText(run)).toContain("3 events dropped: 1 as the run ended, 2 left over.")
    })
  )

  it.effect("does not count events held by an intake as waiting", () =>
    Effect.gen(function* () {
      const { steps, drops } = timeline(yield* traceOf(jobs("unbounded", 5)))
      expect(drops.map(({ step, reason, since }) => [step, reason, since])).toEqual(
        Array.from({ length: 4 }, () => ["finish", "leftover", null])
      )
      expect(steps.find(({ name }) => name === "finish")).toMatchObject({ waited: 0, unserved: 0, dropped: 4 })
    })
  )

  it.effect("includes retries, scopes, joins, races and nested runs", () =>
    Effect.gen(function* () {
      const run = timeline(yield* busyTrace(6), { workflow: busyFlow })
      const retried = run.invocations.find(({ attempts }) => attempts.length > 1)
      expect(retried?.attempts.map(({ outcome }) => outcome)).toEqual(["retried", "retried", "succeeded"])
      const pages = run.invocations.filter(({ step }) => step === "page")
      expect(new Set(pages.map(({ scope }) => scope)).size).toBe(6)
      expect(pages.every(({ intake, events }) => intake && events.length === 2)).toBe(true)
      expect(run.steps.find(({ name }) => name === "ask")).toMatchObject({ invocations: 3, interrupted: 2 })
      expect(run.nested).toHaveLength(6)
      expect(new Set(run.nested.map(({ parent }) => parent?.invocation))).toEqual(new Set(pages.map(({ id }) => id)))
      for (const inner of run.nested) {
        expect(inner).toMatchObject({ workflow: "inner", outcome: "stopped", duration: 5 })
        expect(inner.invocations.map(({ step }) => step)).toEqual(["nap"])
      }
    })
  )

  it("shows failures and their steps", async () => {
    const flow = workflow({
      name: "failing",
      start: Start,
      stop: Stop,
      steps: { fail: defineStep({ accepts: Start, emits: Stop, run: async () => Promise.reject(new Error("no")) }) }
    })
    const failed = timeline(await traced((observe) => runPromise(flow, {}, { observe })))
    expect(failed).toMatchObject({ outcome: "failed", error: expect.stringContaining("no") })
    expect(failed.steps[0]).toMatchObject({ failed: 1 })
    expect(failed.critical.map(({ step }) => step)).toContain("fail")
  })

  it("treats a trace without an end as a run that goes on", () => {
    const whole = fan({ invocations: 4 })
    const { outcome, invocations } = timeline(whole.slice(0, -12))
    expect(outcome).toBe("running")
    expect(invocations.map(({ outcome }) => outcome)).toContain("running")
  })

  it("separates several runs of one trace", () => {
    const [one, two] = [fan({ invocations: 3 }), fan({ invocations: 2, run: "2" })]
    expect(timelines([...one, ...two]).map(({ invocations }) => invocations.length)).toEqual([5, 4])
  })

  it("separates concurrent runs with equal ids", () => {
    const [one, two] = [fan({ invocations: 8, takes: 10 }), fan({ invocations: 8, takes: 30, run: "2" })]
    const alternating = one.flatMap((entry, i) => [entry, two[i]!])
    expect(timelines(alternating).map(({ duration }) => duration)).toEqual([20, 60])
  })

  it.effect("separates nested runs with equal ids", () =>
    Effect.gen(function* () {
      const inner = jobs(1)
      const flow = workflow({
        name: "outer",
        start: Start,
        stop: Stop,
        steps: {
          plan: defineStep({ accepts: Start, emits: Job, run: () => [1, 2, 3].map((n) => Job({ n })) }),
          // The first to begin is the last to end.
          nest: defineStep({
            accepts: Job,
            emits: Done,
            run: ({ n }) => Effect.sleep(300 - 100 * n).pipe(Effect.andThen(run(inner)), Effect.as(Done({ n })))
          }),
          finish: defineStep({ accepts: gather(Done), emits: Stop, run: () => Stop() })
        }
      })
      const { nested, invocations } = timeline(yield* traceOf(flow as never))
      expect(nested.map(({ duration, outcome }) => [duration, outcome])).toEqual([
        [100, "stopped"],
        [100, "stopped"],
        [100, "stopped"]
      ])
      for (const { parent, began } of nested) {
        const within = invocations.find(({ id }) => id === parent?.invocation)!
        expect(within.end.at).toBe(began + 100)
      }
    })
  )

  it("accepts entries in any order", () => {
    const trace = fan({ invocations: 9 })
    expect(timeline([...trace].reverse())).toEqual(timeline(trace))
  })

  it("tolerates missing entries in the middle", () => {
    const trace = fan({ invocations: 9 }).filter(({ _tag }) => _tag !== "EventDelivered")
    expect(timeline(trace)).toMatchObject({ outcome: "stopped", duration: 30, hint: undefined })
  })

  it("refuses a trace without a run", () => {
    const message = "timeline: this trace has no RunStarted entry: pass all entries that the observer received"
    expect(() => timeline([])).toThrow(message)
    expect(() => timeline(fan({ invocations: 2 }).slice(1))).toThrow(message)
    expect(() => timeline([null, 1, "entry", {}] as never)).toThrow(message)
    expect(() => timeline(undefined as never)).toThrow(
      "timeline: a trace must be an array of the entries that an observer received"
    )
    expect(() => timeline({} as never)).toThrow(
      "timeline: a trace must be an array of the entries that an observer received"
    )
  })
})

describe("levels", () => {
  it("count the spans that cover each part, on average", () => {
    expect([
      ...levels(
        [
          { from: 0, to: 10 },
          { from: 5, to: 10 }
        ],
        10,
        4
      )
    ]).toEqual([1, 1, 2, 2])
    expect([...levels([{ from: 1, to: 2 }], 4, 2)]).toEqual([0.5, 0])
    expect([...levels([], 4, 2)]).toEqual([0, 0])
  })

  it.prop(
    "add up to the total time",
    { spans: Schema.Array(Schema.Struct({ from: Schema.Int, length: Schema.Int })) },
    ({ spans }) => {
      const made = spans.map(({ from, length }) => {
        const begin = Math.abs(from) % 1000
        return { from: begin, to: Math.min(1000, begin + (Math.abs(length) % 1000)) }
      })
      const sum = levels(made, 1000, 37).reduce((all, level) => all + level, 0) * (1000 / 37)
      expect(sum).toBeCloseTo(
        made.reduce((all, { from, to }) => all + to - from, 0),
        6
      )
    }
  )
})

describe("a timeline in a terminal", () => {
  let run: Timeline
  beforeAll(() => {
    run = timeline(fan({ invocations: 10, workers: 3 }))
  })

  it("has a line for each worker with its bars, and the hint", () => {
    expect(toText(run, { width: 90 })).toMatchSnapshot()
  })

  it("keeps to its width, with and without colour", () => {
    for (const width of [40, 80, 120]) {
      const plain = toText(run, { width })
      const rows = plain.split("\n").slice(2, 10)
      if (width > 60) expect(Math.max(...rows.map((line) => line.length))).toBeLessThanOrEqual(width)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters.
      expect(toText(run, { width, colour: true }).replace(/\u001b\[\d+m/g, "")).toBe(plain)
    }
  })
})

describe("a timeline as SVG", () => {
  it.effect("has a title, and a description in words", () =>
    Effect.gen(function* () {
      const svg = toSvg(timeline(yield* busyTrace(6), { workflow: busyFlow }))
      expect(svg).toContain("<title>A run of busy</title>")
      expect(svg).toMatch(/<desc>busy · stopped with Stop/)
    })
  )

  it("summarises too many invocations to draw", () => {
    const svg = toSvg(timeline(fan({ invocations: 20_000, workers: 16 })))
    expect(svg.length).toBeLessThan(100_000)
  })

  it.effect("marks retries, drops, interruptions, joins and causes", () =>
    Effect.gen(function* () {
      const svg = toSvg(timeline(yield* busyTrace(6), { workflow: busyFlow }))
      const count = (what: RegExp) => svg.match(what)?.length ?? 0
      // Two retries, and the legend of their mark.
      expect(count(/>↻</g)).toBe(3)
      expect(count(/class="interrupted"/g)).toBeGreaterThanOrEqual(2)
      // Six pages, the nearest mirror, and the end.
      expect(count(/class="intake" d="M\d+(\.\d+)? /g)).toBeGreaterThanOrEqual(8)
      expect(count(/class="cause"/g)).toBeGreaterThan(30)
      expect(count(/class="path waiting"/g)).toBe(1)
    })
  )

  it("draws itself again and again, if it is to play", () => {
    const run = timeline(fan({ invocations: 5, takes: 9 }))
    const [still, moving] = [toSvg(run), toSvg(run, { play: "6 seconds" })]
    expect(still).not.toContain("<animate")
    expect(moving.match(/<animate /g)).toHaveLength(3)
    // Three quarters of its time, so that the whole picture can be read, too.
    expect(moving).toContain('dur="8s" repeatCount="indefinite"')
    expect(moving).toContain("prefers-reduced-motion")
    expect(moving.match(/<rect class="run"/g)).toEqual(still.match(/<rect class="run"/g))
    expect(toSvg(run, { play: undefined })).toBe(still)
    const wrong = (play: unknown) => () => toSvg(run, { play } as never)
    const message = 'toSvg: play must be a duration above zero, such as "6 seconds", not '
    for (const play of ["soon", 0, -1, Number.NaN, Number.POSITIVE_INFINITY, {}, null]) {
      expect(wrong(play)).toThrow(message)
    }
    expect(() => toSvg(run, { nested: true } as never)).toThrow("toSvg: there is no option 'nested'")
  })

  it("shows the order of a run too short for the clock", () => {
    expect(toSvg(timeline(fan({ invocations: 5, takes: 0 })))).toContain("entry ")
    expect(toSvg(timeline(fan({ invocations: 5, takes: 1 })))).toContain("entry ")
    expect(toSvg(timeline(fan({ invocations: 5, takes: 9 })))).not.toContain("entry ")
  })
})
