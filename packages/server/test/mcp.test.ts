// The server as an assistant meets it: with the client library of the Model Context Protocol, over HTTP.
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { bearer, serve } from "@stepgraph/server"
import { mcp } from "@stepgraph/server/mcp"
import { listen } from "@stepgraph/server/node"
import { Schema } from "effect"
import { defineEvent, defineStep, workflow } from "stepgraph"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { count, login } from "./flows.ts"

const Task = defineEvent("Task", { text: Schema.String })
const Question = defineEvent("Question", { text: Schema.String })
const Approval = defineEvent("Approval", { yes: Schema.Boolean })
const Done = defineEvent("Done", { text: Schema.String })

const asking = workflow({
  name: "asking",
  start: Task,
  stop: Done,
  inputs: [Approval],
  outputs: [Question],
  steps: {
    ask: defineStep({
      accepts: Task,
      emits: [Question, Done],
      asks: Approval,
      run: async ({ text }, { ask }) => {
        const { yes } = await ask(Question({ text: `Really ${text}?` }), Approval)
        return Done({ text: yes ? `${text}: done` : "not done" })
      }
    })
  }
})

const auth = bearer({
  "token-of-ada": { user: "ada" },
  "token-of-bob": { user: "bob", workflows: ["asking"] }
})
let server: Awaited<ReturnType<typeof listen>>
beforeAll(async () => {
  server = await listen({ workflows: [asking, count, login], auth, port: 0, protocols: [mcp({ sessions: 2 })] })
})
afterAll(() => server.close())

const transportOf = (token: string | undefined, url = server.url) =>
  new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
    requestInit: token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }
  })

const connected = async (token: string) => {
  const client = new Client({ name: "test", version: "1" })
  const transport = transportOf(token)
  await client.connect(transport as never)
  onTestFinished(() => client.close())
  const call = async (name: string, input: Record<string, unknown> = {}): Promise<any> => {
    const { content, isError, structuredContent } = await client.callTool({ name, arguments: input })
    return isError === true ? { refused: (content as any)[0].text } : structuredContent
  }
  return { client, transport, call }
}

describe("an assistant", () => {
  it("finds the tools, and what each workflow is started with", async () => {
    const { client, call } = await connected("token-of-ada")
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(["list_workflows", "start_run", "get_run", "get_trace", "answer"])
    expect(tools[1]).toMatchObject({
      inputSchema: { type: "object", required: ["workflow", "input"] },
      annotations: { destructiveHint: false }
    })
    const { workflows } = await call("list_workflows")
    expect(workflows.map(({ name }: any) => name)).toEqual(["asking", "count", "login"])
    expect(workflows[0].start.Task).toMatchObject({ type: "object", properties: { text: { type: "string" } } })
    expect(Object.keys(workflows[0].inputs)).toEqual(["Approval"])
  })

  it("starts a run, sees its question, answers it, and gets the result and the trace", async () => {
    const { call } = await connected("token-of-ada")
    // With the tag or without it: the schema has it.
    const run = await call("start_run", { workflow: "asking", input: { _tag: "Task", text: "delete it" } })
    const asked = await call("get_run", { run: run.id })
    expect(asked).toMatchObject({
      workflow: "asking",
      status: "waiting",
      questions: [{ step: "ask", question: { _tag: "Question", text: "Really delete it?" }, awaits: ["Approval"] }],
      stop: null
    })
    const answered = await call("answer", { run: run.id, event: { _tag: "Approval", yes: true }, wait: 10 })
    expect(answered).toMatchObject({
      status: "stopped",
      stop: { _tag: "Done", text: "delete it: done" },
      questions: []
    })
    const { all, entries } = await call("get_trace", { run: run.id })
    expect(all).toBe(true)
    expect(entries[0]).toMatchObject({ number: 1, kind: "trace", data: { _tag: "RunStarted" } })
    expect(entries.at(-1)).toMatchObject({ kind: "end", data: { status: "stopped" } })
    const rest = await call("get_trace", { run: run.id, after: entries.length - 1 })
    expect(rest.entries.map(({ kind }: any) => kind)).toEqual(["end"])
  })

  it("reads the trace of a run that goes on, and of a long one page by page", async () => {
    const { call } = await connected("token-of-ada")
    const { id } = await call("start_run", { workflow: "asking", input: { text: "wait" } })
    const some = await call("get_trace", { run: id })
    expect([some.all, some.entries.length > 3]).toEqual([false, true])
    expect(await call("get_trace", { run: id, after: some.entries.length })).toEqual({ entries: [], all: true })
    expect((await call("get_trace", { run: id, after: 1.5 })).refused).toContain("Expected an integer")

    const long = await call("start_run", { workflow: "count", input: { to: 300, millis: 0 }, wait: 10 })
    const numbers: Array<number> = []
    for (;;) {
      const { all, entries } = await call("get_trace", { run: long.id, after: numbers.length })
      expect(entries.length).toBeLessThanOrEqual(200)
      numbers.push(...entries.map(({ number }: any) => number))
      if (all) break
    }
    expect(numbers).toEqual(numbers.map((_, at) => at + 1))
    expect(numbers.length).toBeGreaterThan(300)
  })

  it("is told what does not fit", async () => {
    const { client, call } = await connected("token-of-ada")
    const { id } = await call("start_run", { workflow: "asking", input: { text: "it" } })
    expect([
      await call("start_run", { workflow: "asking", input: { text: 1 } }),
      await call("start_run", { workflow: "aksing", input: {} }),
      await call("get_run", { run: "nothing" }),
      await call("answer", { run: id, event: { _tag: "Aproval", yes: true } })
    ]).toEqual([
      { refused: expect.stringContaining("event 'Task' does not fit") },
      { refused: "no workflow 'aksing' is served here" },
      { refused: "there is no such run, or it is not yours" },
      { refused: expect.stringContaining("did you mean 'Approval'?") }
    ])
    const { isError } = await client.callTool({ name: "start_run", arguments: { workflow: "asking" } })
    expect(isError).toBe(true)
    await call("answer", { run: id, event: { _tag: "Approval", yes: false }, wait: 10 })
    expect(await call("answer", { run: id, event: { _tag: "Approval", yes: false } })).toEqual({
      refused: expect.stringContaining("has ended")
    })
  })
})

describe("an attacker", () => {
  it("without a token is nobody, and gets no session", async () => {
    await expect(new Client({ name: "test", version: "1" }).connect(transportOf(undefined) as never)).rejects.toThrow(
      /401|Unauthorized/
    )
  })

  it("sees only the runs and workflows of their user, whatever the session", async () => {
    const [ada, bob] = [await connected("token-of-ada"), await connected("token-of-bob")]
    const { id } = await ada.call("start_run", { workflow: "asking", input: { text: "private" } })
    const none = { refused: "there is no such run, or it is not yours" }
    expect([
      await bob.call("get_run", { run: id }),
      await bob.call("get_trace", { run: id }),
      await bob.call("answer", { run: id, event: { _tag: "Approval", yes: true } })
    ]).toEqual([none, none, none])
    expect((await bob.call("list_workflows")).workflows.map(({ name }: any) => name)).toEqual(["asking"])
    expect(await bob.call("start_run", { workflow: "count", input: { to: 1, millis: 0 } })).toHaveProperty("refused")

    // A session that was overheard is of no use to another user.
    const stolen = await fetch(`${server.url}/mcp`, {
      method: "POST",
      headers: { ...json, authorization: "Bearer token-of-bob", "mcp-session-id": ada.transport.sessionId! },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" })
    })
    expect(stolen.status).toBe(404)
    const ended = await fetch(`${server.url}/mcp`, {
      method: "DELETE",
      headers: { authorization: "Bearer token-of-bob", "mcp-session-id": ada.transport.sessionId! }
    })
    expect(ended.status).toBe(404)
    expect((await ada.call("get_run", { run: id })).status).toBe("waiting")
  })

  it("does not lose or keep a session that is begun at the same time as another", async () => {
    await using handler = serve({ workflows: [asking], auth: "none", protocols: [mcp({ sessions: 2 })] })
    const clientInfo = { name: "test", version: "1" }
    const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo }
    const ask = (method: string, params: object, session: Record<string, string> = {}) =>
      handler(
        new Request("http://localhost/mcp", {
          method: "POST",
          headers: { ...json, ...session },
          body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })
        })
      )
    const begun = await Promise.all([1, 2, 3].map(() => ask("initialize", params)))
    const known = begun.map(({ headers }) =>
      ask("tools/list", {}, { "mcp-session-id": headers.get("mcp-session-id")! })
    )
    expect((await Promise.all(known)).map(({ status }) => status).sort()).toEqual([200, 200, 404])
  })

  it("does not fill the memory with sessions: the one that was not used for longest ends", async () => {
    const [first, second] = [await connected("token-of-bob"), await connected("token-of-bob")]
    await first.call("list_workflows")
    const third = await connected("token-of-bob")
    await first.call("list_workflows")
    await third.call("list_workflows")
    await expect(second.call("list_workflows")).rejects.toThrow("there is no such session")
    await third.transport.terminateSession()
    await expect(third.call("list_workflows")).rejects.toThrow()
  })

  it("on a foreign page, under a foreign host, or without saying that it sends JSON is refused", async () => {
    const ask = (headers: Record<string, string>) =>
      new Request("http://localhost/mcp", {
        method: "POST",
        headers: { ...json, ...headers },
        body: JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "initialize",
          params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "x", version: "1" } }
        })
      })
    await using handler = serve({ workflows: [asking], auth: "none", protocols: [mcp()] })
    expect((await handler(ask({}))).status).toBe(200)
    expect((await handler(ask({ origin: "https://evil.example" }))).status).toBe(403)
    expect((await handler(ask({ host: "evil.example" }))).status).toBe(403)
    expect((await handler(ask({ "content-type": "text/plain" }))).status).toBe(415)
    await using without = serve({ workflows: [asking], auth: "none" })
    expect((await without(ask({}))).status).toBe(404)
  })

  it("learns nothing of a Redacted value, nor of an exception", async () => {
    const { call } = await connected("token-of-ada")
    const run = await call("start_run", { workflow: "login", input: { password: "hunter2" }, wait: 10 })
    const all = [run, await call("get_run", { run: run.id }), await call("get_trace", { run: run.id })]
    expect(run.status).toBe("stopped")
    expect(JSON.stringify(all)).not.toMatch(/hunter/)

    const broken = {
      get: () => {
        throw new Error("hunter2")
      }
    } as any
    await using handler = serve({ workflows: [asking], auth: "none", runs: broken, protocols: [mcp()] })
    const client = new Client({ name: "test", version: "1" })
    const transport = new StreamableHTTPClientTransport(new URL("http://localhost/mcp"), {
      fetch: (url, init) => handler(new Request(url, init as RequestInit))
    })
    await client.connect(transport as never)
    const failed = await client.callTool({ name: "get_run", arguments: { run: "x" } })
    expect(failed.isError).toBe(true)
    expect(JSON.stringify(failed)).not.toContain("hunter")
    await client.close()
  })
})

const json = { "content-type": "application/json", accept: "application/json, text/event-stream" }
