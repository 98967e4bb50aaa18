// A scripted model behind OpenAI's protocol, over real HTTP on the loopback: the example needs no key, and its tests
// meet the protocol. It lists the files, reads all of them at once, writes a summary, and answers.
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"

interface Heard {
  readonly role: string
  readonly content: string
  readonly tool_calls?: ReadonlyArray<{ readonly function: { readonly name: string; readonly arguments: string } }>
}

interface Said {
  readonly text: string
  readonly calls?: ReadonlyArray<readonly [tool: string, input: Record<string, string>]>
}

export type Script = (messages: ReadonlyArray<Heard>) => Said

const summarise: Script = (messages) => {
  // After the last user: earlier turns of the conversation are done.
  const turn = messages.slice(messages.findLastIndex(({ role }) => role === "user") + 1)
  const last = turn.findLast(({ role }) => role === "assistant")?.tool_calls ?? []
  const results = turn.slice(turn.findLastIndex(({ role }) => role === "assistant") + 1).map(({ content }) => content)
  switch (last[0]?.function.name) {
    case undefined:
      return { text: "Let me look at your files.", calls: [["list_files", {}]] }
    case "list_files": {
      const files = (results[0] ?? "").split("\n").filter((name) => name !== "" && name !== "summary.md")
      if (files.length === 0) return { text: "The folder is empty." }
      return { text: `I read all ${files.length} at once.`, calls: files.map((name) => ["read_file", { name }]) }
    }
    case "read_file": {
      const text = results.map((result) => `- ${result.trim().split("\n")[0]}`).join("\n")
      return { text: "I write the summary.", calls: [["write_file", { name: "summary.md", text: `${text}\n` }]] }
    }
    default:
      return {
        text: results.every((text) => text.endsWith("written.")) ? "Done: see summary.md." : `Not done. ${results}`
      }
  }
}

/** What goes wrong in a request: the server is busy, refuses it, or the line is cut in the middle of the text. */
export type Fault = "busy" | "refused" | "cut"

export interface ScriptedServer extends AsyncDisposable {
  readonly baseURL: string
  /** The open connections, and the requests so far. */
  readonly connections: () => Promise<number>
  readonly requests: ReadonlyArray<{ readonly messages: ReadonlyArray<Heard>; readonly tools: ReadonlyArray<unknown> }>
}

/** Starts the server. Its n-th request meets the n-th fault. */
export const startScripted = async (
  options: {
    readonly script?: Script
    readonly faults?: ReadonlyArray<Fault | undefined>
    readonly pause?: number
  } = {}
): Promise<ScriptedServer> => {
  const { script = summarise, faults = [], pause = 0 } = options
  const requests: Array<ScriptedServer["requests"][number]> = []

  const reply = async (response: ServerResponse, { text, calls = [] }: Said, cut: boolean, turn: number) => {
    response.writeHead(200, { "content-type": "text/event-stream" })
    const chunk = (delta: object, finish_reason: string | null = null) =>
      `data: ${JSON.stringify({
        id: `reply-${turn}`,
        object: "chat.completion.chunk",
        created: 0,
        model: "scripted",
        choices: [{ index: 0, delta, finish_reason }]
      })}\n\n`
    const gone = new AbortController()
    response.once("close", () => gone.abort())
    response.write(chunk({ role: "assistant", content: "" }))
    const words = text.match(/\S+\s*/g) ?? []
    for (const [at, content] of words.entries()) {
      if (cut && at >= words.length / 2) return void response.destroy()
      response.write(chunk({ content }))
      await sleep(pause, undefined, { signal: gone.signal }).catch(() => {})
      if (gone.signal.aborted) return
    }
    for (const [index, [name, input]] of calls.entries()) {
      const text = JSON.stringify(input)
      const half = Math.ceil(text.length / 2)
      const id = `call-${turn}-${index}`
      response.write(
        chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: text.slice(0, half) } }] })
      )
      response.write(chunk({ tool_calls: [{ index, function: { arguments: text.slice(half) } }] }))
    }
    response.end(`${chunk({}, calls.length === 0 ? "stop" : "tool_calls")}data: [DONE]\n\n`)
  }

  const server = createServer(async (request, response) => {
    const parts: Array<Buffer> = []
    for await (const part of request) parts.push(part)
    if (request.method !== "POST" || request.url !== "/v1/chat/completions") return void response.writeHead(404).end()
    const body = JSON.parse(Buffer.concat(parts).toString())
    const fault = faults[requests.length]
    requests.push(body)
    if (fault === "busy" || fault === "refused") {
      response.writeHead(fault === "busy" ? 503 : 401, { "content-type": "application/json" })
      return void response.end(JSON.stringify({ error: { message: fault === "busy" ? "overloaded" : "wrong key" } }))
    }
    await reply(response, script(body.messages), fault === "cut", requests.length)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    connections: () =>
      new Promise((resolve, reject) => server.getConnections((error, n) => (error ? reject(error) : resolve(n)))),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
