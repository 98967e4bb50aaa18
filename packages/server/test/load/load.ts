/**
 * Measures a server on this machine: many runs at once, and many readers of one run.
 *
 * `pnpm --filter @stepgraph/server load [runs] [readers]`
 */
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { listen } from "@stepgraph/server/node"
import { count, publish } from "../flows.ts"

const auth = "none" as const
const [runs = 200, readers = 1000] = process.argv.slice(2).map(Number)
const serving = process.argv.includes("--serve")

if (serving) {
  const server = await listen({ workflows: [count, publish], auth, port: 0 })
  process.on("message", () => process.send!({ rss: process.memoryUsage().rss, cpu: process.cpuUsage() }))
  process.on("disconnect", () => process.exit())
  process.send!({ url: server.url })
} else {
  const child = fork(fileURLToPath(import.meta.url), ["--serve"], { stdio: "inherit" })
  const message = <A>() => new Promise<A>((resolve) => child.once("message", (message) => resolve(message as A)))
  const { url } = await message<{ readonly url: string }>()
  const usage = () => {
    const answer = message<{ readonly rss: number; readonly cpu: NodeJS.CpuUsage }>()
    child.send("usage")
    return answer
  }
  const post = async (path: string, body: unknown): Promise<any> => {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    const text = await response.text()
    return text === "" ? undefined : JSON.parse(text)
  }
  const measured = async <A>(what: string, work: () => Promise<A>): Promise<A> => {
    const before = await usage()
    const began = performance.now()
    const result = await work()
    const millis = performance.now() - began
    const after = await usage()
    const cpu = (after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / 1000
    const memory = (after.rss - before.rss) / 2 ** 20
    console.log(
      `${what}: ${millis.toFixed(0)} ms, ${cpu.toFixed(0)} ms of the server's CPU, ${memory.toFixed(0)} MB more memory`
    )
    return result
  }
  const times = (n: number, work: () => Promise<unknown>) => Promise.all(Array.from({ length: n }, work))

  await times(20, () => post("/api/workflows/count/runs?wait=30s", { to: 10, millis: 0 }))
  await measured(`${runs} runs of 10 events at once, each to its end`, () =>
    times(runs, async () => {
      const { status } = await post("/api/workflows/count/runs?wait=30s", { to: 10, millis: 0 })
      if (status !== "stopped") throw new Error(status)
    })
  )

  const { id } = await post("/api/workflows/publish/runs", { text: "News" })
  let seen = 0
  let all = () => {}
  const seenByAll = new Promise<void>((resolve) => {
    all = resolve
  })
  let bytes = 0
  const open = async () => {
    const response = await fetch(`${url}/api/runs/${id}/trace`)
    const reader = response.body!.getReader()
    const { value } = await reader.read()
    bytes += value?.length ?? 0
    if (++seen === readers) all()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      bytes += value.length
    }
  }
  let ended: Promise<unknown> = Promise.resolve()
  await measured(`${readers} readers of a waiting run, until each has its first records`, () => {
    ended = times(readers, open)
    return seenByAll
  })
  await measured(`then an input, until each has read the end`, async () => {
    await post(`/api/runs/${id}/inputs`, { _tag: "Approval", by: "Ada" })
    await ended
  })
  console.log(`${(bytes / readers / 1024).toFixed(1)} kB for each reader`)

  const many = await post("/api/workflows/count/runs?wait=30s", { to: 2_000, millis: 0 })
  const late = 50
  await measured(`${late} late readers of the 2,000 events of a run`, () =>
    times(late, async () => {
      const text = await (await fetch(`${url}/api/runs/${many.id}/events`)).text()
      if (!text.includes("id: 2002\n")) throw new Error("incomplete")
    })
  )
  child.disconnect()
}
