/**
 * The pool that everybody has written once: a few async functions that take from one list.
 */
import { setTimeout } from "node:timers/promises"
import { awaiting, type Candidate } from "../candidate.ts"
import { aliveMillis, chainLength, itemsAtOnce, sleepersAtOnce, sleepMillis } from "../workloads.ts"

const defaultWorkers = 4

const pool = async <A, B>(
  workers: number,
  items: ReadonlyArray<A>,
  work: (item: A) => B | Promise<B>
): Promise<ReadonlyArray<B>> => {
  const results = new Array<B>(items.length)
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index]!)
    }
  }
  await Promise.all(Array.from({ length: Math.min(workers, items.length) }, worker))
  return results
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)
const sumOf = (values: ReadonlyArray<number>) => values.reduce((sum, n) => sum + n, 0)

const seed = awaiting(async () => {
  const queries = [1, 2, 3].map((n) => ({ query: `Query ${n}` }))
  const answers = await pool(defaultWorkers, queries, ({ query }) => ({ result: query }))
  return answers.map(({ result }) => result).join(", ")
})

const fan = awaiting(async (count) => sumOf(await pool(defaultWorkers, numbers(count), (n) => 2 * n)))

const add = async (n: number) => n + 1

export default {
  seed,
  promises: seed,
  fan,
  gather: fan,
  loop: awaiting(async (count) => {
    let hops = 0
    for (let left = count; left > 0; left--) hops = await add(hops)
    return hops
  }),
  chain: awaiting(async (count) => {
    const through = async (n: number) => {
      let value = n
      for (let i = 0; i < chainLength; i++) value = await add(value)
      return value
    }
    return sumOf(await pool(defaultWorkers, numbers(count), through))
  }),
  sleepers: awaiting(async (count) =>
    sumOf(await pool(sleepersAtOnce, numbers(count), (n) => setTimeout(sleepMillis, n)))
  ),
  mixed: awaiting(async () => {
    const [a, b, c] = await Promise.all([(async () => "a")(), (async () => "b")(), (async () => "c")()])
    return `${c}, ${a}, ${b}`
  }),
  scopes: awaiting(async (count) => {
    const both = async (n: number) => {
      const [words, links] = await Promise.all([(async () => 2 * n)(), (async () => n + 1)()])
      return words + links
    }
    return sumOf(await pool(defaultWorkers, numbers(count), both))
  }),
  race: awaiting(async (count) => {
    const losers = new AbortController()
    const ask = async (mirror: number) => {
      if (mirror !== 1) await setTimeout(3_600_000, undefined, { signal: losers.signal })
      return mirror
    }
    try {
      return await Promise.race(numbers(count).map(ask))
    } finally {
      losers.abort()
    }
  }),
  alive: awaiting(async (count) =>
    sumOf(await Promise.all(Array.from({ length: count }, () => setTimeout(aliveMillis, 1))))
  ),
  million: awaiting(async (count) => {
    let next = 0
    let sum = 0
    const worker = async () => {
      while (next < count) {
        const doubled = await (async ({ n }: { readonly n: number }) => 2 * n)({ n: next++ })
        sum += doubled
      }
    }
    await Promise.all(Array.from({ length: itemsAtOnce }, worker))
    return sum
  })
} satisfies Candidate
