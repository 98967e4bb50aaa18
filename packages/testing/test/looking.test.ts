// Exploring shows only what can be read, and changes neither the outcome of a run nor the findings.
import { hostile } from "@stepgraph/conformance/support/hostile"
import { explorePromise, type ScheduleFailure } from "@stepgraph/testing"
import { Redacted, Schema } from "effect"
import { defineEvent, defineStep, runPromise, StepRejected, workflow } from "stepgraph"
import { describe, expect, it } from "vitest"

const Start = defineEvent("Start", { value: Schema.Any })
const Row = defineEvent("Row", { value: Schema.Any })
const Stop = defineEvent("Stop", { value: Schema.Any })

const flowOf = (finish: (row: { readonly value: any }) => any) =>
  workflow({
    name: "looked at",
    start: Start,
    stop: Stop,
    steps: {
      load: defineStep({ accepts: Start, emits: Row, run: ({ value }) => Row({ value }) }),
      finish: defineStep({ accepts: Row, emits: Stop, run: finish })
    }
  })
const passing = flowOf(({ value }) => Stop({ value }))
const rejecting = flowOf(({ value }) => Promise.reject(value))

const failureOf = async (exploring: Promise<unknown>): Promise<ScheduleFailure> =>
  exploring.then(
    () => expect.fail("nothing was found"),
    (error) => error
  )

// Comparing every value of these takes a second each.
const huge = ["a list of holes", "many floats", "big bytes"]

describe.each(Object.keys(hostile).filter((name) => !huge.includes(name)))("a payload that is %s", (name) => {
  const value = hostile[name]!()

  it("is explored like any other", async () => {
    expect((await runPromise(passing, { value })).value).toBe(value)
    const seen = await explorePromise(passing, { input: { value }, schedules: 3 })
    expect(seen.outcomes).toHaveLength(1)
  })

  it("appears in a readable story", async () => {
    const failure = await failureOf(explorePromise(rejecting, { input: { value }, schedules: 3 }))
    expect(failure).toMatchObject({ _tag: "ScheduleFailure", invariant: "neverFails" })
    expect(failure.outcome.error).toBeInstanceOf(StepRejected)
    expect(failure.message).toContain("finish  begins with Row")
    expect(failure.message.length).toBeLessThan(10_000)
    expect(JSON.stringify(failure).length).toBeLessThan(20_000)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    expect(failure.message).not.toMatch(/hunter2|[\0-\x08\x0b-\x1f\x7f-\x9f]/)
  })
})

it("keeps what is Redacted out of the line that replays", async () => {
  const flow = flowOf(() => Promise.reject(new Error("no")))
  const failure = await failureOf(explorePromise(flow, { input: { value: Redacted.make("hunter2") }, schedules: 3 }))
  expect(`${failure.stack}${JSON.stringify(failure)}`).not.toContain("hunter2")
})
