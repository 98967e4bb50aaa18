// Where retry and recover end: a recovery that fails, a stop, a timeout of the run, an interruption, a defect.
import { describe, expect, it } from "@effect/vitest"
import { Cause, Context, Data, Effect, Exit, Schedule, Stream } from "effect"
import { defineStep, gather, race, run, runPromise, type StepContext, SuppressedErrors, workflow } from "stepgraph"
import { Done, numbers, recorded, Start, Stop, stop, Task, untyped, upTo } from "./support/flow.ts"
import { defect, ended, failure, result } from "./support/virtual.ts"

class First extends Data.TaggedError("First")<{}> {}
class Second extends Data.TaggedError("Second")<{}> {}

const only = (settings: object) =>
  untyped.workflow({
    name: "only",
    start: Start,
    stop: Stop,
    steps: { only: untyped.step({ accepts: Start, emits: Stop, ...settings }) }
  })

describe("a recovery that fails", () => {
  it.effect("fails the run with its own typed error, which can be caught, and suppresses the first one", () =>
    Effect.gen(function* () {
      const steps = {
        only: defineStep({
          accepts: Start,
          emits: Stop,
          run: (): Effect.Effect<ReturnType<typeof stop>, First> => Effect.fail(new First()),
          recover: (): Effect.Effect<ReturnType<typeof stop>, Second> => Effect.fail(new Second())
        })
      }
      const flow = workflow({ name: "both", start: Start, stop: Stop, steps })
      const caught = run(flow).pipe(Effect.catchTag("Second", ({ _tag }) => Effect.succeed(_tag)))
      expect(yield* caught).toBe("Second")
      const exit = yield* ended(run(flow))
      const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
      expect(cause.reasons).toMatchObject([{ _tag: "Fail", error: { _tag: "Second" } }])
      expect(Context.getOrUndefined(Cause.annotations(cause), SuppressedErrors)).toEqual([new First()])
    })
  )

  const ways: Record<string, [recover: () => unknown, tag: string]> = {
    "a typed error": [() => Effect.fail(new Second()), "Second"],
    "a Stream's error": [() => Stream.fail(new Second()), "Second"],
    "a rejection": [() => Promise.reject(new Error("recovery")), "StepRejected"],
    "a throw": [
      () => {
        throw new Error("recovery")
      },
      "StepDefect"
    ],
    "a defect": [() => Effect.die(new Error("recovery")), "StepDefect"],
    "a generator that throws": [
      function* () {
        throw new Error("recovery")
      },
      "StepDefect"
    ],
    "a value that is not an event": [() => "text", "StepDefect"]
  }
  it.each(Object.entries(ways))("rejects the promise with its own error: %s", async (_, [recover, tag]) => {
    const flow = only({ run: () => Effect.fail(new First()), recover })
    await expect(untyped.runPromise(flow)).rejects.toMatchObject({ _tag: tag })
  })

  it.effect("is neither retried nor recovered from", () =>
    Effect.gen(function* () {
      const calls: Array<string> = []
      const flow = only({
        retry: { times: 2 },
        run: () => {
          calls.push("run")
          return Effect.fail(new First())
        },
        recover: () => {
          calls.push("recover")
          return Effect.fail(new Second())
        }
      })
      expect(yield* failure(run(flow))).toBeInstanceOf(Second)
      expect(calls).toEqual(["run", "run", "run", "recover"])
    })
  )

  it("drops its emissions", async () => {
    const trace = recorded()
    const flow = only({
      run: () => Effect.fail(new First()),
      recover: (_error: unknown, _input: unknown, ctx: StepContext<any, unknown>) => {
        ctx.send(stop(1))
        return Effect.fail(new Second())
      }
    })
    await expect(untyped.runPromise(flow, {}, { observe: trace.observe })).rejects.toMatchObject({ _tag: "Second" })
    expect(trace.of("EventEmitted").map(({ tag }) => tag)).toEqual(["Start"])
  })
})

describe("neither retry nor recover", () => {
  const endings: Record<string, object> = {
    "a stop": { end: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(10), stop(1)) }) },
    "a failure elsewhere": {
      end: untyped.step({ accepts: Start, emits: Stop, run: () => Effect.andThen(Effect.sleep(10), Effect.fail("no")) })
    }
  }
  const works: Record<string, () => unknown> = {
    "an Effect": () => Effect.never,
    "an Effect that fails when it is interrupted": () => Effect.onInterrupt(Effect.never, () => Effect.fail("closing")),
    "a promise": () => new Promise(() => {}),
    "a promise that rejects when it is aborted": () => Effect.never
  }
  for (const [ending, steps] of Object.entries(endings)) {
    it.effect.each(Object.entries(works))(`acts on ${ending}: %s`, ([, work]) =>
      Effect.gen(function* () {
        const calls: Array<string> = []
        const flow = untyped.workflow({
          name: "ending",
          start: Start,
          stop: Stop,
          steps: {
            work: untyped.step({
              accepts: Start,
              emits: Stop,
              retry: { times: 5 },
              run: () => {
                calls.push("run")
                return work()
              },
              recover: () => {
                calls.push("recover")
                return stop(2)
              }
            }),
            ...steps
          }
        })
        const exit = yield* ended(run(flow))
        expect(exit._tag).toBe(ending === "a stop" ? "Success" : "Failure")
        expect(calls).toEqual(["run"])
      })
    )
  }

  it.effect("acts on a defect, of whatever kind of step", () =>
    Effect.gen(function* () {
      const kinds: Record<string, () => unknown> = {
        Effect: () => Effect.die(new Error("bug")),
        Stream: () => Stream.die(new Error("bug"))
      }
      for (const [kind, fail] of Object.entries(kinds)) {
        const calls: Array<string> = []
        const flow = only({
          retry: { times: 5 },
          run: () => {
            calls.push("run")
            return fail()
          },
          recover: () => {
            calls.push("recover")
            return stop(2)
          }
        })
        expect(yield* defect(run(flow)), kind).toMatchObject({ _tag: "StepDefect", cause: new Error("bug") })
        expect(calls, kind).toEqual(["run"])
      }
    })
  )
})

describe("the events of a failed attempt", () => {
  const kinds: Record<string, (send: () => void) => unknown> = {
    "an Effect": (send) => Effect.andThen(Effect.sync(send), Effect.fail("again")),
    "a promise": async (send) => {
      send()
      throw new Error("again")
    },
    "an async generator": async function* (send) {
      send()
      yield Task({ n: 0 })
      throw new Error("again")
    },
    "a Stream": (send) =>
      Stream.concat(Stream.fromEffect(Effect.as(Effect.sync(send), Task({ n: 0 }))), Stream.fail("again"))
  }
  it.effect.each(Object.entries(kinds))("does not stop the run, though it was a stop event: %s", ([, kind]) =>
    Effect.gen(function* () {
      const trace = recorded()
      const flow = untyped.workflow({
        name: "held",
        start: Start,
        stop: Stop,
        steps: {
          work: untyped.step({
            accepts: Start,
            emits: [Task, Stop],
            retry: { times: 2 },
            run: (_: unknown, { send, attempt }: StepContext<any, unknown>) =>
              attempt === 3 ? stop(attempt) : kind(() => send(stop(attempt)))
          }),
          task: defineStep({ accepts: Task, emits: [], run: () => {} })
        }
      })
      expect(yield* result(trace.record(run(flow)))).toEqual(stop(3))
      expect(trace.of("EventEmitted").map(({ tag }) => tag)).toEqual(["Start", "Stop"])
    })
  )
})

describe("a retry", () => {
  class Limit extends Context.Service<Limit, { readonly times: number }>()("Limit") {}
  const retried = (retry: Effect.Retry.Options<First>) => ({
    accepts: Start,
    emits: Stop,
    retry,
    run: (_: unknown, { attempt }: { readonly attempt: number }) =>
      attempt < 3 ? Effect.fail(new First()) : Effect.succeed(stop(attempt))
  })

  it.effect("uses the services that its conditions and its schedule need", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "services",
        start: Start,
        stop: Stop,
        steps: {
          only: defineStep({
            ...retried({}),
            retry: {
              while: () => Effect.map(Limit, ({ times }) => times === 2),
              schedule: Schedule.recurs(5).pipe(Schedule.tap(() => Effect.asVoid(Limit)))
            }
          })
        }
      })
      const outcome = yield* result(run(flow).pipe(Effect.provideService(Limit, { times: 2 })))
      expect(outcome).toEqual(stop(3))
    })
  )

  it.effect("whose condition or schedule fails, fails the step with that error, which recover is given", () =>
    Effect.gen(function* () {
      const settings = {
        ...retried({}),
        retry: { schedule: Schedule.recurs(5).pipe(Schedule.tap(() => Effect.fail(new Second()))) }
      }
      const failing = workflow({ name: "failing", start: Start, stop: Stop, steps: { only: defineStep(settings) } })
      expect(yield* Effect.flip(run(failing).pipe(Effect.catchTag("First", Effect.die)))).toEqual(new Second())
      const condition = { ...retried({}), retry: { until: () => Effect.fail(new Second()) } }
      const refusing = workflow({ name: "refusing", start: Start, stop: Stop, steps: { only: defineStep(condition) } })
      expect(yield* Effect.flip(run(refusing).pipe(Effect.catchTag("First", Effect.die)))).toEqual(new Second())
      const saved = defineStep({ ...settings, recover: ({ _tag }) => stop(_tag === "Second" ? 2 : 1) })
      expect(yield* run(workflow({ name: "saved", start: Start, stop: Stop, steps: { only: saved } }))).toEqual(stop(2))
    })
  )

  it.effect("of a step behind a race gives it the same event again", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const flow = workflow({
        name: "race",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({ accepts: Start, emits: Task, run: () => [Task({ n: 1 }), Task({ n: 2 })] }),
          work: defineStep({
            accepts: Task,
            emits: Done,
            run: ({ n }) => Effect.as(Effect.sleep(n), Done({ n }))
          }),
          first: defineStep({
            accepts: race(Done),
            emits: Stop,
            retry: { times: 2 },
            run: ({ n }, { attempt }): Effect.Effect<ReturnType<typeof stop>, "again"> => {
              seen.push(n)
              return attempt === 3 ? Effect.succeed(stop(n)) : Effect.fail("again" as const)
            }
          })
        }
      })
      expect((yield* result(run(flow))).values).toEqual([1])
      expect(seen).toEqual([1, 1, 1])
    })
  )

  it.effect("keeps a gather downstream waiting until it is over, and shows it each event once", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "gather",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({ accepts: Start, emits: Task, run: () => upTo(5).map((n) => Task({ n })) }),
          work: defineStep({
            accepts: Task,
            emits: Done,
            retry: { times: 3, while: () => Effect.as(Effect.sleep("1 hour"), true) },
            run: ({ n }, { attempt, send }): Effect.Effect<void, "again"> => {
              send(Done({ n }))
              return attempt <= n % 3 ? Effect.fail("again" as const) : Effect.void
            }
          }),
          all: defineStep({ accepts: gather(Done), emits: Stop, run: (done) => stop(...numbers(done)) })
        }
      })
      expect((yield* result(run(flow))).values).toEqual(upTo(5))
    })
  )

  it("of real promises, on the real clock", async () => {
    let calls = 0
    const flow = workflow({
      name: "real",
      start: Start,
      stop: Stop,
      steps: {
        only: defineStep({
          accepts: Start,
          emits: Stop,
          retry: { times: 3 },
          run: async (_, { attempt }) => {
            calls++
            await new Promise((resume) => setTimeout(resume, 2))
            if (attempt < 3) throw new Error(`attempt ${attempt}`)
            return stop(attempt)
          }
        })
      }
    })
    expect((await runPromise(flow)).values).toEqual([3])
    expect(calls).toBe(3)
  })
})
