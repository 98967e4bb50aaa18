// What runs cost that wait for a person: `waits 10000` starts them, starts the process again, and answers some, then all the rest.
import { fork } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join as path } from "node:path"
import { Schema } from "effect"
import { defineEvent, defineStep, join, workflow } from "stepgraph"
import { durable, openDurable } from "../src/index.ts"

const Draft = defineEvent("Draft", { text: Schema.String })
const Checked = defineEvent("Checked", { text: Schema.String })
const Approval = defineEvent("Approval", { by: Schema.String })
const Published = defineEvent("Published", { text: Schema.String, at: Schema.Number })
const posts = durable(
  workflow({
    name: "posts",
    start: Draft,
    stop: Published,
    inputs: [Approval],
    steps: {
      check: defineStep({ accepts: Draft, emits: Checked, run: ({ text }) => Checked({ text }) }),
      publish: defineStep({
        accepts: join([Checked, Approval]),
        emits: Published,
        run: ([{ text }, { by }]) => Published({ text: `${text}, approved by ${by}`, at: performance.now() })
      })
    }
  })
)

const memory = async () => {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    globalThis.gc?.()
  }
  const { heapUsed, rss } = process.memoryUsage()
  return { heapUsed, rss }
}
const timed = async <A>(work: () => Promise<A>): Promise<readonly [A, number]> => {
  const start = performance.now()
  const result = await work()
  return [result, performance.now() - start]
}

/** Starts the runs, and waits until each of them waits. */
const begin = async (sqlite: string, many: number) => {
  const [runs, opening] = await timed(() => openDurable({ sqlite }, [posts]))
  const before = await memory()
  const [, starting] = await timed(() =>
    Promise.all(Array.from({ length: many }, (_, i) => runs.start(posts, `post ${i}`, { text: `News ${i}` })))
  )
  const [, waiting] = await timed(async () => {
    // The last ones are kept in memory.
    for (let i = 0; i < many; ) {
      const { owner, journal } = await runs.stored(`post ${i}`).record()
      if (journal.length > 0 && (owner === undefined || i >= many - 64)) i++
      else await new Promise((resolve) => setTimeout(resolve, 2))
    }
  })
  const after = await memory()
  await runs.close()
  return {
    opening,
    starting,
    waiting,
    heap: (after.heapUsed - before.heapUsed) / many,
    resident: (after.rss - before.rss) / many
  }
}

/** Opens them in a new process, and answers: some at random, a thousand one after another, and the rest at once. */
const answer = async (sqlite: string, many: number) => {
  const before = await memory()
  const [runs, opening] = await timed(() => openDurable({ sqlite }, [posts]))
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const opened = await memory()
  const ids = Array.from({ length: many }, (_, i) => `post ${i}`).sort((a, b) => hash(a) - hash(b))
  const approve = async (id: string) => {
    const run = runs.run(posts, id)
    const sent = performance.now()
    await run.send(Approval({ by: "Ada" }))
    return (await run.result).at - sent
  }
  const times: Array<number> = []
  for (const id of ids.splice(0, Math.min(200, many / 10))) times.push(await approve(id))
  times.sort((a, b) => a - b)
  const inTurn = ids.splice(0, Math.min(1000, many / 2))
  const [, sequence] = await timed(async () => {
    for (const id of inTurn) await runs.run(posts, id).send(Approval({ by: "Bob" }))
    await Promise.all(inTurn.map((id) => runs.run(posts, id).result))
  })
  const [, rest] = await timed(() => Promise.all(ids.map(approve)))
  await runs.close()
  return {
    opening,
    heap: (opened.heapUsed - before.heapUsed) / many,
    p50: times[Math.floor(times.length / 2)]!,
    p99: times[Math.floor(times.length * 0.99)]!,
    sequence,
    sent: inTurn.length,
    rest,
    left: ids.length
  }
}
const hash = (text: string) =>
  [...text].reduce((hash, char) => Math.imul(hash ^ char.charCodeAt(0), 0x01000193), 1) >>> 0

const inProcess = <A>(...args: ReadonlyArray<string>): Promise<A> =>
  new Promise((resolve, reject) => {
    const child = fork(import.meta.filename, args, { execArgv: ["--expose-gc"] })
    child.once("message", (result) => resolve(result as A))
    child.once("exit", (code) => code !== 0 && reject(new Error(`a process ended with ${code}`)))
  })

const [what = "10000", sqlite, many] = process.argv.slice(2)
if (sqlite !== undefined) {
  process.send!(await (what === "begin" ? begin : answer)(sqlite, Number(many)))
  process.disconnect()
} else {
  const folder = mkdtempSync(path(tmpdir(), "waits-"))
  try {
    const file = path(folder, "runs.db")
    const first = await inProcess<Awaited<ReturnType<typeof begin>>>("begin", file, what)
    const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(path(folder, name)).size, 0)
    const second = await inProcess<Awaited<ReturnType<typeof answer>>>("answer", file, what)
    const ms = (millis: number) => `${millis.toFixed(millis < 100 ? 1 : 0)} ms`
    const each = (bytes: number) => `${Math.round(bytes)} bytes`
    console.log(`${what} runs that wait for a person, on SQLite
started in ${ms(first.starting)}, all of them waiting ${ms(first.waiting)} later
memory a waiting run: heap ${each(first.heap)}, resident ${each(first.resident)}; after the restart: heap ${each(second.heap)}
on disk a run: ${each(bytes / Number(what))}
opened after the restart in ${ms(second.opening)}
from answer to going on: p50 ${ms(second.p50)}, p99 ${ms(second.p99)}
${second.sent} answers one after another, and all of these runs ended: ${ms(second.sequence)}
the other ${second.left} at once: ${ms(second.rest)}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
