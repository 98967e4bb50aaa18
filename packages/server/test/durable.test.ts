import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { durable } from "@stepgraph/durable"
import { bearer } from "@stepgraph/server"
import { connect } from "@stepgraph/server/client"
import { openDurableRuns } from "@stepgraph/server/durable"
import { listen } from "@stepgraph/server/node"
import type { TraceEntry } from "stepgraph"
import { afterAll, beforeAll, expect, it, vi } from "vitest"
import * as flows from "./flows.ts"
import { type Client, clientOf } from "./support.ts"

// Durable steps emit when they end, so the generator is not among them.
const durables = [durable(flows.publish), durable(flows.buy, { errors: [flows.TooExpensive] }), durable(flows.login)]
const auth = bearer({ ada: { user: "ada" }, bob: { user: "bob" }, ops: { user: "ops", sees: "all" } })

let folder: string
let close: () => Promise<void>
let url: string
let ada: Client
let bob: Client
let ops: Client

/** Like a new process: nothing is kept but the file. */
const open = async (port = 0) => {
  const runs = await openDurableRuns({ sqlite: join(folder, "runs.db") }, durables)
  const workflows = [flows.publish, flows.buy, flows.login]
  const server = await listen({ workflows, runs, auth, port, heartbeat: 20 })
  close = async () => {
    await server.close()
    await runs.close()
  }
  url = server.url
  ada = clientOf(url, "ada")
  bob = clientOf(url, "bob")
  ops = clientOf(url, "ops")
  return server.port
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepgraph-server-"))
  await open()
})
afterAll(async () => {
  await close()
  await rm(folder, { recursive: true })
})

it("a durable run is started, watched, answered and read by the same routes", async () => {
  const { headers, json, status } = await ada.post("/api/workflows/publish/runs", { text: "News" })
  expect([status, json.input, headers.get("location")]).toEqual([
    201,
    { _tag: "Draft", text: "News" },
    `../../runs/${json.id}`
  ])
  const path = `/api/runs/${json.id}`
  const live = await ada.open(`${path}/events`)
  await live.until("id: 2\n")
  const waiting = (await ada.get(path)).json
  expect([waiting.status, waiting.inputs, waiting.waiting[0].needs]).toEqual(["waiting", "open", { Approval: 1 }])
  expect((await ada.post(`${path}/inputs`, { _tag: "Approval" })).status).toBe(422)
  expect((await ada.post(`${path}/inputs`, { _tag: "Approval", by: "Ada" })).status).toBe(202)
  const { json: ended } = await ada.get(`${path}?wait=5s`)
  expect([ended.status, ended.stop.text]).toEqual(["stopped", "News, approved by Ada"])
  expect((await ada.post(`${path}/inputs`, { _tag: "Approval", by: "Bob" })).status).toBe(409)
  // The reader who was there from the start has what a late one has.
  const text = await live.end()
  expect(text.replaceAll(": still here\n\n", "")).toBe((await ada.text(`${path}/events`)).text)
  expect([...text.matchAll(/id: (\d+)/g)].map(([, n]) => n)).toEqual(["1", "2", "3", "4"])
  expect((await ada.text(`${path}/events?after=4`)).status).toBe(204)
  const trace = await ada.lines(`${path}/trace`)
  expect([trace[0].data._tag, trace.at(-2).data._tag, trace.at(-1).kind]).toEqual(["RunStarted", "RunFinished", "end"])
  expect(trace.map(({ number }: any) => number)).toEqual(trace.map((_: unknown, at: number) => at + 1))
  expect(await ada.lines(`${path}/trace?after=3`)).toEqual(trace.slice(3))
  expect(await ada.lines(`${path}/trace?last=3`)).toEqual(trace.slice(-3))
})

it("a live trace goes on", async () => {
  const { json } = await ada.post("/api/workflows/publish/runs", { text: "News" })
  const live = await ada.open(`/api/runs/${json.id}/trace`)
  await live.until("RunStarted")
  await ada.post(`/api/runs/${json.id}/inputs`, { _tag: "Approval", by: "Ada" })
  const text = await live.end()
  expect(text.replaceAll(": still here\n\n", "")).toBe((await ada.text(`/api/runs/${json.id}/trace`)).text)
})

it("survives its process: the run, its key, its user, and a client in the middle of its events", async () => {
  const key = { "idempotency-key": "order-17" }
  const first = await ada.post("/api/workflows/publish/runs", { text: "Later" }, key)
  const run = connect<typeof flows.publish>({ url, workflow: "publish", token: "ada" }).run(first.json.id)
  const seen: Array<unknown> = []
  const reading = (async () => {
    for await (const event of run.events) seen.push(event)
  })()
  const port = Number(new URL(url).port)
  await close()
  await open(port)
  const again = await ada.post("/api/workflows/publish/runs", { text: "Later" }, key)
  expect([again.json.id, again.json.user]).toEqual([first.json.id, "ada"])
  const other = await ada.post("/api/workflows/publish/runs", { text: "Other" }, key)
  expect([other.status, other.json.type]).toEqual([422, "urn:stepgraph:problem:key-reused"])
  expect((await bob.get(`/api/runs/${first.json.id}`)).status).toBe(404)
  await run.send(flows.Approval({ by: "Ada" }))
  await reading
  expect(seen).toEqual([
    { _tag: "Progress", n: 1 },
    { _tag: "Progress", n: 2 },
    { _tag: "Published", text: "Later, approved by Ada" }
  ])
})

it("lists runs of its user, page by page, with filters", async () => {
  const ids: Array<string> = []
  for (const text of ["paged 1", "paged 2", "paged 3"]) {
    ids.push((await ada.post("/api/workflows/publish/runs", { text })).json.id)
  }
  await bob.post("/api/workflows/publish/runs", { text: "paged" })
  const first = (await ada.get("/api/runs?q=paged&limit=2")).json
  const second = (await ada.get(`/api/runs?q=paged&limit=2&cursor=${encodeURIComponent(first.next)}`)).json
  expect([...first.runs, ...second.runs].map(({ id }: any) => id).sort()).toEqual(ids.sort())
  expect([first.runs.length, second.next]).toEqual([2, null])
  expect((await ops.get("/api/runs?q=paged")).json.runs).toHaveLength(4)
  expect((await ada.get("/api/runs?q=paged&status=failed")).json.runs).toEqual([])
})

it("fails with typed errors, is interrupted, run again, compared and deleted", async () => {
  const { json } = await ada.post("/api/workflows/buy/runs?wait=5s", { price: 200 })
  expect([json.status, json.error]).toMatchObject(["failed", { _tag: "TooExpensive", price: 200 }])
  const { id } = (await ada.post("/api/workflows/publish/runs", { text: "News" })).json
  expect((await ada.delete(`/api/runs/${id}`)).status).toBe(409)
  expect((await ada.post(`/api/runs/${id}/interrupt`)).json.status).toBe("interrupted")
  expect((await ada.lines(`/api/runs/${id}/events`)).at(-1).data).toEqual({ status: "interrupted" })
  const again = await ada.post(`/api/runs/${id}/rerun`)
  expect([again.status, again.json.input.text]).toEqual([201, "News"])
  await ada.post(`/api/runs/${again.json.id}/interrupt`)
  expect((await ada.get(`/api/compare?left=${id}&right=${again.json.id}`)).json.same).toBe(true)
  expect((await ada.delete(`/api/runs/${id}`)).status).toBe(204)
  expect((await ada.get(`/api/runs/${id}`)).status).toBe(404)
})

it("is found by its id, however often it repeats one that repeats one", async () => {
  let id = (await ada.post("/api/workflows/buy/runs?wait=5s", { price: 1 })).json.id as string
  for (let n = 0; n < 5; n++) id = (await ada.post(`/api/runs/${id}/rerun?wait=5s`)).json.id
  expect(id.length).toBeGreaterThan(100)
  expect((await ada.get(`/api/runs/${id}`)).json.status).toBe("stopped")
})

it("has traces as redact leaves them", async () => {
  const home = await openDurableRuns({ memory: true }, [durable(flows.publish)])
  const redact = (entry: TraceEntry) => {
    if (entry._tag === "EventDelivered") throw new Error("cannot read this")
    return entry._tag === "EventEmitted" ? { ...entry, data: {} } : entry
  }
  const server = await listen({ workflows: [flows.publish], runs: home, redact, auth: "none", port: 0 })
  try {
    const client = clientOf(server.url)
    const { id } = (await client.post("/api/workflows/publish/runs", { text: "private" })).json
    await client.post(`/api/runs/${id}/interrupt`)
    const { text } = await client.text(`/api/runs/${id}/trace`)
    expect(text).toContain("EventEmitted")
    expect(text).toContain("event: end")
    expect(text).not.toMatch(/private|EventDelivered/)
  } finally {
    await server.close()
    await home.close()
  }
})

it("has errors as redact leaves them", async () => {
  const home = await openDurableRuns({ memory: true }, [durable(flows.buy, { errors: [flows.TooExpensive] })])
  const redact = (entry: TraceEntry) => (entry._tag === "RunFinished" ? { ...entry, error: "about money" } : entry)
  const server = await listen({ workflows: [flows.buy], runs: home, redact, auth: "none", port: 0 })
  try {
    const client = clientOf(server.url)
    const { error, id } = (await client.post("/api/workflows/buy/runs?wait=5s", { price: 4711 })).json
    expect(error).toEqual({ _tag: "TooExpensive", name: "TooExpensive", message: "about money" })
    for (const stream of ["events", "trace"]) {
      expect((await client.lines(`/api/runs/${id}/${stream}`)).at(-1).data).toEqual({ status: "failed", error })
    }
  } finally {
    await server.close()
    await home.close()
  }
})

it("knows in its list which runs wait, and which run another repeats", async () => {
  const { id } = (await ada.post("/api/workflows/publish/runs", { text: "listed" })).json
  await (await ada.open(`/api/runs/${id}/events`)).until("id: 2\n")
  const listed = async (status: string) =>
    (await ada.get(`/api/runs?q=listed&status=${status}`)).json.runs.map((run: any) => [
      run.id,
      run.status,
      run.rerunOf
    ])
  await vi.waitFor(async () => expect(await listed("waiting")).toEqual([[id, "waiting", null]]))
  expect(await listed("running")).toEqual([])
  const key = { "idempotency-key": "again" }
  const again = (await ada.post(`/api/runs/${id}/rerun`, {}, key)).json
  expect([again.rerunOf, again.user]).toEqual([id, "ada"])
  expect((await ada.post(`/api/runs/${id}/rerun`, {}, key)).json.id).toBe(again.id)
  const third = (await ada.post(`/api/runs/${again.id}/rerun`)).json
  expect([third.rerunOf, (await ada.get(`/api/runs/${third.id}`)).json.rerunOf]).toEqual([again.id, again.id])
  expect((await bob.get(`/api/runs/${third.id}`)).status).toBe(404)
  for (const run of [id, again.id, third.id]) await ada.post(`/api/runs/${run}/interrupt`)
  expect((await listed("interrupted")).map(([, , of]: any) => of)).toEqual([again.id, id, null])
})

it("shows no secret", async () => {
  const { json } = await ops.post("/api/workflows/login/runs?wait=5s", { password: "hunter2" })
  expect(json.status).toBe("stopped")
  const path = `/api/runs/${json.id}`
  const all = [JSON.stringify(json), (await ops.text(`${path}/events`)).text, (await ops.text(`${path}/trace`)).text]
  expect(all.join("\n")).toContain('"user":"ada"')
  expect(all.join("\n")).not.toMatch(/hunter/)
  expect((await ops.get("/api/runs?q=hunter2")).json.runs).toEqual([])
})
