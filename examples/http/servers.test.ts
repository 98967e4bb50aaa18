// Both servers as a client meets them, over HTTP.
import type { AddressInfo } from "node:net"
import { serve } from "@hono/node-server"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { dispose, handler } from "./effect.ts"
import { app } from "./hono.ts"
import { interrupted } from "./workflow.ts"

vi.setConfig({ testTimeout: 30_000 })

const kinds = { "effect/http-api": (request: Request) => handler(request), Hono: app.fetch }

describe.each(Object.entries(kinds))("the server of %s", (kind, fetchOf) => {
  let url: string
  const server = serve({ fetch: fetchOf, port: 0 })

  beforeAll(async () => {
    if (!server.listening) await new Promise((resume) => server.once("listening", resume))
    url = `http://localhost:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    await new Promise((resume) => server.close(resume))
    if (kind !== "Hono") await dispose()
  })

  it("answers with the run's result", async () => {
    const answer = await fetch(`${url}/offers/kettle?shops=North,Far,closed`)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ _tag: "Offer", shop: "Far", price: 9 })
    expect(await (await fetch(`${url}/offers/kettle?shops=closed`)).json()).toEqual({ _tag: "NoOffer" })
  })

  it("answers many requests at once, each with a separate run", async () => {
    const items = Array.from({ length: 200 }, (_, n) => "x".repeat((n % 50) + 1))
    const answers = await Promise.all(
      items.map(async (item) => (await (await fetch(`${url}/offers/${item}?shops=North`)).json()) as { price: number })
    )
    expect(answers.map(({ price }) => price)).toEqual(items.map((item) => item.length + 5))
  })

  it("reports that a run took too long", async () => {
    const answer = await fetch(`${url}/offers/kettle?shops=North,never`)
    expect(answer.status).toBe(504)
    expect(await answer.text()).toContain("took longer than its timeout of 1s")
  })

  it("interrupts the run of a client that goes away, and answers the next one", async () => {
    const before = interrupted.count
    const gone = new AbortController()
    const asking = fetch(`${url}/offers/kettle?shops=never`, { signal: gone.signal })
    // Well before the run's own timeout of one second.
    await new Promise((resume) => setTimeout(resume, 100))
    gone.abort()
    await expect(asking).rejects.toThrow("aborted")
    const began = performance.now()
    while (interrupted.count === before && performance.now() - began < 700) {
      await new Promise((resume) => setTimeout(resume, 5))
    }
    expect(interrupted.count).toBe(before + 1)
    expect((await fetch(`${url}/offers/kettle?shops=North`)).status).toBe(200)
  })

  it("refuses invalid input", async () => {
    expect((await fetch(`${url}/offers/%20?shops=North`)).status).toBe(kind === "Hono" ? 400 : 200)
    expect((await fetch(`${url}/nowhere`)).status).toBe(404)
  })
})

describe("the server of Hono", () => {
  it("streams outputs as they come", async () => {
    const answer = await app.request("/offers/kettle/events?shops=North,Far")
    expect((await answer.text()).trim().split("\n\n")).toEqual([
      'event: Price\ndata: {"shop":"North","price":11}',
      'event: Price\ndata: {"shop":"Far","price":9}',
      'event: Offer\ndata: {"shop":"Far","price":9}'
    ])
  })

  it("ends the stream with an error if the run fails", async () => {
    const answer = await app.request("/offers/kettle/events?shops=North,never")
    expect((await answer.text()).trim().split("\n\n")).toEqual([
      'event: Price\ndata: {"shop":"North","price":11}',
      "event: error\ndata: workflow 'compare' took longer than its timeout of 1s. What it was doing:"
    ])
  })

  it("interrupts the run of a listener that disconnects", async () => {
    const before = interrupted.count
    const answer = await app.request("/offers/kettle/events?shops=North,never")
    const reader = answer.body!.getReader()
    await reader.read()
    await reader.cancel()
    await new Promise((resume) => setTimeout(resume, 20))
    expect(interrupted.count).toBe(before + 1)
  })

  it("interrupts the run of a closed request", async () => {
    const gone = new AbortController()
    const asking = app.request("/offers/kettle?shops=never", { signal: gone.signal })
    const began = performance.now()
    gone.abort()
    expect((await asking).status).toBe(500)
    expect(performance.now() - began).toBeLessThan(500)
  })
})
