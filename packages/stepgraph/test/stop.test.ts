// The first stop event ends the run: queued events are dropped, running steps are interrupted, their finalizers finish,
// and only then does the run succeed with that event.
import { describe, expect, it } from "@effect/vitest"
import { Clock, Deferred, Duration, Effect, Fiber, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { defineEvent, defineStep, launch, type RunOf, run, runPromise, workflow } from "stepgraph"
import { Done, recorded, Start, Stop, stop, Task, untyped, upTo } from "./support/flow.ts"
import { result } from "./support/virtual.ts"

type Sender = { readonly send: (event: unknown) => void }

/** A run in which one step is running when another stops it, a second after the start. */
const stopped = (work: (send: (event: unknown) => void) => unknown) =>
  untyped.workflow({
    name: "stopped",
    start: Start,
    stop: Stop,
    steps: {
      work: untyped.step({ accepts: Start, emits: Task, run: (_: unknown, { send }: Sender) => work(send) }),
      task: defineStep({ accepts: Task, emits: [], run: () => {} }),
      end: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep("1 second"), stop(1)) })
    }
  })

describe("the first stop event", () => {
  it("ends the run: of two in one array, the first", async () => {
    const only = defineStep({ accepts: Start, emits: Stop, run: () => [stop(1), stop(2)] })
    const flow = workflow({ name: "two", start: Start, stop: Stop, steps: { only } })
    expect((await runPromise(flow)).values).toEqual([1])
  })

  it.effect("ends the run: of several steps, that of the fastest", () =>
    Effect.gen(function* () {
      const after = (millis: number) =>
        defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(millis), stop(millis)) })
      const steps = { a: after(30), b: after(10), c: after(20) }
      const flow = workflow({ name: "fastest", start: Start, stop: Stop, steps })
      const [took, event] = yield* result(Effect.timed(run(flow)))
      expect([Duration.toMillis(took), event.values]).toEqual([10, [10]])
    })
  )

  it("may be of any of the workflow's stop events", async () => {
    const Other = defineEvent("Other")
    const only = defineStep({ accepts: Task, emits: [Stop, Other], run: ({ n }) => (n === 1 ? stop(1) : Other()) })
    const flow = workflow({ name: "several", start: Task, stop: [Stop, Other], steps: { only } })
    expect(await runPromise(flow, { n: 1 })).toEqual(stop(1))
    expect(await runPromise(flow, { n: 2 })).toEqual(Other())
  })

  it("drops queued events", async () => {
    const seen: Array<number> = []
    const trace = recorded()
    const flow = workflow({
      name: "queued",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({ accepts: Start, emits: Task, run: () => upTo(10).map((n) => Task({ n })) }),
        work: defineStep({
          accepts: Task,
          emits: Stop,
          run: ({ n }) => {
            seen.push(n)
            if (n === 3) return stop()
          }
        })
      }
    })
    await runPromise(flow, {}, { observe: trace.observe })
    expect(seen).toEqual([0, 1, 2, 3])
    expect(trace.of("EventDropped").map(({ step, reason }) => `${step} ${reason}`)).toEqual(
      upTo(6).map(() => "work ended")
    )
  })

  it.effect("leaves nothing queued or running, as the run's status says", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "status",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({ accepts: Start, emits: Task, run: () => upTo(10).map((n) => Task({ n })) }),
          work: defineStep({ accepts: Task, emits: Stop, workers: 2, run: () => Effect.as(Effect.sleep(10), stop()) })
        }
      })
      const live = yield* launch(flow)
      expect((yield* live.status).steps).toEqual({
        begin: { queued: 0, running: 0 },
        work: { queued: 8, running: 2 }
      })
      yield* TestClock.adjust(10)
      expect(yield* live.status).toEqual({
        state: "ended",
        inputs: "closed",
        steps: { begin: { queued: 0, running: 0 }, work: { queued: 0, running: 0 } },
        waiting: [],
        questions: []
      })
    })
  )

  it("drops later events, returned or sent", async () => {
    const flow = untyped.workflow({
      name: "after",
      start: Start,
      stop: Stop,
      steps: {
        begin: untyped.step({
          accepts: Start,
          emits: [Task, Stop],
          run: (_: unknown, { send }: Sender) => {
            send(Task({ n: 1 }))
            send(stop(1))
            send(Task({ n: 2 }))
            send(stop(2))
            return [Task({ n: 3 }), stop(3)]
          }
        }),
        work: defineStep({
          accepts: Task,
          emits: [],
          run: () => {
            throw new Error("nothing runs after the stop")
          }
        })
      }
    })
    expect((await runPromise(flow)).values).toEqual([1])
  })

  const kinds: Record<string, (send: () => void) => unknown> = {
    "a plain step": (send) => send(),
    "an async step": async (send) => {
      await Promise.resolve()
      send()
    },
    "an Effect, at once": (send) => Effect.sync(send),
    "an Effect, later": (send) => Effect.andThen(Effect.sleep(1), Effect.sync(send)),
    "a callback in an Effect": (send) =>
      Effect.callback(() => {
        setImmediate(send)
      })
  }
  it.effect.each(Object.entries(kinds))("may be sent by %s", ([, kind]) =>
    Effect.gen(function* () {
      const steps = {
        only: untyped.step({
          accepts: Start,
          emits: Stop,
          run: (_: unknown, { send }: Sender) => kind(() => send(stop(1)))
        })
      }
      const flow = untyped.workflow({ name: "sent", start: Start, stop: Stop, steps })
      expect(yield* result(run(flow))).toEqual(stop(1))
    })
  )

  it.effect("interrupts the step that sent it, if that is still running", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const flow = workflow({
        name: "self",
        start: Start,
        stop: Stop,
        steps: {
          only: defineStep({
            accepts: Start,
            emits: Stop,
            run: (_, { send }) =>
              Effect.sync(() => send(stop(1))).pipe(
                Effect.andThen(Effect.sleep("1 hour")),
                Effect.andThen(Effect.sync(() => void log.push("went on"))),
                Effect.onInterrupt(() => Effect.sync(() => void log.push("interrupted")))
              )
          })
        }
      })
      yield* result(run(flow))
      expect(log).toEqual(["interrupted"])
    })
  )
})

describe("a generator that yields the stop event", () => {
  const kinds: Record<string, (log: Array<string>) => () => unknown> = {
    "a generator": (log) =>
      function* () {
        try {
          yield stop(1)
          log.push("went on")
          yield Task({ n: 1 })
        } finally {
          log.push("closed")
        }
      },
    "an async generator": (log) =>
      async function* () {
        try {
          yield stop(1)
          log.push("went on")
          yield Task({ n: 1 })
        } finally {
          log.push("closed")
        }
      }
  }
  const ways: Record<string, (generator: () => unknown) => () => unknown> = {
    "on its own": (generator) => generator,
    "in an Effect": (generator) => () => Effect.sync(generator),
    "in an Effect, later": (generator) => () => Effect.andThen(Effect.sleep(1), Effect.sync(generator)),
    "in a promise": (generator) => async () => generator()
  }
  for (const [way, make] of Object.entries(ways)) {
    for (const [setting, more] of Object.entries({ "": {}, ", with a timeout": { timeout: "1 week" } })) {
      it.effect.each(Object.entries(kinds))(`is closed at that yield: %s ${way}${setting}`, ([, generator]) =>
        Effect.gen(function* () {
          const log: Array<string> = []
          const emit = untyped.step({ accepts: Start, emits: [Task, Stop], run: make(generator(log)), ...more })
          const task = defineStep({ accepts: Task, emits: [], run: () => {} })
          const flow = untyped.workflow({ name: "yields", start: Start, stop: Stop, steps: { emit, task } })
          expect(yield* result(run(flow))).toEqual(stop(1))
          expect(log).toEqual(["closed"])
        })
      )
    }
  }
})

describe("a step that is running when the stop comes", () => {
  const atWork: Record<string, (log: Array<string>) => unknown> = {
    "an Effect": (log) => Effect.onInterrupt(Effect.never, () => Effect.sync(() => void log.push("closed"))),
    "an Effect with a scope": (log) =>
      Effect.scoped(
        Effect.andThen(
          Effect.acquireRelease(Effect.void, () => Effect.sync(() => void log.push("closed"))),
          Effect.never
        )
      ),
    "a Stream": (log) =>
      Stream.ensuring(
        Stream.never,
        Effect.sync(() => void log.push("closed"))
      ),
    "a Stream that emits": (log) =>
      Stream.fromEffectRepeat(Effect.as(Effect.sleep(10), Task({ n: 1 }))).pipe(
        Stream.ensuring(Effect.sync(() => void log.push("closed")))
      ),
    "an endless generator": function* (log) {
      try {
        for (;;) yield Task({ n: 1 })
      } finally {
        log.push("closed")
      }
    }
  }
  for (const [setting, settings] of Object.entries({
    "": {},
    " with a timeout": { timeout: "1 week" },
    " with a retry": { retry: { times: 3 } }
  })) {
    for (const [kind, work] of Object.entries(atWork)) {
      // With a retry, the events of an endless generator are held forever: avoid that.
      if (setting === " with a retry" && kind === "an endless generator") continue
      it.live(`is interrupted and closed: ${kind}${setting}`, () =>
        Effect.gen(function* () {
          const log: Array<string> = []
          const flow = untyped.workflow({
            name: "closed",
            start: Start,
            stop: Stop,
            steps: {
              work: untyped.step({ accepts: Start, emits: Task, run: () => work(log), ...settings }),
              task: defineStep({ accepts: Task, emits: [], run: () => {} }),
              end: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(20), stop(1)) })
            }
          })
          yield* run(flow)
          expect(log).toEqual(["closed"])
        })
      )
    }
  }

  const filling: Record<string, (log: Array<string>, pull: () => number) => unknown> = {
    "a generator": function* (log, pull) {
      try {
        for (;;) yield Task({ n: pull() })
      } finally {
        log.push("closed")
      }
    },
    "an async generator": async function* (log, pull) {
      try {
        for (;;) yield Task({ n: pull() })
      } finally {
        await new Promise((resume) => setTimeout(resume, 10))
        log.push("closed")
      }
    }
  }
  it.each(Object.entries(filling))("is closed before the result: %s that waits for room", async (_, fill) => {
    const log: Array<string> = []
    let pulled = 0
    const flow = untyped.workflow({
      name: "room",
      start: Start,
      stop: Stop,
      steps: {
        work: untyped.step({ accepts: Start, emits: Task, run: () => fill(log, () => pulled++) }),
        slow: defineStep({
          accepts: Task,
          emits: Stop,
          workers: 1,
          run: async ({ n }) => {
            await new Promise((resume) => setTimeout(resume, 10))
            if (n === 1) return stop(1)
          }
        })
      }
    })
    await runPromise(flow)
    expect(log).toEqual(["closed"])
    expect(pulled).toBeLessThan(5_000)
  })

  it("is closed: an async generator, as soon as it comes back from what it awaits", async () => {
    const log: Array<string> = []
    const flow = untyped.workflow({
      name: "endless",
      start: Start,
      stop: Stop,
      steps: {
        work: defineStep({
          accepts: Start,
          emits: Task,
          run: async function* () {
            try {
              for (;;) {
                await new Promise<void>((resume) => setImmediate(resume))
                yield Task({ n: 1 })
              }
            } finally {
              log.push("closed")
            }
          }
        }),
        task: defineStep({ accepts: Task, emits: [], run: () => {} }),
        end: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(20), stop(1)) })
      }
    })
    await runPromise(flow)
    await new Promise((resume) => setTimeout(resume, 10))
    expect(log).toEqual(["closed"])
  })

  it.effect("ends before the result, however long its finalizers take, all at once", () =>
    Effect.gen(function* () {
      const ended: Array<string> = []
      const finalizing = (name: string, millis: number) =>
        defineStep({
          accepts: Start,
          emits: [],
          run: () =>
            Effect.onInterrupt(Effect.never, () =>
              Effect.andThen(
                Effect.sleep(millis),
                Effect.sync(() => void ended.push(name))
              )
            )
        })
      const flow = workflow({
        name: "slow finalizers",
        start: Start,
        stop: Stop,
        steps: {
          a: finalizing("a", 300),
          b: finalizing("b", 100),
          c: finalizing("c", 200),
          end: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(1000), stop(1)) })
        }
      })
      const [took, endedThen] = yield* result(Effect.timed(Effect.map(run(flow), () => [...ended])))
      expect(endedThen).toEqual(["b", "c", "a"])
      expect(Duration.toMillis(took)).toBe(1300)
    })
  )

  it.effect("is waited for if it cannot be interrupted, and its later events are dropped", () =>
    Effect.gen(function* () {
      const trace = recorded()
      const flow = stopped((send) =>
        Effect.uninterruptible(
          Effect.andThen(
            Effect.sleep("1 minute"),
            Effect.sync(() => send(Task({ n: 1 })))
          )
        )
      )
      const [took, event] = yield* result(Effect.timed(trace.record(run(flow))))
      expect(Duration.toSeconds(took)).toBe(60)
      expect(event).toEqual(stop(1))
      expect(trace.of("EventDropped").map(({ reason }) => reason)).toEqual(["ended"])
      expect(trace.of("InvocationStarted").map(({ step }) => step)).toEqual(["work", "end"])
    })
  )

  it.effect("is named by the run's status while it cannot be interrupted", () =>
    Effect.gen(function* () {
      const flow = stopped(() => Effect.uninterruptible(Effect.sleep("1 minute")))
      const live = yield* launch(flow) as Effect.Effect<RunOf<typeof flow>, never, Scope.Scope>
      yield* TestClock.adjust("30 seconds")
      expect(yield* live.status).toMatchObject({
        state: "ending",
        steps: { work: { queued: 0, running: 1 }, end: { queued: 0, running: 0 } }
      })
      yield* TestClock.adjust("30 seconds")
      expect(yield* live.status).toMatchObject({ state: "ended", steps: { work: { queued: 0, running: 0 } } })
    })
  )

  it.effect("may still send, without effect", () =>
    Effect.gen(function* () {
      const started: Array<string> = []
      const flow = workflow({
        name: "late",
        start: Start,
        stop: Stop,
        steps: {
          work: defineStep({
            accepts: Start,
            emits: [Task, Stop],
            run: (_, { send }) =>
              Effect.onInterrupt(Effect.never, () =>
                Effect.sync(() => {
                  send(Task({ n: 1 }))
                  send(stop(2))
                })
              )
          }),
          task: defineStep({ accepts: Task, emits: [], run: () => void started.push("task") }),
          end: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(1000), stop(1)) })
        }
      })
      expect((yield* result(run(flow))).values).toEqual([1])
      expect(started).toEqual([])
    })
  )

  it.effect("is abandoned if it is a promise that ignores its signal", () =>
    Effect.gen(function* () {
      const flow = stopped(() => new Promise(() => {}))
      const [took] = yield* result(Effect.timed(run(flow)))
      expect(Duration.toSeconds(took)).toBe(1)
    })
  )

  it.effect("is abandoned if it is an async generator that never comes back", () =>
    Effect.gen(function* () {
      const flow = stopped(async function* () {
        await new Promise(() => {})
      })
      const [took] = yield* result(Effect.timed(run(flow)))
      expect(Duration.toSeconds(took)).toBe(1)
    })
  )

  it("does no harm if it is an async generator that fails while it is closed", async () => {
    const unhandled: Array<unknown> = []
    const onUnhandled = (reason: unknown) => void unhandled.push(reason)
    process.prependListener("unhandledRejection", onUnhandled)
    const flow = workflow({
      name: "closing",
      start: Start,
      stop: Stop,
      steps: {
        work: defineStep({
          accepts: Start,
          emits: Task,
          run: async function* () {
            try {
              await new Promise((resume) => setTimeout(resume, 20))
              yield Task({ n: 1 })
            } finally {
              // biome-ignore lint/correctness/noUnsafeFinally: what happens then is the question.
              throw new Error("closing failed")
            }
          }
        }),
        task: defineStep({ accepts: Task, emits: [], run: () => {} }),
        end: defineStep({ accepts: Start, emits: Stop, run: async () => stop(1) })
      }
    })
    expect((await runPromise(flow)).values).toEqual([1])
    await new Promise((resume) => setTimeout(resume, 60))
    process.off("unhandledRejection", onUnhandled)
    expect(unhandled).toEqual([])
  })

  it("does no harm if it is a promise that rejects later", async () => {
    const unhandled: Array<unknown> = []
    const onUnhandled = (reason: unknown) => void unhandled.push(reason)
    process.prependListener("unhandledRejection", onUnhandled)
    const flow = workflow({
      name: "late rejection",
      start: Start,
      stop: Stop,
      steps: {
        work: defineStep({
          accepts: Start,
          emits: Task,
          run: async (_, { signal, send }): Promise<void> => {
            await new Promise((resume) => signal.addEventListener("abort", resume))
            send(Task({ n: 1 }))
          }
        }),
        task: defineStep({ accepts: Task, emits: [], run: () => {} }),
        end: defineStep({ accepts: Start, emits: Stop, run: async () => stop(1) })
      }
    })
    expect((await runPromise(flow)).values).toEqual([1])
    await new Promise((resume) => setTimeout(resume, 20))
    process.off("unhandledRejection", onUnhandled)
    expect(unhandled).toEqual([])
  })
})

describe("the shutdown after a stop", () => {
  /** A run that has stopped and waits an hour for a finalizer. */
  const shuttingDown = Effect.gen(function* () {
    const log: Array<string> = []
    const closing = yield* Deferred.make<void>()
    const trace = recorded()
    const flow = workflow({
      name: "shutdown",
      start: Start,
      stop: Stop,
      steps: {
        work: defineStep({
          accepts: Start,
          emits: [],
          run: () =>
            Effect.onInterrupt(Effect.never, () =>
              Deferred.succeed(closing, undefined).pipe(
                Effect.andThen(Effect.sleep("1 hour")),
                Effect.andThen(Effect.sync(() => void log.push("closed")))
              )
            )
        }),
        end: defineStep({ accepts: Start, emits: Stop, run: () => stop(1) })
      }
    })
    const fiber = yield* Effect.forkChild(trace.record(run(flow)))
    yield* Deferred.await(closing)
    return { fiber, log, trace }
  })

  it.effect("cannot be interrupted: an attempt waits for its finalizers", () =>
    Effect.gen(function* () {
      const { fiber, log } = yield* shuttingDown
      const interrupting = yield* Effect.forkChild(
        Effect.andThen(
          Fiber.interrupt(fiber),
          Effect.map(Clock.currentTimeMillis, (now) => [now, ...log])
        )
      )
      yield* TestClock.adjust("59 minutes")
      expect([interrupting.pollUnsafe(), log]).toEqual([undefined, []])
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(interrupting)).toEqual([3_600_000, "closed"])
    })
  )

  it.effect("cannot be interrupted twice either", () =>
    Effect.gen(function* () {
      const { fiber, log } = yield* shuttingDown
      const first = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust("1 minute")
      const second = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust("1 minute")
      expect([first.pollUnsafe(), second.pollUnsafe(), fiber.pollUnsafe()]).toEqual([undefined, undefined, undefined])
      yield* TestClock.adjust("1 hour")
      expect(fiber.pollUnsafe()).toBeDefined()
      expect(log).toEqual(["closed"])
    })
  )

  it("succeeds with the stop event even when the run's signal is aborted meanwhile: promise and trace agree", async () => {
    const controller = new AbortController()
    const trace = recorded()
    const flow = workflow({
      name: "shutdown",
      start: Start,
      stop: Stop,
      steps: {
        work: defineStep({
          accepts: Start,
          emits: [],
          run: () =>
            Effect.onInterrupt(Effect.never, () =>
              Effect.andThen(
                Effect.sync(() => controller.abort(new Error("too late"))),
                Effect.sleep(10)
              )
            )
        }),
        end: defineStep({ accepts: Start, emits: Stop, run: async () => stop(1) })
      }
    })
    const event = await runPromise(flow, {}, { signal: controller.signal, observe: trace.observe })
    expect(event.values).toEqual([1])
    expect(trace.of("RunFinished").map(({ outcome }) => outcome)).toEqual(["stopped"])
  })

  it.effect("leaves no fiber sleeping behind", () =>
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      let sleeping = 0
      const counting: Clock.Clock = {
        ...clock,
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
        currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
        sleep: (duration) =>
          Effect.acquireUseRelease(
            Effect.sync(() => void sleeping++),
            () => clock.sleep(duration),
            () => Effect.sync(() => void sleeping--)
          )
      }
      const sleeper = (setting: object) =>
        untyped.step({ accepts: Start, emits: [], run: () => Effect.sleep("1 day"), ...setting })
      const flow = workflow({
        name: "sleepers",
        start: Start,
        stop: Stop,
        timeout: "1 hour",
        steps: {
          a: sleeper({}),
          b: sleeper({ timeout: "1 hour" }),
          c: sleeper({ retry: { times: 2, schedule: undefined } }),
          failing: untyped.step({
            accepts: Start,
            emits: [],
            run: () => Effect.fail("again"),
            retry: { while: () => Effect.as(Effect.sleep("1 hour"), true) }
          }),
          end: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(1000), stop(1)) })
        }
      })
      const fiber = yield* Effect.forkChild(Effect.provideService(run(flow), Clock.Clock, counting))
      yield* Effect.yieldNow
      expect(sleeping).toBeGreaterThanOrEqual(5)
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(fiber)).values).toEqual([1])
      expect(sleeping).toBe(0)
    })
  )
})

describe("a run that stops at once", () => {
  it("needs no turn of the event loop: a workflow of plain steps is a synchronous Effect", () => {
    const flow = workflow({
      name: "sync",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({ accepts: Start, emits: Task, run: () => upTo(3).map((n) => Task({ n })) }),
        work: defineStep({ accepts: Task, emits: [Done, Stop], run: ({ n }) => (n === 2 ? stop(n) : Done({ n })) }),
        done: defineStep({ accepts: Done, emits: [], run: () => {} })
      }
    })
    expect(Effect.runSync(run(flow)).values).toEqual([2])
  })
})
