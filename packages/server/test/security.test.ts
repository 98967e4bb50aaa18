// Each test attacks the server in one way.
import { connect, type Socket } from "node:net"
import { bearer, serve } from "@stepgraph/server"
import { listen } from "@stepgraph/server/node"
import { defineStep, type TraceEntry, workflow } from "stepgraph"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { isSame } from "../src/internal/constant-time.ts"
import { buy, count, LoggedIn, Login, login, publish } from "./flows.ts"
import { type Client, clientOf } from "./support.ts"

const tokens = {
  "token-of-ada": { user: "ada" },
  "token-of-bob": { user: "bob", workflows: ["publish"] },
  "token-of-ops": { user: "ops", sees: "all" }
} as const

const workflows = [publish, count, buy, login]
let server: Awaited<ReturnType<typeof listen>>
let ada: Client
let bob: Client
let ops: Client
const sockets: Array<Socket> = []

beforeAll(async () => {
  server = await listen({ workflows, auth: bearer(tokens), port: 0, maxStreams: 5, bodyTimeout: 200, heartbeat: 20 })
  ada = clientOf(server.url, "token-of-ada")
  bob = clientOf(server.url, "token-of-bob")
  ops = clientOf(server.url, "token-of-ops")
})
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  await server.close()
})

/** Sends bytes as they are, and gives all that comes back. */
const raw = (text: string, { port = server.port, host = "127.0.0.1" } = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.write(text))
    sockets.push(socket)
    let answer = ""
    socket.on("data", (data) => {
      answer += data
    })
    socket.on("close", () => resolve(answer))
    socket.on("error", reject)
  })

const get = (path: string, headers: Record<string, string> = {}) =>
  raw(
    `GET ${path} HTTP/1.1\r\n${Object.entries({
      host: `localhost:${server.port}`,
      authorization: "Bearer token-of-ada",
      ...headers
    })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("")}connection: close\r\n\r\n`
  )

const statusOf = (answer: string): number => Number(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1])

const post = (headers: Record<string, string>, body = '{"text":"News"}') =>
  fetch(`${server.url}/api/workflows/publish/runs`, {
    method: "POST",
    headers: { authorization: "Bearer token-of-ada", ...headers },
    body: new TextEncoder().encode(body)
  })

describe("a page on another site", () => {
  it("cannot reach the server by a host name of its own: lists, streams and unknown paths alike", async () => {
    const { json } = await ada.post("/api/workflows/publish/runs", { text: "News" })
    for (const path of ["/api/runs", `/api/runs/${json.id}/events`, "/openapi.json", "/nothing"]) {
      const hosts = ["evil.example", `evil.example:${server.port}`, "localhost.evil.example", "127.0.0.1.evil.example"]
      for (const host of [...hosts, "", "localhost@evil.example"]) {
        expect([path, host, statusOf(await get(path, { host }))]).not.toContain(200)
      }
    }
    for (const host of ["LOCALHOST", "localhost.", `127.0.0.1:${server.port}`, "[::1]"]) {
      expect([host, statusOf(await get("/api/runs", { host }))]).toEqual([host, 200])
    }
  })

  it("is refused by its Origin, and by what the browser says of a request without one", async () => {
    const own = `http://localhost:${server.port}`
    for (const origin of [
      "https://evil.example",
      "null",
      `http://localhost:1`,
      `https://evil.example/${own}`,
      own.slice(7)
    ]) {
      expect([origin, (await post({ "content-type": "application/json", origin })).status]).toEqual([origin, 403])
      expect([origin, statusOf(await get("/api/runs", { origin }))]).toEqual([origin, 403])
    }
    expect((await post({ "content-type": "application/json", origin: own })).status).toBe(201)
    for (const site of ["cross-site", "same-site"]) {
      const headers = { "sec-fetch-site": site, "sec-fetch-mode": "no-cors" }
      expect(statusOf(await get("/api/runs", headers))).toBe(403)
    }
    expect(statusOf(await get("/api/runs", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }))).toBe(200)
  })

  it("gets no CORS headers, unless its origin was allowed", async () => {
    const origin = "https://app.example"
    const preflight = { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST" } }
    const without = await fetch(`${server.url}/api/runs`, preflight)
    expect([without.status, without.headers.get("access-control-allow-origin")]).toEqual([403, null])
    await using handler = serve({ workflows: [publish], auth: "none", origins: [origin] })
    const allowed = await handler(new Request("http://localhost/api/runs", preflight))
    expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([204, origin])
    const other = { ...preflight, headers: { origin: "https://evil.example" } }
    expect((await handler(new Request("http://localhost/api/runs", other))).status).toBe(403)
    const answer = await handler(new Request("http://localhost/api/runs", { headers: { origin } }))
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, origin])
  })

  it("cannot start a run with a form, or without a media type", async () => {
    const types = [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "text/json",
      ""
    ]
    for (const type of types) {
      const { status } = await post(type === "" ? {} : { "content-type": type })
      expect([type, status]).toEqual([type, 415])
    }
    expect((await post({ "content-type": "application/json; charset=utf-8" })).status).toBe(201)
    for (const path of ["inputs/close", "interrupt", "rerun"]) {
      const { json } = await ada.post("/api/workflows/publish/runs", { text: "News" })
      const { status } = await fetch(`${server.url}/api/runs/${json.id}/${path}`, {
        method: "POST",
        headers: { authorization: "Bearer token-of-ada" }
      })
      expect([path, status]).toEqual([path, 415])
    }
  })
})

describe("somebody unknown", () => {
  it("gets 401 everywhere, whatever the token looks like", async () => {
    const almost = "token-of-ad"
    for (const authorization of [
      "",
      "Bearer",
      "Bearer ",
      `Bearer ${almost}`,
      `Bearer ${almost}aa`,
      "Basic token-of-ada",
      "token-of-ada"
    ]) {
      for (const path of ["/api/runs", "/api/workflows", "/openapi.json", "/api/runs/x/events", "/nothing"]) {
        expect([authorization, path, statusOf(await get(path, { authorization }))]).toEqual([authorization, path, 401])
      }
    }
    expect(statusOf(await get("/api/runs", { authorization: "bearer token-of-ada" }))).toBe(200)
  })

  it("learns nothing from the time: two hashes are compared to the last byte, wherever they differ", () => {
    const reads = (different: number) => {
      let count = 0
      const hash = new Uint8Array(32)
      const counted = new Proxy(hash, {
        get: (target, key) => {
          if (typeof key === "string" && /^\d+$/.test(key)) count++
          return Reflect.get(target, key, target)
        }
      })
      const other = new Uint8Array(32)
      if (different >= 0) other[different] = 1
      expect(isSame(counted, other)).toBe(different < 0)
      return count
    }
    expect([-1, 0, 15, 31].map(reads)).toEqual([32, 32, 32, 32])
  })

  it("is let in by nobody's oversight: auth must be given", () => {
    expect(() => serve({ workflows } as any)).toThrow("serve needs auth: a function that says who sends a request")
    expect(() => serve({ workflows, auth: true } as any)).toThrow(TypeError)
    expect(() => bearer("")).toThrow("bearer needs non-empty tokens")
    expect(() => bearer({})).toThrow(TypeError)
  })

  it("cannot reach a server without auth from another machine", async () => {
    await expect(listen({ workflows, auth: "none", host: "0.0.0.0", port: 0 })).rejects.toThrow(
      "everybody on the network could start runs"
    )
    // By default, only the addresses of this machine are listened on.
    await expect(raw("GET / HTTP/1.0\r\n\r\n", { host: "127.0.0.2" })).rejects.toThrow("ECONNREFUSED")
  })
})

describe("the files of a page", () => {
  const page = (request: Request) => {
    const { pathname } = new URL(request.url)
    return pathname === "/" ? new Response(`<p>${request.method}</p>`) : new Response(null, { status: 404 })
  }
  const asks = (path: string, init?: RequestInit) => new Request(`http://localhost${path}`, init)

  it("are found from the path without its last slash, on this host", async () => {
    await using handler = serve({ workflows, auth: bearer(tokens), page, path: "/own/flows" })
    const locationOf = async (path: string) => {
      const { headers, status } = await handler(asks(path))
      const location = headers.get("location")
      return [status, location === null ? null : new URL(location, `http://localhost${path}`).href]
    }
    expect(await locationOf("/own/flows?run=1&q=//evil.example")).toEqual([
      308,
      "http://localhost/own/flows/?run=1&q=//evil.example"
    ])
    expect(await locationOf("/own/flows/")).toEqual([200, null])
    // Not under the path: no page, and no redirect.
    for (const path of ["//evil.example/own/flows", "/own/flows/..//evil.example", "/own/flow", "/own/flowsx"]) {
      expect([path, (await locationOf(path))[1]]).toEqual([path, null])
    }
    expect((await handler(asks("/own/flows", { method: "POST" }))).status).toBe(401)
  })

  it("come without a token; the routes do not, nor what looks like them", async () => {
    await using handler = serve({ workflows, auth: bearer(tokens), page })
    const answer = await handler(asks("/"))
    expect([answer.status, await answer.text(), answer.headers.get("cache-control")]).toEqual([
      200,
      "<p>GET</p>",
      "no-store"
    ])
    expect((await handler(asks("/app.js"))).status).toBe(404)
    // Its headers cannot be changed.
    await using other = serve({ workflows, auth: "none", page: () => Response.redirect("http://localhost/x") })
    expect((await other(asks("/"))).headers.get("x-content-type-options")).toBe("nosniff")
    for (const path of ["/api", "/api/", "/api/runs", "/openapi.json", "/mcp"]) {
      expect([path, (await handler(asks(path))).status]).toEqual([path, 401])
    }
    for (const method of ["POST", "DELETE", "PUT"]) {
      expect([method, (await handler(asks("/", { method }))).status]).toEqual([method, 401])
    }
  })

  it("are given to no foreign host or page, and see no headers of the browser", async () => {
    const seen: Array<Request> = []
    await using handler = serve({
      workflows,
      auth: "none",
      path: "/flows",
      page: (request) => {
        seen.push(request)
        return page(request)
      }
    })
    for (const headers of [
      { host: "evil.example" },
      { origin: "https://evil.example" },
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }
    ]) {
      expect((await handler(asks("/flows/", { headers: headers as Record<string, string> }))).status).toBe(403)
    }
    for (const path of ["/", "/flowsome/", "/flows/%2e%2e/", "/flows/%61pp.js"]) {
      expect([path, (await handler(asks(path))).status]).toEqual([path, 404])
    }
    expect(seen).toEqual([])
    expect((await handler(asks("/flows/", { headers: { cookie: "session=1" } }))).status).toBe(200)
    expect([...seen[0]!.headers.keys()]).toEqual([])
  })
})

describe("another user", () => {
  it("sees no run that is not theirs, on any route", async () => {
    const { json } = await ada.post("/api/workflows/publish/runs", { text: "private" })
    const path = `/api/runs/${json.id}`
    const answers = [
      await bob.get(path),
      await bob.get(`${path}/events`),
      await bob.get(`${path}/trace`),
      await bob.post(`${path}/inputs`, { _tag: "Approval", by: "Bob" }),
      await bob.post(`${path}/inputs/close`),
      await bob.post(`${path}/interrupt`),
      await bob.post(`${path}/rerun`),
      await bob.delete(path),
      await bob.get(`/api/compare?left=${json.id}&right=${json.id}`)
    ]
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404))
    // A run that is not there looks the same.
    const { detail } = (await bob.get("/api/runs/nothing")).json
    expect(answers.map(({ json }) => json.detail)).toEqual(answers.map(() => detail))
    expect((await bob.get("/api/runs?q=private")).json.runs).toEqual([])
    expect((await ops.get("/api/runs?q=private")).json.runs).toHaveLength(1)
    expect((await ada.get(path)).json.status).toBe("waiting")
  })

  it("is nobody if auth forgets to say who it is", async () => {
    await using handler = serve({ workflows, auth: () => ({ user: undefined }) as never })
    expect((await handler(new Request("http://localhost/api/runs"))).status).toBe(500)
  })

  it("does not get another's run by the same Idempotency-Key", async () => {
    const key = { "idempotency-key": "same" }
    const [one, other] = [
      await ada.post("/api/workflows/publish/runs", { text: "mine" }, key),
      await bob.post("/api/workflows/publish/runs", { text: "mine" }, key)
    ]
    expect(one.json.id).not.toBe(other.json.id)
    expect(other.json.user).toBe("bob")
  })

  it("sees and starts only the workflows that are theirs", async () => {
    expect((await bob.get("/api/workflows")).json.map(({ name }: any) => name)).toEqual(["publish"])
    expect((await bob.get("/api/workflows/buy")).status).toBe(404)
    expect((await bob.post("/api/workflows/buy/runs", { price: 1 })).status).toBe(404)
  })
})

describe("a hostile request", () => {
  it("with a body of more than 1 MB is refused, whether or not it says so", async () => {
    const large = JSON.stringify({ text: "x".repeat(1_000_001) })
    expect((await post({ "content-type": "application/json" }, large)).status).toBe(413)
    const head = `POST /api/workflows/publish/runs HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer token-of-ada\r\ncontent-type: application/json\r\n`
    const chunk = "x".repeat(65_536)
    const chunks = Array.from({ length: 20 }, () => `10000\r\n${chunk}\r\n`).join("")
    expect(statusOf(await raw(`${head}transfer-encoding: chunked\r\n\r\n${chunks}`))).toBe(413)
    expect(statusOf(await raw(`${head}content-length: 99999999999\r\n\r\n{`))).toBe(413)
  })

  it("whose body never comes is given up", async () => {
    const head =
      "POST /api/workflows/publish/runs HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer token-of-ada\r\n"
    expect(statusOf(await raw(`${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{"te`))).toBe(408)
  })

  it("with JSON that is nested too deep, broken or not UTF-8 gets 400", async () => {
    const json = { "content-type": "application/json" }
    expect((await post(json, "[".repeat(400_000))).status).toBe(400)
    expect((await post(json, `{"a":${'{"a":'.repeat(200)}1${"}".repeat(201)}`)).status).toBe(400)
    expect((await post(json, '{"text":')).status).toBe(400)
    const { status } = await fetch(`${server.url}/api/workflows/publish/runs`, {
      method: "POST",
      headers: { ...json, authorization: "Bearer token-of-ada" },
      body: new Uint8Array([0x22, 0xff, 0xfe, 0x22])
    })
    expect(status).toBe(400)
  })

  it("with the keys of prototypes changes nothing, and finds nothing", async () => {
    const polluted = '{"__proto__":{"polluted":1,"text":"News"},"constructor":{"prototype":{"polluted":1}}}'
    expect((await post({ "content-type": "application/json" }, polluted)).status).toBe(422)
    const { json } = await ada.post("/api/workflows/publish/runs", { text: "News" })
    const inputs = await ada.post(`/api/runs/${json.id}/inputs`, '{"__proto__":{"_tag":"Approval","by":"Eve"}}')
    expect(inputs.status).toBe(422)
    expect(({} as any).polluted).toBeUndefined()
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      expect([name, (await ada.get(`/api/runs/${name}`)).status]).toEqual([name, 404])
      expect([name, (await ada.get(`/api/workflows/${name}`)).status]).toEqual([name, 404])
      expect([name, (await ada.post(`/api/workflows/${name}/runs`, {})).status]).toEqual([name, 404])
    }
  })

  it("with tricks in its path gets neither another route nor a 500", async () => {
    const { json } = await ada.post("/api/workflows/publish/runs", { text: "News" })
    const paths = [
      "/api/../api/runs/../../etc/passwd",
      "/api/runs/..%2f..%2fetc%2fpasswd",
      "/api/runs/%2e%2e/workflows/x",
      `/api/runs/${json.id}%00`,
      `/api/runs/%E0%A4%A`,
      "//evil.example/api/runs/x",
      "//evil.example/api/runs",
      "/api/runs/%ff/events",
      "http://evil.example/api/runs/x",
      `/API/RUNS/${json.id}`,
      `/%61pi/runs/${json.id}`,
      `/api//runs/${json.id}`,
      `/api/runs/${json.id}/`,
      "/api/runs;x",
      "/x/../api/runs",
      "/x/%2e%2e/api/runs",
      "/x/..\\api/runs",
      "/api/%2E/runs",
      `/api/runs/${"x".repeat(10_000)}`
    ]
    for (const path of paths) {
      const answer = await get(path)
      const status = statusOf(answer)
      expect([path, status === 404 || status === 400]).toEqual([path, true])
      expect([path, answer]).toEqual([path, expect.stringContaining("application/problem+json")])
    }
  })

  it("that is refused before its body is read does not hold up the next one of its connection", async () => {
    const body = "x".repeat(900_000)
    const next = `GET /api/runs HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer token-of-ada\r\nconnection: close\r\n\r\n`
    for (const [refused, header] of [
      [401, "content-type: application/json"],
      [403, "origin: https://evil.example"],
      [415, "authorization: Bearer token-of-ada"]
    ] as const) {
      const head = `POST /api/workflows/publish/runs HTTP/1.1\r\nhost: localhost\r\n${header}\r\n`
      const answer = await raw(`${head}content-length: ${body.length}\r\n\r\n${body}${next}`)
      expect(answer.match(/(?<=HTTP\/1.1 )\d+/g)).toEqual([`${refused}`, "200"])
    }
  })

  it("of another method than the route's does nothing", async () => {
    for (const method of ["PUT", "PATCH", "TRACE", "PROPFIND"]) {
      const answer = await raw(
        `${method} /api/runs HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer token-of-ada\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`
      )
      expect([method, [400, 404, 405].includes(statusOf(answer))]).toEqual([method, true])
    }
  })
})

describe("what is bounded", () => {
  it("streams: more than so many are refused, and a closed one makes room", async () => {
    const { json } = await ada.post("/api/workflows/publish/runs", { text: "News" })
    const path = `/api/runs/${json.id}/events`
    const open = await Promise.all(Array.from({ length: 5 }, () => ada.open(path)))
    await Promise.all(open.map((stream) => stream.until("id: 2")))
    expect((await ada.get(path)).json.type).toBe("urn:stepgraph:problem:too-many-streams")
    await Promise.all(open.map((stream) => stream.cancel()))
    await vi.waitFor(async () => {
      const again = await ada.open(path)
      expect(await again.until("id: 2")).toContain("id: 2")
      await again.cancel()
    }, 20_000)
  })

  it("runs: ended ones make room for new ones, and running ones are never dropped", async () => {
    await using small = await listen({ workflows: [publish, count], auth: "none", port: 0, runs: { runs: 3 } })
    const client = clientOf(small.url)
    const waiting = await client.post("/api/workflows/publish/runs", { text: "News" })
    const ended: Array<string> = []
    for (let n = 0; n < 4; n++) {
      ended.push((await client.post("/api/workflows/count/runs?wait=5s", { to: 1, millis: 0 })).json.id)
    }
    const { json } = await client.get("/api/runs")
    expect(json.runs.map(({ id }: any) => id)).toEqual([ended[3], ended[2], waiting.json.id])
    for (let n = 0; n < 2; n++) await client.post("/api/workflows/publish/runs", { text: "News" })
    const more = await client.post("/api/workflows/publish/runs", { text: "News" })
    expect([more.status, more.json.type]).toEqual([503, "urn:stepgraph:problem:too-many-runs"])
  })

  it("what runs are started with, and what ended ones failed with", async () => {
    const enter = defineStep({
      accepts: Login,
      emits: LoggedIn,
      run: () => Promise.reject(new Error("x".repeat(3_000)))
    })
    const failing = workflow({ name: "failing", start: Login, stop: LoggedIn, steps: { enter } })
    const workflows = [publish, failing]
    await using small = await listen({ workflows, auth: "none", port: 0, runs: { size: 30_000 } })
    const client = clientOf(small.url)
    // The error is in both streams of its run, so they take 10,000 characters in all.
    for (let n = 0; n < 12; n++) await client.post("/api/workflows/failing/runs?wait=5s", { password: "x" })
    expect((await client.get("/api/runs")).json.runs.length).toBeLessThan(5)
    const news = { text: "x".repeat(12_000) }
    const statuses: Array<number> = []
    for (let n = 0; n < 4; n++) statuses.push((await client.post("/api/workflows/publish/runs", news)).status)
    expect(statuses).toEqual([201, 201, 503, 503])
  })

  it("keys, by which a run remembers what it was sent", async () => {
    const key = { "idempotency-key": "k".repeat(256) }
    expect((await ada.post("/api/workflows/publish/runs", { text: "News" }, key)).json.detail).toBe(
      "an Idempotency-Key may have at most 255 characters"
    )
  })

  it("a comparison with a run that never stops to say something", async () => {
    const { json } = await ada.post("/api/workflows/count/runs", { to: 1e9, millis: 5 })
    const { status } = await ada.get(`/api/compare?left=${json.id}&right=${json.id}`)
    await ada.post(`/api/runs/${json.id}/interrupt`)
    expect(status).toBe(200)
  }, 10_000)

  it("what a run says: its oldest records go, and a reader is told", async () => {
    await using small = await listen({ workflows: [count], auth: "none", port: 0, runs: { size: 8_000 } })
    const client = clientOf(small.url)
    const { json } = await client.post("/api/workflows/count/runs?wait=20s", { to: 500, millis: 0 })
    const [first, second, ...rest] = await client.lines(`/api/runs/${json.id}/events`)
    expect([first.kind, second.number]).toEqual(["dropped", first.number + 1])
    expect(first.data.dropped).toBe(first.number)
    expect([rest.at(-1).kind, rest.at(-1).number]).toEqual(["end", 502])
    const trace = await client.text(`/api/runs/${json.id}/trace`)
    expect(trace.text.length).toBeLessThan(10_000)
  })
})

describe("what nobody may read", () => {
  it("an exception's text does not reach a 500", async () => {
    const auth = () => {
      throw new Error("the password of the database is hunter2")
    }
    await using handler = serve({ workflows: [publish], auth })
    const response = await handler(new Request("http://localhost/api/runs"))
    expect(response.status).toBe(500)
    expect(await response.text()).toBe('{"type":"about:blank","status":500,"title":"Internal Server Error"}')
    const broken = {
      start: () => {},
      get: () => {
        throw new Error("hunter2")
      },
      list: () => {}
    } as any
    await using other = serve({ workflows: [publish], auth: "none", runs: broken })
    const failed = await other(new Request("http://localhost/api/runs/x"))
    expect([failed.status, (await failed.text()).includes("hunter2")]).toEqual([500, false])
  })

  it("a Redacted value is nowhere: details, outputs, trace, and what is wrong with an input", async () => {
    const { json } = await ops.post("/api/workflows/login/runs?wait=5s", { password: "hunter2" })
    expect(json.status).toBe("stopped")
    const path = `/api/runs/${json.id}`
    const all = [
      JSON.stringify(json),
      (await ops.text(path)).text,
      (await ops.text(`${path}/events`)).text,
      (await ops.text(`${path}/trace`)).text,
      JSON.stringify(await ops.post("/api/workflows/login/runs", { password: ["hunter2"] })),
      (await ops.text(`/api/compare?left=${json.id}&right=${json.id}`)).text
    ].join("\n")
    expect(all).toContain('"user":"ada"')
    expect(all).not.toMatch(/hunter/)
    // It can be run again all the same: the server knows it.
    expect((await ops.post(`${path}/rerun?wait=5s`)).json.status).toBe("stopped")
  })

  it("what redact removes is not in the trace, nor an entry that it cannot read", async () => {
    await using handler = serve({
      workflows: [publish],
      auth: "none",
      redact: (entry) => {
        if (entry._tag === "EventDelivered") throw new Error("cannot read this")
        if (entry._tag === "InvocationStarted") return undefined as never
        return entry._tag === "EventEmitted" ? { ...entry, data: {} } : entry
      }
    })
    const response = await handler(
      new Request("http://localhost/api/workflows/publish/runs", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"text":"private"}'
      })
    )
    const { id } = (await response.json()) as { readonly id: string }
    await handler(
      new Request(`http://localhost/api/runs/${id}/interrupt`, {
        method: "POST",
        headers: { "content-type": "application/json" }
      })
    )
    const trace = await (await handler(new Request(`http://localhost/api/runs/${id}/trace`))).text()
    expect(trace).toContain("EventEmitted")
    expect(trace).not.toMatch(/private|EventDelivered|InvocationStarted/)
  })

  it("what redact removes from the error of a run is nowhere else, and without redact it is there", async () => {
    const answers = async (redact?: (entry: TraceEntry) => TraceEntry) => {
      await using handler = serve({ workflows: [buy], auth: "none", redact })
      const started = await handler(
        new Request("http://localhost/api/workflows/buy/runs?wait=5s", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: '{"price":4711}'
        })
      )
      const detail: any = await started.json()
      const path = `http://localhost/api/runs/${detail.id}`
      const [events, again] = await Promise.all(
        [`${path}/events`, path].map(async (path) => (await handler(new Request(path))).text())
      )
      return { detail, all: JSON.stringify([detail.error, events, JSON.parse(again!).error]) }
    }
    expect((await answers()).all).toContain("4711")
    const shorter = await answers((entry) =>
      entry._tag === "RunFinished" ? { ...entry, error: "an error about money" } : entry
    )
    expect(shorter.detail.error).toEqual({
      _tag: "TooExpensive",
      name: "TooExpensive",
      message: "an error about money"
    })
    expect(shorter.all).not.toContain("4711")
    const refusing = await answers((entry) => {
      if (entry._tag === "RunFinished") throw new Error("cannot read this")
      return entry
    })
    expect(refusing.detail.error.message).toBe("the error is not shown")
    expect(refusing.all).not.toContain("4711")
  })
})
