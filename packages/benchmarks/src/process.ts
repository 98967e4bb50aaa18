/**
 * The process of one candidate: executes requests and reports their duration.
 */
import type { Candidate } from "./candidate.ts"
import type { Name } from "./workloads.ts"

/** A request to the process. */
export interface Order {
  readonly name: Name
  readonly size: number
  readonly times: number
  readonly answer: number | string
}

/** A report from the process. */
export type Report =
  | { readonly millis: number; readonly cpu: number; readonly memory: number; readonly heap: number }
  | { readonly wrong: string }
  | { readonly ready: ReadonlyArray<Name> }

const file = process.argv[2]!
const candidate: Candidate = (await import(file)).default

/** The largest heap, sampled while the event loop turns. */
const watchHeap = () => {
  let most = process.memoryUsage().heapUsed
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().heapUsed)), 20)
  return () => {
    clearInterval(timer)
    return most
  }
}

const carryOut = async ({ name, size, times, answer }: Order): Promise<Report> => {
  const contest = candidate[name]!
  let answers = 0
  const check = (given: number | string) => {
    answers++
    if (given !== answer) throw new Error(`answered ${given} instead of ${answer}`)
  }
  // A full collection seems to discard each candidate's compiled code: it made them up to three times as slow.
  globalThis.gc?.({ type: "minor" })
  const before = process.memoryUsage().heapUsed
  const heap = name === "alive" ? watchHeap() : () => before
  const busy = process.cpuUsage()
  const start = performance.now()
  try {
    await contest(size, times, check)
    const millis = performance.now() - start
    const { user, system } = process.cpuUsage(busy)
    if (answers !== times) throw new Error(`gave ${answers} answers instead of ${times}`)
    return {
      millis,
      cpu: (user + system) / 1000,
      memory: process.resourceUsage().maxRSS / 1024,
      heap: (heap() - before) / 1024 / 1024
    }
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) }
  }
}

const say = (report: Report) => process.send!(report)
process.on("message", async (order: Order) => say(await carryOut(order)))
say({ ready: Object.keys(candidate) as ReadonlyArray<Name> })
