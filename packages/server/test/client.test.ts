import { createServer, connect as open, type Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { bearer } from "@stepgraph/server"
import { connect, type Outcome, type RemoteRun } from "@stepgraph/server/client"
import { listen } from "@stepgraph/server/node"
import { build } from "esbuild"
import { type AnyWorkflow, launchPromise } from "stepgraph"
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest"
import * as flows from "./flows.ts"
import { Approval, type buy, type count, type publish } from "./flows.ts"

let server: Awaited<ReturnType<typeof listen>>
beforeAll(async () => {
  const workflows = [flows.publish, flows.count, flows.buy]
  server = await listen({ workflows, auth: bearer("secret"), port: 0, heartbeat: 10 })
})
afterAll(() => server.close())

const to = <W extends AnyWorkflow>(workflow: string, url = server.url) => connect<W>({ url, workflow, token: "secret" })

const all = async <A>(events: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const seen: Array<A> = []
  for await (const event of events) seen.push(event)
  return seen
}

/** A connection of the server's, cut after so many bytes of its answers. `undefined` leaves it whole. */
const cutting = async (cuts: (connection: number) => number | undefined) => {
  let connections = 0
  const sockets = new Set<Socket>()
  const proxy = createServer((near) => {
    sockets.add(near)
    const cut = cuts(connections++)
    const far = open(server.port, "127.0.0.1")
    let left = cut ?? Number.POSITIVE_INFINITY
    near.on("error", () => far.destroy())
    far.on("error", () => near.destroy())
    near.on("close", () => far.destroy())
    far.on("close", () => near.end())
    near.pipe(far)
    far.on("data", (data) => {
      const some = data.subarray(0, left)
      left -= some.length
      // What was let through arrives; then the connection is gone.
      near.write(some, () => left <= 0 && near.destroy())
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve))
  const { port } = proxy.address() as { readonly port: number }
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => proxy.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}`, connections: () => connections, close }
}

describe("a remote run", () => {
  it("does what the handle of launchPromise does", async () => {
    const remote = await to<typeof publish>("publish").start({ text: "News" })
    const local = await launchPromise(flows.publish, { text: "News" })
    const { state, waiting } = await remote.status()
    expect([state, waiting]).toEqual([(await local.status()).state, (await local.status()).waiting])
    await remote.send(Approval({ by: "Ada" }))
    await local.send(Approval({ by: "Ada" }))
    expect(await remote.result).toEqual(await local.result)
    expect(await all(remote.events)).toEqual(await all(local.events))
    // Each iteration has all of them.
    expect(await all(remote.events)).toHaveLength(3)
    expect((await remote.status()).state).toBe("ended")
  })

  it("fails with the tagged errors of the run and of the handle", async () => {
    const expensive = await to<typeof buy>("buy").start({ price: 200 })
    await expect(expensive.result).rejects.toMatchObject({ _tag: "TooExpensive", name: "TooExpensive", price: 200 })
    await expect(all(expensive.events)).rejects.toMatchObject({ _tag: "TooExpensive", price: 200 })
    expect(await expensive.outcome()).toMatchObject({ status: "failed", error: { _tag: "TooExpensive", price: 200 } })
    await expect(to<any>("publish").start({ text: 1 } as never)).rejects.toMatchObject({
      _tag: "InvalidEvent",
      tag: "Draft",
      message: expect.stringContaining("event 'Draft' does not fit its schema")
    })
    const run = await to<typeof publish>("publish").start({ text: "News" })
    await expect(run.send({ _tag: "Approval" } as never)).rejects.toMatchObject({ _tag: "InvalidEvent" })
    await run.closeInputs()
    await expect(run.send(Approval({ by: "Ada" }))).rejects.toMatchObject({ _tag: "RunEnded", workflow: "publish" })
    await expect(run.result).rejects.toMatchObject({ _tag: "WorkflowStalled" })
    const interrupted = await to<typeof publish>("publish").start({ text: "News" })
    await interrupted.interrupt()
    await expect(interrupted.result).rejects.toMatchObject({
      name: "AbortError",
      message: "workflow 'publish' was interrupted"
    })
    expect(await interrupted.outcome()).toEqual({ status: "interrupted" })
  })

  it("says what the server refused, and that it cannot be reached", async () => {
    const unknown = connect<typeof publish>({ url: server.url, workflow: "publish", token: "wrong" })
    await expect(unknown.start({ text: "News" })).rejects.toThrow(
      "POST /api/workflows/publish/runs: the server answered 401: Unauthorized"
    )
    await expect(to<typeof publish>("publish").run("nothing").result).rejects.toThrow(
      "GET /api/runs/nothing: the server answered 404: there is no such run, or it is not yours"
    )
    const nobody = connect<typeof publish>({ url: "http://127.0.0.1:1", workflow: "publish", retries: 1 })
    await expect(nobody.start({ text: "News" })).rejects.toThrow(
      "POST /api/workflows/publish/runs: the server could not be reached in 2 tries: fetch failed"
    )
  })

  it("does not show a token that cannot be sent, nor tries it again", async () => {
    for (const token of ["hunter2\nx", "hunter2…"]) {
      const broken = connect<typeof publish>({ url: server.url, workflow: "publish", token, retries: 1_000 })
      const sending = broken.start({ text: "News" })
      await expect(sending).rejects.toThrow(
        "the token or the key of a request has characters that no HTTP header may have"
      )
      await expect(sending).rejects.not.toThrow("hunter2")
    }
    const url = "http://ada:hunter2@localhost:4270"
    expect(() => connect<typeof publish>({ url, workflow: "publish" })).toThrow(
      "connect: the URL has a name or a password, which no request may have: use token"
    )
  })

  it("does not pass over events that the server no longer keeps", async () => {
    await using small = await listen({ workflows: [flows.count], auth: "none", port: 0, runs: { size: 8_000 } })
    const run = await to<typeof count>("count", small.url).start({ to: 500, millis: 0 })
    expect((await run.result).total).toBe(500)
    await expect(all(run.events)).rejects.toThrow(
      /^\d+ events of the run are no longer kept by the server: read them earlier, or let it keep more \(runs: \{ size \}\)$/
    )
  })

  it("knows by types what may be sent and what comes back, as JSON", () => {
    type Count = RemoteRun<typeof count>
    expectTypeOf<Awaited<Count["result"]>>().toEqualTypeOf<{
      readonly _tag: "Total"
      readonly total: number
      readonly at: string
    }>()
    expectTypeOf<Parameters<RemoteRun<typeof publish>["send"]>[0]>().toEqualTypeOf<{
      readonly _tag: "Approval"
      readonly by: string
    }>()
    type Failed = Extract<Outcome<typeof buy>, { readonly status: "failed" }>["error"]
    expectTypeOf<Extract<Failed, { readonly _tag: "TooExpensive" }>["price"]>().toEqualTypeOf<number>()
  })
})

describe("a broken connection", () => {
  it("loses no event and repeats none, wherever it breaks", async () => {
    const { id } = await to<typeof count>("count").start({ to: 20, millis: 0 })
    const whole = await all(to<typeof count>("count").run(id).events)
    expect(whole).toHaveLength(21)
    const raw = await fetch(`${server.url}/api/runs/${id}/events`, {
      headers: { authorization: "Bearer secret", accept: "application/x-ndjson" }
    })
    const size = 500 + (await raw.text()).length
    // Every 11th byte of the answer, so that each record is cut inside, between, and not at all.
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        for (let cut = 1 + worker * 11; cut < size; cut += 88) {
          const { close, url } = await cutting((connection) => (connection === 0 ? cut : undefined))
          expect([cut, await all(to<typeof count>("count", url).run(id).events)]).toEqual([cut, whole])
          await close()
        }
      })
    )
  })

  it("loses no event of a live run, if it breaks after every record", async () => {
    // Room for the head of an answer and one record: each connection brings one or two, the rest is cut.
    const { close, connections, url } = await cutting(() => 420)
    const { id } = await to<typeof count>("count").start({ to: 15, millis: 2 })
    const seen = await all(to<typeof count>("count", url).run(id).events)
    expect(seen.map((event) => ("n" in event ? event.n : event._tag))).toEqual([
      ...Array.from({ length: 15 }, (_, n) => n + 1),
      "Total"
    ])
    expect(connections()).toBeGreaterThan(5)
    await close()
  })

  it("does not start a second run, nor send an event twice", async () => {
    // The request arrives; its answer does not.
    const first = () => cutting((connection) => (connection === 0 ? 1 : undefined))
    const [starting, sending] = [await first(), await first()]
    const before = await runs()
    const { id } = await to<typeof publish>("publish", starting.url).start({ text: "Once" })
    expect(await runs()).toBe(before + 1)
    // The first of them ends the run: a second would find that it is over.
    await to<typeof publish>("publish", sending.url)
      .run(id)
      .send(Approval({ by: "Ada" }))
    expect((await to<typeof publish>("publish").run(id).result).text).toBe("Once, approved by Ada")
    expect([starting.connections(), sending.connections()]).toEqual([2, 2])
    await starting.close()
    await sending.close()
  })
})

const runs = async (): Promise<number> => {
  const url = `${server.url}/api/runs?workflow=publish&q=Once&limit=500`
  const page: any = await (await fetch(url, { headers: { authorization: "Bearer secret" } })).json()
  return page.runs.length
}

it("the client is a few kB, without any import", async () => {
  const entry = fileURLToPath(new URL("../src/Client.ts", import.meta.url))
  const { metafile, outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    metafile: true,
    write: false
  })
  expect(Object.keys(metafile.inputs).filter((path) => !path.includes("packages/server/src"))).toEqual([])
  expect(gzipSync(outputFiles[0]!.contents).length).toBeLessThan(3_000)
})
