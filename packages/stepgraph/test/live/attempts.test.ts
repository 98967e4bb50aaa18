import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Schedule, Schema, Stream } from "effect"
import {
  defineEvent,
  defineStep,
  gather,
  Observer,
  type RunError,
  race,
  run,
  type StepContext,
  type TraceEntry,
  workflow
} from "stepgraph"
import { defect, failure, result } from "../support/virtual.ts"

const Start = defineEvent("Start")
const Half = defineEvent("Half", { attempt: Schema.Number })
const Stop = defineEvent("Stop", { attempt: Schema.Number })
const start = defineEvent("Start")

type Ctx = StepContext<typeof Start, typeof Half.schema.Type | typeof Stop.schema.Type>

class Broken extends Schema.TaggedError<Broken>()("Broken", { attempt: Schema.Number }) {}

/**
 * Steps of every kind that emit a `Half` and then, up to the given attempt, fail; after it they end the run. Each attempt
 * takes a second where a step of its kind can take time.
 */
const kinds: Record<string, (failing: number) => (input: unknown, ctx: Ctx) => unknown> = {
  "an Effect": (failing) => (_, ctx) =>
    Effect.gen(function* () {
      ctx.send(Half({ attempt: ctx.attempt }))
      yield* Effect.sleep("1 second")
      if (ctx.attempt <= failing) return yield* new Broken({ attempt: ctx.attempt })
      return Stop({ attempt: ctx.attempt })
    }),
  "an async function": (failing) => async (_, ctx) => {
    ctx.send(Half({ attempt: ctx.attempt }))
    await Promise.resolve()
    if (ctx.attempt <= failing) throw new Broken({ attempt: ctx.attempt })
    return Stop({ attempt: ctx.attempt })
  },
  "an async generator": (failing) =>
    async function* (_, ctx) {
      yield Half({ attempt: ctx.attempt })
      if (ctx.attempt <= failing) throw new Broken({ attempt: ctx.attempt })
      yield Stop({ attempt: ctx.attempt })
    },
  "a stream": (failing) => (_, ctx) =>
    Stream.concat(
      Stream.make(Half({ attempt: ctx.attempt })),
      ctx.attempt <= failing
        ? Stream.fail(new Broken({ attempt: ctx.attempt }))
        : Stream.make(Stop({ attempt: ctx.attempt }))
    ),
  "a promise of an Effect's events": (failing) => async (_, ctx) => {
    if (ctx.attempt <= failing) throw new Broken({ attempt: ctx.attempt })
    return [Half({ attempt: ctx.attempt }), Stop({ attempt: ctx.attempt })]
  }
}
const everyKind = Object.entries(kinds)

/** `note` records what a step would see of failed attempts. */
const flowOf = (work: any, settings: object) => {
  const halves: Array<number> = []
  const flow = workflow({
    name: "attempts",
    start: Start,
    stop: Stop,
    steps: {
      work: defineStep({ accepts: Start, emits: [Half, Stop], run: work, ...settings }),
      note: defineStep({ accepts: Half, emits: [], run: ({ attempt }) => void halves.push(attempt) })
    }
  })
  return { flow, halves }
}

const attemptsOf = (trace: ReadonlyArray<TraceEntry>) =>
  trace.filter((entry) => entry._tag === "InvocationEnded" && entry.step === "work").map((entry: any) => entry.outcome)

describe("retry", () => {
  it.effect.each(everyKind)("of %s tries again until it succeeds, and numbers the attempts", ([, kind]) =>
    Effect.gen(function* () {
      const { flow } = flowOf(kind(2), { retry: { times: 5 } })
      expect(yield* result(run(flow))).toEqual(Stop({ attempt: 3 }))
    })
  )

  it.effect.each(everyKind)("of %s discards the events of failed attempts", ([, kind]) =>
    Effect.gen(function* () {
      const { flow, halves } = flowOf(kind(2), { retry: { times: 5 } })
      const done = workflow({
        ...flow,
        stop: Stop,
        steps: {
          ...flow.steps,
          note: defineStep({ accepts: Half, emits: [], run: ({ attempt }) => void halves.push(attempt) })
        }
      })
      const trace: Array<TraceEntry> = []
      yield* result(run(done).pipe(Effect.provideService(Observer, (entry) => void trace.push(entry))))
      const emitted = trace.filter((entry) => entry._tag === "EventEmitted" && entry.tag === "Half")
      expect(emitted).toMatchObject([{ data: { attempt: 3 } }])
      expect(attemptsOf(trace)).toEqual(["retried", "retried", "succeeded"])
    })
  )

  it.effect.each(everyKind)("of %s gives up with the last attempt's own error", ([name, kind]) =>
    Effect.gen(function* () {
      const { flow, halves } = flowOf(kind(9), { retry: { times: 2 } })
      const error: any = yield* failure(run(flow))
      if (name === "an Effect" || name === "a stream") expect(error).toEqual(new Broken({ attempt: 3 }))
      else expect(error).toMatchObject({ _tag: "StepRejected", step: "work", cause: new Broken({ attempt: 3 }) })
      expect(halves).toEqual([])
    })
  )

  it.effect("waits by its schedule, in virtual time, and keeps its worker meanwhile", () =>
    Effect.gen(function* () {
      const at: Array<number> = []
      const { flow } = flowOf(
        (_: unknown, ctx: Ctx) =>
          Effect.gen(function* () {
            at.push(yield* Clock.currentTimeMillis)
            if (ctx.attempt < 4) return yield* new Broken({ attempt: ctx.attempt })
            return Stop({ attempt: ctx.attempt })
          }),
        { retry: Schedule.exponential("1 second") }
      )
      yield* result(run(flow))
      expect(at.map((time) => time - at[0]!)).toEqual([0, 1000, 3000, 7000])
    })
  )

  it.effect("may look at the error", () =>
    Effect.gen(function* () {
      const { flow } = flowOf(kinds["an Effect"]!(9), { retry: { while: (error: Broken) => error.attempt < 2 } })
      expect(yield* failure(run(flow))).toEqual(new Broken({ attempt: 2 }))
    })
  )

  it.effect("does not retry a defect", () =>
    Effect.gen(function* () {
      let calls = 0
      const { flow } = flowOf(
        () => {
          calls++
          return Effect.die(new Error("a bug"))
        },
        { retry: { times: 5 } }
      )
      expect(String(yield* defect(run(flow)))).toContain("a bug")
      expect(calls).toBe(1)
    })
  )

  /** Steps that throw in their first two attempts, and ask for that to be retried in one of the ways that the docs give. */
  const asking: Record<string, (_: unknown, ctx: Ctx) => unknown> = {
    "a plain function, by becoming async": async (_, { send, attempt }) => {
      send(Half({ attempt }))
      if (attempt < 3) throw new Error("a bug")
      return Stop({ attempt })
    },
    "a plain function, by Effect.try": (_, { send, attempt }) =>
      Effect.try({
        try: () => {
          send(Half({ attempt }))
          if (attempt < 3) throw new Error("a bug")
          return Stop({ attempt })
        },
        catch: () => new Broken({ attempt })
      }),
    "a generator, by becoming async": async function* (_, { attempt }) {
      yield Half({ attempt })
      if (attempt < 3) throw new Error("a bug")
      yield Stop({ attempt })
    },
    "an Effect, by Effect.catchDefect": (_, { send, attempt }) =>
      Effect.sync(() => {
        send(Half({ attempt }))
        if (attempt < 3) throw new Error("a bug")
        return Stop({ attempt })
      }).pipe(Effect.catchDefect(() => Effect.fail(new Broken({ attempt })))),
    "a Stream, by Stream.catchCause": (_, { attempt }) =>
      Stream.make(Half({ attempt })).pipe(
        Stream.concat(attempt < 3 ? Stream.die("a bug") : Stream.make(Stop({ attempt }))),
        Stream.catchCause(() => Stream.fail(new Broken({ attempt })))
      )
  }
  it.effect.each(Object.entries(asking))("retries a defect where the step asks for it: %s", ([, work]) =>
    Effect.gen(function* () {
      const { flow, halves } = flowOf(work, { retry: { times: 5 } })
      expect(yield* result(run(flow))).toEqual(Stop({ attempt: 3 }))
      expect(halves.every((attempt) => attempt === 3)).toBe(true)
      // And as many times as was said.
      const few = flowOf(work, { retry: { times: 1 } })
      expect(yield* failure(run(few.flow))).toBeInstanceOf(Error)
      expect(few.halves).toEqual([])
    })
  )

  const plain: Record<string, (_: unknown, ctx: Ctx) => unknown> = {
    "a plain function": (_, { send, attempt }) => {
      send(Half({ attempt }))
      return [Half({ attempt: attempt + 1 }), Stop({ attempt })]
    },
    "a generator": function* (_, { send, attempt }) {
      send(Half({ attempt }))
      yield Half({ attempt: attempt + 1 })
      yield Stop({ attempt })
    }
  }
  const settings = { retry: { times: 2 }, timeout: "1 second", recover: () => Stop({ attempt: -1 }) }
  it.effect.each(Object.entries(plain))("changes nothing of %s that succeeds, nor do timeout and recover", ([, work]) =>
    Effect.gen(function* () {
      const emitted = (settings: object) => {
        const trace: Array<TraceEntry> = []
        const told = run(flowOf(work, settings).flow).pipe(
          Effect.provideService(Observer, (entry) => void trace.push(entry))
        )
        return Effect.map(result(told), (stop) => [
          stop,
          trace.flatMap((entry) => (entry._tag === "EventEmitted" ? [entry.event, entry.data] : []))
        ])
      }
      expect(yield* emitted(settings)).toEqual(yield* emitted({}))
    })
  )

  it.effect("calls a gather's step with the same batch again", () =>
    Effect.gen(function* () {
      const batches: Array<ReadonlyArray<number>> = []
      const flow = workflow({
        name: "batch",
        start: Start,
        stop: Stop,
        steps: {
          fan: defineStep({ accepts: Start, emits: Half, run: () => [1, 2].map((attempt) => Half({ attempt })) }),
          all: defineStep({
            accepts: gather(Half),
            emits: Stop,
            retry: { times: 1 },
            run: (halves, ctx) => {
              batches.push(halves.map(({ attempt }) => attempt))
              return ctx.attempt === 1 ? Effect.fail("once") : Effect.succeed(Stop({ attempt: 2 }))
            }
          })
        }
      })
      yield* result(run(flow))
      expect(batches).toEqual([
        [1, 2],
        [1, 2]
      ])
    })
  )

  it.effect("is over when a race is decided elsewhere", () =>
    Effect.gen(function* () {
      let calls = 0
      const flow = workflow({
        name: "race",
        start: Start,
        stop: Stop,
        steps: {
          stubborn: defineStep({
            accepts: Start,
            emits: Half,
            retry: Schedule.spaced("1 second"),
            run: () => Effect.suspend(() => Effect.fail(++calls))
          }),
          quick: defineStep({
            accepts: Start,
            emits: Half,
            run: () => Effect.as(Effect.sleep("2500 millis"), Half({ attempt: 1 }))
          }),
          first: defineStep({
            accepts: race(Half),
            emits: Stop,
            run: () => Effect.as(Effect.sleep("1 hour"), Stop({ attempt: calls }))
          })
        }
      })
      expect((yield* result(run(flow))).attempt).toBe(3)
    })
  )
})

describe("timeout", () => {
  const slowKinds: Record<string, (_: unknown, ctx: Ctx) => unknown> = {
    "an Effect": () => Effect.sleep("1 hour"),
    "an async function that never ends": () => new Promise(() => {}),
    "a stream": () => Stream.concat(Stream.make(Half({ attempt: 1 })), Stream.never),
    "an async generator": async function* () {
      yield Half({ attempt: 1 })
      await new Promise(() => {})
    }
  }
  it.effect.each(Object.entries(slowKinds))("of %s is StepTimedOut, which names the step and the limit", ([, work]) =>
    Effect.gen(function* () {
      const { flow } = flowOf(work, { timeout: "2 seconds" })
      const error = yield* failure(run(flow))
      expect(error).toMatchObject({ _tag: "StepTimedOut", step: "work", workflow: "attempts", after: "2s" })
    })
  )

  it.effect("of a generator that waits for room closes it, too", () =>
    Effect.gen(function* () {
      let closed = false
      const flow = workflow({
        name: "crowded",
        start: Start,
        stop: Stop,
        steps: {
          produce: defineStep({
            accepts: Start,
            emits: Half,
            timeout: "2 seconds",
            run: function* () {
              try {
                for (let attempt = 0; ; attempt++) yield Half({ attempt })
              } finally {
                closed = true
              }
            }
          }),
          stuck: defineStep({ accepts: Half, emits: Stop, run: () => Effect.never })
        }
      })
      expect(yield* failure(run(flow))).toMatchObject({ _tag: "StepTimedOut", step: "produce" })
      expect(closed).toBe(true)
    })
  )

  it.effect("interrupts the step, aborts its signal and waits for its finalizers", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const { flow } = flowOf(
        (_: unknown, { signal }: Ctx) => {
          signal.addEventListener("abort", () => log.push("aborted"))
          return Effect.onInterrupt(Effect.sleep("1 hour"), () =>
            Effect.andThen(
              Effect.sleep("1 second"),
              Effect.sync(() => log.push("finalized"))
            )
          )
        },
        { timeout: "2 seconds" }
      )
      yield* failure(run(flow))
      expect(log.sort()).toEqual(["aborted", "finalized"])
    })
  )

  it.effect("limits each attempt, not all of them together", () =>
    Effect.gen(function* () {
      const { flow } = flowOf(
        (_: unknown, { attempt }: Ctx) =>
          Effect.as(Effect.sleep(attempt < 3 ? "1 hour" : "1 second"), Stop({ attempt })),
        { timeout: "2 seconds", retry: { times: 3 } }
      )
      expect((yield* result(run(flow))).attempt).toBe(3)
    })
  )

  it.effect("does not affect a step that is fast enough", () =>
    Effect.gen(function* () {
      const { flow } = flowOf(kinds["an Effect"]!(0), { timeout: "1001 millis" })
      expect((yield* result(run(flow))).attempt).toBe(1)
    })
  )
})

describe("recover", () => {
  it.effect.each(everyKind)("turns the failure of %s into an event, and drops its emissions", ([, kind]) =>
    Effect.gen(function* () {
      const { flow, halves } = flowOf(kind(9), { recover: () => Stop({ attempt: -1 }) })
      expect((yield* result(run(flow))).attempt).toBe(-1)
      expect(halves).toEqual([])
    })
  )

  it.effect("comes after the last retry, with the error, the input and the attempt", () =>
    Effect.gen(function* () {
      const told: Array<unknown> = []
      const { flow } = flowOf(kinds["an Effect"]!(9), {
        retry: { times: 2 },
        recover: (error: Broken, input: unknown, ctx: Ctx) => {
          told.push(error, input, ctx.attempt)
          return Stop({ attempt: error.attempt })
        }
      })
      expect((yield* result(run(flow))).attempt).toBe(3)
      expect(told).toEqual([new Broken({ attempt: 3 }), start(), 3])
    })
  )

  it.effect("may be any kind of function, with the run's state and `send`", () =>
    Effect.gen(function* () {
      for (const recover of [
        (_: unknown, __: unknown, { send }: Ctx) => send(Stop({ attempt: 7 })),
        async () => Stop({ attempt: 7 }),
        () => Effect.as(Effect.sleep("1 second"), Stop({ attempt: 7 })),
        function* () {
          yield Stop({ attempt: 7 })
        },
        () => Stream.make(Stop({ attempt: 7 }))
      ]) {
        const { flow } = flowOf(kinds["an Effect"]!(9), { recover })
        expect((yield* result(run(flow))).attempt).toBe(7)
      }
    })
  )

  it.effect("takes a timeout, too", () =>
    Effect.gen(function* () {
      const { flow } = flowOf(() => Effect.never, {
        timeout: "1 second",
        recover: (error: { _tag: string }) => Stop({ attempt: error._tag === "StepTimedOut" ? 1 : 0 })
      })
      expect((yield* result(run(flow))).attempt).toBe(1)
    })
  )

  it.effect("does not take a defect", () =>
    Effect.gen(function* () {
      const { flow } = flowOf(() => Effect.die("a bug"), { recover: () => Stop({ attempt: 1 }) })
      expect(String(yield* defect(run(flow)))).toContain("a bug")
    })
  )

  it("removes the step's error from the workflow's type", () => {
    const work = {
      accepts: Start,
      emits: Stop,
      timeout: "1 second",
      run: () => Effect.fail(new Broken({ attempt: 1 }))
    } as const
    const fails = workflow({ name: "a", start: Start, stop: Stop, steps: { work: defineStep(work) } })
    const recovers = workflow({
      name: "b",
      start: Start,
      stop: Stop,
      steps: { work: defineStep({ ...work, recover: () => Stop({ attempt: 0 }) }) }
    })
    type Tags<W> = RunError<W>["_tag"]
    const before: Record<Tags<typeof fails>, true> = {
      Broken: true,
      StepTimedOut: true,
      WorkflowStalled: true,
      InvalidEvent: true
    }
    const after: Record<Tags<typeof recovers>, true> = { WorkflowStalled: true, InvalidEvent: true }
    expect(Object.keys(before).length - Object.keys(after).length).toBe(2)
  })
})
