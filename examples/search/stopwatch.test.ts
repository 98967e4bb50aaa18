import { describe, expect, it } from "@effect/vitest"
import { mostAtOnce, type Span, timed } from "./stopwatch.ts"

const spans = (...times: ReadonlyArray<readonly [number, number]>) =>
  times.map(([start, end]) => ({ step: "read", start, end }))

describe("mostAtOnce", () => {
  it("counts overlapping spans", () => {
    expect(mostAtOnce(spans([0, 10], [2, 8], [3, 5], [9, 12]))).toBe(3)
  })

  it("does not count a span that begins as another ends", () => {
    expect(mostAtOnce(spans([0, 5], [5, 9], [9, 10]))).toBe(1)
  })

  it("is 0 of none", () => {
    expect(mostAtOnce([])).toBe(0)
  })
})

describe("timed", () => {
  it("records a span for each invocation, whatever the step returns, and changes nothing else", async () => {
    const noted: Array<Span> = []
    const flow = timed(
      {
        name: "flow",
        steps: {
          plain: { workers: 2, run: (n: number) => n + 1 },
          promised: { workers: 2, run: async (n: number) => n + 1 },
          failing: { workers: 2, run: async () => Promise.reject(new Error("no")) },
          generated: {
            workers: 2,
            run: async function* (n: number) {
              yield n + 1
              yield n + 2
            }
          }
        }
      },
      noted
    )
    expect(flow.name).toBe("flow")
    expect(flow.steps.plain.workers).toBe(2)
    expect(flow.steps.plain.run(1)).toBe(2)
    expect(await flow.steps.promised.run(1)).toBe(2)
    await expect(flow.steps.failing.run()).rejects.toThrow("no")
    const generated = flow.steps.generated.run(1)
    expect(noted.map(({ step }) => step)).toEqual(["plain", "promised", "failing"])
    const events: Array<number> = []
    for await (const event of generated) events.push(event)
    expect(events).toEqual([2, 3])
    expect(noted.map(({ step }) => step)).toEqual(["plain", "promised", "failing", "generated"])
  })
})
