import { setTimeout } from "node:timers/promises"
import PQueue from "p-queue"
import { awaiting, type Candidate } from "../src/candidate.ts"
import { aliveMillis, chainLength, itemsAtOnce, sleepersAtOnce, sleepMillis } from "../src/workloads.ts"

const defaultWorkers = 4

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)
const sumOf = (values: ReadonlyArray<number>) => values.reduce((sum, n) => sum + n, 0)

const seed = awaiting(async () => {
  const queue = new PQueue({ concurrency: defaultWorkers })
  const queries = [1, 2, 3].map((n) => ({ query: `Query ${n}` }))
  const answers = await queue.addAll(
    queries.map(({ query }) => async () => ({ result: query }))
  )
  return answers.map(({ result }) => result).join(", ")
})

const fan = awaiting(async (count) => {
  const queue = new PQueue({ concurrency: defaultWorkers })
  return sumOf(await queue.addAll(numbers(count).map((n) => async () => 2 * n)))
})

export default {
  seed,
  promises: seed,
  fan,
  gather: fan,
  loop: awaiting(async (count) => {
    const queue = new PQueue({ concurrency: defaultWorkers })
    let hops = 0
    for (let left = count; left > 0; left--) hops = await queue.add(async () => hops + 1)
    return hops
  }),
  chain: awaiting(async (count) => {
    const queues = Array.from({ length: chainLength }, () => new PQueue({ concurrency: defaultWorkers }))
    const through = async (n: number) => {
      let value = n
      for (const queue of queues) value = await queue.add(async () => value + 1)
      return value
    }
    return sumOf(await Promise.all(numbers(count).map(through)))
  }),
  sleepers: awaiting(async (count) => {
    const queue = new PQueue({ concurrency: sleepersAtOnce })
    return sumOf(await queue.addAll(numbers(count).map((n) => () => setTimeout(sleepMillis, n))))
  }),
  mixed: awaiting(async () => {
    const queue = new PQueue({ concurrency: defaultWorkers })
    const [a, b, c] = await queue.addAll([async () => "a", async () => "b", async () => "c"])
    return `${c}, ${a}, ${b}`
  }),
  scopes: awaiting(async (count) => {
    const words = new PQueue({ concurrency: defaultWorkers })
    const links = new PQueue({ concurrency: defaultWorkers })
    const both = async (n: number) => {
      const [left, right] = await Promise.all([words.add(async () => 2 * n), links.add(async () => n + 1)])
      return left + right
    }
    return sumOf(await Promise.all(numbers(count).map(both)))
  }),
  race: awaiting(async (count) => {
    const queue = new PQueue({ concurrency: defaultWorkers })
    const losers = new AbortController()
    const ask = (mirror: number) =>
      queue.add(
        async ({ signal }) => {
          if (mirror !== 1) await setTimeout(3_600_000, undefined, { signal: signal! })
          return mirror
        },
        { signal: losers.signal }
      )
    const asked = numbers(count).map(ask)
    for (const one of asked) one.catch(() => {})
    const first = await Promise.race(asked)
    losers.abort()
    return first
  }),
  alive: awaiting(async (count) => {
    const nap = () => new PQueue({ concurrency: defaultWorkers }).add(() => setTimeout(aliveMillis, 1))
    return sumOf(await Promise.all(Array.from({ length: count }, nap)))
  }),
  million: awaiting(async (count) => {
    const queue = new PQueue({ concurrency: itemsAtOnce })
    let sum = 0
    for (let n = 0; n < count; n++) {
      await queue.onSizeLessThan(1024)
      void queue.add(async () => {
        sum += 2 * n
      })
    }
    await queue.onIdle()
    return sum
  })
} satisfies Candidate
