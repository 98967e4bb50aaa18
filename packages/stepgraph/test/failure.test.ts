// The first failure without a `retry` or `recover` ends the run like a stop, and keeps its kind: a typed error, a
// `StepRejected`, or a defect that names its step. A failing finalizer never changes the outcome.
import { describe, expect, it } from "@effect/vitest"
import { Cause, Context, Data, Duration, Effect, Exit, Logger, References, Schema, Stream, Tracer } from "effect"
import { TestClock } from "effect/testing"
import {
  AnnotateLogs,
  defineStep,
  FinalizerFailed,
  join,
  launch,
  run,
  StepDefect,
  StepRejected,
  SuppressedErrors,
  workflow
} from "stepgraph"
import { Done, recorded, Start, Stop, stop, Task, untyped } from "./support/flow.ts"
import { ended, failure, result } from "./support/virtual.ts"

class Boom extends Data.TaggedError("Boom")<{ readonly n: number }> {}

/** A workflow whose step fails in some way 10 ms after the start, while another is at work. */
const failing = (fail: () => unknown, work: () => unknown = () => Effect.never) =>
  untyped.workflow({
    name: "failing",
    start: Start,
    stop: Stop,
    steps: {
      work: untyped.step({ accepts: Start, emits: Stop, run: work }),
      wait: defineStep({ accepts: Start, emits: Task, run: () => Effect.as(Effect.sleep(10), Task({ n: 1 })) }),
      fail: untyped.step({ accepts: Task, emits: Stop, run: fail })
    }
  })

/** A step that waits until it is interrupted, and whose finalizer then fails. */
const brokenFinalizer = (error: Error = new Error("finalizer")) =>
  Effect.onInterrupt(Effect.never, () => Effect.die(error))

describe("a failure", () => {
  it.effect("of an Effect step is the workflow's own typed error", () =>
    Effect.gen(function* () {
      const only = defineStep({
        accepts: Start,
        emits: Stop,
        run: (): Effect.Effect<ReturnType<typeof Stop>, Boom> => Effect.fail(new Boom({ n: 7 }))
      })
      const flow = workflow({ name: "typed", start: Start, stop: Stop, steps: { only } })
      const caught = run(flow).pipe(Effect.catchTag("Boom", ({ n }) => Effect.succeed(n)))
      expect(yield* caught).toBe(7)
    })
  )

  it("of an Effect step rejects the promise with the error itself", async () => {
    const boom = new Boom({ n: 1 })
    const rejected = untyped.runPromise(failing(() => Effect.fail(boom)))
    await expect(rejected).rejects.toBe(boom)
  })

  it.effect("of a Stream is its typed error, too", () =>
    Effect.gen(function* () {
      const boom = new Boom({ n: 1 })
      expect(yield* failure(run(failing(() => Stream.fail(boom))))).toBe(boom)
    })
  )

  const rejecting: Record<string, (error: unknown) => unknown> = {
    "an async step": async (error) => {
      throw error
    },
    "a promise": (error) => Promise.reject(error),
    "a promise, later": (error) => new Promise((_, reject) => setImmediate(() => reject(error))),
    "a promise-like": (error) => ({ then: (_: unknown, reject: (error: unknown) => void) => reject(error) }),
    "a promise-like that throws": (error) => ({
      then: () => {
        throw error
      }
    }),
    "an async generator": async function* (error) {
      throw error
    },
    "an async iterator of its own": (error) => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) })
    }),
    "a promise in an Effect": (error) => Effect.sync(() => Promise.reject(error))
  }
  // With a retry, these count as rejections.
  const throwingInStep: Record<string, (error: unknown) => unknown> = {
    "a plain step": (error) => {
      throw error
    },
    "a generator": function* (error) {
      throw error
    },
    "an iterator of its own": (error) => ({
      [Symbol.iterator]: () => ({
        next: () => {
          throw error
        }
      })
    })
  }
  const settings = { "": {}, " with a timeout": { timeout: "1 week" }, " with a retry": { retry: { times: 1 } } }
  for (const [setting, more] of Object.entries(settings)) {
    const rejects = "retry" in more ? { ...rejecting, ...throwingInStep } : rejecting
    it.effect.each(Object.entries(rejects))(`of %s${setting} is a StepRejected`, ([, reject]) =>
      Effect.gen(function* () {
        const cause = new Error("no")
        const steps = { only: untyped.step({ accepts: Start, emits: Stop, run: () => reject(cause), ...more }) }
        const flow = untyped.workflow({ name: "rejecting", start: Start, stop: Stop, steps })
        const error = (yield* failure(run(flow))) as StepRejected
        expect(error).toBeInstanceOf(StepRejected)
        expect(error).toMatchObject({ _tag: "StepRejected", workflow: "rejecting", step: "only", input: Start() })
        expect(error.cause).toBe(cause)
      })
    )
  }

  const throwing: Record<string, (error: unknown) => unknown> = {
    "an iterable that cannot be opened": (error) => ({
      [Symbol.iterator]: () => {
        throw error
      }
    }),
    "an Effect that dies": (error) => Effect.die(error),
    "an Effect that throws": (error) =>
      Effect.sync(() => {
        throw error
      }),
    "a Stream that dies": (error) => Stream.die(error),
    "a getter of what it returns": (error) => ({
      get _tag() {
        throw error
      }
    })
  }
  for (const [setting, more] of Object.entries(settings)) {
    const dies = "retry" in more ? throwing : { ...throwing, ...throwingInStep }
    it.effect.each(Object.entries(dies))(`of %s${setting} is a defect that names the step`, ([, fail]) =>
      Effect.gen(function* () {
        const cause = new Error("no")
        const steps = { only: untyped.step({ accepts: Start, emits: Stop, run: () => fail(cause), ...more }) }
        const flow = untyped.workflow({ name: "throwing", start: Start, stop: Stop, steps })
        const exit = yield* ended(run(flow))
        expect(Exit.isFailure(exit) && Cause.hasFails(exit.cause)).toBe(false)
        const error = Exit.isFailure(exit) ? (Cause.squash(exit.cause) as StepDefect) : undefined
        expect(error).toBeInstanceOf(StepDefect)
        expect(error).toMatchObject({ _tag: "StepDefect", workflow: "throwing", step: "only", input: Start() })
        expect(error?.cause).toBe(cause)
      })
    )
  }

  it("of plain code rejects the promise with the StepDefect itself", async () => {
    const flow = failing(() => {
      throw new Error("no")
    })
    await expect(untyped.runPromise(flow)).rejects.toMatchObject({ _tag: "StepDefect", step: "fail" })
  })

  it.each([undefined, null, 0, "", "text", Symbol("no"), Object.create(null)])(
    "may be of anything that can be thrown: %s",
    async (thrown) => {
      const plain = failing(() => {
        throw thrown
      })
      const promise = failing(() => Promise.reject(thrown))
      await expect(untyped.runPromise(plain)).rejects.toMatchObject({ _tag: "StepDefect", cause: thrown })
      await expect(untyped.runPromise(promise)).rejects.toMatchObject({ _tag: "StepRejected", cause: thrown })
    }
  )

  it.effect("interrupts running steps and waits for their finalizers, like a stop", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const closing = Effect.andThen(
        Effect.sleep("1 minute"),
        Effect.sync(() => void log.push("closed"))
      )
      const flow = failing(
        () => Effect.fail("no"),
        () => Effect.onInterrupt(Effect.never, () => closing)
      )
      const [took, error] = yield* result(Effect.timed(Effect.flip(run(flow))))
      expect([Duration.toMillis(took), error, log]).toEqual([60_010, "no", ["closed"]])
    })
  )

  it.effect("drops queued events", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const flow = workflow({
        name: "queued",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({ accepts: Start, emits: Task, run: () => [1, 2, 3, 4].map((n) => Task({ n })) }),
          work: defineStep({
            accepts: Task,
            emits: Stop,
            run: ({ n }): Effect.Effect<undefined, number> => {
              seen.push(n)
              return n === 2 ? Effect.fail(n) : Effect.succeed(undefined)
            }
          })
        }
      })
      expect(yield* failure(run(flow))).toBe(2)
      expect(seen).toEqual([1, 2])
    })
  )

  it.effect("during a join ends the run, and the join's events are left over", () =>
    Effect.gen(function* () {
      const trace = recorded()
      const flow = workflow({
        name: "join",
        start: Start,
        stop: Stop,
        steps: {
          left: defineStep({ accepts: Start, emits: Task, run: () => Task({ n: 1 }) }),
          right: defineStep({
            accepts: Start,
            emits: Done,
            run: (): Effect.Effect<ReturnType<typeof Done>, "no"> =>
              Effect.andThen(Effect.sleep(10), Effect.fail("no" as const))
          }),
          both: defineStep({ accepts: join([Task, Done]), emits: Stop, run: () => stop() })
        }
      })
      expect(yield* failure(trace.record(run(flow)))).toBe("no")
      const dropped = trace.of("EventDropped").map(({ step, reason }) => `${step} ${reason}`)
      expect(dropped).toEqual(["both leftover"])
      expect(trace.of("InvocationStarted").map(({ step }) => step)).not.toContain("both")
    })
  )

  it.effect("that comes second is not the outcome, but is in the trace", () =>
    Effect.gen(function* () {
      const trace = recorded()
      const after = (millis: number) =>
        untyped.step({
          accepts: Start,
          emits: Stop,
          run: () => Effect.uninterruptible(Effect.delay(Effect.fail(millis), millis))
        })
      const steps = { slow: after(20), fast: after(10) }
      const flow = untyped.workflow({ name: "second", start: Start, stop: Stop, steps })
      const [took, error] = yield* result(Effect.timed(trace.record(Effect.flip(run(flow)))))
      expect([Duration.toMillis(took), error]).toEqual([20, 10])
      expect(trace.of("RunFinished")).toMatchObject([{ outcome: "failed", error: "10" }])
      const told = trace.entries.filter((entry) => "step" in entry && entry.step === "slow" && "error" in entry)
      expect(told.map((entry) => "error" in entry && entry.error)).toContain("20")
    })
  )

  it("after the end of the run rejects no promise", async () => {
    const unhandled: Array<unknown> = []
    const onUnhandled = (reason: unknown) => void unhandled.push(reason)
    process.prependListener("unhandledRejection", onUnhandled)
    const flow = failing(
      () => Promise.reject(new Error("first")),
      () => new Promise((_, reject) => setTimeout(() => reject(new Error("second")), 20))
    )
    await expect(untyped.runPromise(flow)).rejects.toThrow("first")
    await new Promise((resume) => setTimeout(resume, 40))
    process.off("unhandledRejection", onUnhandled)
    expect(unhandled).toEqual([])
  })
})

describe("when a stop and a failure come in the same turn", () => {
  const at = (millis: number, then: Effect.Effect<unknown, unknown>) =>
    untyped.step({ accepts: Start, emits: Stop, run: () => Effect.andThen(Effect.sleep(millis), then) })
  const stops = at(10, Effect.succeed(stop(1)))
  const fails = at(10, Effect.fail("no"))

  it.effect("the stop is the outcome if it was delivered first", () =>
    Effect.gen(function* () {
      const trace = recorded()
      const flow = untyped.workflow({ name: "turn", start: Start, stop: Stop, steps: { stops, fails } })
      expect(yield* result(trace.record(run(flow)))).toEqual(stop(1))
      const ends = trace.of("InvocationEnded").map(({ step, outcome }) => `${step} ${outcome}`)
      // A step interrupted before it can fail has not failed.
      expect(ends).toEqual(["stops succeeded", "fails interrupted"])
      expect(trace.of("RunFinished")).toMatchObject([{ outcome: "stopped", error: null }])
    })
  )

  it.effect("and the stop is first, a failure that could not be interrupted is logged and in the trace", () =>
    Effect.gen(function* () {
      const trace = recorded()
      const stubborn = untyped.step({
        accepts: Start,
        emits: Stop,
        run: () => Effect.uninterruptible(Effect.andThen(Effect.sleep(10), Effect.fail("no")))
      })
      const flow = untyped.workflow({ name: "turn", start: Start, stop: Stop, steps: { stops, stubborn } })
      const logged: Array<unknown> = []
      const loud = Effect.provide(Logger.layer([Logger.make(({ message }) => void logged.push(...[message].flat()))]))
      expect(yield* result(trace.record(loud(run(flow))))).toEqual(stop(1))
      expect(logged).toMatchObject([{ _tag: "FinalizerFailed", step: "stubborn", cause: "no" }])
      const told = trace.entries.filter((entry) => "step" in entry && entry.step === "stubborn" && "error" in entry)
      expect(told.map((entry) => "error" in entry && entry.error)).toContain("no")
      expect(trace.of("RunFinished")).toMatchObject([{ outcome: "stopped", error: null }])
    })
  )

  it.effect("the failure is the outcome if it was delivered first, and the stop is in the trace", () =>
    Effect.gen(function* () {
      const trace = recorded()
      const late = untyped.step({
        accepts: Start,
        emits: Stop,
        run: (_: unknown, { send }: { readonly send: (event: unknown) => void }) =>
          Effect.uninterruptible(
            Effect.andThen(
              Effect.sleep(10),
              Effect.sync(() => send(stop(1)))
            )
          )
      })
      const flow = untyped.workflow({ name: "turn", start: Start, stop: Stop, steps: { fails, late } })
      expect(yield* failure(trace.record(run(flow)))).toBe("no")
      expect(trace.of("RunFinished")).toMatchObject([{ outcome: "failed", event: null }])
      expect(trace.of("EventEmitted").map(({ tag }) => tag)).toEqual(["Start", "Stop"])
      expect(trace.of("EventDropped").map(({ reason }) => reason)).toEqual(["ended"])
    })
  )

  it.effect("and one step does both, what it delivered first counts", () =>
    Effect.gen(function* () {
      const both = untyped.step({
        accepts: Start,
        emits: Stop,
        run: (_: unknown, { send }: { readonly send: (event: unknown) => void }) => {
          send(stop(1))
          throw new Error("after the stop")
        }
      })
      const trace = recorded()
      const flow = untyped.workflow({ name: "turn", start: Start, stop: Stop, steps: { both } })
      expect(yield* result(trace.record(run(flow)))).toEqual(stop(1))
      expect(trace.of("InvocationEnded")).toMatchObject([{ step: "both", outcome: "failed" }])
    })
  )

  it("in two promises, promise and trace agree on the first", async () => {
    for (const first of ["stops", "fails"]) {
      const trace = recorded()
      let resolve: Array<() => void> = []
      const waiting = (then: () => unknown) => async () => {
        await new Promise<void>((resume) => resolve.push(resume))
        return then()
      }
      const steps = {
        stops: untyped.step({ accepts: Start, emits: Stop, run: waiting(() => stop(1)) }),
        fails: untyped.step({
          accepts: Start,
          emits: Stop,
          run: waiting(() => {
            throw new Error("no")
          })
        })
      }
      const flow = untyped.workflow({ name: "turn", start: Start, stop: Stop, steps })
      const running = untyped.runPromise(flow, {}, { observe: trace.observe }).then(
        () => "stopped",
        () => "failed"
      )
      await new Promise((resume) => setImmediate(resume))
      if (first === "fails") resolve = resolve.reverse()
      for (const resume of resolve) resume()
      const outcome = first === "stops" ? "stopped" : "failed"
      expect(await running).toBe(outcome)
      expect(trace.of("RunFinished").map((entry) => entry.outcome)).toEqual([outcome])
    }
  })

  it.effect.each([
    ["stops", { stops, fails }],
    ["fails", { fails, stops }]
  ] as const)("promise, stream and status agree (%s first)", ([first, steps]) =>
    Effect.gen(function* () {
      const flow = untyped.workflow({ name: "turn", start: Start, stop: Stop, steps })
      const live = (yield* launch(flow)) as any
      yield* TestClock.adjust(10)
      const outcome = yield* Effect.exit(live.result as Effect.Effect<unknown, unknown>)
      const seen = yield* Effect.exit(Stream.runCollect(live.events as Stream.Stream<unknown, unknown>))
      const status = yield* live.status as Effect.Effect<unknown>
      const said = (value: unknown) => {
        const failed = { cause: { reasons: [{ _tag: "Fail", error: "no" }] } }
        return first === "stops" ? { _tag: "Success", value } : { _tag: "Failure", ...failed }
      }
      expect(outcome).toMatchObject(said(stop(1)))
      expect(seen).toMatchObject(said([stop(1)]))
      expect(status).toMatchObject({ state: "ended", inputs: "closed", waiting: [] })
    })
  )
})

describe("where a typed error arose", () => {
  const fails = Effect.fn("ask the service")(function* () {
    return yield* Effect.fail(new Boom({ n: 1 }))
  })
  const ways: Record<string, [fail: () => unknown, inside: ReadonlyArray<RegExp>]> = {
    "an Effect": [() => Effect.fail(new Boom({ n: 1 })), []],
    "a named function": [fails, [/^at ask the service/]],
    "a promise": [() => Promise.reject(new Error("no")), []],
    "a Stream": [() => Stream.fail(new Boom({ n: 1 })), []]
  }
  /** The frames of Effect's own kind in what it prints: those of the engine have a place in a file of the library. */
  const framesOf = (exit: Exit.Exit<unknown, unknown>, known: RegExp) =>
    (Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "")
      .split("\n")
      .flatMap((line) => (known.test(line) && !line.includes("(definition)") ? [line.trim().replace(/ \{$/, "")] : []))

  it.effect.each(
    Object.entries(ways).flatMap(([name, way]) => [
      [name, "without a tracer", way] as const,
      [name, "with a tracer", way] as const
    ])
  )("of %s stands in what Effect prints, %s", ([, tracer, [fail, inside]]) =>
    Effect.gen(function* () {
      const traced =
        tracer === "with a tracer"
          ? Effect.provideService(Tracer.Tracer, Tracer.make({ span: (options) => new Tracer.NativeSpan(options) }))
          : <A, E, R>(effect: Effect.Effect<A, E, R>) => effect
      const program = Effect.fn("the program")(() => run(failing(fail)) as Effect.Effect<unknown, unknown>)
      const exit = yield* ended(traced(program()))
      const frames = framesOf(exit, /at (?:ask the service|step '|the program)/)
      const all = [...inside, /^at step 'fail' of workflow 'failing'$/, /^at the program/]
      expect(frames.length, frames.join("\n")).toBe(all.length)
      all.forEach((frame, index) => expect(frames[index]).toMatch(frame))
    })
  )

  it.effect("in a run inside a step names both steps, the inner one first", () =>
    Effect.gen(function* () {
      const inner = failing(() => Effect.fail(new Boom({ n: 1 })))
      const outer = untyped.workflow({
        name: "outer",
        start: Start,
        stop: Stop,
        steps: { call: untyped.step({ accepts: Start, emits: Stop, run: () => run(inner) }) }
      })
      const exit = yield* ended(run(outer))
      expect(framesOf(exit, /at step '/)).toEqual([
        "at step 'fail' of workflow 'failing'",
        "at step 'call' of workflow 'outer'"
      ])
    })
  )

  it.effect("is among the ten that are printed, however deep the step's own spans are", () =>
    Effect.gen(function* () {
      const deep: (n: number) => Effect.Effect<never, Boom> = Effect.fn("deep")(function* (n: number) {
        return yield* n === 0 ? Effect.fail(new Boom({ n })) : deep(n - 1)
      })
      const exit = yield* ended(run(failing(() => deep(50))))
      const frames = framesOf(exit, /at (?:deep|step ')/)
      expect(frames.at(-1)).toBe("at step 'fail' of workflow 'failing'")
      expect(frames.length).toBe(5)
    })
  )
})

describe("the logs of a step", () => {
  const logged = <A, E>(program: Effect.Effect<A, E>) =>
    Effect.gen(function* () {
      const logs: Array<unknown> = []
      const logger = Logger.make(({ fiber, message }) => {
        logs.push([message, fiber.getRef(References.CurrentLogAnnotations)])
      })
      yield* Effect.exit(result(Effect.provide(program, Logger.layer([logger]))))
      return logs
    })
  const flow = failing(() => Effect.as(Effect.log("works"), stop()))

  it.effect("say nothing of their run by default", () =>
    Effect.gen(function* () {
      expect(yield* logged(Effect.annotateLogs(run(flow), "user", 7))).toEqual([[["works"], { user: 7 }]])
    })
  )

  it.effect("carry workflow, step and run where `AnnotateLogs` is set", () =>
    Effect.gen(function* () {
      const annotated = run(flow).pipe(Effect.annotateLogs("user", 7), Effect.provideService(AnnotateLogs, true))
      expect(yield* logged(annotated)).toEqual([
        [
          ["works"],
          {
            user: 7,
            "stepgraph.workflow": "failing",
            "stepgraph.step": "fail",
            "stepgraph.run": expect.stringMatching(/^\w+$/)
          }
        ]
      ])
    })
  )
})

describe("a failing finalizer", () => {
  it.effect("after a typed failure is logged and suppressed: the failure is all that can be caught", () =>
    Effect.gen(function* () {
      const broken = new Error("finalizer")
      const flow = failing(
        () => Effect.fail(new Boom({ n: 7 })),
        () => brokenFinalizer(broken)
      )
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => void logged.push(...[message].flat()))
      const caught = (run(flow) as Effect.Effect<unknown, Boom>).pipe(
        Effect.catchTag("Boom", ({ n }) => Effect.succeed(n)),
        Effect.provide(Logger.layer([logger]))
      )
      expect(yield* result(caught)).toBe(7)
      const failure = { _tag: "FinalizerFailed", workflow: "failing", step: "work", input: Start(), cause: broken }
      expect(logged).toMatchObject([failure])

      const exit = yield* ended(run(flow))
      const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
      expect(cause.reasons).toMatchObject([{ _tag: "Fail", error: { _tag: "Boom" } }])
      const suppressed = Context.getOrUndefined(Cause.annotations(cause), SuppressedErrors)
      expect(suppressed).toMatchObject([failure])
      expect(suppressed?.[0]).toBeInstanceOf(FinalizerFailed)
    })
  )

  it.effect("after a typed failure lets the exit be encoded by the run's own error", () =>
    Effect.gen(function* () {
      class Broken extends Schema.TaggedError<Broken>()("Broken", { n: Schema.Number }) {}
      const flow = failing(
        () => Effect.fail(new Broken({ n: 7 })),
        () => brokenFinalizer()
      )
      const exit = yield* ended(run(flow))
      const codec = Schema.toCodecJson(Schema.Exit(Schema.Unknown, Broken, Schema.Defect()))
      expect(yield* Schema.encodeEffect(codec)(exit as never)).toMatchObject({
        cause: [{ _tag: "Fail", error: { n: 7 } }]
      })
    })
  )

  it.effect(
    "after a typed failure leaves a defect of the same moment suppressed, and an error of its own kind behind it",
    () =>
      Effect.gen(function* () {
        const late = (effect: Effect.Effect<never, unknown>) => () => Effect.uninterruptible(Effect.delay(effect, 2))
        const steps = {
          first: untyped.step({
            accepts: Start,
            emits: Stop,
            run: () => Effect.delay(Effect.fail(new Boom({ n: 1 })), 1)
          }),
          defect: untyped.step({ accepts: Start, emits: Stop, run: late(Effect.die(new Error("bug"))) }),
          second: untyped.step({ accepts: Start, emits: Stop, run: late(Effect.fail(new Boom({ n: 2 }))) })
        }
        const exit = yield* ended(run(untyped.workflow({ name: "together", start: Start, stop: Stop, steps })))
        const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
        expect(cause.reasons).toMatchObject([
          { _tag: "Fail", error: { n: 1 } },
          { _tag: "Fail", error: { n: 2 } }
        ])
        expect(Context.getOrUndefined(Cause.annotations(cause), SuppressedErrors)).toMatchObject([
          { _tag: "StepDefect", step: "defect" }
        ])
      })
  )

  it("after a typed failure leaves the promise's rejection as it is", async () => {
    const boom = new Boom({ n: 1 })
    const rejected = untyped.runPromise(
      failing(
        () => Effect.fail(boom),
        () => brokenFinalizer()
      )
    )
    await expect(rejected).rejects.toBe(boom)
  })

  it("after a defect leaves the promise's rejection as it is", async () => {
    const rejected = untyped.runPromise(
      failing(
        () => {
          throw new Error("first")
        },
        () => brokenFinalizer()
      )
    )
    await expect(rejected).rejects.toMatchObject({ _tag: "StepDefect", step: "fail", cause: new Error("first") })
  })

  it("after a rejection leaves the promise's rejection as it is", async () => {
    const rejected = untyped.runPromise(
      failing(
        () => Promise.reject(new Error("first")),
        () => brokenFinalizer()
      )
    )
    await expect(rejected).rejects.toMatchObject({ _tag: "StepRejected", step: "fail" })
  })

  it.effect("after a stall, too", () =>
    Effect.gen(function* () {
      // Nothing runs when a run stalls, so no finalizer can fail: the stall is the only error.
      const flow = failing(
        () => {},
        () => {}
      )
      const exit = yield* ended(run(flow))
      expect(Exit.isFailure(exit) ? exit.cause.reasons : []).toMatchObject([
        { _tag: "Fail", error: { _tag: "WorkflowStalled" } }
      ])
    })
  )

  it.effect("after a timeout of the run follows it", () =>
    Effect.gen(function* () {
      const flow = untyped.workflow({
        name: "late",
        start: Start,
        stop: Stop,
        timeout: "1 second",
        steps: { work: untyped.step({ accepts: Start, emits: Stop, run: () => brokenFinalizer() }) }
      })
      expect(yield* failure(run(flow))).toMatchObject({ _tag: "WorkflowTimedOut" })
    })
  )

  const after: Record<string, () => unknown> = {
    dies: () => brokenFinalizer(new Error("finalizer")),
    "fails with a typed error": () =>
      Effect.ensuring(Effect.never, Effect.fail(new Error("finalizer")) as Effect.Effect<never>),
    throws: () =>
      Effect.onInterrupt(Effect.never, () => {
        throw new Error("finalizer")
      }),
    "is a scope's": () =>
      Effect.scoped(
        Effect.andThen(
          Effect.acquireRelease(Effect.void, () => Effect.die(new Error("finalizer"))),
          Effect.never
        )
      )
  }
  it.effect.each(Object.entries(after))(
    "after a stop is logged with its step and is in the trace, and the run succeeds (it %s)",
    ([, work]) =>
      Effect.gen(function* () {
        const trace = recorded()
        const logged: Array<unknown> = []
        const logger = Logger.make(({ logLevel, message }) => void logged.push([logLevel, message]))
        const flow = failing(() => stop(1), work)
        const running = run(flow).pipe(trace.record, Effect.provide(Logger.layer([logger])))
        expect(yield* result(running)).toEqual(stop(1))
        expect(logged).toHaveLength(1)
        const [level, message] = logged[0] as [string, ReadonlyArray<unknown>]
        expect(level).toBe("Error")
        expect([message].flat()[0]).toMatchObject({
          _tag: "FinalizerFailed",
          step: "work",
          cause: new Error("finalizer")
        })
        expect(trace.of("FinalizerFailed")).toMatchObject([{ step: "work", error: "Error: finalizer" }])
        expect(trace.of("RunFinished")).toMatchObject([{ outcome: "stopped", error: null }])
      })
  )

  it.effect("of several steps is suppressed for each", () =>
    Effect.gen(function* () {
      const broken = (name: string) =>
        untyped.step({ accepts: Start, emits: Stop, run: () => brokenFinalizer(new Error(name)) })
      const steps = {
        a: broken("a"),
        b: broken("b"),
        fail: untyped.step({ accepts: Start, emits: Stop, run: () => Effect.delay(Effect.fail("no"), 10) })
      }
      const flow = untyped.workflow({ name: "several", start: Start, stop: Stop, steps })
      const exit = yield* ended(run(flow))
      const annotations = Cause.annotations(Exit.isFailure(exit) ? exit.cause : Cause.empty)
      expect(Context.getOrUndefined(annotations, SuppressedErrors)).toMatchObject([{ step: "a" }, { step: "b" }])
      expect(yield* failure(run(flow))).toBe("no")
    })
  )
})
