/**
 * The process of one candidate: does what it is told, and says how long that took.
 */

import { writeSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { type Candidate, type Engine, type Place, Signals } from "./candidate.ts"

export type Order =
  | { readonly do: "open"; readonly place: Place; readonly killed?: boolean }
  | { readonly do: "chain"; readonly steps: number }
  | { readonly do: "many"; readonly chains: number; readonly steps: number }
  | { readonly do: "fan"; readonly items: number }
  /** So many runs that wait, after so many steps each: named from `first` on. */
  | { readonly do: "wait"; readonly first: number; readonly runs: number; readonly steps: number }
  /** One event after another. */
  | { readonly do: "answer"; readonly first: number; readonly runs: number; readonly steps: number }
  | { readonly do: "heap"; readonly after: number }
  | { readonly do: "begin" | "goOn"; readonly id: string; readonly steps: number }
  | { readonly do: "close" }

export type Report =
  | {
      /** Milliseconds; of answers, one each. */
      readonly millis: ReadonlyArray<number>
      /** Microseconds of this process. */
      readonly cpu: number
      readonly heap: number
    }
  | { readonly wrong: string }

/** A step of a run that is killed takes this long, so that the kill comes in the middle of one. */
const killedStep = 5

let engine: Engine | undefined
let place = 0
let first = 0
let last = 0
let killed = false
const going = new Signals<number>()

const step = (n: number): Promise<void> | undefined => {
  last = performance.now()
  if (first === 0) first = last
  if (!killed) return undefined
  // At once, whatever happens next to this process.
  writeSync(1, `${n}\n`)
  return sleep(killedStep)
}
const went = (id: string) => going.give(id, performance.now())

/** Some candidates have a workflow of its own for runs that do something before they wait. */
const waiting = (steps: number, n: number): string => `${steps === 0 ? "wait" : "walk"}-${n}`

const expect = (answer: number, expected: number) => {
  if (answer !== expected) throw new Error(`answered ${answer} instead of ${expected}`)
}

/** From the first step to the last one, for each step after the first: what a caller waits for in between does not count. */
const within = async (steps: number, work: () => Promise<unknown>): Promise<ReadonlyArray<number>> => {
  first = 0
  await work()
  return [((last - first) * steps) / (steps - 1)]
}

const carryOut = async (order: Order): Promise<ReadonlyArray<number>> => {
  const begin = performance.now()
  const took = () => [performance.now() - begin]
  const name = (kind: string) => `${kind}-${process.pid}-${place++}`
  switch (order.do) {
    case "open": {
      killed = order.killed === true
      const { default: candidate } = (await import(process.argv[2]!)) as { readonly default: Candidate }
      engine = await candidate.open(order.place, { step, went })
      return took()
    }
    case "chain":
      return within(order.steps, async () => expect(await engine!.chain(name("chain"), order.steps), order.steps))
    case "many": {
      const chain = async () => expect(await engine!.chain(name("chain"), order.steps), order.steps)
      return within(order.chains * order.steps, () => Promise.all(Array.from({ length: order.chains }, chain)))
    }
    case "fan":
      expect(await engine!.fan(name("fan"), order.items), order.items)
      return took()
    case "wait": {
      const wait = (_: unknown, i: number) => engine!.wait(waiting(order.steps, order.first + i), order.steps)
      await Promise.all(Array.from({ length: order.runs }, wait))
      return took()
    }
    case "answer": {
      const millis: Array<number> = []
      for (let i = 0; i < order.runs; i++) {
        const id = waiting(order.steps, order.first + i)
        const sent = performance.now()
        const [at] = await Promise.all([going.await(id), engine!.answer(id)])
        millis.push(at - sent)
      }
      return millis
    }
    case "heap":
      await sleep(order.after)
      return []
    case "begin":
      engine!.chain(order.id, order.steps).catch(() => {})
      return []
    case "goOn":
      await engine!.goOn(order.id, order.steps)
      return took()
    case "close":
      await engine!.close()
      return took()
  }
}

const used = async () => {
  // Twice: what the first collection finds may hold more.
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.()
    await sleep(50)
  }
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

// Nobody is left to tell: the benchmark was stopped.
process.on("disconnect", () => process.exit())
process.on("message", async (order: Order) => {
  const busy = process.cpuUsage()
  let report: Report
  try {
    const millis = await carryOut(order)
    const { system, user } = process.cpuUsage(busy)
    report = { millis, cpu: user + system, heap: order.do === "heap" ? await used() : 0 }
  } catch (error) {
    report = {
      wrong: error instanceof Error ? `${error.message}${error.cause ? `: ${error.cause}` : ""}` : String(error)
    }
  }
  process.send!(report)
})
