// A promise that a step returns where it cannot be used may reject, which must not end the program.
import { afterEach, beforeEach, describe, expect, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { collect, join, type StepContext } from "stepgraph"
import { Start, Stop, stop, Task, untyped } from "./support/flow.ts"

const turn = () => new Promise((resume) => setTimeout(resume, 5))
const rejecting = () => Promise.resolve().then(() => Promise.reject(new Error("nobody reads this")))
const two = () => [rejecting(), rejecting()]

const unhandled: Array<unknown> = []
const note = (reason: unknown) => void unhandled.push(reason)
beforeEach(() => {
  unhandled.length = 0
  process.on("unhandledRejection", note)
})
afterEach(() => {
  process.off("unhandledRejection", note)
})

type Ctx = StepContext<typeof Start, any>
const awaitIt = "it emitted a promise, which is not an event: await it"
const refused: Record<string, readonly [(_: unknown, ctx: Ctx) => unknown, string]> = {
  "a list": [two, awaitIt],
  "a list with events before it": [() => [Task({ n: 1 }), ...two()], awaitIt],
  "a list with the stop event before it": [() => [stop(), ...two()], ""],
  "a promise of a list": [async () => two(), awaitIt],
  "a promise of a promise in a list": [async () => [Task({ n: 1 }), rejecting()], awaitIt],
  "an Effect of a list": [() => Effect.sync(two), awaitIt],
  "a Set": [() => new Set(two()), awaitIt],
  "a generator": [
    function* () {
      yield rejecting()
    },
    awaitIt
  ],
  "a generator at its end": [
    function* () {
      return rejecting()
    },
    "yield it"
  ],
  "a generator of lists": [
    function* () {
      yield two()
    },
    "which is not an event"
  ],
  "an async iterable": [() => ({ [Symbol.asyncIterator]: () => ({ next: async () => ({ value: two() }) }) }), ""],
  "a Stream": [() => Stream.make(rejecting()), awaitIt],
  "an object": [() => ({ a: rejecting(), b: { c: two() } }), ""],
  "a literal": [() => ({ _tag: "Task", n: rejecting() }), "event 'Task' does not fit its schema"],
  "an event": [() => Task({ n: rejecting() as never }), "event 'Task' does not fit its schema"],
  send: [(_, { send }) => send(rejecting()), awaitIt],
  "send of a list": [(_, { send }) => send(two()), ""]
}
const settings = { "": {}, " with a timeout": { timeout: "1 week" }, " with a retry": { retry: { times: 1 } } }
const everyWay = Object.entries(refused).flatMap(([form, [call, words]]) =>
  Object.entries(settings).map(([name, setting]) => [`${form}${name}`, call, words, setting] as const)
)
const flowOf = (call: unknown, setting: object = {}) => {
  const only = untyped.step({ accepts: Start, emits: [Task, Stop], run: call, ...setting })
  const tasks = untyped.step({ accepts: Task, emits: [], run: () => {} })
  return untyped.workflow({ name: "unread", start: Start, stop: Stop, steps: { only, tasks } })
}

describe("unusable promises", () => {
  it.each(everyWay)("are handled when they are refused: %s", async (_, call, words, setting) => {
    const outcome = await untyped.runPromise(flowOf(call, setting)).then(
      () => "",
      (error) => error.message
    )
    await turn()
    expect(outcome).toContain(words)
    expect(unhandled).toEqual([])
  })

  it("are handled where the step was left before it gave them", async () => {
    let give = (_: unknown) => {}
    const left = () =>
      new Promise((resolve) => {
        give = resolve
      })
    for (const setting of Object.values(settings)) {
      const controller = new AbortController()
      const running = untyped.runPromise(flowOf(left, setting), {}, { signal: controller.signal })
      await turn()
      controller.abort("left")
      await expect(running).rejects.toBe("left")
      give(two())
      await turn()
    }
    expect(unhandled).toEqual([])
  })

  it("are handled where the step sends them after its end", async () => {
    let ctx: Ctx | undefined
    const ends = (_: unknown, own: Ctx) => {
      ctx = own
      return stop()
    }
    await untyped.runPromise(flowOf(ends))
    expect(() => ctx!.send(rejecting())).toThrow("after it had ended")
    await turn()
    expect(unhandled).toEqual([])
  })

  it("are handled where the step ends its own run before it gives them", async () => {
    for (const setting of Object.values(settings)) {
      const controller = new AbortController()
      const aborting = () => {
        controller.abort("ended")
        return rejecting()
      }
      const running = untyped.runPromise(flowOf(aborting, setting), {}, { signal: controller.signal })
      await expect(running).rejects.toBe("ended")
    }
    await turn()
    expect(unhandled).toEqual([])
  })

  it("cost a bounded time, however large the refused value", async () => {
    const leaves = (depth: number): unknown => (depth === 0 ? 1 : Array.from({ length: 100 }, () => leaves(depth - 1)))
    const tree = leaves(2)
    const large = { holes: new Array(4_000_000_000), tree: Array.from({ length: 1_000 }, () => tree) }
    await expect(untyped.runPromise(flowOf(() => [...two(), large]))).rejects.toThrow(awaitIt)
    await turn()
    expect(unhandled).toEqual([])
  })

  it("are not started if they are lazy: a thenable is called once, and a refused one never", async () => {
    let asked = 0
    const lazy = {
      then: (done: (value: unknown) => void) => {
        asked++
        done(stop())
      }
    }
    for (const setting of Object.values(settings)) await untyped.runPromise(flowOf(() => lazy, setting))
    expect(asked).toBe(3)
    await expect(untyped.runPromise(flowOf(() => [lazy]))).rejects.toThrow()
    expect(asked).toBe(3)
  })
})

describe("a value that looks used", () => {
  it.each([
    ["a", "promise", join([Task, Task], { by: async () => 1 })],
    ["a", "promise", collect(Task, 2, { by: async () => Promise.reject(new Error("unread")) })],
    ["an", "Effect", collect(Task, 2, { by: () => Effect.succeed(1) })]
  ])("a key that is %s %s is refused in words", async (a, what, accepts) => {
    const fan = untyped.step({ accepts: Start, emits: Task, run: () => Task({ n: 1 }) })
    const keyed = untyped.step({ accepts, emits: Stop, run: () => stop() })
    const flow = untyped.workflow({ name: "keys", start: Start, stop: Stop, steps: { fan, keyed } })
    await expect(untyped.runPromise(flow)).rejects.toThrow(
      `its 'by' returned ${a} ${what}, and each ${what} is a different key: let an earlier step find the key and emit it as a field of the event`
    )
    await turn()
    expect(unhandled).toEqual([])
  })

  const returning: Record<string, () => unknown> = {
    "a generator": function* () {
      yield Task({ n: 1 })
      return stop()
    },
    "an async generator": async function* () {
      yield Task({ n: 1 })
      return stop()
    },
    "a generator of nothing": function* () {
      return [stop()]
    }
  }
  it.each(Object.entries(returning))("an event that %s returns is refused with an explanation", async (_, call) => {
    await expect(untyped.runPromise(flowOf(call))).rejects.toThrow(/step 'only'.*it returned .*Stop.*: yield it/)
  })
})

describe("an async iterator whose return() never resolves", () => {
  const stuck = (setting: object) => {
    const produce = untyped.step({
      accepts: Start,
      emits: Task,
      ...setting,
      run: () => ({
        [Symbol.asyncIterator]: () => ({
          next: async () => ({ value: Task({ n: 1 }) }),
          return: () => new Promise(() => {})
        })
      })
    })
    const slow = untyped.step({ accepts: Task, emits: Stop, workers: 1, run: () => Effect.never })
    return { produce, slow }
  }
  const flow = (setting: object, more: object, others: object = {}) =>
    untyped.workflow({ name: "stuck", start: Start, stop: Stop, steps: { ...stuck(setting), ...others }, ...more })

  it("does not keep a run from its timeout, its stop, or its caller's signal", async () => {
    await expect(untyped.runPromise(flow({}, { timeout: 20 }))).rejects.toMatchObject({ _tag: "WorkflowTimedOut" })
    await expect(untyped.runPromise(flow({ timeout: 20 }, {}))).rejects.toMatchObject({ _tag: "StepTimedOut" })
    const stops = untyped.step({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(20), stop()) })
    expect(await untyped.runPromise(flow({}, {}, { stops }))).toEqual(stop())
    const signal = AbortSignal.timeout(20)
    await expect(untyped.runPromise(flow({}, {}), {}, { signal })).rejects.toMatchObject({ name: "TimeoutError" })
  })

  it("does not keep it from its timeout where the step itself has failed, and closes it", async () => {
    const { produce, slow } = stuck({})
    const failing = {
      ...produce,
      run: () => ({
        [Symbol.asyncIterator]: () => ({
          next: async () => ({ value: "no event" }),
          return: () => new Promise(() => {})
        })
      })
    }
    const steps = { produce: failing, slow }
    const failed = untyped.workflow({ name: "stuck", start: Start, stop: Stop, steps, timeout: 20 })
    await expect(untyped.runPromise(failed)).rejects.toThrow()
  })
})
