// `timeout` on a workflow fails it with WorkflowTimedOut naming what was running and waiting. All time comes from Effect's
// Clock, so tests use virtual time.
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Schedule } from "effect"
import { TestClock } from "effect/testing"
import { collect, defineStep, join, run, runPromise, WorkflowTimedOut, workflow } from "stepgraph"
import { Done, recorded, Start, Stop, stop, Task, untyped, upTo } from "./support/flow.ts"
import { ended, failure, result } from "./support/virtual.ts"

const sleeping = (timeout: Duration.Input, work: () => unknown, settings: object = {}) =>
  untyped.workflow({
    name: "sleeping",
    start: Start,
    stop: Stop,
    timeout,
    steps: { only: untyped.step({ accepts: Start, emits: Stop, run: work, ...settings }) }
  })

describe("the timeout of a workflow", () => {
  it.effect("fails a run that takes longer, at that time", () =>
    Effect.gen(function* () {
      const flow = sleeping("1 minute", () => Effect.never)
      const [took, error] = yield* result(Effect.timed(Effect.flip(run(flow))))
      expect(Duration.toSeconds(took)).toBe(60)
      expect(error).toBeInstanceOf(WorkflowTimedOut)
    })
  )

  it.effect("names what was running, queued and waiting", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "busy",
        start: Start,
        stop: Stop,
        timeout: "10 seconds",
        steps: {
          begin: defineStep({
            accepts: Start,
            emits: [Task, Done],
            run: () => [Done({ n: 1 }), ...upTo(7).map((n) => Task({ n }))]
          }),
          slow: defineStep({ accepts: Task, emits: Done, workers: 2, run: () => Effect.never }),
          both: defineStep({ accepts: collect(Done, 3), emits: Stop, run: () => stop() }),
          never: defineStep({ accepts: join([Task, Done]), emits: [], run: () => Effect.never })
        }
      })
      const error = yield* failure(run(flow))
      expect(error).toMatchObject({
        _tag: "WorkflowTimedOut",
        workflow: "busy",
        after: "10s",
        running: { slow: 2, never: 1 },
        queued: { slow: 5 },
        waiting: [
          { step: "both", has: { Done: 1 }, needs: { Done: 2 } },
          { step: "never", has: { Task: 6 }, needs: { Done: 1 } }
        ]
      })
    })
  )

  it.effect("has no effect if the run ends before, or at the same instant", () =>
    Effect.gen(function* () {
      for (const millis of [0, 999, 1000]) {
        const flow = sleeping("1 second", () => Effect.as(Effect.sleep(millis), stop(millis)))
        expect(yield* result(run(flow))).toEqual(stop(millis))
      }
    })
  )

  it.effect("of nothing still lets a run of plain steps through", () =>
    Effect.gen(function* () {
      expect(yield* run(sleeping(0, () => stop(1)))).toEqual(stop(1))
    })
  )

  it.effect("waits for finalizers and uninterruptible steps", () =>
    Effect.gen(function* () {
      const flow = sleeping("1 minute", () => Effect.uninterruptible(Effect.sleep("1 hour")))
      const [took, error] = yield* result(Effect.timed(Effect.flip(run(flow))))
      expect([Duration.toMinutes(took), (error as WorkflowTimedOut)._tag]).toEqual([60, "WorkflowTimedOut"])
    })
  )

  it.effect("does not trigger retry or recover", () =>
    Effect.gen(function* () {
      const calls: Array<string> = []
      const flow = sleeping(
        "1 minute",
        () => {
          calls.push("run")
          return Effect.never
        },
        { retry: { times: 5 }, recover: () => void calls.push("recover") }
      )
      expect(yield* failure(run(flow))).toMatchObject({ _tag: "WorkflowTimedOut" })
      expect(calls).toEqual(["run"])
    })
  )

  it.effect("ends a retry that waits", () =>
    Effect.gen(function* () {
      const flow = sleeping("1 minute", () => Effect.fail("again"), { retry: Schedule.spaced("7 seconds") })
      expect(yield* failure(run(flow))).toMatchObject({ _tag: "WorkflowTimedOut", running: { only: 1 } })
    })
  )

  it.effect("of a workflow inside a step is that step's own typed error", () =>
    Effect.gen(function* () {
      const inner = workflow({
        name: "inner",
        start: Start,
        stop: Stop,
        timeout: "1 second",
        steps: {
          only: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep("1 hour"), stop(1)) })
        }
      })
      const outer = workflow({
        name: "outer",
        start: Start,
        stop: Stop,
        steps: {
          nested: defineStep({
            accepts: Start,
            emits: Stop,
            run: () =>
              run(inner).pipe(
                Effect.catchTag("WorkflowTimedOut", ({ workflow }) => Effect.succeed(stop(workflow.length)))
              )
          })
        }
      })
      expect((yield* result(run(outer))).values).toEqual(["inner".length])
    })
  )

  const endless: Record<string, (n: number) => unknown> = {
    "plain steps": (n) => Task({ n }),
    "async steps": async (n) => Task({ n }),
    "Effect steps": (n) => Effect.succeed(Task({ n })),
    generators: function* (n) {
      yield Task({ n })
    }
  }
  it.each(Object.entries(endless))("ends an endless loop of %s, on the real clock", async (_, kind) => {
    const flow = untyped.workflow({
      name: "endless",
      start: Start,
      stop: Stop,
      timeout: 30,
      steps: {
        begin: defineStep({ accepts: Start, emits: Task, run: () => Task({ n: 0 }) }),
        loop: untyped.step({
          accepts: Task,
          emits: [Task, Stop],
          run: ({ n }: { readonly n: number }) => (n < 0 ? stop() : kind(n + 1))
        })
      }
    })
    await expect(untyped.runPromise(flow)).rejects.toMatchObject({ _tag: "WorkflowTimedOut", after: "30ms" })
  })
})

describe("time", () => {
  it.effect("is virtual where the Clock is: a year of work takes none", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "year",
        start: Start,
        stop: Stop,
        timeout: "400 days",
        steps: {
          begin: defineStep({ accepts: Start, emits: Task, run: () => Task({ n: 1 }) }),
          month: defineStep({
            accepts: Task,
            emits: [Task, Stop],
            timeout: "31 days",
            run: ({ n }) => Effect.as(Effect.sleep("30 days"), n === 12 ? stop(n) : Task({ n: n + 1 }))
          })
        }
      })
      const trace = recorded()
      const fiber = yield* Effect.forkChild(trace.record(run(flow)))
      yield* Effect.yieldNow
      for (const month of upTo(12)) {
        expect(fiber.pollUnsafe()).toBe(undefined)
        expect(trace.of("InvocationStarted")).toHaveLength(month + 2)
        yield* TestClock.adjust("30 days")
      }
      expect((yield* Fiber.join(fiber)).values).toEqual([12])
      const { at } = trace.of("RunFinished")[0]!
      expect(at).toBe(Duration.toMillis("360 days"))
    })
  )

  it.effect("does not pass for a run by itself: without the Clock nothing goes on, and nothing fires", () =>
    Effect.gen(function* () {
      const flow = sleeping("1 milli", () => Effect.as(Effect.sleep("1 milli"), stop(1)))
      const fiber = yield* Effect.forkChild(run(flow))
      yield* Effect.promise(() => new Promise((resume) => setTimeout(resume, 20)))
      expect(fiber.pollUnsafe()).toBe(undefined)
      yield* TestClock.adjust("1 milli")
      expect(yield* Fiber.join(fiber)).toEqual(stop(1))
    })
  )

  it("is real where the Clock is", async () => {
    const flow = sleeping("10 seconds", () => Effect.as(Effect.sleep(20), stop(1)))
    const before = performance.now()
    await untyped.runPromise(flow)
    expect(performance.now() - before).toBeGreaterThan(15)
  })

  it.effect("of a step's timeout begins when the step does, not when its event was queued", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "queue",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({ accepts: Start, emits: Task, run: () => upTo(5).map((n) => Task({ n })) }),
          work: defineStep({
            accepts: Task,
            emits: Done,
            workers: 1,
            timeout: "15 millis",
            run: ({ n }) => Effect.as(Effect.sleep(10), Done({ n }))
          }),
          finish: defineStep({ accepts: collect(Done, 5), emits: Stop, run: () => stop(5) })
        }
      })
      const exit = yield* ended(run(flow))
      expect(exit).toEqual(Exit.succeed(stop(5)))
    })
  )
})

describe("a step's timeout on the real clock", () => {
  it("leaves a promise that ignores its signal", async () => {
    let aborted = false
    const flow = workflow({
      name: "deaf",
      start: Start,
      stop: Stop,
      steps: {
        only: defineStep({
          accepts: Start,
          emits: Stop,
          timeout: "20 millis",
          run: (_, { signal }): Promise<ReturnType<typeof stop>> =>
            new Promise(() => {
              signal.addEventListener("abort", () => {
                aborted = true
              })
            })
        })
      }
    })
    await expect(runPromise(flow)).rejects.toMatchObject({ _tag: "StepTimedOut", step: "only", after: "20ms" })
    expect(aborted).toBe(true)
  })
})
