// The API through its own client, and the program as a reader runs it: over HTTP, with a collector, until Ctrl-C.
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { fileURLToPath } from "node:url"
import { expect, it, layer } from "@effect/vitest"
import * as Sqlite from "@stepgraph/durable/sqlite"
import { Effect, Fiber, Layer } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { HttpApiTest } from "effect/http-api"
import { TestClock } from "effect/testing"
import { Api } from "./api.ts"
import { PlaceOrder } from "./checkout.ts"
import { OrderId, Sku } from "./domain.ts"
import { Payments } from "./partners.ts"
import { Handlers, Services } from "./server.ts"

const Shop = Handlers.pipe(
  HttpRouter.provideRequest(Services),
  Layer.provideMerge(Services),
  Layer.provide(Sqlite.layer({ filename: ":memory:" })),
  Layer.merge(HttpServer.layerServices)
)
const of = (sku: string, quantity: number) => PlaceOrder({ customer: "Ada", lines: [{ sku: Sku.make(sku), quantity }] })

layer(Shop)("the API", (it) => {
  const client = HttpApiTest.groups(Api, ["shop"])

  it.effect("places an order", () =>
    Effect.gen(function* () {
      const { order: find, placeOrder } = yield* client
      const placing = yield* Effect.forkChild(placeOrder({ payload: of("kettle", 2) }), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      const placed = yield* Fiber.join(placing)
      expect(placed).toEqual({ _tag: "OrderPlaced", order: 1, total: 9_800, parcel: "parcel-1" })
      expect(yield* find({ params: { id: placed.order } })).toMatchObject({ customer: "Ada", status: "placed" })
    })
  )

  it.effect("fails with the errors of the steps", () =>
    Effect.gen(function* () {
      const { order: find, placeOrder } = yield* client
      expect(yield* Effect.flip(placeOrder({ payload: of("spoon", 1) }))).toMatchObject({ _tag: "UnknownProduct" })
      expect(yield* Effect.flip(placeOrder({ payload: of("oven", 3) }))).toMatchObject({ _tag: "OutOfStock" })
      const dear = yield* Effect.forkChild(placeOrder({ payload: of("oven", 2) }), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      expect(yield* Effect.flip(Fiber.join(dear))).toMatchObject({ _tag: "PaymentDeclined", total: 179_800 })
      expect(yield* Effect.flip(find({ params: { id: OrderId.make(99) } }))).toMatchObject({ _tag: "UnknownOrder" })
    })
  )

  it.effect("gives back what a client that goes away had ordered", () =>
    Effect.gen(function* () {
      const { placeOrder, products } = yield* client
      const before = yield* products()
      const leaving = yield* Effect.forkChild(placeOrder({ payload: of("toaster", 4) }), { startImmediately: true })
      // The payment is held by then, and the label is not there.
      yield* TestClock.adjust("25 millis")
      const payments = yield* Payments
      expect((yield* payments.balance).held).toBe(14_000)
      expect(yield* products()).not.toEqual(before)
      yield* Fiber.interrupt(leaving)
      expect(yield* products()).toEqual(before)
      expect((yield* payments.balance).held).toBe(0)
    })
  )
})

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: { readonly stringValue?: string } }>
}

const body = async (request: IncomingMessage) => JSON.parse(Buffer.concat(await request.toArray()).toString())

/** A collector, which keeps the spans that are posted to it. */
const collector = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly spans: Array<Span>; readonly close: () => void }>((resume) => {
    const spans: Array<Span> = []
    const server = createServer(async (request, response) => {
      const posted = await body(request)
      if (request.url === "/v1/traces") {
        for (const { scopeSpans } of posted.resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans)
      }
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, spans, close: () => server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

/** The program, once it listens. Its scope kills it, should a test have left it running. */
const program = (env: Record<string, string>) =>
  Effect.acquireRelease(
    Effect.callback<{
      readonly url: string
      readonly kill: (signal: NodeJS.Signals) => void
      readonly ended: Promise<number | null>
    }>((resume) => {
      const main = fileURLToPath(new URL("./main.ts", import.meta.url))
      const child = spawn(process.execPath, [main], { env: { ...process.env, PORT: "0", ...env } })
      const ended = new Promise<number | null>((resolve) => child.once("exit", resolve))
      let printed = ""
      void ended.then(() => resume(Effect.die(new Error(printed))))
      child.stdout.on("data", (data) => {
        printed += data
        const url = /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0]
        if (url !== undefined) resume(Effect.succeed({ url, kill: (signal) => void child.kill(signal), ended }))
      })
    }),
    ({ kill }) => Effect.sync(() => kill("SIGKILL"))
  )

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "shop-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const post = (url: string, order: unknown, headers: Record<string, string> = {}) =>
  Effect.promise((signal) =>
    fetch(`${url}/orders`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(order),
      signal
    })
  )

it.live(
  "runs: an order over HTTP is one trace at the collector, and Ctrl-C leaves nothing",
  () =>
    Effect.gen(function* () {
      const path = yield* folder
      const { spans, url: endpoint } = yield* collector
      const running = yield* program({ DATABASE: join(path, "shop.db"), OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })

      const traceId = "0af7651916cd43dd8448eb211c80319c"
      const lines = ["kettle", "toaster", "oven"].map((sku) => ({ sku, quantity: 1 }))
      const order = { _tag: "PlaceOrder", customer: "Ada", lines }
      const answer = yield* post(running.url, order, { traceparent: `00-${traceId}-b7ad6b7169203331-01` })
      expect(answer.status).toBe(201)
      expect(yield* Effect.promise(() => answer.json())).toMatchObject({ _tag: "OrderPlaced", total: 98_300 })
      expect((yield* post(running.url, { ...order, lines: [] })).status).toBe(400)

      // One that is on its way: it is interrupted or answered, and nothing is half done.
      const late = yield* Effect.forkChild(Effect.exit(post(running.url, order)), { startImmediately: true })
      yield* Effect.sleep("20 millis")
      running.kill("SIGINT")
      expect(yield* Effect.promise(() => running.ended)).toBe(130)
      yield* Fiber.join(late)

      // SQLite's own files are gone, as the database was closed.
      expect(readdirSync(path)).toEqual(["shop.db"])
      const db = new DatabaseSync(join(path, "shop.db"))
      expect(db.prepare("SELECT count(*) AS open FROM orders WHERE status = 'reserved'").get()).toEqual({ open: 0 })
      db.close()

      const ours = spans.filter((span) => span.traceId === traceId)
      const parentOf = (span: Span) => ours.find(({ spanId }) => spanId === span.parentSpanId)
      const way = (span: Span | undefined): ReadonlyArray<string> =>
        span === undefined ? [] : [...way(parentOf(span)), span.name]
      const ways = new Set(ours.map((span) => way(span).join(" > ")))
      expect([...ways]).toEqual(
        expect.arrayContaining([
          "POST > workflow checkout > step reserve > Orders.reserve > sql.transaction",
          "POST > workflow checkout > step authorise > Payments.authorise",
          "POST > workflow checkout > step place > Orders.place"
        ])
      )
      // The three lines of the order were looked up by one query.
      const queries = ours.flatMap(({ attributes }) => attributes.filter(({ key }) => key === "db.query.text"))
      const ofProducts = queries.filter(({ value }) => value.stringValue?.startsWith("SELECT * FROM products"))
      expect(ofProducts).toHaveLength(1)
    }).pipe(Effect.scoped),
  { timeout: 60_000 }
)
