import { describe, expect, it } from "@effect/vitest"
import { type Screen, screen } from "@stepgraph/conformance/support/terminal"
import { type LiveStream, liveView, withLiveView } from "@stepgraph/viz"
import { Effect, Exit, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import {
  defineEvent,
  defineStep,
  gather,
  launch,
  launchPromise,
  Observer,
  run,
  runPromise,
  type TraceEntry,
  workflow
} from "stepgraph"
import { afterEach, beforeEach, vi } from "vitest"
import { busyFlow } from "./support/runs.ts"

beforeEach(() => {
  // The view's redraws and clock use fake time; the run and the terminal use real time.
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] })
  vi.stubEnv("FORCE_COLOR", undefined)
  vi.stubEnv("TERM", "xterm")
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

const Start = defineEvent("Start")
const Job = defineEvent("Job", { n: Schema.Number })
const Done = defineEvent("Done", { n: Schema.Number })
const Stop = defineEvent("Stop")

/** A fan-out whose jobs finish on command. */
const jobs = (name: string, count: number) => {
  const waiting: Array<() => void> = []
  const hands = { off: false }
  const flow = workflow({
    name,
    start: Start,
    stop: Stop,
    steps: {
      plan: defineStep({
        accepts: Start,
        emits: Job,
        run: () => Array.from({ length: count }, (_, n) => Job({ n }))
      }),
      work: defineStep({
        accepts: Job,
        emits: Done,
        workers: 3,
        run: ({ n }) =>
          new Promise<ReturnType<typeof Done>>((resolve) => {
            const done = () => resolve(Done({ n }))
            if (hands.off) done()
            else waiting.push(done)
          })
      }),
      report: defineStep({ accepts: gather(Done), emits: Stop, run: () => Stop() })
    }
  })
  return { flow, waiting, hands }
}

const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

/** A run with jobs in progress, and its view. */
const begun = async (name: string, count: number, { stream }: Pick<Screen, "stream">) => {
  const { flow, waiting, hands } = jobs(name, count)
  const view = liveView(flow, { stream })
  const work = () => view.status()[1]!
  const result = runPromise(flow, {}, { observe: view.observe })
  await until(() => work().running === Math.min(3, count))
  return {
    finish: async (howMany: number) => {
      for (let i = 0; i < howMany; i++) {
        await until(() => waiting.length > 0)
        waiting.shift()!()
      }
      await until(() => work().done === howMany)
    },
    end: () => {
      hands.off = true
      for (const done of waiting) done()
      return result
    }
  }
}

const quiet: LiveStream = { write: () => true }

describe("a live view", () => {
  it("shows each step's done, running, queued and held counts in columns", async () => {
    const { stream, lines } = screen(100)
    const { finish, end } = await begun("jobs", 12, { stream })
    await finish(4)
    vi.advanceTimersByTime(1300)
    expect(await lines()).toEqual([
      "jobs · 1.3 s",
      "                                     done  running   queued    held     rate    left",
      "plan    ━━━━━━━━━━━━━━━━━━━━━━━━        1",
      "work    ━━━━━━━━────────────────        4        3        5            3.1/s     3 s",
      "report  ────────────────────────                                  4"
    ])
    await end()
  })

  it("leaves the last state, without empty columns", async () => {
    const { stream, lines } = screen(100)
    const { end } = await begun("jobs", 12, { stream })
    vi.advanceTimersByTime(2000)
    await end()
    expect(await lines()).toEqual([
      "jobs · stopped after 2.00 s",
      "                                     done",
      "plan    ━━━━━━━━━━━━━━━━━━━━━━━━        1",
      "work    ━━━━━━━━━━━━━━━━━━━━━━━━       12",
      "report  ━━━━━━━━━━━━━━━━━━━━━━━━        1"
    ])
  })

  it("shows failures and dropped work", async () => {
    const { stream, lines } = screen(100)
    const flow = workflow({
      name: "fails",
      start: Start,
      stop: Stop,
      steps: {
        plan: defineStep({ accepts: Start, emits: Job, run: () => [1, 2, 3, 4].map((n) => Job({ n })) }),
        work: defineStep({
          accepts: Job,
          emits: Stop,
          workers: 2,
          run: ({ n }) => (n === 2 ? Effect.andThen(Effect.yieldNow, Effect.fail("no luck")) : Effect.never)
        })
      }
    })
    await runPromise(flow, {}, { observe: liveView(flow, { stream }).observe }).catch(() => {})
    expect((await lines()).slice(0, 2)).toEqual([
      "fails · failed after 0 ms",
      "                                   done  failed  dropped"
    ])
    expect((await lines())[3]).toBe("work  ━━━━━━──────────────────                1        3")
  })

  it("estimates the time left only if no more events can come", async () => {
    const { stream, lines } = screen(100)
    const Again = defineEvent("Again")
    const again = defineStep({ accepts: [Start, Again], emits: [Again, Stop], run: () => Effect.never })
    const flow = workflow({ name: "loop", start: Start, stop: Stop, steps: { again } })
    const view = liveView(flow, { stream })
    const done = (n: number): ReadonlyArray<any> => [
      { _tag: "InvocationStarted", invocation: `again#${n}`, step: "again", events: [`Again#${n}`], attempt: 1 },
      { _tag: "EventEmitted", event: `Again#${n + 1}`, tag: "Again", cause: `again#${n}`, data: {} },
      { _tag: "EventDelivered", event: `Again#${n + 1}`, step: "again" },
      { _tag: "InvocationEnded", invocation: `again#${n}`, step: "again", attempt: 1, outcome: "succeeded" }
    ]
    const entries = [
      { _tag: "RunStarted", workflow: "loop", parent: null },
      ...Array.from({ length: 20 }, (_, n) => done(n)).flat()
    ]
    for (const [seq, entry] of entries.entries()) {
      view.observe({ run: "1", seq, at: 0, ...entry } as TraceEntry)
      if (entry._tag === "InvocationEnded") vi.advanceTimersByTime(50)
    }
    vi.advanceTimersByTime(100)
    expect((await lines())[2]).toMatch(/20 +1 +\d\d\/s$/)
    view.stop()
  })

  it("counts only its own run, not the runs inside its steps", async () => {
    // The nested run has the same names as the outer one, and more entries at the time.
    const inner = jobs("inner", 50)
    const { plan, report } = jobs("outer", 12).flow.steps
    const work = defineStep({
      accepts: Job,
      emits: Done,
      workers: 2,
      run: ({ n }) => {
        const nested = { ...inner.flow, steps: { ...inner.flow.steps, work: { ...inner.flow.steps.work, run: one } } }
        return Effect.as(run(nested as typeof inner.flow), Done({ n }))
      }
    })
    const one = ({ n }: { readonly n: number }) => Effect.as(Effect.sleep(1), Done({ n }))
    const outer = workflow({ name: "outer", start: Start, stop: Stop, steps: { plan, work, report } })
    const view = liveView(outer, { stream: quiet })
    await runPromise(outer, {}, { observe: view.observe })
    expect(view.status()).toEqual([
      { name: "plan", held: 0, queued: 0, running: 0, done: 1, failed: 0, dropped: 0 },
      { name: "work", held: 0, queued: 0, running: 0, done: 12, failed: 0, dropped: 0 },
      { name: "report", held: 0, queued: 0, running: 0, done: 1, failed: 0, dropped: 0 }
    ])
  })

  it.effect("counts joins in scopes, retries and races", () =>
    Effect.gen(function* () {
      const view = liveView(busyFlow, { stream: quiet })
      const running = yield* Effect.forkChild(
        run(busyFlow, { docs: 5 }).pipe(Effect.provideService(Observer, view.observe))
      )
      yield* TestClock.adjust(1)
      const of = (name: string) => view.status().find((step) => step.name === name)
      expect(of("words")).toMatchObject({ queued: 3, running: 2, done: 0 })
      expect(of("links")).toMatchObject({ queued: 1, running: 4, done: 0 })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(running)
      const none = { held: 0, queued: 0, running: 0, failed: 0, dropped: 0 }
      expect(view.status()).toEqual([
        { ...none, name: "list", done: 1 },
        { ...none, name: "words", done: 5 },
        { ...none, name: "links", done: 5 },
        { ...none, name: "page", done: 5 },
        { ...none, name: "ask", done: 1, dropped: 2 },
        { ...none, name: "nearest", done: 1 },
        { ...none, name: "finish", done: 1 }
      ])
    })
  )

  it("writes nothing without a terminal, without a movable cursor, or before a run begins", async () => {
    const written: Array<string> = []
    const stream = (isTTY: boolean) => ({ isTTY, write: (text: string) => written.push(text) > 0 })
    await (await begun("jobs", 1, { stream: stream(false) })).end()
    const never = liveView(busyFlow, { stream: stream(true) })
    vi.advanceTimersByTime(1000)
    never.stop()
    vi.stubEnv("TERM", "dumb")
    await (await begun("jobs", 1, { stream: stream(true) })).end()
    expect(written).toEqual([])
  })

  it("uses colour only if the terminal does", async () => {
    const text = async (colours: boolean) => {
      const written: Array<string> = []
      const stream = { isTTY: true, hasColors: () => colours, write: (text: string) => written.push(text) > 0 }
      await (await begun("jobs", 1, { stream })).end()
      return written.join("")
    }
    expect(await text(true)).toContain("\u001b[32m━")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape codes set a terminal's colours.
    expect(await text(false)).not.toMatch(/\u001b\[\d+m/)
  })
})

describe("on a shared screen", () => {
  it("stays below other output, even after half a line", async () => {
    const terminal = screen(100)
    const { end } = await begun("jobs", 3, terminal)
    const { stream } = terminal
    vi.advanceTimersByTime(100)
    stream.write("one line\n")
    vi.advanceTimersByTime(100)
    stream.write("half a \u001b[1mline\u001b[0m, ")
    vi.advanceTimersByTime(300)
    stream.write("名前 ")
    vi.advanceTimersByTime(100)
    stream.write("and its end\nlast ")
    vi.advanceTimersByTime(100)
    expect((await terminal.lines()).slice(0, 5)).toEqual([
      "one line",
      "half a line, 名前 and its end",
      "last",
      "jobs · 0.7 s",
      "                                     done  running   queued    held     rate    left"
    ])
    await end()
    stream.write("after it\n")
    const lines = await terminal.lines()
    expect(lines.slice(2, 4)).toEqual(["last", "jobs · stopped after 700 ms"])
    expect(lines.slice(8)).toEqual(["after it"])
  })

  it("reappears right after other output", async () => {
    const terminal = screen(100)
    const { end } = await begun("jobs", 3, terminal)
    vi.advanceTimersByTime(150)
    terminal.stream.write("one line\n")
    expect((await terminal.lines())[1]).toBe("jobs · 0.1 s")
    for (let i = 0; i < 1000; i++) terminal.stream.write("and more\n")
    expect((await terminal.lines()).at(-1)).toBe("and more")
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await terminal.lines()).toContain("jobs · 0.1 s")
    await end()
  })

  it("leaves no remains when the terminal is resized", async () => {
    const terminal = screen(120, 24)
    const { end } = await begun("jobs", 3, terminal)
    terminal.stream.write("a line\nhalf ")
    vi.advanceTimersByTime(200)
    for (const [columns, rows] of [
      [70, 24],
      [30, 24],
      [110, 24],
      [110, 8]
    ] as const) {
      await terminal.resize(columns, rows)
      vi.advanceTimersByTime(100)
      const lines = await terminal.lines()
      expect(lines.map((line) => line.split(" ")[0])).toEqual(["a", "half", "jobs", "", "plan", "work", "report"])
    }
    await end()
  })

  it("fits a narrow terminal: shortens names, drops columns by rank", async () => {
    const steps = {
      "a step with a very long name 名前": defineStep({ accepts: Start, emits: Stop, run: () => Effect.never })
    }
    const flow = workflow({ name: "a workflow with a long name", start: Start, stop: Stop, steps })
    const seen = {
      60: [
        "a workflow with a long name · 0.1 s",
        "                             done  running   queued    left",
        "a step with a very long…                 1"
      ],
      20: ["a workflow… · 0.1 s", "               done", "a step wi…"]
    }
    for (const [columns, lines] of Object.entries(seen)) {
      const terminal = screen(Number(columns))
      const view = liveView(flow, { stream: terminal.stream })
      const stop = new AbortController()
      const result = runPromise(flow, {}, { observe: view.observe, signal: stop.signal }).catch(() => {})
      vi.advanceTimersByTime(100)
      expect(await terminal.lines()).toEqual(lines)
      stop.abort()
      await result
    }
  })

  it.each([0, 1, 2, 3])("survives a terminal of %i columns", async (columns) => {
    const written: Array<string> = []
    const stream = { isTTY: true, columns, write: (text: string) => written.push(text) > 0 }
    const run = await begun("narrow", 4, { stream })
    vi.advanceTimersByTime(500)
    await run.end()
    expect(written.length).toBeGreaterThan(1)
  })

  it("shows the active steps if not all fit, and all of them at the end", async () => {
    const events = Array.from({ length: 31 }, (_, n) => defineEvent(`E${n}`))
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const steps = Object.fromEntries(
      events
        .slice(1)
        .map((event, n) => [
          `step${n}`,
          defineStep({ accepts: events[n]!, emits: event, run: () => (n === 17 ? held.then(() => event()) : event()) })
        ])
    )
    const flow = workflow({ name: "many", start: events[0]!, stop: events[30]!, steps } as any) as typeof busyFlow
    const terminal = screen(80, 10)
    const view = liveView(flow, { stream: terminal.stream })
    const result = runPromise(flow, {} as any, { observe: view.observe })
    await until(() => view.status()[17]!.running === 1)
    vi.advanceTimersByTime(300)
    expect((await terminal.lines()).map((line) => line.split(" ").slice(0, 3).join(" ").trim())).toEqual([
      "many · 0.3",
      "",
      ...[16, 17, 18, 19, 20, 21].map((n) => expect.stringMatching(`^step${n}`)),
      "and 24 more"
    ])
    release()
    await result
    expect(await terminal.lines()).toHaveLength(32)
  })

  it("stacks with a second view, and leaves its last state above it", async () => {
    const terminal = screen(100)
    const { write } = terminal.stream
    const first = await begun("first", 3, terminal)
    const second = await begun("second", 2, terminal)
    vi.advanceTimersByTime(150)
    terminal.stream.write("printed\n")
    const names = async () => (await terminal.lines()).filter((line) => /·|^\w+$/.test(line))
    expect(await names()).toEqual(["printed", "first · 0.1 s", "second · 0.1 s"])
    await first.end()
    vi.advanceTimersByTime(50)
    expect(await names()).toEqual(["printed", "first · stopped after 150 ms", "second · 0.2 s"])
    await second.end()
    expect(await names()).toEqual(["printed", "first · stopped after 150 ms", "second · stopped after 200 ms"])
    expect(terminal.stream.write).toBe(write)
  })

  it("keeps a wrapper that others put around the stream's write", async () => {
    const terminal = screen(100)
    const { write } = terminal.stream
    const { end } = await begun("jobs", 1, terminal)
    const under = terminal.stream.write
    const theirs = vi.fn(under)
    terminal.stream.write = theirs
    await end()
    expect(terminal.stream.write).toBe(theirs)
    terminal.stream.write("printed\n")
    expect((await terminal.lines()).at(-1)).toBe("printed")
    const second = await begun("second", 1, terminal)
    vi.advanceTimersByTime(100)
    terminal.stream.write("half ")
    vi.advanceTimersByTime(100)
    terminal.stream.write("a line\n")
    expect(await terminal.lines()).toContain("half a line")
    await second.end()
    terminal.stream.write = write
  })
})

describe("withLiveView", () => {
  it.effect("keeps other observers and the run's result", () =>
    Effect.gen(function* () {
      const entries: Array<TraceEntry> = []
      const { stream } = screen(100)
      const running = yield* withLiveView(run(busyFlow, { docs: 2 }), busyFlow, { stream }).pipe(
        Effect.provideService(Observer, (entry) => void entries.push(entry)),
        Effect.forkChild
      )
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(running))._tag).toBe("Stop")
      expect(entries.at(-1)?._tag).toBe("RunFinished")
    })
  )

  it.effect("costs nothing without a terminal", () =>
    Effect.gen(function* () {
      const observes = defineStep({
        accepts: Start,
        emits: Stop,
        run: () => Effect.map(Observer, (observer) => (observer === undefined ? Stop() : undefined))
      })
      const flow = workflow({ name: "quiet", start: Start, stop: Stop, steps: { observes } })
      expect((yield* withLiveView(run(flow), flow, { stream: quiet }))._tag).toBe("Stop")
    })
  )

  const never = workflow({
    name: "never",
    start: Start,
    stop: Stop,
    steps: { wait: defineStep({ accepts: Start, emits: Stop, run: () => Effect.never }) }
  })

  it.effect("releases the terminal when the run is interrupted, or dies before it begins", () =>
    Effect.gen(function* () {
      const { stream, lines } = screen(100)
      const { write } = stream
      const running = yield* Effect.forkChild(withLiveView(run(never), never, { stream }), { startImmediately: true })
      expect(stream.write).not.toBe(write)
      yield* Fiber.interrupt(running)
      expect(stream.write).toBe(write)
      expect((yield* Effect.promise(lines))[0]).toBe("never · interrupted after 0 ms")
      const died = yield* Effect.exit(withLiveView(Effect.die("at once"), never, { stream }))
      expect(Exit.hasDies(died)).toBe(true)
      expect(yield* Effect.promise(lines)).toHaveLength(3)
    })
  )

  it.effect("stays while a launched run goes on", () =>
    Effect.gen(function* () {
      const { stream, lines } = screen(100)
      const { write } = stream
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* withLiveView(launch(never), never, { stream })
          yield* Effect.yieldNow
          vi.advanceTimersByTime(500)
          expect((yield* Effect.promise(lines))[0]).toBe("never · 0.5 s")
        })
      )
      expect((yield* Effect.promise(lines))[0]).toBe("never · interrupted after 500 ms")
      expect(stream.write).toBe(write)
    })
  )

  it("works as an observer of launchPromise", async () => {
    const { stream, lines } = screen(100)
    const live = await launchPromise(never, {}, { observe: liveView(never, { stream }).observe })
    vi.advanceTimersByTime(500)
    expect((await lines())[0]).toBe("never · 0.5 s")
    await live.interrupt()
    expect((await lines())[0]).toBe("never · interrupted after 500 ms")
  })
})
