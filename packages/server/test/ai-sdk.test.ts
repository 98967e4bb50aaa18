// Chats as the AI SDK has them: its own transport, the parser in it, and the class behind `useChat`.
import { bearer, serve } from "@stepgraph/server"
import { type ChatOptions, type ChatRequest, chat, textOf } from "@stepgraph/server/ai-sdk"
import { connect } from "@stepgraph/server/client"
import { listen } from "@stepgraph/server/node"
import { AbstractChat, type ChatInit, DefaultChatTransport, type UIMessage, type UIMessageChunk } from "ai"
import { Schema } from "effect"
import { defineEvent, defineStep, workflow } from "stepgraph"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { count } from "./flows.ts"

const Task = defineEvent("Task", { text: Schema.String, heard: Schema.optionalKey(Schema.Number) })
const Token = defineEvent("Token", { attempt: Schema.Number, text: Schema.String })
const Note = defineEvent("Note", { text: Schema.String })
const Approval = defineEvent("Approval", { yes: Schema.Boolean })
const Answer = defineEvent("Answer", { text: Schema.String })

const interrupted: Array<string> = []

/** Says something, asks, and goes on; "cut" cuts its first attempt, "fail" fails, "now" does not ask. */
const agent = workflow({
  name: "agent",
  start: Task,
  stop: Answer,
  inputs: [Approval],
  outputs: [Token, Note],
  steps: {
    think: defineStep({
      accepts: Task,
      emits: [Token, Note, Answer],
      stream: Token,
      asks: Approval,
      run: async ({ text, heard = 0 }, { ask, attempt, send, signal }) => {
        signal.addEventListener("abort", () => interrupted.push(text))
        for (const word of ["It ", "is "]) send(Token({ attempt, text: word }))
        if (text === "cut" && attempt === 1) throw new Error("the line was cut")
        if (text === "fail") throw new Error("the password is hunter2")
        if (text !== "now" && text !== "cut") await ask(Note({ text: `May I ${text}?` }), Approval)
        send(Token({ attempt, text: `done: ${text}, ${heard}` }))
        return Answer({ text })
      },
      retry: { times: 1, while: (error) => error._tag === "StepRejected" && error.reason.includes("cut") }
    })
  }
})

const starts = ({ messages }: ChatRequest) => ({ text: textOf(messages.at(-1)!), heard: messages.length })
const tokens: ChatOptions<typeof agent> = { start: starts, show: { Token: ({ text }) => text } }

/** The state of a chat without a framework: `useChat` has the same, and tells React of it. */
class Chat extends AbstractChat<UIMessage> {
  constructor(init: ChatInit<UIMessage>) {
    const messages = [...(init.messages ?? [])]
    super({
      ...init,
      state: {
        status: "ready",
        error: undefined,
        messages,
        pushMessage: (message) => void messages.push(message),
        popMessage: () => void messages.pop(),
        replaceMessage: (index, message) => {
          messages[index] = message
        },
        snapshot: (thing) => structuredClone(thing)
      }
    })
  }
}

const started = async (options: ChatOptions<typeof agent> = tokens, more: object = {}) => {
  const server = await listen({
    workflows: [agent, count],
    auth: "none",
    port: 0,
    protocols: [chat(agent, options)],
    ...more
  })
  onTestFinished(() => server.close())
  const api = `${server.url}/api/chats/agent`
  const transport = (headers: Record<string, string> = {}) => new DefaultChatTransport<UIMessage>({ api, headers })
  const open = (id: string, headers?: Record<string, string>) => new Chat({ id, transport: transport(headers) })
  const remote = connect<typeof agent>({ url: server.url, workflow: "agent" })
  const sent = (text: string) =>
    fetch(api, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id: "raw", messages: [{ id: "1", role: "user", parts: [{ type: "text", text }] }] })
    })
  return { server, api, open, remote, sent, transport }
}

const textIn = (chat: Chat) => chat.lastMessage!.parts.map((part) => (part.type === "text" ? part.text : part.type))
const until = (so: () => boolean) => vi.waitFor(() => expect(so()).toBe(true), { timeout: 10_000, interval: 5 })

describe("a chat", () => {
  it("shows text as it comes and other events as data parts; a question is answered in between", async () => {
    const { open, remote } = await started()
    const chat = open("one")
    const sending = chat.sendMessage({ text: "write" })
    await until(() => chat.lastMessage?.parts.length === 2)
    expect([chat.status, textIn(chat)]).toEqual(["streaming", ["It is ", "data-Note"]])
    const { id, parts } = chat.lastMessage!
    expect(parts[1]).toMatchObject({ data: { text: "May I write?" } })
    // The message has the id of its run.
    await remote.run(id).send(Approval({ yes: true }))
    await sending
    expect([chat.status, textIn(chat)]).toEqual(["ready", ["It is ", "data-Note", "done: write, 1", "data-Answer"]])

    await chat.sendMessage({ text: "now" })
    expect(chat.messages).toHaveLength(4)
    expect(textIn(chat)).toEqual(["It is done: now, 3", "data-Answer"])
  })

  it("has the header and the media type that the AI SDK asks for, and ends as it does", async () => {
    const { sent } = await started()
    const response = await sent("now")
    expect(response.headers.get("x-vercel-ai-ui-message-stream")).toBe("v1")
    expect(response.headers.get("content-type")).toBe("text/event-stream")
    const text = await response.text()
    expect(text).toMatch(/^data: \{"type":"start","messageId":"[^"]+"\}\n\n/)
    expect(text).toMatch(/data: \{"type":"finish","finishReason":"stop"\}\n\ndata: \[DONE\]\n\n$/)
  })

  it("takes back what an attempt has said that failed", async () => {
    const show = { Token: ({ attempt, text }: any) => ({ text, part: "answer", attempt }), Answer: null }
    const { open, transport } = await started({ start: starts, show })
    const chat = open("cut")
    await chat.sendMessage({ text: "cut" })
    expect(textIn(chat)).toEqual(["It is done: cut, 1"])
    const again = await transport().reconnectToStream({ chatId: "cut" } as any)
    const types: Array<string> = []
    for await (const { type } of again as unknown as AsyncIterable<UIMessageChunk>) types.push(type)
    expect(types.filter((type) => type === "reset-step")).toHaveLength(1)
  })

  it("shows chunks of the AI SDK, such as those of a tool", async () => {
    const show: ChatOptions<typeof agent>["show"] = {
      Token: null,
      Note: ({ text }) => [
        { type: "tool-input-available", toolCallId: "1", toolName: "write", input: { text }, dynamic: true },
        { type: "tool-approval-request", toolCallId: "1", approvalId: "1" }
      ],
      Answer: ({ text }) => ({ type: "tool-output-available", toolCallId: "1", output: text })
    }
    const { open, remote } = await started({ start: starts, show })
    const chat = open("tools")
    const sending = chat.sendMessage({ text: "write" })
    await until(() => (chat.lastMessage?.parts[0] as any)?.state === "approval-requested")
    await remote.run(chat.lastMessage!.id).send(Approval({ yes: true }))
    await sending
    expect(chat.lastMessage!.parts).toMatchObject([
      {
        type: "dynamic-tool",
        toolName: "write",
        state: "output-available",
        input: { text: "May I write?" },
        output: "write"
      }
    ])
  })

  it("is taken up again: by another page, after a broken connection, and by the id of any run", async () => {
    const { api, open, remote } = await started({ ...tokens, linger: 10_000 })
    const first = open("shared")
    const sending = first.sendMessage({ text: "write" })
    await until(() => first.lastMessage?.parts.length === 2)
    const second = open("shared")
    const resumed = second.resumeStream()
    await until(() => second.lastMessage?.parts.length === 2)
    // The first page goes away. The run goes on for the second.
    await first.stop()
    await sending
    const { id } = second.lastMessage!
    await remote.run(id).send(Approval({ yes: true }))
    await resumed
    expect([second.status, textIn(second)]).toEqual(["ready", ["It is ", "data-Note", "done: write, 1", "data-Answer"]])
    // The first takes up what it has missed, in the place of what it had.
    await first.resumeStream()
    expect([first.messages.length, textIn(first)]).toEqual([2, textIn(second)])

    const elsewhere = await remote.start({ text: "now" })
    const watching = open(elsewhere.id)
    await watching.resumeStream()
    expect(textIn(watching)).toEqual(["It is done: now, 0", "data-Answer"])

    const none = open("nothing")
    await none.resumeStream()
    expect([none.status, none.messages]).toEqual(["ready", []])
    expect((await fetch(`${api}/nothing/stream`)).status).toBe(204)
  })

  it("says of a failed run that it failed, and no more", async () => {
    const { open } = await started()
    const chat = open("fails")
    await chat.sendMessage({ text: "fail" })
    expect([chat.status, chat.error?.message, textIn(chat)]).toEqual(["error", "The run failed.", ["It is "]])
    const told = await started({ ...tokens, error: ({ _tag }) => `Failed: ${_tag}` })
    const other = told.open("fails")
    await other.sendMessage({ text: "fail" })
    expect(other.error?.message).toBe("Failed: StepRejected")
  })

  it("ends as aborted if its run is interrupted elsewhere", async () => {
    const { open, remote } = await started()
    const chat = open("elsewhere")
    const sending = chat.sendMessage({ text: "wait" })
    await until(() => chat.lastMessage?.parts.length === 2)
    await remote.run(chat.lastMessage!.id).interrupt()
    await sending
    expect([chat.status, chat.error]).toEqual(["ready", undefined])
  })

  it("interrupts its run when nobody reads it: at once, after a while, or never", async () => {
    interrupted.length = 0
    const leaves = async (text: string, linger?: number) => {
      const { open, remote } = await started({ ...tokens, ...(linger === undefined ? {} : { linger }) })
      const chat = open("leaves")
      const sending = chat.sendMessage({ text })
      await until(() => chat.lastMessage?.parts.length === 2)
      await chat.stop()
      await sending
      return remote.run(chat.lastMessage!.id)
    }
    const [atOnce, later, never] = await Promise.all([
      leaves("at once"),
      leaves("later", 100),
      leaves("never", Number.POSITIVE_INFINITY)
    ])
    await vi.waitFor(async () => expect((await atOnce.detail()).status).toBe("interrupted"))
    await vi.waitFor(async () => expect((await later.detail()).status).toBe("interrupted"))
    expect((await never.detail()).status).toBe("waiting")
    expect(interrupted.sort()).toEqual(["at once", "later"])
  })
})

describe("an attacker", () => {
  const auth = bearer({ "token-of-ada": { user: "ada" }, "token-of-bob": { user: "bob", workflows: ["count"] } })
  const as = (user: string) => ({ authorization: `Bearer token-of-${user}` })

  it("without a token, or without the workflow, starts nothing and reads nothing", async () => {
    const { api, open, server } = await started({ ...tokens, linger: 10_000 }, { auth })
    const chat = open("private", as("ada"))
    const sending = chat.sendMessage({ text: "write" })
    await until(() => chat.lastMessage?.parts.length === 2)
    const { id } = chat.lastMessage!
    expect((await fetch(`${api}/private/stream`)).status).toBe(401)
    expect(
      (await fetch(api, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" })).status
    ).toBe(401)
    const bob = open("private", as("bob"))
    await bob.sendMessage({ text: "now" })
    expect([bob.status, bob.error?.message]).toEqual([
      "error",
      expect.stringContaining("no workflow 'agent' is served here")
    ])
    for (const path of ["private", id]) {
      expect((await fetch(`${api}/${path}/stream`, { headers: as("bob") })).status).toBe(404)
    }
    // A workflow that is served, and that has no chat.
    const other = `${server.url}/api/chats/count`
    const counting = await fetch(`${other}/x/stream`, { headers: as("bob") })
    expect([counting.status, await counting.json()]).toEqual([
      404,
      expect.objectContaining({ detail: "workflow 'count' has no chat: give chat(…) to protocols" })
    ])
    await fetch(`${server.url}/api/runs/${id}/interrupt`, {
      method: "POST",
      headers: { ...as("ada"), "content-type": "application/json" }
    })
    await sending
  })

  it("does not read the chat of another user, though both know its id and its run", async () => {
    const both = bearer({ "token-of-ada": { user: "ada" }, "token-of-bob": { user: "bob" } })
    const { api, open } = await started(tokens, { auth: both })
    const chat = open("private", as("ada"))
    await chat.sendMessage({ text: "now" })
    for (const path of ["private", chat.lastMessage!.id]) {
      expect((await fetch(`${api}/${path}/stream`, { headers: as("bob") })).status).toBe(204)
      expect((await fetch(`${api}/${path}/stream`, { headers: as("ada") })).status).toBe(200)
    }
    // Nor does a chat of the same id take its place.
    await open("private", as("bob")).sendMessage({ text: "now" })
    const again = open("private", as("ada"))
    await again.resumeStream()
    expect(again.lastMessage?.id).toBe(chat.lastMessage!.id)
  })

  it("gets 400 for what useChat would not send, 422 for what does not fit, and never what start throws", async () => {
    const bad: ChatOptions<typeof agent> = {
      start: ({ messages }) => {
        const text = textOf(messages.at(-1)!)
        if (text === "throw") throw new Error("hunter2")
        return { text: text === "wrong" ? (1 as never) : text }
      }
    }
    const { api, sent } = await started(bad)
    const post = async (body: unknown) =>
      (
        await fetch(api, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body)
        })
      ).status
    const message = { role: "user", parts: [] }
    const bodies = [
      {},
      { id: "1" },
      { id: "1", messages: [] },
      { id: "", messages: [message] },
      { id: "x".repeat(201), messages: [message] },
      { id: "1", messages: [{ ...message, role: "root" }] },
      { id: "1", messages: [{ role: "user", parts: [{ type: 1 }] }] },
      []
    ]
    expect(await Promise.all(bodies.map(post))).toEqual(bodies.map(() => 400))
    expect((await sent("wrong")).status).toBe(422)
    const thrown = await sent("throw")
    expect([thrown.status, await thrown.text()]).toEqual([500, expect.not.stringContaining("hunter2")])
  })

  it("learns nothing from a mapping that throws, or shows what no event may be; the log does", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {})
    onTestFinished(() => log.mockRestore())
    for (const show of [
      () => {
        throw new Error("hunter2")
      },
      () => ({ type: "error", errorText: "hunter2" })
    ]) {
      const { sent } = await started({ start: starts, show: { Answer: show } })
      const text = await (await sent("now")).text()
      expect(text).toContain('data: {"type":"error","errorText":"The answer cannot be shown."}\n\ndata: [DONE]')
      expect(text).not.toContain("hunter2")
    }
    expect(String(log.mock.calls)).toContain("hunter2")
    expect(String(log.mock.calls)).toContain(
      "what is shown of 'Answer' is not text, nor a chunk that an event may be: error"
    )
  })

  it("on a foreign page, under a foreign host, or without saying that it sends JSON is refused", async () => {
    await using handler = serve({ workflows: [agent], auth: "none", protocols: [chat(agent, tokens)] })
    const status = async (headers: Record<string, string>) => {
      const message = { role: "user", parts: [{ type: "text", text: "now" }] }
      const body = JSON.stringify({ id: "1", messages: [message] })
      const request = { method: "POST", headers: { "content-type": "application/json", ...headers }, body }
      return (await handler(new Request("http://localhost/api/chats/agent", request))).status
    }
    expect(await status({})).toBe(200)
    expect(await status({ origin: "https://evil.example" })).toBe(403)
    expect(await status({ host: "evil.example" })).toBe(403)
    expect(await status({ "content-type": "text/plain" })).toBe(415)
  })

  it("cannot open more streams than there may be, nor start a run that nobody could read", async () => {
    const { open, sent, server } = await started(tokens, { maxStreams: 1 })
    const chat = open("first")
    const sending = chat.sendMessage({ text: "wait" })
    await until(() => chat.lastMessage?.parts.length === 2)
    expect((await sent("now")).status).toBe(503)
    const { runs } = (await (await fetch(`${server.url}/api/runs`)).json()) as { readonly runs: ReadonlyArray<unknown> }
    expect(runs).toHaveLength(1)
    await chat.stop()
    await sending
  })
})

describe("whoever serves a chat", () => {
  it("is told of one that cannot work", () => {
    const options = { workflows: [agent], auth: "none" } as const
    expect(() => serve({ ...options, protocols: [chat(agent, tokens), chat(agent, tokens)] })).toThrow(
      "serve: the chat of workflow 'agent' is given twice"
    )
    expect(() => serve({ ...options, workflows: [count], protocols: [chat(agent, tokens)] })).toThrow(
      "serve: the chat of workflow 'agent' is given, but this workflow is not served: add it to workflows"
    )
    // @ts-expect-error: 'Tokn' is not an event of the workflow.
    chat(agent, { start: starts, show: { Tokn: () => "" } })
    // @ts-expect-error: the start event has a text.
    chat(agent, { start: () => ({ txt: "" }) })
  })

  it("may have a workflow of any name", async () => {
    const named = workflow({ ...agent, name: "ask: me/you *?" })
    await using handler = serve({ workflows: [named], auth: "none", protocols: [chat(named, tokens)] })
    const path = `http://localhost/api/chats/${encodeURIComponent(named.name)}`
    const message = { role: "user", parts: [{ type: "text", text: "now" }] }
    const response = await handler(
      new Request(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ id: "a/b", messages: [message] })
      })
    )
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining("done: now")])
    expect((await handler(new Request(`${path}/${encodeURIComponent("a/b")}/stream`))).status).toBe(200)
  })
})
