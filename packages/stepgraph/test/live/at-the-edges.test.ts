// A handle at the edges of its run: before it has begun, from the inside, while it ends and after its end.
import { getEventListeners } from "node:events"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Schema, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  defineEvent,
  defineStep,
  gather,
  launch,
  launchPromise,
  type RunOf,
  race,
  runPromise,
  workflow
} from "stepgraph"
import { Done, numbers, recorded, Start, Stop, stop, Task } from "../support/flow.ts"
import { Note, note, Told, waiting } from "../support/live.ts"

/** Ends at once. */
const sudden = workflow({
  name: "sudden",
  start: Start,
  stop: Stop,
  inputs: [Note],
  outputs: [Told],
  steps: {
    end: defineStep({ accepts: Start, emits: [Told, Stop], run: () => [Told({ n: 1 }), stop()] }),
    note: defineStep({ accepts: Note, emits: Told, run: ({ n }) => Told({ n }) })
  }
})

/** Ends with its first note, and needs some time for that. */
const slowToEnd = (millis: number) =>
  workflow({
    name: "slow to end",
    start: Start,
    stop: Stop,
    inputs: [Note],
    steps: {
      hold: defineStep({
        accepts: Start,
        emits: Stop,
        run: () => Effect.onInterrupt(Effect.never, () => Effect.sleep(millis))
      }),
      end: defineStep({ accepts: Note, emits: Stop, run: ({ n }) => stop(n) })
    }
  })

describe("a run that ends before its handle exists", () => {
  it.effect("still returns its result, events and status", () =>
    Effect.gen(function* () {
      const live = yield* launch(sudden)
      expect(yield* live.status).toEqual({
        state: "ended",
        inputs: "closed",
        steps: { end: { queued: 0, running: 0 }, note: { queued: 0, running: 0 } },
        waiting: [],
        questions: []
      })
      expect(yield* live.result).toEqual(stop())
      expect(yield* Stream.runCollect(live.events)).toEqual([Told({ n: 1 }), stop()])
      expect((yield* Effect.flip(live.send(note(1))))._tag).toBe("RunEnded")
      yield* live.closeInputs
      yield* live.interrupt
      expect(yield* live.result).toEqual(stop())
    })
  )

  it("returns them to a program without Effect, too", async () => {
    const live = await launchPromise(sudden)
    expect((await live.status()).state).toBe("ended")
    const heard: Array<unknown> = []
    for await (const event of live.events) heard.push(event)
    expect(heard).toEqual([Told({ n: 1 }), stop()])
    await live.interrupt()
    expect(await live.result).toEqual(stop())
  })
})

describe("a run in a closed scope", () => {
  it.effect("never begins, and launch fails", () =>
    Effect.gen(function* () {
      const trace = recorded()
      const scope = yield* Scope.make()
      yield* Scope.close(scope, Exit.void)
      const exit = yield* Effect.exit(Scope.provide(trace.record(launch(waiting)), scope))
      expect(Exit.hasInterrupts(exit)).toBe(true)
      expect(trace.entries).toEqual([])
    })
  )
})

describe("a signal that is aborted while a run is launched", () => {
  const aborting = (abort: () => void) =>
    workflow({
      ...waiting,
      steps: { ...waiting.steps, tell: defineStep({ accepts: Start, emits: Told, run: () => abort() }) }
    })

  it("by the first step, before there is a handle, interrupts it", async () => {
    const controller = new AbortController()
    const live = await launchPromise(
      aborting(() => controller.abort(new Error("enough"))),
      {},
      { signal: controller.signal }
    )
    await expect(live.result).rejects.toThrow("enough")
    expect((await live.status()).state).toBe("ended")
  })

  it("by the caller, before there is a handle, interrupts it", async () => {
    const controller = new AbortController()
    const launching = launchPromise(waiting, {}, { signal: controller.signal })
    controller.abort(new Error("enough"))
    await expect((await launching).result).rejects.toThrow("enough")
  })

  it("again, or while it ends, changes nothing", async () => {
    const controller = new AbortController()
    const live = await launchPromise(slowToEnd(10), {}, { signal: controller.signal })
    await live.send(note(7))
    while ((await live.status()).state === "running") await new Promise((resume) => setImmediate(resume))
    controller.abort(new Error("enough"))
    controller.abort(new Error("more than enough"))
    expect(await live.result).toEqual(stop(7))
    await live.interrupt()
    expect(await live.result).toEqual(stop(7))
  })
})

describe("an iteration over the events of a run that is interrupted", () => {
  const iterating = async (events: AsyncIterable<unknown>) => {
    for await (const _ of events);
  }

  it("throws the same as the result: the signal's reason, or an AbortError", async () => {
    const controller = new AbortController()
    const aborted = await launchPromise(waiting, {}, { signal: controller.signal })
    const reading = iterating(aborted.events)
    controller.abort(new Error("enough"))
    await expect(reading).rejects.toThrow("enough")
    await expect(iterating(aborted.events)).rejects.toThrow("enough")

    const interrupted = await launchPromise(waiting)
    const other = iterating(interrupted.events)
    await interrupted.interrupt()
    await expect(other).rejects.toMatchObject({ name: "AbortError" })
    await expect(interrupted.result).rejects.toMatchObject({ name: "AbortError" })
  })

  it.effect("ends when the scope is closed while a reader waits", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const live = yield* Scope.provide(launch(waiting), scope)
      const heard: Array<number> = []
      const reader = yield* Effect.forkChild(
        Stream.runForEach(live.events, (event) => Effect.sync(() => event._tag === "Told" && heard.push(event.n))),
        { startImmediately: true }
      )
      yield* TestClock.adjust(1)
      expect(heard).toEqual([1])
      yield* Scope.close(scope, Exit.void)
      expect(Exit.hasInterrupts(yield* Fiber.await(reader))).toBe(true)
    })
  )
})

describe("a reader that waits", () => {
  it.effect("receives a failure as it happens", () =>
    Effect.gen(function* () {
      const fails = workflow({
        ...waiting,
        steps: {
          ...waiting.steps,
          end: defineStep({ accepts: Note, emits: Stop, run: () => Effect.fail("no" as const) })
        }
      })
      const live = yield* launch(fails)
      const readers = yield* Effect.forEach([1, 2], () =>
        Effect.forkChild(Effect.flip(Stream.runDrain(live.events)), { startImmediately: true })
      )
      yield* live.send(note(1))
      for (const reader of readers) expect(yield* Fiber.join(reader)).toBe("no")
    })
  )
})

describe("an event that is emitted as its run ends", () => {
  it.effect("is heard before the stop event, and not after it", () =>
    Effect.gen(function* () {
      const both = workflow({
        ...waiting,
        steps: {
          ...waiting.steps,
          end: defineStep({
            accepts: Note,
            emits: [Told, Stop],
            run: ({ n }, { send }) => {
              send(Told({ n }))
              return [Told({ n: n + 1 }), stop(), Told({ n: n + 2 })]
            }
          })
        }
      })
      const live = yield* launch(both)
      yield* live.send(note(10))
      const heard = yield* Stream.runCollect(live.events)
      expect(heard.map((event) => (event._tag === "Told" ? event.n : "stop"))).toEqual([1, 10, 11, "stop"])
    })
  )
})

describe("a run that is interrupted while it ends", () => {
  it.effect("ends as without it: result, events, status and trace agree", () =>
    Effect.gen(function* () {
      const trace = recorded()
      const live = yield* trace.record(launch(slowToEnd(1000)))
      yield* live.send(note(7))
      yield* TestClock.adjust(1)
      expect((yield* live.status).state).toBe("ending")
      const interrupts = yield* Effect.forEach([1, 2], () =>
        Effect.forkChild(live.interrupt, { startImmediately: true })
      )
      yield* TestClock.adjust(500)
      expect(yield* live.status).toMatchObject({ state: "ending", inputs: "closed", steps: { hold: { running: 1 } } })
      yield* TestClock.adjust(500)
      for (const fiber of interrupts) yield* Fiber.join(fiber)
      expect((yield* live.status).state).toBe("ended")
      expect(yield* live.result).toEqual(stop(7))
      expect(yield* Stream.runCollect(live.events)).toEqual([stop(7)])
      expect(trace.of("RunFinished")).toMatchObject([{ outcome: "stopped" }])
    })
  )

  it.effect("by its scope ends so, too", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const live = yield* Scope.provide(launch(slowToEnd(1000)), scope)
      yield* live.send(note(7))
      yield* TestClock.adjust(1)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      expect(yield* live.result).toEqual(stop(7))
    })
  )
})

describe("a run that ends in any way, whenever it is interrupted", () => {
  const soon = <A>(value: A) => Effect.as(Effect.yieldNow, value)
  const ways: Record<string, (n: number) => Effect.Effect<ReadonlyArray<any>, string>> = {
    "with a stop": (n) => soon([Told({ n }), Done({ n })]),
    "with a failure": (n) =>
      n === 2 ? Effect.andThen(Effect.yieldNow, Effect.fail("no")) : soon([Told({ n }), Done({ n })]),
    "with a defect": (n) =>
      n === 3 ? Effect.andThen(Effect.yieldNow, Effect.die("bug")) : soon([Told({ n }), Done({ n })])
  }
  const flowOf = (work: (typeof ways)[string]) =>
    workflow({
      name: "any way",
      start: Start,
      stop: Stop,
      inputs: [Note],
      outputs: [Told],
      steps: {
        fan: defineStep({ accepts: Start, emits: Task, run: () => [1, 2, 3].map((n) => Task({ n })) }),
        work: defineStep({
          accepts: Task,
          emits: [Told, Done],
          run: ({ n }) => Effect.onInterrupt(work(n), () => Effect.yieldNow)
        }),
        note: defineStep({ accepts: Note, emits: Done, run: async ({ n }) => Done({ n }) }),
        all: defineStep({
          accepts: gather(Done),
          emits: [Told, Stop],
          run: (all) => [Told({ n: 0 }), stop(...numbers(all))]
        })
      }
    })
  const nameOf = (error: any) => error?._tag ?? error?.message ?? error
  /** What a reader heard, and how it ended. */
  const read = async (events: AsyncIterable<{ readonly _tag: string; readonly n?: number }>) => {
    const heard: Array<unknown> = []
    try {
      for await (const { _tag, n } of events) heard.push(n ?? _tag)
      return { heard, end: "stopped" }
    } catch (error) {
      return { heard, end: nameOf(error) }
    }
  }

  it.each(Object.entries(ways))("%s: result, early and late readers, status and trace agree", async (_, work) => {
    const flow = flowOf(work)
    const ends = new Set<string>()
    for (const by of ["signal", "handle"]) {
      let entries = 0
      for (let at = 0; at <= entries; at++) {
        const controller = new AbortController()
        const trace = recorded()
        let interrupt = () => {}
        const live = await launchPromise(
          flow,
          {},
          {
            signal: controller.signal,
            observe: (entry) => {
              trace.observe(entry)
              if (entry.seq !== at) return
              if (by === "signal") controller.abort(new Error("enough"))
              else interrupt()
            }
          }
        )
        interrupt = () => void live.interrupt()
        const early = read(live.events)
        await live.send(note(9)).catch(() => {})
        await live.closeInputs()
        const result = await live.result.then(() => "stopped", nameOf)
        const dropped = new Set(trace.of("EventDropped").map(({ event }) => event))
        const told = trace.of("EventEmitted").filter(({ tag, event }) => tag === "Told" && !dropped.has(event))
        const heard = told.map(({ data }: any) => data.n)
        if (result === "stopped") heard.push("Stop")
        const [finished] = trace.of("RunFinished")
        const when = `${by} at ${at}`
        expect(await early, when).toEqual({ heard, end: result })
        expect(await read(live.events), when).toEqual({ heard, end: result })
        expect((await live.status()).state, when).toBe("ended")
        expect(trace.entries.at(-1), when).toBe(finished)
        expect(finished!.outcome === "stopped", when).toBe(result === "stopped")
        expect(finished!.outcome === "interrupted", when).toBe(/enough|interrupted/.test(result))
        expect(getEventListeners(controller.signal, "abort"), when).toEqual([])
        ends.add(result)
        entries = Math.max(entries, trace.entries.length)
      }
    }
    expect(ends.size).toBe(3)
  })
})

describe("two runs at once", () => {
  it.effect("share nothing: each has its own inputs, outputs and end", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* launch(waiting), yield* launch(waiting)]
      expect(one.id).not.toBe(two.id)
      yield* one.closeInputs
      expect((yield* Effect.flip(one.result))._tag).toBe("WorkflowStalled")
      expect((yield* two.status).state).toBe("running")
      yield* two.send(note(2))
      expect(yield* Stream.runCollect(two.events)).toEqual([Told({ n: 1 }), stop(2)])
    })
  )
})

describe("a step that uses the handle of its own run", () => {
  /** A workflow whose step is given the handle of the run it is in. */
  const own = Effect.fnUntraced(function* (work: (live: RunOf<typeof waiting>) => Effect.Effect<void, unknown>) {
    const handle = yield* Deferred.make<RunOf<typeof waiting>>()
    const flow = workflow({
      ...waiting,
      steps: {
        ...waiting.steps,
        tell: defineStep({
          accepts: Start,
          emits: Told,
          run: () => Effect.orDie(Effect.flatMap(Deferred.await(handle), work))
        })
      }
    })
    const live = yield* launch(flow)
    yield* Deferred.done(handle, Exit.succeed(live as unknown as RunOf<typeof waiting>))
    return live
  })

  it.effect("may send to it", () =>
    Effect.gen(function* () {
      const live = yield* own((live) => live.send(note(3)))
      expect(yield* live.result).toEqual(stop(3))
    })
  )

  it.effect("may close its inputs, after which the run is stalled when the step has ended", () =>
    Effect.gen(function* () {
      const live = yield* own((live) => live.closeInputs)
      expect((yield* Effect.flip(live.result))._tag).toBe("WorkflowStalled")
    })
  )

  it.effect("may interrupt it, and is interrupted with it", () =>
    Effect.gen(function* () {
      const live = yield* own((live) => live.interrupt)
      expect(Exit.hasInterrupts(yield* Effect.exit(live.result))).toBe(true)
    })
  )

  it.effect("may read its events, and is interrupted when the run ends", () =>
    Effect.gen(function* () {
      const live = yield* own((live) => Stream.runDrain(live.events))
      yield* live.send(note(3))
      expect(yield* live.result).toEqual(stop(3))
    })
  )
})

describe("a gather that an input can lead to", () => {
  it("does not run when the inputs are closed if a race downstream has been decided", async () => {
    const ran: Array<string> = []
    const steps = {
      ask: defineStep({ accepts: Start, emits: Task, run: () => [Task({ n: 1 }), Task({ n: 2 })] }),
      compose: defineStep({
        accepts: gather([Task, Note]),
        emits: Done,
        run: (parts) => {
          ran.push(`compose(${parts.length})`)
          return Done({ n: 0 })
        }
      }),
      first: defineStep({ accepts: race(Done), emits: Told, run: ({ n }) => Told({ n }) }),
      end: defineStep({ accepts: gather(Told), emits: Stop, run: (told) => stop(...numbers(told)) })
    }
    const flow = workflow({ name: "race", start: Start, stop: Stop, inputs: [Done, Note], steps })
    const live = await launchPromise(flow)
    await live.send(Done({ n: 7 }))
    await new Promise((resolve) => setImmediate(resolve))
    live.closeInputs()
    expect((await live.result).values).toEqual([7])
    expect(ran).toEqual([])
  })
})

describe("a signal", () => {
  it("that is aborted while the start event is made runs nothing", async () => {
    const controller = new AbortController()
    let ran = 0
    const abort = () => {
      controller.abort()
      return true
    }
    const aborting = Schema.Number.check(Schema.makeFilter(abort))
    const Begin = defineEvent("Begin", { n: aborting })
    const end = defineStep({ accepts: Begin, emits: Stop, run: () => stop(++ran) })
    const flow = workflow({ name: "begins", start: Begin, stop: Stop, steps: { end } })
    await expect(runPromise(flow, { n: 1 }, { signal: controller.signal })).rejects.toThrow("aborted")
    expect(ran).toBe(0)
  })

  it("keeps no listener of a run that could not begin", async () => {
    const { signal } = new AbortController()
    const options = { signal, state: "no list" as never }
    await expect(runPromise(sudden, {}, options)).rejects.toThrow("state must be a list")
    expect(getEventListeners(signal, "abort")).toEqual([])
  })
})
