// The ends of steps and runs are never lost, whatever throws and however deeply runs are nested.
import { describe, expect, it } from "@effect/vitest"
import { Cause, Clock, Effect, Exit, Fiber, Schema } from "effect"
import { defineEvent, defineStep, launch, RunDefect, run, runPromise, StepRejected, workflow } from "stepgraph"

const Start = defineEvent("Start", { n: Schema.Number })
const Hop = defineEvent("Hop", { n: Schema.Number })
const Stop = defineEvent("Stop", { n: Schema.Number })

/** An error whose text cannot be read from an object that inherits from it. */
class Denied extends Error {
  #why = "no"
  override get message() {
    return this.#why
  }
}

/** Without precautions, 800 nested runs overflow the stack. */
const deep = 5_000

/** A workflow of one step. */
const one = (work: (n: number) => any) =>
  workflow({
    name: "nested",
    start: Start,
    stop: Stop,
    steps: { work: defineStep({ accepts: Start, emits: Stop, run: ({ n }): any => work(n) }) }
  })
const running = (flow: ReturnType<typeof one>, n: number): Effect.Effect<any, any> => run(flow, { n })

/** Each runs itself inside itself to this depth, and does `last` at the bottom. */
const nestings: Record<string, (last: () => any) => ReturnType<typeof one>> = {
  "as an Effect": (last) => {
    const flow = one((n) => (n === 0 ? last() : running(flow, n - 1)))
    return flow
  },
  "after a pause": (last) => {
    const flow = one((n) => (n === 0 ? last() : Effect.andThen(Effect.yieldNow, running(flow, n - 1))))
    return flow
  },
  "as a promise": (last) => {
    const flow = one(async (n) => (n === 0 ? Effect.runPromise(Effect.suspend(last)) : runPromise(flow, { n: n - 1 })))
    return flow
  },
  "as a live run": (last) => {
    const flow = one((n) =>
      n === 0 ? last() : Effect.scoped(Effect.flatMap(launch(flow, { n: n - 1 }), (live) => live.result as any))
    )
    return flow
  },
  "in a step with a timeout": (last) => {
    const flow = workflow({
      ...one(() => undefined),
      steps: {
        work: defineStep({
          accepts: Start,
          emits: Stop,
          timeout: "1 hour",
          run: ({ n }): any => (n === 0 ? last() : running(flow as any, n - 1))
        })
      }
    })
    return flow as any
  }
}

describe.each(Object.entries(nestings))("nested runs %s", (_, nesting) => {
  it("end at any depth", async () => {
    const flow = nesting(() => Effect.succeed(Stop({ n: 7 })))
    expect(await runPromise(flow, { n: deep })).toEqual(Stop({ n: 7 }))
  })

  it("end when the innermost has waited", async () => {
    const flow = nesting(() => Effect.as(Effect.sleep(1), Stop({ n: 7 })))
    expect(await runPromise(flow, { n: deep })).toEqual(Stop({ n: 7 }))
  })

  it("fail with the error of the innermost", async () => {
    const flow = nesting(() => Effect.andThen(Effect.sleep(1), Effect.fail(new Denied())))
    let error = await runPromise(flow, { n: deep }).catch((error) => error)
    while (error instanceof StepRejected) error = error.cause
    expect(error).toBeInstanceOf(Denied)
  })

  it("are interrupted to the innermost", async () => {
    const controller = new AbortController()
    let interrupted = 0
    const flow = nesting(() => {
      setTimeout(() => controller.abort(), 1)
      return Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted++))
    })
    const promised = runPromise(flow, { n: deep }, { signal: controller.signal })
    await expect(promised).rejects.toMatchObject({ name: "AbortError" })
    // A bare promise is abandoned, not interrupted.
    if (nesting !== nestings["as a promise"]) expect(interrupted).toBe(1)
  })
})

describe("a run that is deep in the stack of other runs", () => {
  it("ends at a depth of 20,000", async () => {
    const flow = nestings["as an Effect"]!(() => Effect.as(Effect.sleep(1), Stop({ n: 7 })))
    expect(await runPromise(flow, { n: 20_000 })).toEqual(Stop({ n: 7 }))
  })

  it("ends in a synchronous program, too", () => {
    const flow = nestings["as an Effect"]!(() => Stop({ n: 7 }))
    expect(Effect.runSync(running(flow, 2000))).toEqual(Stop({ n: 7 }))
  })

  it("fails with a stack overflow if each waits synchronously for the next", async () => {
    const flow = one((n) => Effect.runSync(running(flow, n + 1)))
    await expect(runPromise(flow, { n: 0 })).rejects.toBeInstanceOf(Error)
  })
})

describe("runs of one scheduler", () => {
  it("share the events of a turn: at any nesting, timers and signals get their turns", async () => {
    const loop = (hop: (n: number) => any) =>
      workflow({
        name: "loop",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({ accepts: Start, emits: Hop, run: ({ n }) => Hop({ n }) }),
          hop: defineStep({ accepts: Hop, emits: [Hop, Stop], run: ({ n }): any => hop(n) })
        }
      })
    const next = (n: number) => (n === 0 ? Stop({ n }) : Hop({ n: n - 1 }))
    let events = 0
    const inner = loop((n) => {
      events++
      return next(n)
    })
    const outer = loop((n) => Effect.as(run(inner, { n: 100 }) as Effect.Effect<unknown>, next(n)))
    // The number of events between two turns of the event loop.
    const turns: Array<number> = []
    let last = 0
    let looking = true
    const look = () => {
      turns.push(events - last)
      last = events
      if (looking) setImmediate(look)
    }
    setImmediate(look)
    await runPromise(outer, { n: 1000 })
    looking = false
    expect(events).toBe(1001 * 101)
    expect(Math.max(...turns)).toBeLessThanOrEqual(2048)
  })

  it("share them fairly: among many endless runs, none starves", async () => {
    const hops = new Map<number, number>()
    const endless = workflow({
      name: "endless",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({ accepts: Start, emits: Hop, run: ({ n }) => Hop({ n }) }),
        hop: defineStep({
          accepts: Hop,
          emits: [Hop, Stop],
          run: ({ n }) => {
            hops.set(n, (hops.get(n) ?? 0) + 1)
            return Hop({ n })
          }
        })
      }
    })
    const all = Effect.forEach(Array.from({ length: 50 }), (_, n) => run(endless, { n }), { concurrency: "unbounded" })
    const fiber = Effect.runFork(all)
    for (let turn = 0; turn < 100; turn++) await new Promise((resume) => setImmediate(resume))
    await Effect.runPromise(Fiber.interrupt(fiber))
    const counts = [...hops.values()]
    expect(counts).toHaveLength(50)
    expect(Math.min(...counts)).toBeGreaterThan(Math.max(...counts) / 4)
  })
})

/** A clock that does not work. */
const broken: Clock.Clock = {
  currentTimeMillisUnsafe: () => 0,
  currentTimeMillis: Effect.succeed(0),
  currentTimeNanosUnsafe: () => 0n,
  currentTimeNanos: Effect.succeed(0n),
  sleep: () => Effect.die(new Error("no time"))
} as unknown as Clock.Clock

describe("RunDefect", () => {
  it("names what broke outside the steps' own code", async () => {
    const flow = workflow({ ...one(() => Effect.never), timeout: "1 second" })
    const exit = await Effect.runPromiseExit(Effect.provideService(run(flow, { n: 1 }), Clock.Clock, broken))
    const defect: any = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    expect(defect).toBeInstanceOf(RunDefect)
    expect(defect).toMatchObject({ workflow: "nested", activity: "waiting for a time", cause: new Error("no time") })
    expect(defect.message).toBe("workflow 'nested' broke while waiting for a time: no time")
  })
})

describe("an error whose text cannot be read", () => {
  it("still ends the run", async () => {
    const flow = one(async () => {
      throw Object.create(new Denied())
    })
    await expect(runPromise(flow, { n: 1 })).rejects.toBeInstanceOf(Error)
    const thrown = one(() => {
      throw Object.create(new Denied())
    })
    await expect(runPromise(thrown, { n: 1 })).rejects.toBeInstanceOf(Error)
  })
})
