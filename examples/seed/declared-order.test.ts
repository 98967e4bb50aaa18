import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { run } from "stepgraph"
import { arrivals, byHand, joined } from "./declared-order.ts"

it("tests all six orders of arrival", () => {
  expect(new Set(arrivals.map(({ order }) => order)).size).toBe(6)
})

describe.for([byHand, joined])("$name", (flow) => {
  for (const { order, delays } of arrivals) {
    it.effect(`passes [C, A, B] when they arrive as ${order}`, () =>
      Effect.gen(function* () {
        const running = yield* Effect.forkChild(run(flow, delays))
        yield* TestClock.adjust("60 millis")
        expect((yield* Fiber.join(running)).texts).toEqual(["from c", "from a", "from b"])
      })
    )
  }
})
