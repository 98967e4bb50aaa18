// What the guard of the server promises holds on every way in: the routes, chats, MCP, and the files of a page.
import { bearer, serve } from "@stepgraph/server"
import { chat } from "@stepgraph/server/ai-sdk"
import { mcp } from "@stepgraph/server/mcp"
import { describe, expect, it } from "vitest"
import { login, publish } from "./flows.ts"

const workflows = [publish, login] as const
const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } }
}
const message = { role: "user", parts: [{ type: "text", text: "News" }] }

/** Each way in, with a request that is fine. */
const ways: ReadonlyArray<readonly [path: string, body: object]> = [
  ["/api/workflows/publish/runs", { text: "News" }],
  ["/api/chats/publish", { id: "1", messages: [message] }],
  ["/mcp", initialize]
]

const protocols = [
  mcp(),
  chat(publish, { start: () => ({ text: "News" }), linger: 0 }),
  chat(login, { start: () => ({ password: "hunter2" }) })
]

const posting = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  new Request(`http://localhost${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body)
  })

describe.each(ways)("on %s, an attacker", (path, body) => {
  const status = async (handler: (request: Request) => Promise<Response>, request: Request) => {
    const response = await handler(request)
    await response.body?.cancel()
    return response.status
  }

  it("needs a token, a host, an origin and a media type that are right", async () => {
    await using handler = serve({ workflows, auth: bearer("a-long-secret"), protocols })
    const authorization = "Bearer a-long-secret"
    expect(await status(handler, posting(path, body, { authorization }))).toBeLessThan(300)
    for (const [headers, expected] of [
      [{}, 401],
      [{ authorization: "Bearer a-long-secre" }, 401],
      [{ authorization, host: "evil.example" }, 403],
      [{ authorization, host: "localhost.evil.example" }, 403],
      [{ authorization, origin: "https://evil.example" }, 403],
      [{ authorization, origin: "null" }, 403],
      [{ authorization, "content-type": "text/plain" }, 415],
      [{ authorization, "content-type": "application/x-www-form-urlencoded" }, 415]
    ] as ReadonlyArray<readonly [Record<string, string>, number]>) {
      expect([headers, await status(handler, posting(path, body, headers))]).toEqual([headers, expected])
    }
  })

  it("gets no CORS headers, cannot send too much, nor what is nested too deep or broken", async () => {
    await using handler = serve({ workflows, auth: "none", protocols })
    const preflight = await handler(
      new Request(`http://localhost${path}`, { method: "OPTIONS", headers: { origin: "https://evil.example" } })
    )
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([403, null])
    expect(await status(handler, posting(path, `{"id":"${"x".repeat(1_000_001)}"}`))).toBe(413)
    expect(await status(handler, posting(path, `{"a":${"[".repeat(200)}`))).toBe(400)
    expect(await status(handler, posting(path, '{"id":'))).toBeLessThan(500)
    expect(await status(handler, posting(`/%61${path.slice(2)}`, body))).toBe(404)
  })
})

describe("nobody", () => {
  it("reaches a page, a chat or MCP that was not asked for", async () => {
    await using handler = serve({ workflows, auth: "none" })
    for (const [path, body] of ways.slice(1)) expect((await handler(posting(path, body))).status).toBe(404)
    for (const path of ["/", "/index.html", "/mcp", "/api/chats/publish/1/stream"]) {
      expect([path, (await handler(new Request(`http://localhost${path}`))).status]).toEqual([path, 404])
    }
  })

  it("reads a Redacted value in a chat", async () => {
    await using handler = serve({ workflows, auth: "none", protocols })
    const response = await handler(posting("/api/chats/login", { id: "1", messages: [message] }))
    const text = await response.text()
    expect(text).toContain('"user":"ada"')
    expect(text).not.toMatch(/hunter/)
  })

  it("reads by MCP what redact removes", async () => {
    await using handler = serve({
      workflows,
      auth: "none",
      protocols,
      redact: (entry) => (entry._tag === "EventEmitted" ? { ...entry, data: {} } : entry)
    })
    const begun = await handler(posting("/mcp", initialize))
    const session = { "mcp-session-id": begun.headers.get("mcp-session-id")! }
    const call = async (name: string, input: object): Promise<any> => {
      const request = { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name, arguments: input } }
      return ((await (await handler(posting("/mcp", request, session))).json()) as any).result.structuredContent
    }
    const run = await call("start_run", { workflow: "publish", input: { text: "private" } })
    const trace = await call("get_trace", { run: run.id })
    expect(trace.entries.map(({ data }: any) => data._tag)).toContain("EventEmitted")
    expect(JSON.stringify(trace)).not.toContain("private")
  })
})
