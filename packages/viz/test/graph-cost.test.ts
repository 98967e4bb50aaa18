// Drawing a workflow costs linear time in its steps. This counts work instead of time and excludes the layout, which is
// done by a library.
import { workOf } from "@stepgraph/conformance/support/work"
import { defineEvent, defineStep, gather, workflow } from "stepgraph"
import { describe, expect, it } from "vitest"
import { pictureOf } from "../src/internal/model.ts"

const chain = (count: number, last: (event: any, first: any) => any) => {
  const events = Array.from({ length: count + 1 }, (_, n) => defineEvent(`E${n}`))
  const steps = Array.from({ length: count }, (_, n) => [
    `step ${n}`,
    defineStep({ accepts: events[n]!, emits: events[n + 1]!, run: () => {} })
  ])
  const Stop = defineEvent("Stop")
  const end = defineStep({ accepts: last(events[count]!, events[1]!), emits: Stop, run: () => {} })
  const all = Object.fromEntries([["end", end], ...steps.reverse()])
  return workflow({ name: "large", start: events[0]!, stop: Stop, steps: all } as any)
}

describe("the cost of a picture", () => {
  it.each([
    ["a chain declared backwards", (event: any) => event],
    ["a chain with a frame around it", (event: any, first: any) => gather(event, { per: first })]
  ])("is linear for %s", (_, last) => {
    const cost = (count: number) => {
      const flow = chain(count, last)
      return workOf(() => void pictureOf(flow))
    }
    expect(cost(200) / cost(100)).toBeLessThanOrEqual(2.3)
  })
})
