import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import { run } from "stepgraph"
import { firstWins } from "./first-wins.ts"

describe("the first answer", () => {
  it.effect("ends the run after the finalizers of the other two", () =>
    Effect.gen(function* () {
      const running = yield* Effect.forkChild(run(firstWins))
      yield* TestClock.adjust("99 millis")
      expect(yield* TestConsole.logLines).toEqual(["Query 1 begins", "Query 2 begins", "Query 3 begins"])

      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(running)).toEqual({ _tag: "Answer", result: "the answer to Query 2" })
      expect((yield* TestConsole.logLines).slice(3)).toEqual([
        "Query 2 has an answer",
        "Query 1 was interrupted and has cleaned up",
        "Query 3 was interrupted and has cleaned up"
      ])
    })
  )

  it.effect("leaves nothing running", () =>
    Effect.gen(function* () {
      const running = yield* Effect.forkChild(run(firstWins))
      yield* TestClock.adjust("1 hour")
      yield* Fiber.join(running)
      const lines = yield* TestConsole.logLines
      expect(lines.filter((line) => String(line).endsWith("has an answer"))).toEqual(["Query 2 has an answer"])
    })
  )
})
