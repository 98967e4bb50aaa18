import { serve } from "@stepgraph/server"
import { listen } from "@stepgraph/server/node"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { buy, count, large, publish } from "./flows.ts"
import { type Client, clientOf } from "./support.ts"

let client: Client
let close: () => Promise<void>

beforeAll(async () => {
  const server = await listen({ workflows: [publish, count, buy, large], auth: "none", port: 0, heartbeat: 50 })
  client = clientOf(server.url)
  close = server.close
})
afterAll(() => close())

const startPublish = async (text = "News") => (await client.post("/api/workflows/publish/runs", { text })).json.id

describe("a trace", () => {
  it("can be read from near its end on, with the same numbers", async () => {
    const { json } = await client.post("/api/workflows/count/runs?wait=5s", { to: 3, millis: 1 })
    const all = await client.lines(`/api/runs/${json.id}/trace`)
    expect(await client.lines(`/api/runs/${json.id}/trace?last=3`)).toEqual(all.slice(-3))
    expect(await client.lines(`/api/runs/${json.id}/trace?last=1000`)).toEqual(all)
    const { status } = await client.get(`/api/runs/${json.id}/trace?last=3&after=${all.length}`)
    expect(status).toBe(204)
    const wrong = await client.get(`/api/runs/${json.id}/trace?last=-3`)
    expect([wrong.status, wrong.json.detail]).toEqual([400, "last must be a whole number of at least 0, not '-3'"])
  })

  it("is compared with another as far as both have come", async () => {
    const [left, right] = [await startPublish("one"), await startPublish("other")]
    const of = async () => (await client.get(`/api/compare?left=${left}&right=${right}`)).json
    expect(await of()).toMatchObject({ ended: false, same: false, sameOutcome: false })
    expect((await of()).events.changed.map(({ left }: any) => left.data.text)).toEqual(["one"])
    for (const id of [left, right]) await client.post(`/api/runs/${id}/interrupt`)
    expect(await of()).toMatchObject({ ended: true, same: false, sameOutcome: true })
  })
})

describe("workflows", () => {
  it("are listed, and each has its graph and the schemas of its events", async () => {
    const { json } = await client.get("/api/workflows")
    expect(json.map(({ name }: any) => name)).toEqual(["publish", "count", "buy", "large"])
    const { json: one } = await client.get("/api/workflows/publish")
    expect(one.graph.steps.map(({ name }: any) => name)).toEqual(["report", "publish"])
    expect(Object.keys(one.schemas.inputs)).toEqual(["Approval"])
    expect(JSON.stringify(one.schemas.start.Draft)).toContain('"text"')
  })

  it("that are unknown are a problem with status 404", async () => {
    const { headers, json, status } = await client.get("/api/workflows/nothing")
    expect(status).toBe(404)
    expect(headers.get("content-type")).toBe("application/problem+json")
    expect(json.type).toBe("urn:stepgraph:problem:not-found")
  })
})

describe("starting a run", () => {
  it("answers 201, with a Location that leads to it", async () => {
    const { headers, json, status, url } = await client.post("/api/workflows/publish/runs", { text: "News" })
    expect(status).toBe(201)
    const there = await client.get(new URL(headers.get("location")!, url).href)
    expect(there.json.id).toBe(json.id)
    expect(there.json.input).toEqual({ _tag: "Draft", text: "News" })
  })

  it("waits for the stop event if it is asked to", async () => {
    const { json } = await client.post("/api/workflows/count/runs?wait=5s", { to: 1, millis: 5 })
    expect(json.status).toBe("stopped")
    expect(json.stop).toEqual({ _tag: "Total", total: 1, at: "1970-01-01T00:00:00.000Z" })
  })

  it("refuses an input that does not fit, and says why", async () => {
    const { json, status } = await client.post("/api/workflows/publish/runs", { text: 1 })
    expect(status).toBe(422)
    expect(json.tag).toBe("Draft")
    expect(json.detail).toContain("event 'Draft' does not fit its schema")
  })

  it("happens once for each Idempotency-Key", async () => {
    const start = (text: string) =>
      client.post("/api/workflows/publish/runs", { text }, { "idempotency-key": "order-17" })
    const [one, other] = await Promise.all([start("News"), start("News")])
    expect(one.json.id).toBe(other.json.id)
    const changed = await start("Other news")
    expect([changed.status, changed.json.type]).toEqual([422, "urn:stepgraph:problem:key-reused"])
  })
})

describe("a run", () => {
  it("says what it is waiting for", async () => {
    const { json, status } = await client.get(`/api/runs/${await startPublish()}`)
    expect([status, json.status, json.inputs]).toEqual([200, "waiting", "open"])
    expect(json.waiting).toMatchObject([{ step: "publish", has: { Draft: 1 }, needs: { Approval: 1 } }])
  })

  it("takes an input, and stops", async () => {
    const id = await startPublish()
    const sent = await client.post(`/api/runs/${id}/inputs`, { _tag: "Approval", by: "Ada" })
    expect(sent.status).toBe(202)
    const { json } = await client.get(`/api/runs/${id}?wait=5s`)
    expect([json.status, json.stop]).toEqual(["stopped", { _tag: "Published", text: "News, approved by Ada" }])
    const late = await client.post(`/api/runs/${id}/inputs`, { _tag: "Approval", by: "Bob" })
    expect([late.status, late.json.workflow]).toEqual([409, "publish"])
  })

  it("refuses what is not an input, or does not fit", async () => {
    const id = await startPublish()
    const wrong = await client.post(`/api/runs/${id}/inputs`, { _tag: "Aproval", by: "Ada" })
    expect([wrong.status, wrong.json.problem]).toEqual([
      422,
      "it is not an input of workflow 'publish', whose inputs are 'Approval': did you mean 'Approval'?"
    ])
    expect((await client.post(`/api/runs/${id}/inputs`, { _tag: "Approval" })).status).toBe(422)
    expect((await client.post(`/api/runs/${id}/inputs`, [])).status).toBe(422)
  })

  it("stalls when its inputs are closed, and says so", async () => {
    const id = await startPublish()
    expect((await client.post(`/api/runs/${id}/inputs/close`)).status).toBe(202)
    const { json } = await client.get(`/api/runs/${id}?wait=5s`)
    expect([json.status, json.error._tag]).toEqual(["failed", "WorkflowStalled"])
  })

  it("fails with the error of its step, as data", async () => {
    const { json } = await client.post("/api/workflows/buy/runs?wait=5s", { price: 200 })
    expect([json.status, json.error]).toMatchObject(["failed", { _tag: "TooExpensive", price: 200 }])
  })

  it("is interrupted, run again with the same or another input, and deleted", async () => {
    const id = await startPublish()
    expect((await client.delete(`/api/runs/${id}`)).json.type).toBe("urn:stepgraph:problem:still-running")
    expect((await client.post(`/api/runs/${id}/interrupt`)).json.status).toBe("interrupted")
    const same = await client.post(`/api/runs/${id}/rerun`)
    expect([same.json.rerunOf, same.json.input.text]).toEqual([id, "News"])
    expect((await client.get(new URL(same.headers.get("location")!, same.url).href)).json.id).toBe(same.json.id)
    const edited = await client.post(`/api/runs/${id}/rerun`, { input: { text: "Mended" } })
    expect(edited.json.input.text).toBe("Mended")
    expect((await client.delete(`/api/runs/${id}`)).status).toBe(204)
    expect((await client.get(`/api/runs/${id}`)).status).toBe(404)
  })

  it("is run again once for each Idempotency-Key, whatever its events hold", async () => {
    const { json } = await client.post("/api/workflows/large/runs?wait=5s", { n: "12345678901234567890" })
    expect(json.status).toBe("stopped")
    const again = () => client.post(`/api/runs/${json.id}/rerun`, {}, { "idempotency-key": "again" })
    const [one, other] = [await again(), await again()]
    expect([one.status, one.json.input.n]).toEqual([201, "12345678901234567890"])
    expect(other.json.id).toBe(one.json.id)
  })

  it("is compared with another", async () => {
    const runs = await Promise.all(
      [1, 2].map(async (to) => (await client.post("/api/workflows/count/runs?wait=5s", { to, millis: 0 })).json.id)
    )
    const { json } = await client.get(`/api/compare?left=${runs[0]}&right=${runs[1]}`)
    expect([json.same, json.sameOutcome]).toEqual([false, false])
    expect(json.events.onlyRight.map(({ tag }: any) => tag)).toContain("Counted")
    expect((await client.get(`/api/compare?left=${runs[0]}&right=${runs[0]}`)).json.same).toBe(true)
  })
})

describe("the list of runs", () => {
  it("has filters, and pages that neither repeat nor omit", async () => {
    const texts = Array.from({ length: 7 }, (_, n) => `paged ${n}`)
    const ids: Array<string> = []
    for (const text of texts) ids.push(await startPublish(text))
    const seen: Array<string> = []
    for (let cursor = ""; ; ) {
      const { json } = await client.get(`/api/runs?q=paged&limit=3${cursor}`)
      seen.push(...json.runs.map(({ id }: any) => id))
      // What starts meanwhile does not move the pages.
      await startPublish("paged later")
      if (json.next === null) break
      cursor = `&cursor=${json.next}`
    }
    expect(seen).toEqual(ids.reverse())
    const ofCount = await client.get("/api/runs?workflow=count&status=stopped")
    expect(new Set(ofCount.json.runs.map(({ workflow }: any) => workflow))).toEqual(new Set(["count"]))
    expect((await client.get("/api/runs?since=2999-01-01")).json.runs).toEqual([])
    expect((await client.get("/api/runs?limit=x")).status).toBe(400)
    expect((await client.get("/api/runs?status=nonsense")).status).toBe(400)
  })
})

describe("streams", () => {
  it("give every output, the stop event and a typed end, to early and late readers alike", async () => {
    const { json } = await client.post("/api/workflows/count/runs", { to: 3, millis: 5 })
    const path = `/api/runs/${json.id}/events`
    const early = await client.lines(path)
    const late = await client.lines(path)
    expect(early).toEqual(late)
    expect(early.map(({ number, kind }: any) => [number, kind])).toEqual([
      [1, "output"],
      [2, "output"],
      [3, "output"],
      [4, "output"],
      [5, "end"]
    ])
    expect(early.map(({ data }: any) => data._tag ?? data.status)).toEqual([
      "Counted",
      "Counted",
      "Counted",
      "Total",
      "stopped"
    ])
  })

  it("are server-sent events by default, and go on after the last one seen", async () => {
    const { json } = await client.post("/api/workflows/count/runs?wait=5s", { to: 3, millis: 0 })
    const path = `/api/runs/${json.id}/events`
    const whole = await client.text(path)
    expect(whole.text).toContain('id: 1\nevent: output\ndata: {"_tag":"Counted","n":1}\n\n')
    const rest = await client.text(path, { "last-event-id": "3" })
    expect(rest.text).toBe(whole.text.slice(whole.text.indexOf("id: 4\n")))
    expect((await client.text(`${path}?after=3`)).text).toBe(rest.text)
    expect((await client.text(path, { "last-event-id": "5" })).status).toBe(204)
    expect((await client.text(`${path}?after=-1`)).status).toBe(400)
  })

  it("have the whole trace, and show that they live", async () => {
    const id = await startPublish()
    const live = await client.open(`/api/runs/${id}/trace`)
    // The run waits: only heartbeats come.
    await live.until(": still here\n\n")
    await client.post(`/api/runs/${id}/inputs`, { _tag: "Approval", by: "Ada" })
    const text = await live.end()
    const tags = [...text.matchAll(/event: trace\ndata: (.*)/g)].map(([, json]) => JSON.parse(json!)._tag)
    expect([tags[0], tags.at(-1)]).toEqual(["RunStarted", "RunFinished"])
    expect(text.endsWith('event: end\ndata: {"status":"stopped"}\n\n')).toBe(true)
  })
})

describe("GET /api/status", () => {
  it("says how often the workflows have changed, and why newer ones are not served", async () => {
    await using fixed = serve({ workflows: [publish], auth: "none" })
    const ask = async (handler: typeof fixed) =>
      (await handler(new Request("http://localhost/api/status"))).json() as Promise<unknown>
    expect(await ask(fixed)).toEqual({ revision: 0, problems: [], explores: false })
    const status = { revision: 3, problems: ["flow.ts:3 has a syntax error: Unexpected token"] }
    await using changing = serve({ workflows: () => [publish], auth: "none", status: () => status })
    expect(await ask(changing)).toEqual({ ...status, explores: false })
  })
})
