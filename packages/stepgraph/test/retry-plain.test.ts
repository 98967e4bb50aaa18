import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { describe, expect, it } from "vitest"
import { defineEvent, defineStep, run, runPromise, workflow } from "../src/index.ts"

const Start = defineEvent("Start")
const Line = defineEvent("Line", { text: Schema.String })
const Stop = defineEvent("Stop", { text: Schema.String })

const flowOf = (step: object) =>
  workflow({
    name: "flow",
    start: Start,
    stop: Stop,
    outputs: [Line],
    steps: { work: defineStep({ accepts: Start, emits: [Line, Stop], ...step } as any) }
  } as any) as any
const failing = (step: object) => runPromise(flowOf(step)).catch((error: any) => error)

const plain = (times: number, what: unknown = new Error("busy")) => {
  let calls = 0
  return () => {
    if (++calls <= times) throw what
    return Stop({ text: `after ${calls}` })
  }
}
const generator = (times: number) => {
  let calls = 0
  return function* () {
    yield Line({ text: "one" })
    if (++calls <= times) throw new Error("busy")
    yield Stop({ text: `after ${calls}` })
  }
}

describe.each([
  ["a plain function", plain],
  ["a generator", generator]
])("what %s throws", (_, throwing) => {
  it("is retried", async () => {
    expect(await runPromise(flowOf({ retry: { times: 2 }, run: throwing(2) }))).toEqual(Stop({ text: "after 3" }))
  })

  it("is recovered", async () => {
    const recover = (error: any) => Stop({ text: `${error._tag}: ${error.reason}` })
    const stop = await runPromise(flowOf({ recover, run: throwing(1) }))
    expect(stop).toEqual(Stop({ text: "StepRejected: busy" }))
  })

  it("fails the run as a rejection when no attempt is left", async () => {
    const error = await failing({ retry: { times: 1 }, run: throwing(5) })
    expect(error.message).toBe("step 'work' of workflow 'flow' rejected, given Start: busy")
    expect(error.cause).toBeInstanceOf(Error)
  })

  it("is a bug without a retry and a recovery, whatever the timeout", async () => {
    const error = await failing({ timeout: "1 minute", run: throwing(1) })
    expect([error._tag, error.reason]).toEqual(["StepDefect", "busy"])
  })
})

describe("a bug", () => {
  const options = { retry: { times: 1 } }

  it.each<[string, object]>([
    ["what an Effect dies with", { ...options, run: () => Effect.die(new Error("odd")) }],
    ["an event that is not declared", { ...options, run: () => ({ _tag: "Other" }) }],
    ["what a recovery throws", { run: plain(1), recover: () => plain(1)() }]
  ])("stays one: %s", async (_, step) => {
    expect((await failing(step))._tag).toBe("StepDefect")
  })
})

describe("error.reason", () => {
  it.each<[unknown, string]>([
    [new Error("closed"), "closed"],
    [new TypeError("odd"), "TypeError: odd"],
    ["just text", "just text"],
    ["x".repeat(300), `${"x".repeat(200)}…`],
    [{ code: 5 }, '{"code":5}'],
    [null, "null"]
  ])("of %s", async (thrown, reason) => {
    const error = await failing({ retry: { times: 0 }, run: plain(9, thrown) })
    expect(error.reason.slice(0, 201)).toBe(reason)
    expect(Object.keys(error)).not.toContain("reason")
  })
})

describe("the pauses of a retry", () => {
  const pausesOf = (retry: object, millis = 60_000) =>
    Effect.gen(function* () {
      const at: Array<number> = []
      const began = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      const step = {
        retry,
        run: () =>
          Effect.clockWith((clock) =>
            Effect.flatMap(clock.currentTimeMillis, (now) => {
              at.push(now - began)
              return Effect.fail("no")
            })
          )
      }
      yield* Effect.forkChild(Effect.exit(run(flowOf(step)) as Effect.Effect<unknown, unknown>))
      for (let i = 0; i < 20; i++) yield* TestClock.adjust(millis / 20)
      return at.slice(1).map((time, i) => time - at[i]!)
    }).pipe(Effect.provide(TestClock.layer()), (test) => Effect.runPromise(test as Effect.Effect<Array<number>>))

  it.each<[object, ReadonlyArray<number>]>([
    [{ times: 3, delay: "200 millis" }, [200, 200, 200]],
    [{ times: 3, delay: "200 millis", factor: 2 }, [200, 400, 800]],
    [{ times: 5, delay: 1000, factor: 3, max: "5 seconds" }, [1000, 3000, 5000, 5000, 5000]],
    [{ times: 2 }, [0, 0]]
  ])("%o", async (retry, pauses) => {
    expect(await pausesOf(retry)).toEqual(pauses)
  })

  it("with jitter, are up to a fifth shorter or longer", async () => {
    const pauses = await pausesOf({ times: 10, delay: 1000, jitter: true })
    expect(pauses).toHaveLength(10)
    for (const pause of pauses) {
      expect(pause).toBeGreaterThanOrEqual(800)
      expect(pause).toBeLessThanOrEqual(1200)
    }
    expect(new Set(pauses).size).toBeGreaterThan(5)
  })

  it("go on only while the condition says so", async () => {
    let calls = 0
    const error = await failing({
      retry: { delay: 1, while: ({ reason }: { reason: string }) => reason === "busy" },
      run: () => {
        throw new Error(++calls < 3 ? "busy" : "forbidden")
      }
    })
    expect([calls, error.reason]).toEqual([3, "forbidden"])
  })
})

describe("a retry that does not fit", () => {
  it.each<[object, string]>([
    [{}, "has a retry that would never end: give `times`, or a `while` that says when to go on"],
    [{ delay: 5 }, "has a retry that would never end: give `times`, or a `while` that says when to go on"],
    [
      { times: 1, delay: "soon" },
      "has the `delay` 'soon' in its retry, which is not a duration: write \"1 second\" or a number of milliseconds"
    ],
    [
      { times: 1, delay: 1, max: -1 },
      'has the `max` -1 in its retry, which is not a duration: write "1 second" or a number of milliseconds'
    ],
    [{ times: 1, delay: 1, factor: 0.5 }, "has the `factor` 0.5 in its retry: give a number of at least 1"],
    [{ times: 1, delay: 1, jitter: "yes" }, "has the `jitter` 'yes' in its retry: give true or false"],
    [{ times: 1, factor: 2 }, "has a `factor` in its retry, but no `delay`: say how long the first pause is"]
  ])("%o", (retry, problem) => {
    expect(() => flowOf({ retry, run: plain(0) })).toThrow(`workflow 'flow' has a problem:\n  - step 'work' ${problem}`)
  })
})
