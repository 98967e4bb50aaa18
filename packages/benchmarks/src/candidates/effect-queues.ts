/**
 * Effect without an engine: a queue in front of each step, workers that take from it forever, and a scope around
 * everything, so nothing outlives the run.
 */
import { Deferred, Effect, Queue, Ref, type Scope } from "effect"
import type { Candidate } from "../candidate.ts"
import { aliveMillis, chainLength, itemsAtOnce, sleepersAtOnce, sleepMillis } from "../workloads.ts"
import { atOnce, inOneFiber, inPromises } from "./effects.ts"

/** stepgraph's default number of workers. */
const defaultWorkers = 4

/** A step: workers that take from its queue. */
const step = <A>(
  queue: Queue.Queue<A>,
  work: (value: A) => Effect.Effect<unknown>,
  workers = defaultWorkers
): Effect.Effect<void, never, Scope.Scope> => {
  const worker = Effect.forever(Effect.flatMap(Queue.take(queue), work))
  return Effect.gen(function* () {
    for (let i = 0; i < workers; i++) yield* Effect.forkScoped(worker)
  })
}

interface Query {
  readonly query: string
}
interface Answer {
  readonly result: string
}

const seed = Effect.scoped(
  Effect.gen(function* () {
    const queries = yield* Queue.unbounded<Query>()
    const answers = yield* Queue.unbounded<Answer>()
    yield* step(queries, ({ query }) => Queue.offer(answers, { result: query }))
    yield* Queue.offerAll(
      queries,
      [1, 2, 3].map((n) => ({ query: `Query ${n}` }))
    )
    const all = yield* Queue.takeN(answers, 3)
    return all.map(({ result }) => result).join(", ")
  })
)

const sumOf = (values: Iterable<number>): number => {
  let sum = 0
  for (const value of values) sum += value
  return sum
}

const fan = (count: number, workers?: number, work = (n: number): Effect.Effect<number> => Effect.succeed(2 * n)) =>
  Effect.scoped(
    Effect.gen(function* () {
      const items = yield* Queue.unbounded<number>()
      const done = yield* Queue.unbounded<number>()
      yield* step(items, (n) => Effect.flatMap(work(n), (value) => Queue.offer(done, value)), workers)
      yield* Queue.offerAll(
        items,
        Array.from({ length: count }, (_, n) => n)
      )
      return sumOf(yield* Queue.takeN(done, count))
    })
  )

const gather = (count: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const items = yield* Queue.unbounded<{ readonly index: number; readonly n: number }>()
      const done = yield* Queue.unbounded<{ readonly index: number; readonly n: number }>()
      yield* step(items, ({ index, n }) => Queue.offer(done, { index, n: 2 * n }))
      yield* Queue.offerAll(
        items,
        Array.from({ length: count }, (_, n) => ({ index: n, n }))
      )
      const all = yield* Queue.takeN(done, count)
      return sumOf(all.sort((a, b) => a.index - b.index).map(({ n }) => n))
    })
  )

interface Hop {
  readonly hops: number
  readonly left: number
}

const loop = (left: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const pings = yield* Queue.unbounded<Hop>()
      const pongs = yield* Queue.unbounded<Hop>()
      const stop = yield* Deferred.make<number>()
      const hop =
        (to: Queue.Queue<Hop>) =>
        ({ hops, left }: Hop) =>
          left === 0 ? Deferred.succeed(stop, hops) : Queue.offer(to, { hops: hops + 1, left: left - 1 })
      yield* step(pings, hop(pongs))
      yield* step(pongs, hop(pings))
      yield* Queue.offer(pings, { hops: 0, left })
      return yield* Deferred.await(stop)
    })
  )

const chain = (count: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const queues: Array<Queue.Queue<number>> = []
      for (let i = 0; i <= chainLength; i++) queues.push(yield* Queue.unbounded<number>())
      for (let i = 0; i < chainLength; i++) yield* step(queues[i]!, (n) => Queue.offer(queues[i + 1]!, n + 1))
      yield* Queue.offerAll(
        queues[0]!,
        Array.from({ length: count }, (_, n) => n)
      )
      return sumOf(yield* Queue.takeN(queues[chainLength]!, count))
    })
  )

const mixed = Effect.scoped(
  Effect.gen(function* () {
    const [forA, forB, forC] = [
      yield* Queue.unbounded<void>(),
      yield* Queue.unbounded<void>(),
      yield* Queue.unbounded<void>()
    ]
    const [a, b, c] = [
      yield* Queue.unbounded<string>(),
      yield* Queue.unbounded<string>(),
      yield* Queue.unbounded<string>()
    ]
    yield* step(forA, () => Queue.offer(a, "a"))
    yield* step(forB, () => Queue.offer(b, "b"))
    yield* step(forC, () => Queue.offer(c, "c"))
    yield* Queue.offer(forA, undefined)
    yield* Queue.offer(forB, undefined)
    yield* Queue.offer(forC, undefined)
    return `${yield* Queue.take(c)}, ${yield* Queue.take(a)}, ${yield* Queue.take(b)}`
  })
)

const scopes = (count: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const forWords = yield* Queue.unbounded<number>()
      const forLinks = yield* Queue.unbounded<number>()
      const done = yield* Queue.unbounded<number>()
      const half = new Map<number, number>()
      const join = (document: number, value: number) => {
        const other = half.get(document)
        if (other === undefined) {
          half.set(document, value)
          return Effect.void
        }
        half.delete(document)
        return Queue.offer(done, value + other)
      }
      yield* step(forWords, (n) => join(n, 2 * n))
      yield* step(forLinks, (n) => join(n, n + 1))
      const documents = Array.from({ length: count }, (_, n) => n)
      yield* Queue.offerAll(forWords, documents)
      yield* Queue.offerAll(forLinks, documents)
      return sumOf(yield* Queue.takeN(done, count))
    })
  )

const race = (count: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const asks = yield* Queue.unbounded<number>()
      const first = yield* Deferred.make<number>()
      yield* step(asks, (mirror) =>
        Effect.andThen(mirror === 1 ? Effect.yieldNow : Effect.sleep("1 hour"), Deferred.succeed(first, mirror))
      )
      yield* Queue.offerAll(
        asks,
        Array.from({ length: count }, (_, mirror) => mirror)
      )
      return yield* Deferred.await(first)
    })
  )

const nap = Effect.scoped(
  Effect.gen(function* () {
    const starts = yield* Queue.unbounded<void>()
    const stop = yield* Deferred.make<number>()
    yield* step(starts, () => Effect.andThen(Effect.sleep(aliveMillis), Deferred.succeed(stop, 1)))
    yield* Queue.offer(starts, undefined)
    return yield* Deferred.await(stop)
  })
)

const million = (count: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const items = yield* Queue.bounded<number>(1024)
      const done = yield* Queue.bounded<number>(1024)
      const stop = yield* Deferred.make<number>()
      const total = yield* Ref.make({ count: 0, sum: 0 })
      yield* step(items, (n) => Queue.offer(done, 2 * n), itemsAtOnce)
      const add = (n: number) =>
        Effect.flatMap(
          Ref.updateAndGet(total, ({ count, sum }) => ({ count: count + 1, sum: sum + n })),
          (total) => (total.count === count ? Deferred.succeed(stop, total.sum) : Effect.void)
        )
      yield* step(done, add, 1)
      for (let n = 0; n < count; n++) yield* Queue.offer(items, n)
      return yield* Deferred.await(stop)
    })
  )

export default {
  seed: inOneFiber(() => seed),
  promises: inPromises(() => seed),
  fan: inOneFiber((count) => fan(count)),
  gather: inOneFiber(gather),
  loop: inOneFiber(loop),
  chain: inOneFiber(chain),
  sleepers: inOneFiber((count) => fan(count, sleepersAtOnce, (n) => Effect.as(Effect.sleep(sleepMillis), n))),
  mixed: inOneFiber(() => mixed),
  scopes: inOneFiber(scopes),
  race: inOneFiber(race),
  alive: atOnce(nap),
  million: inOneFiber(million)
} satisfies Candidate
