/**
 * What is measured of a candidate, in fresh stores and processes of its own.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as sleep } from "node:timers/promises"
import { median } from "../statistics.ts"
import type { Place } from "./candidate.ts"
import type { Contestant } from "./candidates.ts"
import { Process } from "./runner.ts"
import { type Postgres, type RestateServer, restate, sizeOf } from "./servers.ts"

export interface Sizes {
  readonly chain: number
  /** Chains at once, and the steps of each. */
  readonly many: readonly [number, number]
  readonly fan: number
  readonly fans: number
  readonly events: number
  readonly waits: number
  readonly replay: number
  /** Of the chain that is killed. */
  readonly killed: number
}

export const full: Sizes = {
  chain: 300,
  many: [50, 20],
  fan: 100,
  fans: 5,
  events: 9,
  waits: 1000,
  replay: 600,
  killed: 30
}
export const quick: Sizes = {
  chain: 100,
  many: [50, 5],
  fan: 100,
  fans: 2,
  events: 3,
  waits: 200,
  replay: 300,
  killed: 20
}

export const columns = [
  "chain",
  "many",
  "fan",
  "cpu",
  "killed",
  "again",
  "waits",
  "heap",
  "bytes",
  "event",
  "replay"
] as const
export type Column = (typeof columns)[number]
export type Figures = Partial<Record<Column, number>>

export interface Environment {
  readonly postgres: Postgres
  /** The server's program. */
  readonly restate: string
  /** What each process of a candidate performs. */
  readonly program: string
}

interface Store {
  readonly place: Place
  readonly cpu: () => number
  /** What is kept, in bytes. */
  readonly size: () => number
  readonly end: () => void
}

let databases = 0

const storeFor = async ({ store }: Contestant, { postgres, restate: bin }: Environment): Promise<Store> => {
  const folder = mkdtempSync(join(tmpdir(), "durable-"))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  if (store === "Postgres") {
    const name = `runs${databases++}`
    const url = postgres.database(name)
    return { place: { folder, postgres: url }, cpu: postgres.cpu, size: () => postgres.size(name), end: remove }
  }
  if (store === "Restate") {
    const server: RestateServer = await restate(bin, folder)
    return {
      place: { folder, restate: server },
      cpu: server.cpu,
      size: () => sizeOf(folder),
      end: () => {
        server.stop()
        remove()
      }
    }
  }
  const size = () => {
    if (store === "memory") return 0
    const db = new DatabaseSync(join(folder, "runs.db"), { timeout: 5000 })
    db.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return sizeOf(folder)
  }
  return { place: { folder }, cpu: () => 0, size, end: remove }
}

const inStore = async <A>(
  contestant: Contestant,
  environment: Environment,
  work: (store: Store, start: () => Process) => Promise<A>
): Promise<A> => {
  const store = await storeFor(contestant, environment)
  const processes: Array<Process> = []
  try {
    return await work(store, () => {
      const started = new Process(contestant.title, environment.program, contestant.file)
      processes.push(started)
      return started
    })
  } finally {
    for (const process of processes) await process.kill()
    store.end()
  }
}

/** How fast steps follow each other, and what they leave behind. */
export const speed = (contestant: Contestant, environment: Environment, sizes: Sizes): Promise<Figures> =>
  inStore(contestant, environment, async (store, start) => {
    const process = start()
    await process.do({ do: "open", place: store.place })
    await process.do({ do: "chain", steps: sizes.chain })
    await process.do({ do: "many", chains: 10, steps: 10 })
    await process.do({ do: "fan", items: sizes.fan })

    const before = store.size()
    const [chains, length] = sizes.many
    const many = await process.do({ do: "many", chains, steps: length })
    const bytes = (store.size() - before) / (chains * length)

    const busy = store.cpu()
    const chain = await process.do({ do: "chain", steps: sizes.chain })
    const cpu = chain.cpu + store.cpu() - busy

    const fans: Array<number> = []
    for (let i = 0; i < sizes.fans; i++) fans.push((await process.do({ do: "fan", items: sizes.fan })).millis[0]!)

    await process.do({ do: "wait", first: 0, runs: sizes.events + 1, steps: 0 })
    // So that even those that poll do wait.
    await sleep(1500)
    await process.do({ do: "answer", first: 0, runs: 1, steps: 0 })
    const events = await process.do({ do: "answer", first: 1, runs: sizes.events, steps: 0 })
    return {
      chain: chain.millis[0]! / sizes.chain,
      many: (chains * length * 1000) / many.millis[0]!,
      fan: median(fans),
      cpu: cpu / sizes.chain,
      ...(contestant.store === "memory" ? {} : { bytes }),
      event: median(events.millis)
    }
  })

/** How many runs wait, and what each of them weighs. */
export const waiting = (contestant: Contestant, environment: Environment, sizes: Sizes): Promise<Figures> =>
  inStore(contestant, environment, async (store, start) => {
    const process = start()
    await process.do({ do: "open", place: store.place })
    await process.do({ do: "wait", first: 0, runs: 100, steps: 0 })
    const before = await process.do({ do: "heap", after: contestant.settles ?? 1000 })
    const waits = await process.do({ do: "wait", first: 100, runs: sizes.waits, steps: 0 })
    const after = await process.do({ do: "heap", after: contestant.settles ?? 1000 })
    return { waits: waits.millis[0]! / 1000, heap: (after.heap - before.heap) / 1024 / sizes.waits }
  })

/** How long a new process takes until runs with so many steps behind them have gone on, in milliseconds. */
const cameBack = (contestant: Contestant, environment: Environment, runs: number, steps: number): Promise<number> =>
  inStore(contestant, environment, async (store, start) => {
    const before = start()
    await before.do({ do: "open", place: store.place })
    await before.do({ do: "wait", first: 0, runs, steps }, 120)
    await sleep(1000)
    await before.do({ do: "close" })
    await before.kill()
    const after = start()
    const open = await after.do({ do: "open", place: store.place })
    const answers = await after.do({ do: "answer", first: 0, runs, steps })
    return [...open.millis, ...answers.millis].reduce((sum, millis) => sum + millis, 0)
  })

/** What each step behind a run costs when it goes on in a new process. */
export const replay = async (contestant: Contestant, environment: Environment, sizes: Sizes): Promise<Figures> => {
  const runs = 4
  const short = await cameBack(contestant, environment, runs, 1)
  const long = await cameBack(contestant, environment, runs, sizes.replay)
  return { replay: Math.max(0, (long - short) / runs / (sizes.replay - 1)) }
}

/** From the start of a new process after a kill to the next step, and how many finished steps run again. */
export const killed = (contestant: Contestant, environment: Environment, sizes: Sizes): Promise<Figures> =>
  inStore(contestant, environment, async (store, start) => {
    const half = sizes.killed / 2
    const chain = { id: "killed", steps: sizes.killed }
    const first = start()
    await first.do({ do: "open", place: store.place, killed: true })
    const reached = new Promise<void>((resolve) => {
      first.onStep = (n) => n === half && resolve()
    })
    await first.do({ do: "begin", ...chain })
    await reached
    await first.kill()
    const begin = performance.now()
    const second = start()
    let next: number | undefined
    let again = 0
    second.onStep = (n) => {
      if (n < half) again++
      else next ??= performance.now() - begin
    }
    await second.do({ do: "open", place: store.place, killed: true })
    await second.do({ do: "goOn", ...chain }, 90)
    if (next === undefined) throw new Error(`${contestant.title}: no step ran after the kill`)
    return { killed: next, again }
  })
