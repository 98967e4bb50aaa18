// A workflow behind an HTTP server without Effect: a closed request interrupts its run, the tags of the errors select
// the response, and outputs are streamed as they come.
//
//   node examples/http/hono.ts        then: curl 'localhost:3000/offers/kettle?shops=North,South'
//                                           curl -N 'localhost:3000/offers/kettle/events?shops=North,South'
import { pathToFileURL } from "node:url"
import { serve } from "@hono/node-server"
import { Hono } from "hono"
import { streamSSE } from "hono/streaming"
import { InvalidEvent, launchPromise, runPromise, WorkflowTimedOut } from "stepgraph"
import { comparePlain } from "./workflow.ts"

export const app = new Hono()

const shopsOf = (query: string | undefined) => (query ?? "").split(",").filter((shop) => shop !== "")

app.get("/offers/:item", async (c) => {
  const input = { item: c.req.param("item").trim(), shops: shopsOf(c.req.query("shops")) }
  return c.json(await runPromise(comparePlain, input, { signal: c.req.raw.signal }))
})

app.get("/offers/:item/events", async (c) => {
  const input = { item: c.req.param("item").trim(), shops: shopsOf(c.req.query("shops")) }
  // Report invalid input as an error before sending anything.
  const live = await launchPromise(comparePlain, input, { signal: c.req.raw.signal })
  return streamSSE(c, async (stream) => {
    stream.onAbort(() => live.interrupt())
    try {
      for await (const { _tag, ...event } of live.events)
        await stream.writeSSE({ event: _tag, data: JSON.stringify(event) })
    } catch (error) {
      // The run failed, so report that to the client, unless the client has gone and the run was interrupted for that.
      if (!stream.aborted) await stream.writeSSE({ event: "error", data: (error as Error).message.split("\n")[0]! })
    }
  })
})

app.onError((error, c) => {
  if (error instanceof InvalidEvent) return c.json({ error: error.problem }, 400)
  if (error instanceof WorkflowTimedOut) return c.json({ error: error.message }, 504)
  return c.json({ error: "something went wrong" }, 500)
})

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  serve({ fetch: app.fetch, port: 3000 }, ({ port }) => console.log(`http://localhost:${port}`))
}
