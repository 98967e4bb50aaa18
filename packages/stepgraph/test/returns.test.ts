// Steps as plain functions: the events of every form of function and result are routed alike.
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, Schema, Stream } from "effect"
import {
  collect,
  defineEvent,
  defineStep,
  run,
  runPromise,
  type StepContext,
  type WorkflowStalled,
  workflow
} from "stepgraph"
import { recorded, Start, Stop, stop, Task, untyped, upTo } from "./support/flow.ts"
import { ended, failure, result } from "./support/virtual.ts"

type Out = ReturnType<typeof Task>
const two = () => [Task({ n: 1 }), Task({ n: 2 })]
const later = () => new Promise<void>((resume) => setImmediate(resume))

/** Each emits two tasks. */
const kinds: Record<string, (input: unknown, ctx: StepContext<any, Out>) => unknown> = {
  "a plain function that returns an array": () => two(),
  "a plain function that returns a Set": () => new Set(two()),
  "a plain function that returns an iterator of its own": () => ({
    [Symbol.iterator]: () => two()[Symbol.iterator]()
  }),
  "a plain function that sends": (_, ctx) => {
    for (const task of two()) ctx.send(task)
  },
  "a plain function that sends one and returns one": (_, ctx) => {
    ctx.send(Task({ n: 1 }))
    return Task({ n: 2 })
  },
  "a generator": function* () {
    yield Task({ n: 1 })
    yield Task({ n: 2 })
  },
  "an async function that returns an array": async () => {
    await later()
    return two()
  },
  "an async function that is done at once": async () => two(),
  "an async function that sends": async (_, ctx) => {
    ctx.send(Task({ n: 1 }))
    await later()
    ctx.send(Task({ n: 2 }))
  },
  "an async function that returns a generator": async () => two().values(),
  "an async function that returns an async iterable": async () => Stream.toAsyncIterable(Stream.fromIterable(two())),
  "an async generator": async function* () {
    yield Task({ n: 1 })
    await later()
    yield Task({ n: 2 })
  },
  "a promise-like that is no promise": () => ({
    then: (resolve: (value: unknown) => void) => resolve(two())
  }),
  "an Effect of an array": () => Effect.sync(two),
  "an Effect of an array, after a while": () => Effect.as(Effect.sleep("1 second"), two()),
  "an Effect of a Set": () => Effect.sync(() => new Set(two())),
  "an Effect of an async iterable": () => Effect.sync(() => Stream.toAsyncIterable(Stream.fromIterable(two()))),
  "an Effect of a Stream": () => Effect.sync(() => Stream.fromIterable(two())),
  "an Effect of an Effect": () => Effect.sync(() => Effect.sync(two)),
  "an Effect that sends": (_, ctx) =>
    Effect.forEach(
      two(),
      (task) =>
        Effect.andThen(
          Effect.sleep("1 second"),
          Effect.sync(() => ctx.send(task))
        ),
      { discard: true }
    ),
  "an Effect function": Effect.fn(function* () {
    yield* Effect.sleep("1 second")
    return two()
  }),
  "a Stream": () => Stream.fromIterable(two()),
  "a Stream that takes its time": () => Stream.tap(Stream.fromIterable(two()), () => Effect.sleep("1 second"))
}

const settings = {
  "on its own": {},
  "with a timeout": { timeout: "1 week" },
  "with a retry": { retry: { times: 1 } },
  "with a recovery": { recover: () => [] }
}

describe("a step may be", () => {
  describe.each(Object.entries(settings))("%s", (_, setting) => {
    it.effect.each(Object.entries(kinds))("%s", ([, emit]) =>
      Effect.gen(function* () {
        const flow = untyped.workflow({
          name: "kinds",
          start: Start,
          stop: Stop,
          steps: {
            emit: untyped.step({ accepts: Start, emits: Task, run: emit, ...setting }),
            finish: defineStep({
              accepts: collect(Task, 2),
              emits: Stop,
              run: (tasks) => stop(...tasks.map(({ n }) => n))
            })
          }
        })
        expect(yield* result(run(flow))).toEqual(stop(1, 2))
      })
    )
  })
})

const one: Record<string, () => unknown> = {
  "an event": () => stop(1),
  "a generator of one": function* () {
    yield stop(1)
  },
  "an async function": async () => stop(1),
  "an async generator": async function* () {
    yield stop(1)
  },
  "an Effect": () => Effect.as(Effect.sleep("1 second"), stop(1)),
  "a promise of an Effect": async () => Effect.succeed(stop(1)),
  "an Effect of a promise": () => Effect.sync(async () => stop(1)),
  "a Stream": () => Stream.succeed(stop(1)),
  "a literal that fits the event": () => ({ _tag: "Stop", values: [1] }),
  "an object of a class that fits the event": () =>
    new (class {
      readonly _tag = "Stop"
      readonly values = [1]
    })()
}

describe("one event comes from", () => {
  it.effect.each(Object.entries(one))("%s", ([, emit]) =>
    Effect.gen(function* () {
      const steps = { emit: untyped.step({ accepts: Start, emits: Stop, run: emit }) }
      const flow = untyped.workflow({ name: "one", start: Start, stop: Stop, steps })
      const event = yield* result(run(flow))
      expect(event).toEqual(stop(1))
      expect(Object.isFrozen(event)).toBe(true)
    })
  )
})

const none: Record<string, () => unknown> = {
  "nothing at all": () => {},
  null: () => null,
  "an empty array": () => [],
  "a generator that yields nothing": function* () {},
  "an async function without a result": async () => {},
  "an async function with an empty array": async () => [],
  "an async generator that yields nothing": async function* () {},
  "an Effect without a result": () => Effect.sleep("1 second"),
  "an Effect of an empty array": () => Effect.succeed([]),
  "an empty Stream": () => Stream.empty
}

describe("a step may emit nothing, by", () => {
  it.effect.each(Object.entries(none))("%s", ([, emit]) =>
    Effect.gen(function* () {
      const steps = { emit: untyped.step({ accepts: Start, emits: Stop, run: emit }) }
      const flow = untyped.workflow({ name: "none", start: Start, stop: Stop, steps })
      const error = yield* failure(run(flow))
      expect((error as WorkflowStalled)._tag).toBe("WorkflowStalled")
    })
  )
})

describe("the result of a step", () => {
  it("may be an array of 200,000 events", async () => {
    const many = 200_000
    const flow = workflow({
      name: "huge",
      start: Start,
      stop: Stop,
      steps: {
        emit: defineStep({ accepts: Start, emits: Task, run: () => upTo(many).map((n) => Task({ n })) }),
        finish: defineStep({ accepts: collect(Task, many), emits: Stop, run: (tasks) => stop(tasks.length) })
      }
    })
    expect((await runPromise(flow)).values).toEqual([many])
  })

  it("may be an array that is changed later: it is read when the step ends", async () => {
    const tasks = two()
    const flow = workflow({
      name: "changed",
      start: Start,
      stop: Stop,
      steps: {
        emit: defineStep({ accepts: Start, emits: Task, run: () => tasks }),
        take: defineStep({
          accepts: Task,
          emits: Stop,
          workers: 1,
          run: ({ n }) => {
            tasks.length = 0
            if (n === 2) return stop(n)
          }
        })
      }
    })
    expect((await runPromise(flow)).values).toEqual([2])
  })

  const twice: Record<string, (fulfil: (value: unknown) => void, reject: (cause: unknown) => void) => void> = {
    "calls back twice": (fulfil) => {
      fulfil(Effect.as(Effect.sleep(10), Task({ n: 1 })))
      fulfil(undefined)
    },
    "fulfils and rejects": (fulfil, reject) => {
      fulfil(Effect.as(Effect.sleep(10), Task({ n: 1 })))
      reject(new Error("too late"))
    },
    "fulfils and throws": (fulfil) => {
      fulfil(Effect.as(Effect.sleep(10), Task({ n: 1 })))
      throw new Error("too late")
    }
  }
  it.effect.each(Object.entries(twice))("counts once where a promise-like %s: its first word", ([, then]) =>
    Effect.gen(function* () {
      const flow = untyped.workflow({
        name: "twice",
        start: Start,
        stop: Stop,
        steps: {
          emit: untyped.step({ accepts: Start, emits: Task, run: () => ({ then }) }),
          take: defineStep({ accepts: Task, emits: [], run: () => {} }),
          end: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(30), stop(1)) })
        }
      })
      const trace = recorded()
      expect(yield* result(trace.record(run(flow)))).toEqual(stop(1))
      expect(trace.of("InvocationEnded").map(({ step }) => step)).toEqual(["emit", "take", "end"])
    })
  )

  const halfway = (emit: () => unknown) =>
    untyped.workflow({
      name: "halfway",
      start: Start,
      stop: Stop,
      steps: {
        emit: untyped.step({ accepts: Start, emits: Task, run: emit }),
        take: defineStep({ accepts: Task, emits: Stop, run: ({ n }) => (n === 3 ? stop() : undefined) })
      }
    })
  const generators: Record<string, [emit: () => unknown, error: string]> = {
    "a generator": [
      function* () {
        yield* two()
        throw new Error("halfway")
      },
      "StepDefect"
    ],
    "an async generator": [
      async function* () {
        yield* two()
        await later()
        throw new Error("halfway")
      },
      "StepRejected"
    ],
    "a Stream": [() => Stream.concat(Stream.fromIterable(two()), Stream.die(new Error("halfway"))), "StepDefect"]
  }

  it.effect.each(Object.entries(generators))(
    "has been delivered up to there where %s throws midway",
    ([, [emit, tag]]) =>
      Effect.gen(function* () {
        const trace = recorded()
        const exit = yield* ended(trace.record(run(halfway(emit))))
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        expect(error).toMatchObject({ _tag: tag, step: "emit", cause: new Error("halfway") })
        expect(trace.of("EventDelivered").filter(({ step }) => step === "take")).toHaveLength(2)
      })
  )
})

describe("a list that a step returns", () => {
  /** A workflow whose step returns another list in each run. */
  const listing = (...lists: ReadonlyArray<() => ReadonlyArray<unknown>>) => {
    let runs = 0
    return workflow({
      name: "listing",
      start: Start,
      stop: Stop,
      steps: {
        list: untyped.step({ accepts: Start, emits: Task, run: () => lists[runs++]!() }),
        sum: defineStep({ accepts: collect(Task, 3), emits: Stop, run: (tasks) => stop(...tasks.map(({ n }) => n)) })
      }
    } as any)
  }
  const three = () => upTo(3).map((n) => Task({ n }))

  it("is checked event by event, whatever the step returned in earlier runs", async () => {
    const other = defineEvent("Task", { n: Schema.Unknown })
    const flow = listing(three, three, () => [...three().slice(1), other({ n: "three" })])
    expect(await untyped.runPromise(flow)).toEqual(stop(0, 1, 2))
    expect(await untyped.runPromise(flow)).toEqual(stop(0, 1, 2))
    await expect(untyped.runPromise(flow)).rejects.toMatchObject({ step: "list" })
  })

  it("may have its events in any order, one of them twice, and others made meanwhile", async () => {
    const mixed = () => {
      const [first, , third] = three()
      stop(1)
      return [third, first, third]
    }
    const flow = listing(mixed, mixed, mixed)
    for (const _ of upTo(3)) expect(await untyped.runPromise(flow)).toEqual(stop(2, 0, 2))
  })
})
