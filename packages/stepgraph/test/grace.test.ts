// `grace`: how long the interrupted code of a step is waited for, where nothing but its own end can end it.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { defineStep, gather, launch, race, run, runPromise, StepTimedOut, WorkflowTimedOut, workflow } from "stepgraph"
import { Done, Start, Stop, stop, untyped } from "./support/flow.ts"

/** A promise that settles when the test says so. */
const held = () => {
  let resolve!: (value: unknown) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<any>((...settle) => {
    ;[resolve, reject] = settle
  })
  return { promise, resolve, reject }
}

/** Lets promises call back. */
const turn = Effect.promise(() => new Promise<void>((resume) => setImmediate(resume)))
const pass = (millis: number) => Effect.andThen(TestClock.adjust(millis), turn)

const stops = defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep("1 second"), stop()) })

/** The forms of a step whose code only ends by itself, called with what it waits for. */
const forms: Record<string, (promise: Promise<any>) => unknown> = {
  promise: (promise) => promise,
  "promise of a promise": (promise) => Effect.as(Effect.void, promise),
  thenable: (promise) => ({ then: promise.then.bind(promise) }),
  "async generator that waits": async function* (promise) {
    await promise
  },
  "async iterator that closes": (promise) => {
    let yielded = false
    const pull = () => {
      if (yielded) return new Promise(() => {})
      yielded = true
      return Promise.resolve({ value: Done({ n: 1 }) })
    }
    const close = () => promise.then(() => ({ done: true, value: undefined }))
    return { [Symbol.asyncIterator]: () => ({ next: pull, return: close }) }
  }
}

const settings = { alone: {}, retried: { retry: { times: 1 } }, limited: { timeout: "1 hour" } }
const everyWay = Object.entries(forms).flatMap(([form, call]) =>
  Object.entries(settings).map(([name, setting]) => [`${form}, ${name}`, call, setting] as const)
)
const done = defineStep({ accepts: Done, emits: [], run: () => {} })

const waitingFor = (call: (promise: Promise<any>) => unknown, setting: object, promise: Promise<any>, more = {}) => {
  const signals: Array<AbortSignal> = []
  const keep = untyped.step({
    accepts: Start,
    emits: [Done, Stop],
    run: (_: unknown, { signal }: { signal: AbortSignal }) => {
      signals.push(signal)
      return call(promise)
    },
    ...setting
  })
  const flow = untyped.workflow({ name: "grace", start: Start, stop: Stop, steps: { keep, stops, done }, ...more })
  return { flow, signals }
}

describe("the end of a run waits for interrupted code", () => {
  it.effect.each(everyWay)("until it ends: %s", ([, call, setting]) =>
    Effect.gen(function* () {
      const { promise, resolve } = held()
      const { flow, signals } = waitingFor(call, { ...setting, grace: "5 seconds" }, promise)
      const handle = yield* launch(flow)
      yield* pass(1000)
      expect(signals[0]!.aborted).toBe(true)
      yield* pass(4999)
      expect(yield* handle.status).toMatchObject({ state: "ending", steps: { keep: { running: 1 } } })
      resolve(undefined)
      yield* turn
      expect((yield* handle.status).state).toBe("ended")
      expect(yield* handle.await).toEqual(Exit.succeed(stop()))
    })
  )

  it.effect.each(everyWay)("for its grace at most: %s", ([, call, setting]) =>
    Effect.gen(function* () {
      const { promise } = held()
      const { flow } = waitingFor(call, { ...setting, grace: "5 seconds" }, promise)
      const handle = yield* launch(flow)
      yield* pass(5999)
      expect((yield* handle.status).state).toBe("ending")
      yield* pass(1)
      expect((yield* handle.status).state).toBe("ended")
    })
  )

  it.effect.each(Object.entries(forms).slice(0, 4))("not without one: %s", ([, call]) =>
    Effect.gen(function* () {
      for (const more of [{}, { grace: undefined }, { grace: 0 }]) {
        const { promise } = held()
        const { flow } = waitingFor(call, more, promise)
        const handle = yield* launch(flow)
        yield* pass(1000)
        expect((yield* handle.status).state).toBe("ended")
      }
    })
  )

  it.effect.each(everyWay.filter(([name]) => !name.includes("iterator")))(
    "and what comes of it changes nothing, in its grace or after it: %s",
    ([form, call, setting]) =>
      Effect.gen(function* () {
        for (const millis of [1000, 6000]) {
          for (const end of ["resolve", "reject"] as const) {
            const later = held()
            const { flow } = waitingFor(call, { ...setting, grace: "5 seconds" }, later.promise)
            const handle = yield* launch(flow)
            yield* pass(1000)
            yield* pass(millis)
            // Nobody handles the promise inside.
            if (end === "resolve")
              later.resolve(form.includes("generator") ? 1 : [Promise.reject(new Error("in a list"))])
            else later.reject(new Error("late"))
            yield* turn
            expect(yield* handle.await).toEqual(Exit.succeed(stop()))
          }
        }
      })
  )
})

describe("the grace of a workflow", () => {
  it.effect("holds for all its steps, except those that say otherwise", () =>
    Effect.gen(function* () {
      for (const [setting, millis] of [
        [{}, 5000],
        [{ grace: 0 }, 0],
        [{ grace: "1 second" }, 1000],
        [{ grace: "1 minute" }, 60_000]
      ] as const) {
        const { flow } = waitingFor(forms.promise!, setting, held().promise, { grace: "5 seconds" })
        const handle = yield* launch(flow)
        yield* pass(1000)
        if (millis > 0) {
          yield* pass(millis - 1)
          expect((yield* handle.status).state).toBe("ending")
          yield* pass(1)
        }
        expect((yield* handle.status).state).toBe("ended")
      }
    })
  )
})

describe("a graced step", () => {
  it.effect("that loses a race is waited for, and the race does not wait", () =>
    Effect.gen(function* () {
      const { promise, resolve } = held()
      const won: Array<string> = []
      let reason: any
      const flow = workflow({
        name: "raced",
        start: Start,
        stop: Stop,
        outputs: [],
        steps: {
          quick: defineStep({ accepts: Start, emits: Done, run: async () => Done({ n: 1 }) }),
          slow: defineStep({
            accepts: Start,
            emits: Done,
            grace: "5 seconds",
            run: async (_, { signal }) => {
              signal.addEventListener("abort", () => (reason = signal.reason))
              await promise
              return Done({ n: 2 })
            }
          }),
          first: defineStep({
            accepts: race(Done),
            emits: Stop,
            run: ({ n }) => {
              won.push(`${n}`)
              return Effect.as(Effect.sleep("2 seconds"), stop(n))
            }
          })
        }
      })
      const handle = yield* launch(flow)
      yield* turn
      expect([won, (yield* handle.status).steps.slow]).toEqual([["1"], { queued: 0, running: 1 }])
      expect(reason.message).toBe("step 'slow' of workflow 'raced' is not needed any more: a race has been won")
      yield* pass(1000)
      resolve(undefined)
      yield* turn
      expect([won, (yield* handle.status).steps.slow]).toEqual([["1"], { queued: 0, running: 0 }])
      yield* pass(1000)
      expect(yield* handle.await).toEqual(Exit.succeed(stop(1)))
    })
  )

  it.effect("is retried once the attempt that timed out has ended, or its grace", () =>
    Effect.gen(function* () {
      const attempts: Array<AbortSignal> = []
      const first = held()
      const flow = workflow({
        name: "timed",
        start: Start,
        stop: Stop,
        steps: {
          only: defineStep({
            accepts: Start,
            emits: Stop,
            timeout: "1 second",
            grace: "5 seconds",
            retry: { times: 2 },
            run: async (_, { signal, attempt }) => {
              attempts.push(signal)
              if (attempt === 1) await first.promise
              if (attempt === 2) await new Promise(() => {})
              return stop(attempt)
            }
          })
        }
      })
      const handle = yield* launch(flow)
      yield* pass(1000)
      expect(attempts[0]!.reason).toBeInstanceOf(StepTimedOut)
      yield* pass(3000)
      expect(attempts.length).toBe(1)
      first.resolve(undefined)
      yield* turn
      expect(attempts.length).toBe(2)
      yield* pass(1000)
      yield* pass(4999)
      expect(attempts.length).toBe(2)
      yield* pass(1)
      expect(attempts.length).toBe(3)
      expect(yield* handle.await).toEqual(Exit.succeed(stop(3)))
    })
  )

  it.effect("holds the run up after the run's own timeout, too", () =>
    Effect.gen(function* () {
      const { flow, signals } = waitingFor(forms.promise!, { grace: "5 seconds" }, held().promise, { timeout: 500 })
      const handle = yield* launch(flow)
      yield* pass(500)
      expect(signals[0]!.reason).toBeInstanceOf(WorkflowTimedOut)
      yield* pass(4999)
      expect((yield* handle.status).state).toBe("ending")
      yield* pass(1)
      const exit = yield* handle.await
      expect(Exit.isFailure(exit) && exit.cause.reasons).toMatchObject([{ error: signals[0]!.reason }])
    })
  )

  it.effect("holds up whoever interrupts the run", () =>
    Effect.gen(function* () {
      const { promise, resolve } = held()
      const { flow } = waitingFor(forms.promise!, { grace: "5 seconds" }, promise)
      const handle = yield* launch(flow)
      yield* turn
      const interrupting = yield* Effect.forkChild(handle.interrupt)
      yield* pass(4000)
      expect([interrupting.pollUnsafe(), (yield* handle.status).state]).toEqual([undefined, "ending"])
      resolve(undefined)
      yield* turn
      expect(interrupting.pollUnsafe()).toEqual(Exit.void)
      const exit = yield* handle.await
      expect(Exit.hasInterrupts(exit)).toBe(true)
    })
  )

  it.effect("holds up the interruption of a fiber", () =>
    Effect.gen(function* () {
      const { flow } = waitingFor(forms.promise!, { grace: "5 seconds" }, held().promise)
      const fiber = yield* Effect.forkChild(run(flow))
      yield* turn
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* pass(4999)
      expect(interrupting.pollUnsafe()).toBe(undefined)
      yield* pass(1)
      expect(interrupting.pollUnsafe()).toEqual(Exit.void)
    })
  )

  it("holds up a promise that is aborted", async () => {
    const { promise, resolve } = held()
    const { flow, signals } = waitingFor(forms.promise!, { grace: "1 hour" }, promise)
    const controller = new AbortController()
    let settled = false
    const running = runPromise(flow, {}, { signal: controller.signal }).catch((error) => {
      settled = true
      return error
    })
    await new Promise((resume) => setImmediate(resume))
    controller.abort("the tab was closed")
    await new Promise((resume) => setImmediate(resume))
    expect([settled, signals[0]!.reason]).toEqual([false, "the tab was closed"])
    resolve(undefined)
    expect(await running).toBe("the tab was closed")
  })

  it.effect("gives what it returns in time, as without a grace", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "in time",
        start: Start,
        stop: Stop,
        grace: "5 seconds",
        steps: {
          list: defineStep({ accepts: Start, emits: Done, run: async () => [Done({ n: 1 }), Done({ n: 2 })] }),
          all: defineStep({ accepts: gather(Done), emits: Stop, run: async (all) => stop(...all.map(({ n }) => n)) })
        }
      })
      expect(yield* run(flow)).toEqual(stop(1, 2))
      const rejects = defineStep({ accepts: Start, emits: Stop, run: () => Promise.reject(new Error("no")) })
      const failing = workflow({ name: "failing", start: Start, stop: Stop, grace: "5 seconds", steps: { rejects } })
      expect(yield* Effect.flip(run(failing))).toMatchObject({ _tag: "StepRejected", reason: "no" })
    })
  )
})

it.effect("a promise in what an attempt returns after its timeout is handled, while the next attempt runs", () =>
  Effect.gen(function* () {
    const { promise, resolve } = held()
    const only = untyped.step({
      accepts: Start,
      emits: Stop,
      timeout: "1 second",
      retry: { times: 1 },
      run: (_: unknown, { attempt }: { attempt: number }) =>
        attempt === 1 ? promise : Effect.as(Effect.sleep(500), stop(2))
    })
    const handle = yield* launch(untyped.workflow({ name: "late", start: Start, stop: Stop, steps: { only } }))
    yield* pass(1000)
    resolve([Promise.reject(new Error("in a list"))])
    yield* turn
    yield* pass(500)
    expect(yield* handle.await).toEqual(Exit.succeed(stop(2)))
  })
)
