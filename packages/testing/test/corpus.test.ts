import { explore, ScheduleFailure } from "@stepgraph/testing"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { corpus } from "./corpus.ts"

const exploring = (planted: (typeof corpus)[number], more = {}) =>
  Effect.runPromise(
    Effect.flip(explore(planted.flow, { ...planted.options, ...more })) as Effect.Effect<ScheduleFailure>
  )

describe("the planted mistakes", () => {
  const table: Array<string> = []

  it.for(corpus)("$name", async (planted) => {
    const failure = await exploring(planted)
    expect(failure).toBeInstanceOf(ScheduleFailure)
    expect(failure.invariant).toBe(planted.invariant)
    expect(failure.message).toMatchSnapshot()
    table.push(`${planted.name.padEnd(56)} ${String(failure.schedules).padStart(4)}`)

    // The line in the report replays the same failure.
    const again = await exploring(planted, { replay: failure.schedule, input: failure.input })
    expect(again.invariant).toBe(failure.invariant)
    expect(again.outcome.text).toBe(failure.outcome.text)
    expect(again.trace).toEqual(failure.trace)
  })

  it("are found within these schedules", () => {
    expect(table.join("\n")).toMatchSnapshot()
  })
})
