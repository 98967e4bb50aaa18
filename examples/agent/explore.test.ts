// The agent in every order of events, with a model and tools that take virtual time, and with all its limits in place.
import { setTimeout as sleep } from "node:timers/promises"
import { type ExploreOptions, explorePromise, type Outcome } from "@stepgraph/testing"
import { Effect } from "effect"
import { launch } from "stepgraph"
import { describe, expect, it } from "vitest"
import type { Message, Model, Tool } from "./conversation.ts"
import { Approval, agent } from "./workflow.ts"

const call = (tool: string, n: number) => ({ id: `${tool}-${n}`, tool, input: "{}" })

/** Calls both tools in its first turn, and says in the next what it has heard of them. */
const model: Model = async (conversation, { onToken, signal }) => {
  await sleep(1000, undefined, { signal })
  onToken("…")
  const heard = conversation.filter((message): message is Message & { role: "tool" } => message.role === "tool")
  if (heard.length === 0) return { text: "", calls: [call("read", 1), call("write", 2)] }
  return { text: heard.map(({ call, text }) => `${call}: ${text}`).join(", "), calls: [] }
}

const toolOf = (dangerous: boolean): Tool => ({
  dangerous,
  run: async (_, { signal }) => {
    await sleep(1000, undefined, { signal })
    return "ok"
  }
})
const tools = { read: toolOf(false), write: toolOf(true) }

/** A person who answers each question after a while. */
const answering =
  (yes: boolean, ids = ["write-2"]) =>
  (flow: ReturnType<typeof agent>, input: { readonly text: string }) =>
    Effect.scoped(
      Effect.gen(function* () {
        const live = yield* launch(flow, input)
        // Where nothing is asked, the run may end before the answer.
        const answers = ids.map((id) => Effect.ignore(Effect.delay(live.send(Approval({ id, yes })), 1000)))
        yield* Effect.forkScoped(Effect.all(answers))
        return yield* live.result
      })
    )

const texts = (outcomes: ReadonlyArray<{ readonly outcome: Outcome }>) =>
  outcomes.map(({ outcome }) => /"text":"(.*?)"/.exec(outcome.text)?.[1] ?? outcome.text)

describe("the agent, explored", () => {
  it.each([
    [true, "read-1: ok, write-2: ok"],
    [false, "read-1: ok, write-2: The user said no."]
  ])("has one answer in every order, with its limits: %s", async (yes, answer) => {
    const options = { input: { text: "Go." }, program: answering(yes), timers: "virtual" } as const
    const { complete, outcomes } = await explorePromise(agent(model, tools), options)
    expect(complete).toBe(true)
    expect(texts(outcomes)).toEqual([answer])
  })

  it("answers though any one call of a tool takes too long", async () => {
    const { outcomes, uncontrolled } = await explorePromise(agent(model, tools), {
      input: { text: "Go." },
      program: answering(true),
      timers: "virtual",
      schedules: 200,
      faults: { max: 1, kinds: ["timeout"], steps: ["use"] },
      invariants: { sameResult: false }
    })
    expect(uncontrolled).toEqual([])
    expect(texts(outcomes)).toEqual([
      "read-1: ok, write-2: ok",
      "read-1: Failed: it took too long, write-2: ok",
      "read-1: ok, write-2: Failed: it took too long"
    ])
  })

  it("ends after five minutes if nobody answers", async () => {
    const { outcomes } = await explorePromise(agent(model, tools), {
      input: { text: "Go." },
      program: answering(true, []),
      timers: "virtual",
      invariants: { neverFails: false }
    })
    expect(outcomes).toHaveLength(1)
    expect(outcomes[0]?.outcome.text).toContain("WorkflowTimedOut: workflow 'agent' took longer than its timeout of 5m")
    expect(outcomes[0]?.outcome.text).toContain("step 'approve' asked Question")
  })

  it("comes to the same answer if its process dies, and may then run a tool twice", async () => {
    /** The tools that ran twice in some run. */
    const twice = new Set<string>()
    let ran: Array<string> = []
    const noting = (name: string, tool: Tool): Tool => ({
      ...tool,
      run: (input, options) => {
        if (ran.includes(name)) twice.add(name)
        ran.push(name)
        return tool.run(input, options)
      }
    })
    const noted = { read: noting("read", tools.read), write: noting("write", tools.write) }
    const { cuts, outcomes, repeated, uncontrolled } = await explorePromise(agent(model, noted), {
      input: { text: "Go." },
      sends: [Approval({ id: "write-2", yes: true })],
      crash: true,
      setup: () => {
        ran = []
      },
      timers: "virtual",
      schedules: 100,
      random: 20
    })
    expect(uncontrolled).toEqual([])
    expect(texts(outcomes)).toEqual(["read-1: ok, write-2: ok"])
    expect(cuts).toBeGreaterThan(50)
    // Both tools: the process may die when a file is written and the end of the call is not stored yet.
    expect([...twice]).toEqual(["read", "write"])
    expect(repeated).toEqual(["begin", "think", "approve", "use", "review"])
  })

  it("shows what goes wrong if a model repeats calls that took too long", async () => {
    /** The mistake: after a timeout nobody knows whether the file is written, and this model writes it again. */
    const stubborn: Model = async (conversation, options) => {
      const last = conversation.at(-1)
      const failed = conversation.slice(-2).find(({ role, text }) => role === "tool" && text.startsWith("Failed"))
      if (last?.role !== "tool" || failed?.role !== "tool") return model(conversation, options)
      const [tool = ""] = failed.call.split("-")
      return { text: "", calls: [call(tool, 3)] }
    }
    const writing = {
      input: { text: "Go." },
      program: answering(true),
      timers: "virtual",
      invariants: { sameResult: false },
      check: {
        "is written once": (trace) =>
          trace.filter(
            (entry) =>
              entry._tag === "EventEmitted" && entry.tag === "Allowed" && /write/.test(JSON.stringify(entry.data))
          ).length <= 1
      }
    } satisfies ExploreOptions<ReturnType<typeof agent>>
    expect(await explorePromise(agent(stubborn, tools), writing)).toMatchObject({ complete: true })

    const faults = { max: 1, kinds: ["timeout"], steps: ["use"] } as const
    const program = answering(true, ["write-2", "write-3"])
    const late = { ...writing, program, faults }
    const failure = await explorePromise(agent(stubborn, tools), late).catch((error) => error)
    expect(failure.message).toContain("workflow 'agent' breaks 'is written once'")
    expect(failure.message).toMatch(/→ use\(Allowed \{"id":"write-2".*\) reaches its timeout of 20s/)
  })
})
