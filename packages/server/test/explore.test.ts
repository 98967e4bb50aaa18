// Every order of a workflow over HTTP, with a planted bug: the result depends on which of two steps ends first.

import { bearer, type Explore, serve } from "@stepgraph/server"
import { listen } from "@stepgraph/server/node"
import { explore } from "@stepgraph/testing"
import { Effect, Schema } from "effect"
import { collect, defineEvent, defineStep, join, workflow } from "stepgraph"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Client, clientOf } from "./support.ts"

const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const Cart = defineEvent("Cart", { items: Schema.Array(Schema.String), card: Schema.Redacted(Schema.String) })
const Item = defineEvent("Item", { name: Schema.String })
const Priced = defineEvent("Priced", { name: Schema.String })
const Bill = defineEvent("Bill", { first: Schema.String })
const bill = workflow({
  name: "bill",
  start: Cart,
  stop: Bill,
  steps: {
    split: defineStep({ accepts: Cart, emits: Item, run: ({ items }) => items.map((name) => Item({ name })) }),
    price: defineStep({
      accepts: Item,
      emits: Priced,
      run: async ({ name }) => {
        await sleep(1_000)
        return Priced({ name })
      }
    }),
    sum: defineStep({ accepts: collect(Priced, 2), emits: Bill, run: ([one]) => Bill({ first: one!.name }) })
  }
})

const Draft = defineEvent("Draft")
const Approval = defineEvent("Approval", { by: Schema.String })
const Published = defineEvent("Published", { by: Schema.String })
const publish = workflow({
  name: "publish",
  start: Draft,
  stop: Published,
  inputs: [Approval],
  steps: {
    publish: defineStep({ accepts: join([Draft, Approval]), emits: Published, run: ([, { by }]) => Published({ by }) })
  }
})

const Begin = defineEvent("Begin")
const Never = defineEvent("Never")
const hang = workflow({
  name: "hang",
  start: Begin,
  stop: Never,
  // A promise of the outside world: the exploration waits for it.
  steps: { wait: defineStep({ accepts: Begin, emits: Never, run: () => new Promise<never>(() => {}) }) }
})

const cart = { items: ["tea", "milk"], card: "4242" }

describe("every order", () => {
  let client: Client
  let close: () => Promise<void>
  beforeAll(async () => {
    const server = await listen({ workflows: [bill, publish, hang], auth: "none", port: 0, explore })
    client = clientOf(server.url)
    close = server.close
  })
  afterAll(() => close())

  const explored = async (flow: string, asked: object) => {
    const { status, json } = await client.post(`/api/workflows/${flow}/exploration`, asked)
    expect([status, json.state]).toEqual([202, "running"])
    return expect.poll(async () => (await client.get("/api/exploration")).json, { timeout: 20_000 })
  }

  it("finds the order that breaks a rule, and keeps it as a run beside the usual one", async () => {
    expect((await client.get("/api/status")).json.explores).toBe(true)
    await (await explored("bill", { input: cart })).toMatchObject({ state: "done" })
    const { json } = await client.get("/api/exploration")
    expect(json).toMatchObject({
      workflow: "bill",
      input: { _tag: "Cart", items: ["tea", "milk"] },
      complete: true,
      usual: { outcome: 'Bill {"first":"tea"}' },
      error: null,
      unlisted: 0
    })
    expect(JSON.stringify(json)).not.toContain("4242")
    expect(json.outcomes.map(({ outcome }: any) => outcome)).toEqual(['Bill {"first":"tea"}', 'Bill {"first":"milk"}'])
    expect(json.outcomes[0].times + json.outcomes[1].times).toBe(json.schedules)
    const [order, ...more] = json.orders
    expect(more).toEqual([])
    expect(order).toMatchObject({ rule: "sameResult", outcome: 'Bill {"first":"milk"}' })
    expect(order.story).toContain("→ price(Item")
    expect(order.replay).toMatch(/^explore\(flow, \{ timers: "virtual", replay: "[\d._]+~\w+", input/)
    expect(order.replay).toContain(order.token)

    const { json: run } = await client.get(`/api/runs/${order.run}`)
    expect(run).toMatchObject({ workflow: "bill", status: "stopped", stop: { _tag: "Bill", first: "milk" } })
    const { json: compared } = await client.get(`/api/compare?left=${order.run}&right=${json.usual.run}`)
    expect(compared).toMatchObject({ same: false, sameOutcome: false })
    // The list is of runs that happened.
    expect((await client.get("/api/runs")).json.runs).toEqual([])
    // Its secret is kept as well: a run that repeats it has it.
    const { json: again } = await client.post(`/api/runs/${order.run}/rerun?wait=10s`)
    expect(again.stop).toEqual({ _tag: "Bill", first: "tea" })
  })

  it("takes the input of a run, and sends events at any time", async () => {
    const { json: run } = await client.post("/api/workflows/publish/runs", {})
    const sends = [{ _tag: "Approval", by: "Ada" }]
    await (await explored("publish", { run: run.id, sends })).toMatchObject({
      state: "done",
      complete: true,
      orders: []
    })
    const wrong = await client.post("/api/workflows/publish/exploration", { sends: [{ _tag: "Aproval", by: "Ada" }] })
    expect([wrong.status, wrong.json.detail]).toEqual([422, expect.stringContaining("did you mean 'Approval'?")])
    const other = await client.post("/api/workflows/bill/exploration", { run: run.id })
    expect([other.status, other.json.detail]).toEqual([400, `run '${run.id}' is of another workflow, 'publish'`])
    await client.post(`/api/runs/${run.id}/interrupt`)
  })

  it("is one at a time, and can be cancelled", async () => {
    await (await explored("hang", {})).toMatchObject({ state: "running" })
    const second = await client.post("/api/workflows/bill/exploration", { input: cart })
    expect([second.status, second.json.title]).toEqual([
      409,
      "Another exploration goes on: wait for its end, or cancel it"
    ])
    expect((await client.post("/api/exploration/cancel")).json).toMatchObject({ state: "cancelled", complete: false })
  })
})

it("is seen by who may see the runs of its user, and without what redact hides", async () => {
  const auth = bearer({ "token-of-ada": { user: "ada" }, "token-of-bob": { user: "bob" } })
  const redact = <A extends { readonly _tag: string }>(entry: A): A =>
    entry._tag === "EventEmitted" ? { ...entry, data: { first: "hidden" } } : entry
  await using handler = serve({ workflows: [bill], auth, explore, redact: redact as any })
  const as = async (user: string, path: string, body?: unknown) => {
    const response = await handler(
      new Request(`http://localhost/api/${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: { authorization: `Bearer token-of-${user}`, "content-type": "application/json" },
        ...(body === undefined ? undefined : { body: JSON.stringify(body) })
      })
    )
    return { status: response.status, text: await response.text() }
  }
  await as("ada", "workflows/bill/exploration", { input: cart })
  await expect.poll(async () => JSON.parse((await as("ada", "exploration")).text).state).toBe("done")
  const { text } = await as("ada", "exploration")
  const { input: _, ...found } = JSON.parse(text)
  expect(found.orders[0]).toMatchObject({ outcome: "stopped", story: null, replay: null })
  expect(JSON.stringify(found)).not.toMatch(/tea|milk/)
  const { run } = found.orders[0]
  expect((await as("ada", `runs/${run}/trace`)).text).toContain("hidden")
  expect((await as("ada", `runs/${run}/trace`)).text).not.toContain("milk")
  expect(await as("bob", "exploration")).toEqual({ status: 200, text: "null" })
  expect((await as("bob", `runs/${run}`)).status).toBe(404)
})

it("is begun by no foreign page, and by nobody without a token", async () => {
  await using handler = serve({ workflows: [bill], auth: bearer("a-token"), explore })
  const begin = async (headers: Record<string, string>, path = "workflows/bill/exploration") => {
    const request = new Request(`http://localhost/api/${path}`, { method: "POST", headers, body: "{}" })
    return (await handler(request)).status
  }
  const json = { "content-type": "application/json" }
  const authorization = "Bearer a-token"
  for (const path of ["workflows/bill/exploration", "exploration/cancel"]) {
    expect(await begin(json, path)).toBe(401)
    expect(await begin({ ...json, authorization, origin: "https://evil.example" }, path)).toBe(403)
    expect(await begin({ ...json, authorization, host: "evil.example" }, path)).toBe(403)
    // A foreign page can send this without asking first.
    expect(await begin({ authorization, "content-type": "text/plain" }, path)).toBe(415)
  }
  const state = await handler(new Request("http://localhost/api/exploration", { headers: { authorization } }))
  expect(await state.json()).toBe(null)
})

it("is not offered unless asked for, and a failure to begin says why", async () => {
  const post = () =>
    new Request("http://localhost/api/workflows/publish/exploration", {
      method: "POST",
      headers: { "content-type": "application/json" }
    })
  await using without = serve({ workflows: [publish], auth: "none" })
  const refused = await without(post())
  expect([refused.status, ((await refused.json()) as any).detail]).toEqual([
    501,
    "it was not given explore of @stepgraph/testing"
  ])
  const status = await without(new Request("http://localhost/api/status"))
  expect(await status.json()).toEqual({ revision: 0, problems: [], explores: false })
  await using missing = serve({ workflows: [publish], auth: "none", explore: "It is not installed." })
  expect(((await (await missing(post())).json()) as any).detail).toBe("It is not installed.")

  await using broken = serve({
    workflows: [publish],
    auth: "none",
    explore: () => Effect.fail({ message: "it could not be loaded" })
  })
  await broken(post())
  const state = async () => (await broken(new Request("http://localhost/api/exploration"))).json()
  await expect.poll(state).toMatchObject({ state: "failed", error: "it could not be loaded" })
})

it("keeps no more of the orders than there is room for", async () => {
  // Finds ten orders, each with a trace of 5 million characters.
  const finds: Explore = (flow, { onFailure, replay }) =>
    Effect.sync(() => {
      const outcome = { state: "failed", text: "it fails" }
      const run = { run: "1", at: 0, seq: 0 }
      const began = { ...run, _tag: "RunStarted", workflow: flow.name, parent: null } as const
      const ended = { ...run, seq: 1, _tag: "RunFinished", outcome: "failed", error: "x".repeat(5_000_000) }
      const trace = [began, ended] as ReadonlyArray<any>
      const failure = { invariant: "neverFails", problem: "it fails", schedule: "0", message: "", outcome, trace }
      if (replay === undefined) for (let n = 1; n <= 10; n++) onFailure?.({ ...failure, schedules: n })
      return { schedules: 10, complete: true, outcomes: [], uncontrolled: [] }
    })
  await using other = await listen({ workflows: [publish], auth: "none", port: 0, explore: finds })
  const client = clientOf(other.url)
  await client.post("/api/workflows/publish/exploration")
  const { orders } = (await client.get("/api/exploration")).json
  expect(orders.map(({ run }: any) => run !== null)).toEqual([...Array(6).fill(true), ...Array(4).fill(false)])
})
