// Every step sees the AsyncLocalStorage of the code that started the run, whatever wakes the run.
import { AsyncLocalStorage } from "node:async_hooks"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schedule, Schema, Stream } from "effect"
import { collect, defineEvent, defineStep, gather, join, launchPromise, race, runPromise, workflow } from "stepgraph"
import { Done, Start, Stop, stop, Task, untyped } from "./support/flow.ts"

const user = new AsyncLocalStorage<string>()
const Seen = defineEvent("Seen", { text: Schema.String })

/** Wakes a run from another context, once it has begun to wait. */
const gate = () => {
  let resolve!: () => void
  const promise = new Promise<void>((open) => {
    resolve = open
  })
  return { promise, open: () => user.run("whoever opens", resolve) }
}

/** Runs a workflow with a step that is woken in another context, and returns what later steps saw. */
const seen = async (steps: (see: () => boolean, woken: Promise<void>) => object) => {
  const { promise, open } = gate()
  const stores: Array<string | undefined> = []
  const flow = untyped.workflow({
    name: "seen",
    start: Start,
    stop: Stop,
    steps: steps(() => stores.push(user.getStore()) > 0, promise)
  })
  const running = user.run("caller", () => untyped.runPromise(flow))
  const other = user.run("another caller", () => untyped.runPromise(flow))
  open()
  await Promise.all([running, other])
  return stores
}

/** Sends from another context when woken. */
const sends = (woken: Promise<void>, event: unknown) =>
  untyped.step({
    accepts: Start,
    emits: Task,
    run: (_: unknown, { send }: { send: (event: unknown) => void }) =>
      user.run("of the step", async () => {
        await woken
        send(event)
        await sleep(5)
      })
  })
const fail = () => Effect.fail("again")

const cases: Record<string, (see: () => boolean) => Record<string, unknown>> = {
  "a plain step": (see) => ({ end: { run: () => see() && stop() } }),
  "an async step": (see) => ({
    end: {
      run: async () => {
        await undefined
        see()
        return stop()
      }
    }
  }),
  "a generator": (see) => ({
    end: {
      run: function* () {
        see()
        yield stop()
      }
    }
  }),
  "an async generator": (see) => ({
    end: {
      run: async function* () {
        await sleep(1)
        see()
        yield stop()
      }
    }
  }),
  "an Effect": (see) => ({ end: { run: () => Effect.sync(() => see() && stop()) } }),
  "a Stream": (see) => ({ end: { run: () => Stream.sync(() => see() && stop()) } }),
  "a step with a timeout": (see) => ({ end: { timeout: "1 minute", run: () => see() && stop() } }),
  "an attempt after a pause, and the condition of a retry": (see) => ({
    end: {
      retry: { times: 1, while: () => see(), schedule: Schedule.spaced(2) },
      run: (_: unknown, { attempt }: { attempt: number }) => see() && (attempt === 1 ? fail() : stop())
    }
  }),
  "a recovery": (see) => ({
    end: { run: () => Effect.andThen(Effect.sleep(2), fail()), recover: () => see() && stop() }
  }),
  "the `by` of an intake": (see) => ({
    end: { accepts: collect(Task, 1, { by: () => see() }), run: () => stop() }
  }),
  "a step whose `within` is over": (see) => ({
    end: { accepts: collect(Task, 2, { within: 5 }), run: () => see() && stop() }
  }),
  "a step behind a gather": (see) => ({ end: { accepts: gather(Task), run: () => see() && stop() } }),
  "a step behind a race": (see) => ({ end: { accepts: race(Task), run: () => see() && stop() } }),
  "the result of a thenable": (see) => ({
    middle: {
      accepts: Task,
      emits: Done,
      run: () => ({
        then: (resolve: (value: unknown) => void) =>
          void user.run("of the thenable", () => setTimeout(() => resolve(Done({ n: 1 })), 1))
      })
    },
    end: { accepts: Done, run: () => see() && stop() }
  }),
  "the result of an Effect that is resumed elsewhere": (see) => ({
    middle: {
      accepts: Task,
      emits: Done,
      run: () =>
        Effect.callback((resume) => {
          user.run("of the callback", () => setTimeout(() => resume(Effect.succeed(Done({ n: 1 }))), 1))
        })
    },
    end: { accepts: Done, run: () => see() && stop() }
  })
}

describe("the AsyncLocalStorage of the code that started a run", () => {
  it.each(Object.keys(cases))("is seen by %s", async (name) => {
    const stores = await seen((see, woken) => ({
      begin: sends(woken, Task({ n: 1 })),
      ...Object.fromEntries(
        Object.entries(cases[name]!(see)).map(([step, given]) => [
          step,
          untyped.step({ accepts: Task, emits: Stop, ...(given as object) })
        ])
      )
    }))
    expect(new Set(stores)).toEqual(new Set(["caller", "another caller"]))
    expect(stores.filter((store) => store === "caller").length).toBe(stores.length / 2)
  })

  it("is seen by steps started by an input, or by closing the inputs", async () => {
    const stores: Array<string | undefined> = []
    const see = () => stores.push(user.getStore()) > 0
    const flow = workflow({
      name: "inputs",
      start: Start,
      stop: Stop,
      inputs: [Task],
      steps: {
        begin: defineStep({ accepts: Start, emits: [], run: () => void see() }),
        task: defineStep({ accepts: Task, emits: Done, run: ({ n }) => (see() ? Done({ n }) : undefined) }),
        all: defineStep({ accepts: gather(Done), emits: Stop, run: () => (see() ? stop() : undefined) })
      }
    })
    const live = await user.run("caller", () => launchPromise(flow))
    await user.run("sender", () => live.send(Task({ n: 1 })))
    await user.run("closer", () => live.closeInputs())
    await live.result
    expect(stores).toEqual(["caller", "caller", "caller"])
  })

  it("is seen by a step's abort handler", async () => {
    const stores: Array<string | undefined> = []
    const controller = new AbortController()
    const flow = workflow({
      name: "abort",
      start: Start,
      stop: Stop,
      steps: {
        wait: defineStep({
          accepts: Start,
          emits: Stop,
          run: () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => void stores.push(user.getStore())))
        })
      }
    })
    const running = user.run("caller", () => runPromise(flow, undefined, { signal: controller.signal }))
    await sleep(1)
    user.run("whoever aborts", () => controller.abort())
    await expect(running).rejects.toThrow()
    expect(stores).toEqual(["caller"])
  })

  it("is, for a nested run, the context of the step", async () => {
    const inner = workflow({
      name: "inner",
      start: Start,
      stop: Seen,
      steps: {
        begin: defineStep({ accepts: Start, emits: Task, run: () => sleep(1, Task({ n: 1 })) }),
        end: defineStep({ accepts: Task, emits: Seen, run: () => Seen({ text: String(user.getStore()) }) })
      }
    })
    const outer = workflow({
      name: "outer",
      start: Start,
      stop: Seen,
      steps: {
        begin: defineStep({
          accepts: Start,
          emits: [Task, Done],
          run: async (_, { send }) => {
            send(Task({ n: 1 }))
            const { text } = await user.run("around the inner run", () => runPromise(inner))
            if (text === "around the inner run") send(Done({ n: 1 }))
          }
        }),
        end: defineStep({
          accepts: join([Task, Done]),
          emits: Seen,
          run: () => Seen({ text: String(user.getStore()) })
        })
      }
    })
    expect((await user.run("caller", () => runPromise(outer))).text).toBe("caller")
  })
})
