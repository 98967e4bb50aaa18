/**
 * `Effect.forEach` and similar: no events, no steps; the shape of the work is part of the program.
 */
import { Effect } from "effect"
import type { Candidate } from "../candidate.ts"
import { aliveMillis, chainLength, itemsAtOnce, sleepersAtOnce, sleepMillis } from "../workloads.ts"
import { atOnce, inOneFiber, inPromises } from "./effects.ts"

const defaultWorkers = 4

const seed = Effect.suspend(() =>
  Effect.map(
    Effect.forEach(
      [1, 2, 3].map((n) => ({ query: `Query ${n}` })),
      ({ query }) => Effect.succeed({ result: query }),
      { concurrency: defaultWorkers }
    ),
    (answers) => answers.map(({ result }) => result).join(", ")
  )
)

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)
const sumOf = (values: ReadonlyArray<number>) => values.reduce((sum, n) => sum + n, 0)

const fan = (count: number) =>
  Effect.map(
    Effect.forEach(numbers(count), (n) => Effect.succeed(2 * n), { concurrency: defaultWorkers }),
    sumOf
  )

const loop = (count: number) =>
  Effect.gen(function* () {
    let hops = 0
    for (let left = count; left > 0; left--) hops = yield* Effect.succeed(hops + 1)
    return hops
  })

const chain = (count: number) =>
  Effect.map(
    Effect.forEach(
      numbers(count),
      (n) =>
        Effect.gen(function* () {
          let value = n
          for (let i = 0; i < chainLength; i++) value = yield* Effect.succeed(value + 1)
          return value
        }),
      { concurrency: defaultWorkers }
    ),
    sumOf
  )

const sleepers = (count: number) =>
  Effect.map(
    Effect.forEach(numbers(count), (n) => Effect.as(Effect.sleep(sleepMillis), n), { concurrency: sleepersAtOnce }),
    sumOf
  )

const mixed = Effect.suspend(() =>
  Effect.map(
    Effect.all({ a: Effect.sync(() => "a"), b: Effect.sync(() => "b"), c: Effect.sync(() => "c") }, { concurrency: 3 }),
    ({ a, b, c }) => `${c}, ${a}, ${b}`
  )
)

const scopes = (count: number) =>
  Effect.map(
    Effect.forEach(
      numbers(count),
      (n) =>
        Effect.map(
          Effect.all([Effect.sync(() => 2 * n), Effect.sync(() => n + 1)], { concurrency: 2 }),
          ([words, links]) => words + links
        ),
      { concurrency: defaultWorkers }
    ),
    sumOf
  )

const race = (count: number) =>
  Effect.raceAll(
    numbers(count).map((mirror) => Effect.as(mirror === 1 ? Effect.yieldNow : Effect.sleep("1 hour"), mirror))
  )

const million = (count: number) =>
  Effect.suspend(() => {
    let sum = 0
    const items = function* () {
      for (let n = 0; n < count; n++) yield { n }
    }
    const add = ({ n }: { readonly n: number }) =>
      Effect.sync(() => {
        sum += 2 * n
      })
    return Effect.map(Effect.forEach(items(), add, { concurrency: itemsAtOnce, discard: true }), () => sum)
  })

export default {
  seed: inOneFiber(() => seed),
  promises: inPromises(() => seed),
  fan: inOneFiber(fan),
  gather: inOneFiber(fan),
  loop: inOneFiber(loop),
  chain: inOneFiber(chain),
  sleepers: inOneFiber(sleepers),
  mixed: inOneFiber(() => mixed),
  scopes: inOneFiber(scopes),
  race: inOneFiber(race),
  alive: atOnce(Effect.as(Effect.sleep(aliveMillis), 1)),
  million: inOneFiber(million)
} satisfies Candidate
