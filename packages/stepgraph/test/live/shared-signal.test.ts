// Many runs on one signal: a server's shutdown signal, for example.
import { getEventListeners } from "node:events"
import { Schema } from "effect"
import { defineEvent, defineStep, launchPromise, runPromise, workflow } from "stepgraph"
import { describe, expect, it, vi } from "vitest"

const Start = defineEvent("Start", { n: Schema.Number })
const End = defineEvent("End")
const Stop = defineEvent("Stop", { n: Schema.Number })

/** Waits until it is interrupted, and then calls back at once. */
const waiting = (interrupted: (n: number) => void) =>
  workflow({
    name: "waiting",
    start: Start,
    stop: Stop,
    inputs: [End],
    steps: {
      wait: defineStep({
        accepts: Start,
        emits: Stop,
        run: ({ n }, { signal }) =>
          new Promise<void>(() => signal.addEventListener("abort", () => interrupted(n), { once: true }))
      }),
      end: defineStep({ accepts: End, emits: Stop, run: () => Stop({ n: -1 }) })
    }
  })

const many = Array.from({ length: 40 }, (_, n) => n)
const listeners = ({ signal }: AbortController) => getEventListeners(signal, "abort").length
const listening = () => {
  const controller = new AbortController()
  const add = vi.spyOn(controller.signal, "addEventListener")
  const remove = vi.spyOn(controller.signal, "removeEventListener")
  return { controller, signal: controller.signal, add, remove }
}

describe("a signal shared by many runs", () => {
  it("has one listener, and interrupts the runs in the order in which they began", async () => {
    const { add, controller, signal } = listening()
    const log: Array<number> = []
    const flow = waiting((n) => log.push(n))
    const running = many.map((n) =>
      n % 2 === 0
        ? runPromise(flow, { n }, { signal })
        : launchPromise(flow, { n }, { signal }).then(({ result }) => result)
    )
    expect(listeners(controller)).toBe(1)
    const settled = Promise.allSettled(running)
    // Launched runs and others alike have begun.
    await new Promise((resume) => setImmediate(resume))
    controller.abort("enough")
    expect(log).toEqual(many)
    expect(await settled).toEqual(many.map(() => ({ status: "rejected", reason: "enough" })))
    expect(add).toHaveBeenCalledTimes(1)
    expect(listeners(controller)).toBe(0)
  })

  it("keeps its listener until the last of them has ended, and gets a new one with the next run", async () => {
    const { add, controller, remove, signal } = listening()
    const flow = waiting(() => {})
    for (let round = 1; round <= 2; round++) {
      const live = await Promise.all(many.map((n) => launchPromise(flow, { n }, { signal })))
      for (const run of live) {
        expect(listeners(controller)).toBe(1)
        await run.send(End())
        await run.result
      }
      expect(listeners(controller)).toBe(0)
      expect([add.mock.calls.length, remove.mock.calls.length]).toEqual([round, round])
    }
    controller.abort()
  })

  it("skips runs that another's interruption has ended, and lets none begin", async () => {
    const { controller, signal } = listening()
    const log: Array<number> = []
    const begun: Array<Promise<unknown>> = []
    const flow = waiting((n) => {
      log.push(n)
      if (n > 0) return
      begun.push(second.interrupt(), runPromise(flow, { n: 7 }, { signal }), launchPromise(flow, { n: 8 }, { signal }))
    })
    const first = await launchPromise(flow, { n: 0 }, { signal })
    const second = await launchPromise(flow, { n: 1 }, { signal })
    const third = await launchPromise(flow, { n: 2 }, { signal })
    const results = Promise.allSettled([first.result, second.result, third.result])
    controller.abort("enough")
    expect(log).toEqual([0, 1, 2])
    expect(await Promise.allSettled(begun)).toEqual([
      { status: "fulfilled", value: undefined },
      { status: "rejected", reason: "enough" },
      { status: "rejected", reason: "enough" }
    ])
    for (const result of await results) expect(result).toMatchObject({ status: "rejected", reason: "enough" })
    expect(listeners(controller)).toBe(0)
  })

  it("keeps no listener if its own run aborts it at the start", async () => {
    const { controller, signal } = listening()
    const flow = workflow({
      name: "aborting",
      start: Start,
      stop: Stop,
      steps: { abort: defineStep({ accepts: Start, emits: Stop, run: () => controller.abort("mine") }) }
    })
    await expect(runPromise(flow, { n: 0 }, { signal })).rejects.toBe("mine")
    expect(listeners(controller)).toBe(0)
  })
})
