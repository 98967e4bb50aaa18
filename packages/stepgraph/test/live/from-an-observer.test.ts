// An observer that sends events to its own run, in the middle of the run's work.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { defineStep, gather, join, launch, Observer, type RunOf, race, runPromise, workflow } from "stepgraph"
import { Done, recorded, Start, Stop, stop, Task } from "../support/flow.ts"
import { Note, note, Told, waiting } from "../support/live.ts"

describe("an observer that uses the handle of its own run", () => {
  const soon = <A>(value: A) => Effect.as(Effect.yieldNow, value)
  const fan = defineStep({ accepts: Start, emits: Task, run: () => soon([1, 2, 3].map((n) => Task({ n }))) })
  const work = defineStep({ accepts: Task, emits: [Done, Told], run: ({ n }) => soon([Told({ n }), Done({ n })]) })
  const define = { name: "observed", start: Start, stop: Stop, inputs: [Note], outputs: [Told] } as const
  const numbers = (events: ReadonlyArray<{ readonly n: number }>) => stop(...events.map(({ n }) => n).sort())
  const flows = {
    "a gather that notes reach directly": workflow({
      ...define,
      steps: { fan, work, all: defineStep({ accepts: gather([Done, Note]), emits: Stop, run: numbers }) }
    }),
    "a gather that notes reach by a step": workflow({
      ...define,
      steps: {
        fan,
        work,
        note: defineStep({ accepts: Note, emits: Done, run: ({ n }) => Done({ n }) }),
        all: defineStep({ accepts: gather(Done), emits: Stop, run: numbers })
      }
    }),
    "a race and a gather for each": workflow({
      ...define,
      steps: {
        fan,
        work: defineStep({ accepts: Task, emits: Told, run: ({ n }) => soon([Told({ n }), Told({ n: n + 10 })]) }),
        first: defineStep({ accepts: race(Told, { per: Task }), emits: Done, run: (_, { per }) => Done({ n: per.n }) }),
        note: defineStep({ accepts: Note, emits: Done, run: ({ n }) => soon(Done({ n })) }),
        all: defineStep({ accepts: gather(Done), emits: Stop, run: numbers })
      }
    })
  }
  type Live = RunOf<(typeof flows)["a gather that notes reach directly"]>

  /** A run whose observer acts at one of the entries; returns the outcome, and the events sent successfully. */
  const acting = Effect.fnUntraced(function* (
    flow: (typeof flows)[keyof typeof flows],
    at: number,
    act: (live: Live, send: (n: number) => void) => void
  ) {
    const trace = recorded()
    const sent: Array<number> = []
    let live: Live | undefined
    const send = (n: number) => Exit.isSuccess(Effect.runSyncExit(live!.send(note(n)))) && sent.push(n)
    const observe: Observer = (entry) => {
      trace.observe(entry)
      if (entry.seq === at && live !== undefined) act(live, send)
    }
    live = (yield* Effect.provideService(launch(flow), Observer, observe)) as Live
    for (const n of [4, 5]) send(n)
    for (let turn = 0; turn < 5; turn++) yield* Effect.yieldNow
    send(6)
    yield* live.closeInputs
    const { values: all } = yield* live.result
    return { all, sent, trace }
  })

  const acts: Record<string, (live: Live, send: (n: number) => void) => void> = {
    sends: (_, send) => send(7),
    "closes the inputs": (live) => Effect.runSync(live.closeInputs),
    "sends and closes": (live, send) => {
      send(7)
      Effect.runSync(live.closeInputs)
      send(8)
    }
  }

  for (const [name, flow] of Object.entries(flows)) {
    it.effect.each(Object.entries(acts))(
      `at any entry of ${name}: nothing that was accepted is lost when it %s`,
      ([_, act]) =>
        Effect.gen(function* () {
          let entries = 0
          for (let at = 0; at <= entries; at++) {
            const { all, sent, trace } = yield* acting(flow, at, act)
            expect(all, `at entry ${at}`).toEqual([1, 2, 3, ...sent].sort())
            expect(trace.entries.map(({ seq }) => seq)).toEqual(trace.entries.map((_, index) => index))
            expect(trace.entries.at(-1)?._tag).toBe("RunFinished")
            entries = trace.entries.length
          }
          expect(entries).toBeGreaterThan(20)
        })
    )
  }

  it.effect("may send forever without starving other work", () =>
    Effect.gen(function* () {
      let live: RunOf<typeof waiting> | undefined
      let sent = 0
      const flow = workflow({
        ...waiting,
        steps: { ...waiting.steps, end: defineStep({ accepts: Note, emits: Stop, run: () => {} }) }
      })
      const observe: Observer = (entry) => {
        if (entry._tag !== "EventEmitted" || live === undefined) return
        sent++
        Effect.runSync(live.send(note(sent)))
      }
      live = (yield* Effect.provideService(launch(flow), Observer, observe)) as RunOf<typeof waiting>
      yield* live.send(note(0))
      while (sent < 100) yield* Effect.yieldNow
      yield* live.interrupt
      expect((yield* live.status).state).toBe("ended")
    })
  )

  it.effect("sends an event too late for the run, and the trace shows what happened to it", () =>
    Effect.gen(function* () {
      const trace = recorded()
      let live: RunOf<typeof waiting> | undefined
      const observe: Observer = (entry) => {
        trace.observe(entry)
        // The note that ends the run is on its way: this one is accepted, and comes after the stop event.
        if (entry._tag === "InvocationStarted" && entry.step === "end") Effect.runSync(live!.send(note(2)))
      }
      live = yield* Effect.provideService(launch(waiting), Observer, observe)
      yield* live.send(note(1))
      expect(yield* live.result).toEqual(stop(1))
      const late = trace.of("EventEmitted").at(-1)!
      expect(late.data).toEqual({ n: 2 })
      expect(trace.of("EventDropped")).toMatchObject([{ event: late.event, step: null, reason: "ended" }])
    })
  )
})

describe("an observer that aborts the run in the middle of an entry", () => {
  /** The entries after the end. */
  const toldLate = async (flow: Parameters<typeof runPromise>[0]) => {
    const controller = new AbortController()
    const told: Array<string> = []
    const observe: Observer = (entry) => {
      told.push(entry._tag)
      if (entry._tag === "IntakeFired") controller.abort()
    }
    await expect(runPromise(flow as never, {}, { signal: controller.signal, observe })).rejects.toThrow("aborted")
    await new Promise((resolve) => setTimeout(resolve, 20))
    return told.slice(told.indexOf("RunFinished") + 1)
  }

  it("receives nothing after the end, although two gathers go quiet at once", async () => {
    const steps = {
      fan: defineStep({ accepts: Start, emits: [Task, Done], run: async () => [Task({ n: 1 }), Done({ n: 1 })] }),
      tasks: defineStep({ accepts: gather(Task), emits: Stop, run: () => stop() }),
      dones: defineStep({ accepts: gather(Done), emits: Stop, run: () => stop() })
    }
    expect(await toldLate(workflow({ name: "two", start: Start, stop: Stop, steps }))).toEqual([])
  })

  it("sees the end of every attempt, including the one at whose start it aborts", async () => {
    const controller = new AbortController()
    const told: Array<string> = []
    const observe: Observer = (entry) => {
      if (entry._tag !== "InvocationStarted" && entry._tag !== "InvocationEnded") return
      told.push(`${entry.attempt} ${entry._tag === "InvocationStarted" ? "started" : entry.outcome}`)
      if (entry._tag === "InvocationStarted" && entry.attempt === 2) controller.abort()
    }
    const work = defineStep({ accepts: Start, emits: Stop, retry: { times: 3 }, run: () => Effect.fail("no") })
    const flow = workflow({ name: "again", start: Start, stop: Stop, steps: { work } })
    await expect(runPromise(flow, {}, { signal: controller.signal, observe })).rejects.toThrow("aborted")
    expect(told).toEqual(["1 started", "1 retried", "2 started", "2 interrupted"])
  })

  it("leaves no deadline behind", async () => {
    const steps = {
      fan: defineStep({ accepts: Start, emits: Task, run: () => [1, 2, 3].map((n) => Task({ n })) }),
      other: defineStep({ accepts: Task, emits: Done, run: () => {} }),
      both: defineStep({ accepts: join([Task, Done], { within: 5 }), emits: Stop, run: () => stop() })
    }
    expect(await toldLate(workflow({ name: "deadline", start: Start, stop: Stop, steps }))).toEqual([])
  })
})
