// Interruption from outside (fiber, scope, AbortSignal) interrupts every step and waits for finalizers; nothing outlives the
// run. A signal that is already aborted runs nothing.
import { getEventListeners } from "node:events"
import { describe, expect, it, vi } from "@effect/vitest"
import { Cause, Clock, Duration, Effect, Exit, Fiber, Logger, Schedule } from "effect"
import { TestClock } from "effect/testing"
import { collect, defineStep, run, runPromise, type TraceEntry, workflow } from "stepgraph"
import { Done, numbers, recorded, Start, Stop, stop, Task, untyped, upTo } from "./support/flow.ts"
import { random, result } from "./support/virtual.ts"

/** A run in which three steps hold something for an hour, and take their time to let it go. */
const holding = () => {
  const held = new Set<string>()
  const closed: Array<string> = []
  const hold = (millis: number) =>
    defineStep({
      accepts: Start,
      emits: Done,
      run: (_, { step }) =>
        Effect.scoped(
          Effect.gen(function* () {
            yield* Effect.acquireRelease(
              Effect.sync(() => held.add(step)),
              () =>
                Effect.andThen(
                  Effect.sleep(millis),
                  Effect.sync(() => {
                    held.delete(step)
                    closed.push(step)
                  })
                )
            )
            yield* Effect.sleep("1 hour")
            return Done({ n: millis })
          })
        )
    })
  const flow = workflow({
    name: "holding",
    start: Start,
    stop: Stop,
    steps: {
      a: hold(300),
      b: hold(100),
      c: hold(200),
      finish: defineStep({ accepts: collect(Done, 3), emits: Stop, run: (done) => stop(...numbers(done)) })
    }
  })
  return { flow, held, closed }
}

describe("interrupting the fiber of a run", () => {
  it.effect("interrupts every step, and waits for their finalizers", () =>
    Effect.gen(function* () {
      const { flow, held, closed } = holding()
      const fiber = yield* Effect.forkChild(run(flow))
      yield* TestClock.adjust("1 minute")
      expect([...held]).toEqual(["a", "b", "c"])
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust(299)
      expect([interrupting.pollUnsafe(), closed]).toEqual([undefined, ["b", "c"]])
      yield* TestClock.adjust(1)
      expect(interrupting.pollUnsafe()).toEqual(Exit.void)
      expect([closed, [...held]]).toEqual([["b", "c", "a"], []])
      expect(Exit.hasInterrupts(yield* Fiber.await(fiber))).toBe(true)
    })
  )

  it.effect("still waits for a finalizer when it comes during that finalizer, however often", () =>
    Effect.gen(function* () {
      const { flow, closed } = holding()
      const fiber = yield* Effect.forkChild(run(flow))
      yield* TestClock.adjust("1 minute")
      for (const _ of upTo(5)) {
        fiber.interruptUnsafe()
        yield* TestClock.adjust(20)
      }
      expect([fiber.pollUnsafe(), closed]).toEqual([undefined, ["b"]])
      yield* TestClock.adjust(200)
      expect(fiber.pollUnsafe()).toBeDefined()
      expect(closed).toEqual(["b", "c", "a"])
    })
  )

  it.effect("leaves its exit an interruption and nothing else, even where a finalizer fails, which is logged", () =>
    Effect.gen(function* () {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => void logged.push(...[message].flat()))
      const trace = recorded()
      const only = defineStep({
        accepts: Start,
        emits: Stop,
        run: () => Effect.onInterrupt(Effect.never, () => Effect.die(new Error("finalizer")))
      })
      const flow = workflow({ name: "broken", start: Start, stop: Stop, steps: { only } })
      const fiber = yield* Effect.forkChild(run(flow).pipe(trace.record, Effect.provide(Logger.layer([logger]))))
      yield* Effect.yieldNow
      const exit = yield* Effect.andThen(Fiber.interrupt(fiber), Fiber.await(fiber))
      expect(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)).toBe(true)
      expect(trace.of("FinalizerFailed")).toMatchObject([{ step: "only" }])
      expect(trace.of("RunFinished")).toMatchObject([{ outcome: "interrupted" }])
      expect(logged).toMatchObject([{ _tag: "FinalizerFailed", step: "only" }])
    })
  )

  it.effect("before it has begun runs nothing", () =>
    Effect.gen(function* () {
      const { flow, held } = holding()
      const fiber = yield* Effect.forkChild(run(flow))
      yield* Fiber.interrupt(fiber)
      expect(held.size).toBe(0)
    })
  )

  it.effect("is not possible where the region is uninterruptible", () =>
    Effect.gen(function* () {
      const { flow } = holding()
      const events: Array<unknown> = []
      const kept = Effect.map(run(flow), (event) => void events.push(event))
      const fiber = yield* Effect.forkChild(Effect.uninterruptible(kept))
      yield* TestClock.adjust("1 minute")
      fiber.interruptUnsafe()
      yield* TestClock.adjust("1 hour")
      yield* Fiber.await(fiber)
      expect(events).toEqual([stop(100, 200, 300)])
    })
  )

  it.effect("aborts the signals of async steps, and closes their iterators", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const flow = workflow({
        name: "signals",
        start: Start,
        stop: Stop,
        steps: {
          promise: defineStep({
            accepts: Start,
            emits: Stop,
            run: (_, { signal, step }) =>
              new Promise<void>(() => signal.addEventListener("abort", () => log.push(step)))
          }),
          limited: defineStep({
            accepts: Start,
            emits: Stop,
            timeout: "1 week",
            run: (_, { signal, step }) =>
              new Promise<void>(() => signal.addEventListener("abort", () => log.push(step)))
          })
        }
      })
      const fiber = yield* Effect.forkChild(run(flow))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      expect(log).toEqual(["promise", "limited"])
    })
  )

  it.effect("does not trigger retry or recover", () =>
    Effect.gen(function* () {
      const calls: Array<string> = []
      const only = defineStep({
        accepts: Start,
        emits: Stop,
        retry: { times: 5 },
        run: (_, { attempt }) => {
          calls.push(`run ${attempt}`)
          return Effect.never
        },
        recover: () => {
          calls.push("recover")
          return stop()
        }
      })
      const flow = workflow({ name: "retry", start: Start, stop: Stop, steps: { only } })
      const fiber = yield* Effect.forkChild(run(flow))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      expect(calls).toEqual(["run 1"])
    })
  )

  it.effect("ends a retry that waits", () =>
    Effect.gen(function* () {
      let attempts = 0
      const only = untyped.step({
        accepts: Start,
        emits: Stop,
        retry: Schedule.spaced("1 minute"),
        run: () => {
          attempts++
          return Effect.fail("again")
        }
      })
      const flow = untyped.workflow({ name: "retry", start: Start, stop: Stop, steps: { only } })
      const fiber = yield* Effect.forkChild(run(flow))
      yield* TestClock.adjust("90 seconds")
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 hour")
      expect(attempts).toBe(2)
    })
  )

  it.effect("reaches the runs inside its steps, whose finalizers it waits for", () =>
    Effect.gen(function* () {
      const { flow: inner, held, closed } = holding()
      const nested = defineStep({ accepts: Start, emits: Stop, run: () => run(inner) })
      const outer = workflow({ name: "outer", start: Start, stop: Stop, steps: { nested } })
      const outermost = workflow({
        name: "outermost",
        start: Start,
        stop: Stop,
        steps: { nested: defineStep({ accepts: Start, emits: Stop, run: () => run(outer) }) }
      })
      const fiber = yield* Effect.forkChild(run(outermost))
      yield* TestClock.adjust("1 minute")
      expect(held.size).toBe(3)
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust(299)
      expect(interrupting.pollUnsafe()).toBe(undefined)
      yield* TestClock.adjust(1)
      expect(interrupting.pollUnsafe()).toBeDefined()
      expect(closed).toEqual(["b", "c", "a"])
    })
  )

  it.effect("reaches the fibers that its steps have forked, whose finalizers it waits for", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const child = (name: string) =>
        Effect.onInterrupt(Effect.never, () =>
          Effect.andThen(
            Effect.sleep("1 second"),
            Effect.sync(() => log.push(name))
          )
        )
      const flow = workflow({
        name: "children",
        start: Start,
        stop: Stop,
        steps: {
          works: defineStep({
            accepts: Start,
            emits: Stop,
            run: () => Effect.andThen(Effect.forkChild(child("a child of what runs")), Effect.never)
          }),
          ends: defineStep({
            accepts: Start,
            emits: Done,
            run: () =>
              Effect.forkChild(child("a child of what has ended")).pipe(
                Effect.andThen(Effect.sleep(1)),
                Effect.as(Done({ n: 1 }))
              )
          }),
          done: defineStep({ accepts: Done, emits: Stop, run: () => Effect.never })
        }
      })
      const fiber = yield* Effect.forkChild(run(flow))
      yield* TestClock.adjust("1 minute")
      expect(log).toEqual(["a child of what has ended"])
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust(999)
      expect(interrupting.pollUnsafe()).toBe(undefined)
      yield* TestClock.adjust(1)
      expect(interrupting.pollUnsafe()).toBeDefined()
      expect(log).toEqual(["a child of what has ended", "a child of what runs"])
    })
  )

  const moments = upTo(40)
  it.effect.each(moments)("leaves nothing open, whenever it comes (after %i ms)", (moment) =>
    Effect.gen(function* () {
      const next = random(moment)
      let open = 0
      let running = 0
      const flow = workflow({
        name: "resources",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({ accepts: Start, emits: Task, run: () => upTo(10).map((n) => Task({ n })) }),
          work: defineStep({
            accepts: Task,
            emits: Done,
            workers: 3,
            timeout: "10 millis",
            retry: { times: 2 },
            recover: (_, { n }) => Done({ n }),
            run: ({ n }) =>
              Effect.acquireUseRelease(
                Effect.sync(() => ++open),
                () =>
                  Effect.gen(function* () {
                    running++
                    yield* Effect.sleep(next() * 15)
                    return Done({ n })
                  }).pipe(Effect.ensuring(Effect.sync(() => running--))),
                () =>
                  Effect.andThen(
                    Effect.sleep(next() * 5),
                    Effect.sync(() => open--)
                  )
              )
          }),
          finish: defineStep({ accepts: collect(Done, 10), emits: Stop, run: () => stop() })
        }
      })
      const fiber = yield* Effect.forkChild(run(flow))
      yield* TestClock.adjust(moment)
      fiber.interruptUnsafe()
      const left = yield* Effect.forkChild(Effect.map(Fiber.await(fiber), () => [open, running]))
      yield* TestClock.adjust("1 second")
      expect(left.pollUnsafe()).toEqual(Exit.succeed([0, 0]))
    })
  )
})

describe("a scope, a race or a timeout around a run", () => {
  it.effect("closes it: the scope's closing waits for its finalizers", () =>
    Effect.gen(function* () {
      const { flow, closed } = holding()
      const program = Effect.scoped(Effect.andThen(Effect.forkScoped(run(flow)), Effect.sleep("1 minute")))
      const [took] = yield* result(Effect.timed(program))
      expect([Duration.toMillis(took), closed]).toEqual([60_300, ["b", "c", "a"]])
    })
  )

  it.effect("interrupts it: the loser of a race has let everything go when the race is over", () =>
    Effect.gen(function* () {
      const { flow, held, closed } = holding()
      const fast = Effect.as(Effect.sleep("1 second"), "fast")
      const winner = yield* result(
        Effect.map(Effect.race(run(flow), fast), (winner) => [winner, held.size, closed.length])
      )
      expect(winner).toEqual(["fast", 0, 3])
    })
  )

  it.effect("interrupts it: Effect.timeout waits for its finalizers", () =>
    Effect.gen(function* () {
      const { flow, closed } = holding()
      const program = Effect.timeoutOrElse(run(flow), { duration: "1 second", orElse: () => Clock.currentTimeMillis })
      const [took] = yield* result(Effect.timed(program))
      expect([Duration.toMillis(took), closed]).toEqual([1_300, ["b", "c", "a"]])
    })
  )
})

describe("an AbortSignal", () => {
  const slow = (log: Array<string>) =>
    workflow({
      name: "slow",
      start: Start,
      stop: Stop,
      steps: {
        slow: defineStep({
          accepts: Start,
          emits: Stop,
          run: () =>
            Effect.onInterrupt(Effect.never, () =>
              Effect.andThen(
                Effect.sleep(30),
                Effect.sync(() => void log.push("closed"))
              )
            )
        })
      }
    })

  it.each([new Error("reason"), "text", 7, { reason: true }])(
    "rejects the promise with its reason, once every finalizer has ended: %s",
    async (reason) => {
      const log: Array<string> = []
      const controller = new AbortController()
      setTimeout(() => controller.abort(reason), 10)
      const caught = await runPromise(slow(log), {}, { signal: controller.signal }).catch((error) => ({ error }))
      expect(caught).toEqual({ error: reason })
      expect(log).toEqual(["closed"])
    }
  )

  it("without a reason is an AbortError, as everywhere", async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 10)
    await expect(runPromise(slow([]), {}, { signal: controller.signal })).rejects.toMatchObject({ name: "AbortError" })
  })

  it("of a timeout is a TimeoutError, as everywhere", async () => {
    const signal = AbortSignal.timeout(10)
    await expect(runPromise(slow([]), {}, { signal })).rejects.toMatchObject({ name: "TimeoutError" })
  })

  it("rejects with its reason even where a finalizer fails, which is logged once", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {})
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error("reason")), 10)
    const only = untyped.step({
      accepts: Start,
      emits: Stop,
      run: () => Effect.onInterrupt(Effect.never, () => Effect.die(new Error("finalizer")))
    })
    const flow = untyped.workflow({ name: "broken", start: Start, stop: Stop, steps: { only } })
    const running = untyped.runPromise(flow, {}, { signal: controller.signal })
    await expect(running).rejects.toThrow("reason")
    const logged = log.mock.calls.map((words) => words.map(String).join(" "))
    log.mockRestore()
    expect(logged).toEqual([expect.stringContaining("step 'only' of workflow 'broken' failed while it was shut down")])
  })

  it("that is already aborted runs nothing: no step, no trace, no look at the input", async () => {
    const reason = new Error("reason")
    const calls: Array<string> = []
    const trace: Array<TraceEntry> = []
    const only = defineStep({
      accepts: Task,
      emits: Stop,
      run: () => {
        calls.push("run")
        return stop()
      }
    })
    const flow = untyped.workflow({ name: "never", start: Task, stop: Stop, steps: { only } })
    const observe = (entry: TraceEntry) => void trace.push(entry)
    const options = { signal: AbortSignal.abort(reason), observe }
    await expect(untyped.runPromise(flow, { n: 1 }, options)).rejects.toBe(reason)
    await expect(untyped.runPromise(flow, { n: "no number" }, options)).rejects.toBe(reason)
    expect([calls, trace]).toEqual([[], []])
  })

  it("that is aborted afterwards does no harm, and has no listener left", async () => {
    const controller = new AbortController()
    const only = defineStep({ accepts: Start, emits: Stop, run: async () => stop(1) })
    const flow = workflow({ name: "listeners", start: Start, stop: Stop, steps: { only } })
    for (const _ of upTo(20)) await runPromise(flow, {}, { signal: controller.signal })
    const failing = untyped.workflow({
      name: "failing",
      start: Start,
      stop: Stop,
      steps: { only: untyped.step({ accepts: Start, emits: Stop, run: () => Effect.fail("no") }) }
    })
    await expect(untyped.runPromise(failing, {}, { signal: controller.signal })).rejects.toBe("no")
    expect(getEventListeners(controller.signal, "abort")).toEqual([])
    controller.abort()
  })

  it("that a step of the run aborts in the first turn ends the run there", async () => {
    const controller = new AbortController()
    const calls: Array<string> = []
    const flow = workflow({
      name: "inside",
      start: Start,
      stop: Stop,
      steps: {
        abort: defineStep({
          accepts: Start,
          emits: Task,
          run: () => {
            controller.abort(new Error("inside"))
            return Task({ n: 1 })
          }
        }),
        next: defineStep({
          accepts: Task,
          emits: Stop,
          run: () => {
            calls.push("next")
            return stop()
          }
        })
      }
    })
    await expect(runPromise(flow, {}, { signal: controller.signal })).rejects.toThrow("inside")
    expect(calls).toEqual([])
  })

  const endless: Record<string, (n: number) => unknown> = {
    "plain steps": (n) => Task({ n }),
    "async steps": async (n) => Task({ n }),
    "Effect steps": (n) => Effect.succeed(Task({ n })),
    "promises in Effects": (n) => Effect.promise(async () => Task({ n })),
    generators: function* (n) {
      yield Task({ n })
    },
    "async generators": async function* (n) {
      yield Task({ n })
    }
  }
  it.each(Object.entries(endless))("ends an endless loop of %s", async (_, kind) => {
    const signal = AbortSignal.timeout(20)
    const flow = untyped.workflow({
      name: "endless",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({ accepts: Start, emits: Task, run: () => Task({ n: 0 }) }),
        loop: untyped.step({
          accepts: Task,
          emits: [Task, Stop],
          run: ({ n }: { readonly n: number }) => (n < 0 ? stop() : kind(n + 1))
        })
      }
    })
    await expect(untyped.runPromise(flow, {}, { signal })).rejects.toMatchObject({ name: "TimeoutError" })
  })

  it("may be aborted at any entry of the run's trace: the promise and the trace agree, and nothing comes after", async () => {
    const flow = workflow({
      name: "anywhere",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({ accepts: Start, emits: Task, run: () => upTo(3).map((n) => Task({ n })) }),
        plain: defineStep({ accepts: Task, emits: Done, run: ({ n }) => Done({ n }) }),
        promise: defineStep({ accepts: Task, emits: Done, workers: 1, run: async ({ n }) => Done({ n }) }),
        effect: defineStep({ accepts: Task, emits: Done, run: ({ n }) => Effect.as(Effect.yieldNow, Done({ n })) }),
        generator: defineStep({
          accepts: Task,
          emits: Done,
          run: function* ({ n }) {
            yield Done({ n })
          }
        }),
        finish: defineStep({ accepts: collect(Done, 12), emits: Stop, run: (done) => stop(done.length) })
      }
    })
    const observed = async (at: number) => {
      const controller = new AbortController()
      const { entries, observe } = recorded()
      const outcome = await runPromise(
        flow,
        {},
        {
          signal: controller.signal,
          observe: (entry) => {
            observe(entry)
            if (entries.length - 1 === at) controller.abort(new Error(`at ${at}`))
          }
        }
      ).then(
        () => "stopped",
        (error) => error.message
      )
      await new Promise((resume) => setImmediate(resume))
      return { outcome, entries }
    }
    const { entries } = await observed(-1)
    const length = entries.length
    expect(length).toBeGreaterThan(50)
    for (const at of upTo(length)) {
      const { outcome, entries } = await observed(at)
      const finished = entries.filter(({ _tag }) => _tag === "RunFinished")
      expect(entries.at(-1), `aborted at ${at}`).toBe(finished[0])
      expect(finished, `aborted at ${at}`).toMatchObject([
        { outcome: outcome === "stopped" ? "stopped" : "interrupted" }
      ])
      if (outcome !== "stopped") expect(outcome).toBe(`at ${at}`)
      // The stop came first: only the end itself followed the abort.
      else
        expect(
          entries.slice(at).some(({ _tag }) => _tag === "InvocationStarted"),
          `aborted at ${at}`
        ).toBe(false)
    }
  })
})
