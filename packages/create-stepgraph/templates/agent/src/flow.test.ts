// The agent runs in every order in which its calls and answers could come, with a model and tools that take virtual time.
import assert from "node:assert/strict"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { explorePromise } from "@stepgraph/testing"
import { Approval, agent } from "./agent.ts"
import type { Model, Tool } from "./conversation.ts"

/** Calls both tools in its first turn, and says in the next what it has heard of them. */
const model: Model = async (conversation, signal) => {
  await sleep(1000, undefined, { signal })
  const heard = conversation.filter((message) => message.role === "tool")
  if (heard.length > 0) return { text: heard.map(({ call, text }) => `${call}: ${text}`).join(", "), calls: [] }
  const call = (tool: string) => ({ id: `my-${tool}`, tool, input: "{}" })
  return { text: "", calls: [call("read"), call("write")] }
}

const tool = (dangerous: boolean): Tool => ({
  about: "",
  parameters: {},
  dangerous,
  run: async (_, signal) => {
    await sleep(1000, undefined, { signal })
    return "ok"
  }
})
const flow = agent(model, { read: tool(false), write: tool(true) })

for (const [yes, answer] of [
  [true, "my-read: ok, my-write: ok"],
  [false, "my-read: ok, my-write: The user said no."]
] as const) {
  test(`gives one answer in every order, if the user says ${yes ? "yes" : "no"}`, async () => {
    const { complete, outcomes } = await explorePromise(flow, {
      input: { text: "Go." },
      sends: [Approval({ id: "my-write", yes })],
      timers: "virtual"
    })
    assert.equal(complete, true)
    assert.deepEqual(
      outcomes.map(({ outcome }) => outcome.text),
      [`Answer ${JSON.stringify({ text: answer })}`]
    )
  })
}

test("answers though a call of a tool takes too long", async () => {
  const { outcomes } = await explorePromise(flow, {
    input: { text: "Go." },
    sends: [Approval({ id: "my-write", yes: true })],
    timers: "virtual",
    schedules: 200,
    faults: { max: 1, kinds: ["timeout"], steps: ["use"] },
    invariants: { sameResult: false }
  })
  const late = "Failed: it took too long"
  assert.deepEqual(
    outcomes.map(({ outcome }) => outcome.text).sort(),
    [
      `Answer {"text":"my-read: ${late}, my-write: ok"}`,
      `Answer {"text":"my-read: ok, my-write: ${late}"}`,
      'Answer {"text":"my-read: ok, my-write: ok"}'
    ].sort()
  )
})
