// What steps log, in the trace of their run.
import { serve } from "@stepgraph/server"
import { Effect, Logger, Redacted, Schema } from "effect"
import { defineEvent, defineStep, workflow } from "stepgraph"
import { expect, it } from "vitest"

/** The terminal of the tests stays empty. */
const unseen = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.updateService(
    effect,
    Logger.CurrentLoggers,
    (all) => new Set([...all].filter((logger) => logger !== Logger.defaultLogger))
  )

const Start = defineEvent("Start", { lines: Schema.Number })
const Stop = defineEvent("Stop")
const flow = workflow({
  name: "logging",
  start: Start,
  stop: Stop,
  steps: {
    say: defineStep({
      accepts: Start,
      emits: Stop,
      run: ({ lines }) =>
        unseen(
          Effect.gen(function* () {
            yield* Effect.log("hello", { to: "Ada", key: Redacted.make("s3cret") }, Redacted.make("s3cret"))
            yield* Effect.logWarning("careful ".repeat(1_000))
            for (let n = 0; n < lines; n++) yield* Effect.log(`line ${n}`)
            return Stop()
          })
        )
    })
  }
})

const recordsOf = async (logs: Parameters<typeof serve>[0]["logs"], lines = 0): Promise<ReadonlyArray<any>> => {
  await using handler = serve({ workflows: [flow], auth: "none", logs })
  const started = await handler(
    new Request("http://localhost/api/workflows/logging/runs?wait=10s", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ lines })
    })
  )
  const { id } = (await started.json()) as { readonly id: string }
  const response = await handler(
    new Request(`http://localhost/api/runs/${id}/trace`, { headers: { accept: "application/x-ndjson" } })
  )
  const text = await response.text()
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
}

it("is kept at the call that logs it if it is asked for, without secrets", async () => {
  const records = await recordsOf(true)
  const { data: begun } = records.find(({ data }) => data._tag === "InvocationStarted")
  const logged = records.filter(({ kind }) => kind === "log").map(({ data }) => data)
  expect(logged).toMatchObject([
    { run: begun.run, invocation: begun.invocation, level: "Info", at: expect.any(Number) },
    { level: "Warn", text: expect.stringMatching(/^careful .*…$/) }
  ])
  expect(logged[0].text).toBe('hello {"to":"Ada","key":<redacted>} <redacted>')
  expect(logged[1].text.length).toBe(2_001)
  expect(records.map(({ number }) => number)).toEqual(records.map((_, i) => i + 1))
  expect((await recordsOf(undefined)).filter(({ kind }) => kind === "log")).toEqual([])
})

it("is changed or left out by a function, and limited", async () => {
  const logs = (line: { readonly text: string }) => {
    if (line.text.startsWith("careful")) return undefined
    if (line.text === "line 1") throw new Error("unknown line")
    return { ...line, text: line.text.replace("Ada", "somebody") } as any
  }
  const logged = (await recordsOf(logs, 1_200)).filter(({ kind }) => kind === "log").map(({ data }) => data.text)
  expect(logged.slice(0, 3)).toEqual([expect.stringContaining('"somebody"'), "line 0", "line 2"])
  // 1,000 lines, two of which were not shown, and the last word.
  expect(logged.length).toBe(999)
  expect(logged.at(-1)).toBe("The run logs more than is kept: further lines are left out.")
})
