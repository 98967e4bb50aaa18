import { describe, expect, it } from "@effect/vitest"
import { liveView, withLiveView } from "@stepgraph/viz"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Observer, run, type TraceEntry } from "stepgraph"
import { Progress } from "../src/internal/progress.ts"
import { everything } from "./support/flows.ts"
import { busyFlow } from "./support/runs.ts"
import { fan } from "./support/traces.ts"

const stream = (isTTY: boolean) => {
  const written: Array<string> = []
  return { isTTY, columns: 100, rows: 30, written, write: (text: string) => written.push(text) > 0 }
}

describe("a live view", () => {
  it.effect("counts what is queued, running and done in each step", () =>
    Effect.gen(function* () {
      const view = liveView(busyFlow, { stream: stream(false) })
      const running = yield* Effect.forkChild(
        run(busyFlow, { docs: 5 }).pipe(Effect.provideService(Observer, view.observe))
      )
      yield* TestClock.adjust(1)
      const of = (name: string) => view.status().find((step) => step.name === name)
      expect(of("words")).toMatchObject({ queued: 3, running: 2, done: 0 })
      expect(of("links")).toMatchObject({ queued: 1, running: 4, done: 0 })
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(running)
      expect(view.status()).toEqual([
        { name: "list", held: 0, queued: 0, running: 0, done: 1, failed: 0 },
        { name: "words", held: 0, queued: 0, running: 0, done: 5, failed: 0 },
        { name: "links", held: 0, queued: 0, running: 0, done: 5, failed: 0 },
        { name: "page", held: 0, queued: 0, running: 0, done: 5, failed: 0 },
        { name: "ask", held: 0, queued: 0, running: 0, done: 1, failed: 0 },
        { name: "nearest", held: 0, queued: 0, running: 0, done: 1, failed: 0 },
        { name: "finish", held: 0, queued: 0, running: 0, done: 1, failed: 0 }
      ])
    })
  )

  it("writes nothing where the output is no terminal", () => {
    const out = stream(false)
    const view = liveView(busyFlow, { stream: out })
    for (const entry of fan({ invocations: 3 })) view.observe(entry)
    view.stop()
    expect(out.written).toEqual([])
  })

  it("is drawn once more when it stops, and not again", () => {
    const out = stream(true)
    const view = liveView(busyFlow, { stream: out })
    view.stop()
    view.stop()
    expect(out.written).toHaveLength(1)
    expect(out.written[0]).toContain("busy · 0 ms")
  })

  it.effect("lets others observe, and takes nothing away from the run", () =>
    Effect.gen(function* () {
      const entries: Array<TraceEntry> = []
      const running = yield* withLiveView(run(busyFlow, { docs: 2 }), busyFlow, { stream: stream(false) }).pipe(
        Effect.provideService(Observer, (entry) => void entries.push(entry)),
        Effect.forkChild
      )
      yield* TestClock.adjust("1 second")
      expect((yield* Fiber.join(running))._tag).toBe("Stop")
      expect(entries.at(-1)?._tag).toBe("RunFinished")
    })
  )

  it("knows the rate, and the time left where nothing more can come", () => {
    let now = 0
    const { list, words, finish } = busyFlow.steps
    const flow = { ...busyFlow, steps: { list, words, finish } }
    const progress = new Progress(flow, () => now)
    const entries = fan({ invocations: 40, workers: 2, name: "words" })
    const half = entries.findIndex((entry) => entry._tag === "InvocationEnded" && entry.invocation === "work#19")
    for (const entry of entries.slice(0, half + 1)) {
      if (entry._tag === "InvocationEnded") now += 50
      progress.add(entry)
    }
    expect(progress.rate("words")).toBeCloseTo(20, -1)
    // Twenty are left, at twenty a second.
    expect(progress.left("words")).toBeGreaterThan(800)
    expect(progress.left("words")).toBeLessThan(1200)
    expect(progress.lines(100, false)[2]).toMatch(/20 done · 20 queued · \d+\/s · 1 s left$/)
  })

  it("says nothing of the time left while more can come", () => {
    const progress = new Progress(everything, () => 0)
    expect(progress.left("publish")).toBeUndefined()
  })
})
