import {
  defer,
  firstValueFrom,
  forkJoin,
  from,
  map,
  mergeMap,
  observeOn,
  of,
  queueScheduler,
  race,
  range,
  reduce,
  Subject,
  timer,
  toArray
} from "rxjs"
import { awaiting, type Candidate } from "../src/candidate.ts"
import { aliveMillis, chainLength, itemsAtOnce, sleepersAtOnce, sleepMillis } from "../src/workloads.ts"

const defaultWorkers = 4

const seed = awaiting(() =>
  firstValueFrom(
    from([1, 2, 3].map((n) => ({ query: `Query ${n}` }))).pipe(
      mergeMap(({ query }) => of({ result: query }), defaultWorkers),
      toArray(),
      map((answers) => answers.map(({ result }) => result).join(", "))
    )
  )
)

const sum = reduce((sum: number, n: number) => sum + n, 0)

const fan = awaiting((count) =>
  firstValueFrom(
    range(0, count).pipe(
      mergeMap((n) => of(2 * n), defaultWorkers),
      sum
    )
  )
)

export default {
  seed,
  promises: seed,
  fan,
  // `mergeMap` emits results in order of completion, so restore the order by hand.
  gather: awaiting((count) =>
    firstValueFrom(
      range(0, count).pipe(
        mergeMap((n, index) => of({ index, n: 2 * n }), defaultWorkers),
        toArray(),
        map((all) => all.sort((a, b) => a.index - b.index).reduce((sum, { n }) => sum + n, 0))
      )
    )
  ),
  // Synchronous work grows the stack except on this scheduler, which exists for loops.
  loop: awaiting((count) => {
    const pings = new Subject<number>()
    const pongs = new Subject<number>()
    const stop = new Subject<number>()
    const hop = (to: Subject<number>) => (hops: number) => (hops === count ? stop : to).next(hops + 1)
    const answer = firstValueFrom(stop.pipe(map((hops) => hops - 1)))
    const subscriptions = [
      pings.pipe(observeOn(queueScheduler)).subscribe(hop(pongs)),
      pongs.pipe(observeOn(queueScheduler)).subscribe(hop(pings))
    ]
    pings.next(0)
    return answer.finally(() => subscriptions.forEach((subscription) => subscription.unsubscribe()))
  }),
  chain: awaiting((count) => {
    let events = range(0, count)
    for (let i = 0; i < chainLength; i++) events = events.pipe(mergeMap((n) => of(n + 1), defaultWorkers))
    return firstValueFrom(events.pipe(sum))
  }),
  sleepers: awaiting((count) =>
    firstValueFrom(
      range(0, count).pipe(
        mergeMap((n) => timer(sleepMillis).pipe(map(() => n)), sleepersAtOnce),
        sum
      )
    )
  ),
  mixed: awaiting(() =>
    firstValueFrom(
      forkJoin({ a: defer(() => of("a")), b: defer(() => of("b")), c: defer(() => of("c")) }).pipe(
        map(({ a, b, c }) => `${c}, ${a}, ${b}`)
      )
    )
  ),
  scopes: awaiting((count) =>
    firstValueFrom(
      range(0, count).pipe(
        mergeMap((n) => forkJoin([of(2 * n), of(n + 1)]), defaultWorkers),
        map(([words, links]) => words + links),
        sum
      )
    )
  ),
  race: awaiting((count) =>
    firstValueFrom(
      race(
        Array.from({ length: count }, (_, mirror) =>
          mirror === 1 ? of(mirror) : timer(3_600_000).pipe(map(() => mirror))
        )
      )
    )
  ),
  alive: awaiting((count) =>
    Promise.all(Array.from({ length: count }, () => firstValueFrom(timer(aliveMillis).pipe(map(() => 1))))).then(
      (all) => all.reduce((sum, one) => sum + one, 0)
    )
  ),
  million: awaiting((count) =>
    firstValueFrom(
      range(0, count).pipe(
        map((n) => ({ n })),
        mergeMap(({ n }) => of(2 * n), itemsAtOnce),
        sum
      )
    )
  )
} satisfies Candidate
