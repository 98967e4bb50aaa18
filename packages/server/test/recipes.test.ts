// The recipes of the page, each in the framework itself.
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { layerServe, serve } from "@stepgraph/server"
import { connect } from "@stepgraph/server/client"
import { toNodeListener } from "@stepgraph/server/node"
import { Context, Effect, Layer } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import express from "express"
import fastify from "fastify"
import { Hono } from "hono"
import { defineEvent, defineStep, workflow } from "stepgraph"
import { expect, it } from "vitest"
import { Approval, publish } from "./flows.ts"

const served = () => serve({ workflows: [publish], auth: "none", path: "/flows" })

/** Starts a run by its URL, reads it live, answers it, and follows its Location. */
const uses = async (url: string) => {
  const remote = connect<typeof publish>({ url: `${url}/flows`, workflow: "publish" })
  const run = await remote.start({ text: "News" })
  const seen: Array<string> = []
  for await (const event of run.events) {
    seen.push(event._tag)
    if (seen.length === 2) await run.send(Approval({ by: "Ada" }))
  }
  expect(seen).toEqual(["Progress", "Progress", "Published"])
  const response = await fetch(`${url}/flows/api/workflows/publish/runs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"text":"News"}'
  })
  const { id } = (await response.json()) as { readonly id: string }
  const there = await fetch(new URL(response.headers.get("location")!, response.url))
  expect(((await there.json()) as { readonly id: string }).id).toBe(id)
  expect((await fetch(`${url}/flows/api/runs/nothing`)).status).toBe(404)
}

const listening = async (server: Server) => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${port}`, [Symbol.dispose]: close }
}

it("Node's own server", async () => {
  await using handler = served()
  using server = await listening(createServer(toNodeListener(handler)))
  await uses(server.url)
})

it("Express", async () => {
  await using handler = served()
  const app = express()
  app.use("/flows", toNodeListener(handler))
  using server = await listening(createServer(app))
  await uses(server.url)
})

it("Fastify", async () => {
  await using handler = served()
  const app = fastify()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser("*", (_request, _body, done) => done(null))
  app.all("/flows/*", (request, reply) => {
    reply.hijack()
    toNodeListener(handler)(request.raw, reply.raw)
  })
  try {
    await uses(await app.listen({ port: 0, host: "127.0.0.1" }))
  } finally {
    app.server.closeAllConnections()
    await app.close()
  }
})

it("Hono", async () => {
  await using handler = served()
  const app = new Hono()
  app.all("/flows/*", (c) => handler(c.req.raw))
  using server = await listening(createServer(toNodeListener(async (request) => app.fetch(request))))
  await uses(server.url)
})

it("Next, whose routes are functions of a Request", async () => {
  await using handler = served()
  const route: Record<string, (request: Request) => Promise<Response>> = {
    GET: handler,
    POST: handler,
    DELETE: handler
  }
  using server = await listening(createServer(toNodeListener(async (request) => route[request.method]!(request))))
  await uses(server.url)
})

it("Effect: a layer of an HttpRouter, whose steps have its services", async () => {
  class Greeting extends Context.Service<Greeting, { readonly word: string }>()("test/Greeting") {}
  const Start = defineEvent("Start")
  const Stop = defineEvent("Stop")
  const words: Array<string> = []
  const flow = workflow({
    name: "greet",
    start: Start,
    stop: Stop,
    steps: {
      greet: defineStep({
        accepts: Start,
        emits: Stop,
        run: () =>
          Effect.map(Greeting, ({ word }) => {
            words.push(word)
            return Stop()
          })
      })
    }
  })
  const routes = layerServe({ workflows: [flow, publish], auth: "none", path: "/flows" }).pipe(
    Layer.provide(Layer.succeed(Greeting, { word: "Hello" })),
    Layer.provide(HttpServer.layerServices)
  )
  const { dispose, handler } = HttpRouter.toWebHandler(routes, { disableLogger: true })
  try {
    using server = await listening(createServer(toNodeListener(handler)))
    await uses(server.url)
    const run = await connect<typeof flow>({ url: `${server.url}/flows`, workflow: "greet" }).start({})
    expect([(await run.result)._tag, words]).toEqual(["Stop", ["Hello"]])
  } finally {
    await dispose()
  }
  // @ts-expect-error: without its services, the compiler says so.
  const without = () => serve({ workflows: [flow], auth: "none" })
  expect(without).toBeTypeOf("function")
})

it("a handler that fails answers with 500, and with nothing of its error", async () => {
  using server = await listening(createServer(toNodeListener(() => Promise.reject(new Error("the password is hush")))))
  const response = await fetch(server.url)
  expect([response.status, await response.text()]).toEqual([500, ""])
})
