// Workflows with one planted mistake each, typical of concurrent workflows. Each has the options needed to find it;
// `corpus.test.ts` records the schedule in which it is found.

import type { ExploreOptions } from "@stepgraph/testing"
import { Context, Effect, Layer, Ref, Schema, Semaphore } from "effect"
import { collect, defineEvent, defineState, defineStep, gather, join, workflow } from "stepgraph"

export interface Planted {
  readonly name: string
  readonly flow: any
  readonly options?: ExploreOptions<any, any>
  readonly invariant: string
}

const Start = defineEvent("Start")
const Item = defineEvent("Item", { n: Schema.Number })
const Done = defineEvent("Done", { n: Schema.Number })
const Stop = defineEvent("Stop", { value: Schema.Unknown })

const items = (...of: ReadonlyArray<number>) =>
  defineStep({ accepts: Start, emits: Item, run: () => of.map((n) => Item({ n })) })
const count = (n: number) =>
  defineStep({ accepts: collect(Done, n), emits: Stop, run: (done) => Stop({ value: done.length }) })

/** A database that tests can inspect. The workflow cannot see other writers. */
class Database extends Context.Service<Database, { readonly balance: Ref.Ref<number>; readonly log: Array<string> }>()(
  "Database"
) {}
let opened: { readonly balance: Ref.Ref<number>; readonly log: Array<string> }
const database = Layer.sync(Database, () => (opened = { balance: Ref.makeUnsafe(0), log: [] }))

/** Adds to a value that it read earlier. */
const readThenWrite = (pause: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const { balance } = yield* Database
    const before = yield* Ref.get(balance)
    yield* pause
    yield* Ref.set(balance, before + 1)
  })

const balances = (pause: Effect.Effect<void>) =>
  workflow({
    name: "balances",
    start: Start,
    stop: Stop,
    steps: {
      items: items(1, 2),
      add: defineStep({
        accepts: Item,
        emits: Done,
        run: ({ n }) => Effect.as(Effect.andThen(Effect.sleep(n * 10_000), readThenWrite(pause)), Done({ n }))
      }),
      end: defineStep({
        accepts: collect(Done, 2),
        emits: Stop,
        run: () =>
          Effect.map(
            Effect.flatMap(Database, ({ balance }) => Ref.get(balance)),
            (value) => Stop({ value })
          )
      })
    }
  })

const joinByArrival = () => {
  const Doc = defineEvent("Doc", { id: Schema.Number })
  const Title = defineEvent("Title", { id: Schema.Number })
  const Body = defineEvent("Body", { id: Schema.Number })
  const Page = defineEvent("Page", { title: Schema.Number, body: Schema.Number })
  return workflow({
    name: "pages",
    start: Start,
    stop: Stop,
    steps: {
      list: defineStep({ accepts: Start, emits: Doc, run: () => [1, 2].map((id) => Doc({ id })) }),
      title: defineStep({ accepts: Doc, emits: Title, run: ({ id }) => Effect.as(Effect.sleep(10), Title({ id })) }),
      body: defineStep({ accepts: Doc, emits: Body, run: ({ id }) => Effect.as(Effect.sleep(20), Body({ id })) }),
      page: defineStep({
        accepts: join([Title, Body]),
        emits: Page,
        run: ([title, body]) => Page({ title: title.id, body: body.id })
      }),
      end: defineStep({
        accepts: collect(Page, 2),
        emits: Stop,
        run: (pages) => Stop({ value: pages.map(({ title, body }) => `${title}+${body}`).sort() })
      })
    }
  })
}

const byArrival = () =>
  workflow({
    name: "answers",
    start: Start,
    stop: Stop,
    steps: {
      items: items(1, 2, 3),
      work: defineStep({ accepts: Item, emits: Done, run: ({ n }) => Effect.as(Effect.sleep(n), Done({ n })) }),
      end: defineStep({
        accepts: collect(Done, 3),
        emits: Stop,
        run: (done) => Stop({ value: done.map(({ n }) => n) })
      })
    }
  })

const seen = defineState("seen", Schema.Number, 0)

const lostInState = () =>
  workflow({
    name: "tally",
    start: Start,
    stop: Stop,
    steps: {
      items: items(1, 2),
      add: defineStep({
        accepts: Item,
        emits: Done,
        run: ({ n }, { get, set }) =>
          Effect.gen(function* () {
            yield* Effect.sleep(n * 100)
            const before = get(seen)
            yield* Effect.sleep(10)
            set(seen, before + 1)
            return Done({ n })
          })
      }),
      end: defineStep({ accepts: collect(Done, 2), emits: Stop, run: (_, { get }) => Stop({ value: get(seen) }) })
    }
  })

const lostBetweenAwaits = (pause: (millis: number) => Promise<void>) =>
  workflow({
    name: "awaits",
    start: Start,
    stop: Stop,
    steps: {
      items: items(1, 2),
      add: defineStep({
        accepts: Item,
        emits: Done,
        run: async ({ n }, { get, set }) => {
          await pause(n * 10_000)
          const before = get(seen)
          await pause(5)
          set(seen, before + 1)
          return Done({ n })
        }
      }),
      end: defineStep({ accepts: collect(Done, 2), emits: Stop, run: (_, { get }) => Stop({ value: get(seen) }) })
    }
  })

const forgottenBranch = () => {
  const A = defineEvent("A")
  const B = defineEvent("B")
  const C = defineEvent("C")
  const order = defineState("order", Schema.String, "")
  const slow = (event: () => any, millis: number) => () => Effect.map(Effect.sleep(millis), () => event())
  return workflow({
    name: "checks",
    start: Start,
    stop: Stop,
    steps: {
      a: defineStep({ accepts: Start, emits: A, run: slow(A, 1) }),
      b: defineStep({ accepts: Start, emits: B, run: slow(B, 2) }),
      c: defineStep({ accepts: Start, emits: C, run: slow(C, 3) }),
      end: defineStep({
        accepts: [A, B, C],
        emits: Stop,
        run: ({ _tag }, { update }) => {
          const come = update(order, (order) => order + _tag)
          // The author thought of every order but one.
          if (["ABC", "ACB", "BAC", "BCA", "CAB"].includes(come)) return Stop({ value: "all checked" })
        }
      })
    }
  })
}

const firstStop = () =>
  workflow({
    name: "approval",
    start: Start,
    stop: Stop,
    steps: {
      approve: defineStep({
        accepts: Start,
        emits: Stop,
        run: () => Effect.as(Effect.sleep("1 second"), Stop({ value: "approved" }))
      }),
      reject: defineStep({
        accepts: Start,
        emits: Stop,
        run: () => Effect.as(Effect.sleep("2 seconds"), Stop({ value: "rejected" }))
      })
    }
  })

/** A handmade limit: a failure returns its permit twice. */
const oneTooMany = () => {
  const free = defineState("free", Schema.Number, 1)
  const busy = defineState("busy", Schema.Number, 0)
  const peak = defineState("peak", Schema.Number, 0)
  return workflow({
    name: "limited",
    start: Start,
    stop: Stop,
    steps: {
      items: items(1, 2, 3),
      work: defineStep({
        accepts: Item,
        emits: Done,
        run: ({ n }, { get, update }) => {
          const release = Effect.sync(() => void update(free, (free) => free + 1))
          const acquire: Effect.Effect<void> = Effect.suspend(() => {
            if (get(free) === 0) return Effect.andThen(Effect.sleep(5), acquire)
            update(free, (free) => free - 1)
            return Effect.void
          })
          const call = Effect.gen(function* () {
            update(peak, (peak) => Math.max(peak, get(busy) + 1))
            update(busy, (busy) => busy + 1)
            yield* Effect.sleep(10)
            update(busy, (busy) => busy - 1)
          })
          const limited = Effect.andThen(acquire, call).pipe(
            Effect.timeout(50),
            Effect.onError(() => release),
            Effect.ensuring(release)
          )
          return Effect.as(Effect.retry(limited, { times: 1 }), Done({ n }))
        }
      }),
      end: defineStep({ accepts: collect(Done, 3), emits: Stop, run: (_, { get }) => Stop({ value: get(peak) }) })
    }
  })
}

/** Retries by itself after sending its events. */
const doubledOnRetry = () => {
  const locked = defineState("locked", Schema.Boolean, false)
  return workflow({
    name: "notify",
    start: Start,
    stop: Stop,
    steps: {
      items: items(1, 2),
      tell: defineStep({
        accepts: Item,
        emits: Done,
        run: ({ n }, { get, send, set }) =>
          Effect.gen(function* () {
            yield* Effect.sleep(n * 100)
            send(Done({ n }))
            if (get(locked)) return yield* Effect.fail("somebody else is at it")
            set(locked, true)
            yield* Effect.sleep(50)
            set(locked, false)
          }).pipe(Effect.retry({ times: 3 }))
      }),
      end: defineStep({
        accepts: gather(Done),
        emits: Stop,
        run: (done) => Stop({ value: done.map(({ n }) => n).sort() })
      })
    }
  })
}

const detachedCleanUp = () =>
  workflow({
    name: "upload",
    start: Start,
    stop: Stop,
    steps: {
      upload: defineStep({
        accepts: Start,
        emits: Stop,
        run: () =>
          Effect.as(Effect.sleep("1 minute"), Stop({ value: "uploaded" })).pipe(
            Effect.onInterrupt(() => Effect.forkDetach(Effect.sleep("1 second")))
          )
      }),
      giveUp: defineStep({
        accepts: Start,
        emits: Stop,
        run: () => Effect.as(Effect.sleep("1 hour"), Stop({ value: "given up" }))
      })
    }
  })

const failingFinalizer = () =>
  workflow({
    name: "temporary",
    start: Start,
    stop: Stop,
    steps: {
      quick: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(1), Stop({ value: 1 })) }),
      slow: defineStep({
        accepts: Start,
        emits: Stop,
        run: () => {
          let file: { readonly close: () => void } | undefined
          return Effect.gen(function* () {
            yield* Effect.sleep(1)
            yield* Effect.sleep(1)
            file = { close: () => {} }
            return Stop({ value: 1 })
          }).pipe(Effect.onInterrupt(() => Effect.sync(() => file!.close())))
        }
      })
    }
  })

const timeoutDefault = () =>
  workflow({
    name: "price",
    start: Start,
    stop: Stop,
    steps: {
      ask: defineStep({
        accepts: Start,
        emits: Stop,
        timeout: "5 seconds",
        run: () => Effect.as(Effect.sleep("1 second"), Stop({ value: 42 })),
        recover: () => Stop({ value: 0 })
      })
    }
  })

const checkThenAct = () =>
  workflow({
    name: "sign-up",
    start: Start,
    stop: Stop,
    steps: {
      items: items(1, 2),
      signUp: defineStep({
        accepts: Item,
        emits: Done,
        run: ({ n }) =>
          Effect.gen(function* () {
            const { log } = yield* Database
            yield* Effect.sleep(n * 100)
            if (!log.includes("ada")) {
              yield* Effect.sleep(10)
              log.push("ada")
            }
            return Done({ n })
          })
      }),
      end: count(2)
    }
  })

const readBeforeWrite = () => {
  const total = defineState("total", Schema.Number, 0)
  return workflow({
    name: "total",
    start: Start,
    stop: Stop,
    steps: {
      write: defineStep({ accepts: Start, emits: [], run: (_, { set }) => set(total, 1) }),
      read: defineStep({ accepts: Start, emits: Stop, run: (_, { get }) => Stop({ value: get(total) }) })
    }
  })
}

const twoLocks = () => {
  class Locks extends Context.Service<
    Locks,
    { readonly left: Semaphore.Semaphore; readonly right: Semaphore.Semaphore }
  >()("Locks") {}
  const layer = Layer.sync(Locks, () => ({ left: Semaphore.makeUnsafe(1), right: Semaphore.makeUnsafe(1) }))
  const both = (first: "left" | "right", second: "left" | "right", later: number) =>
    Effect.gen(function* () {
      const locks = yield* Locks
      const work = Effect.andThen(Effect.sleep(10), Semaphore.withPermits(locks[second], 1)(Effect.void))
      yield* Effect.sleep(later)
      yield* Semaphore.withPermits(locks[first], 1)(work)
    })
  const flow = workflow({
    name: "transfer",
    start: Start,
    stop: Stop,
    steps: {
      there: defineStep({
        accepts: Start,
        emits: Done,
        run: () => Effect.as(both("left", "right", 1), Done({ n: 1 }))
      }),
      back: defineStep({
        accepts: Start,
        emits: Done,
        run: () => Effect.as(both("right", "left", 99), Done({ n: 2 }))
      }),
      end: count(2)
    }
  })
  return { flow, layer }
}

const leaksWhenInterrupted = () =>
  workflow({
    name: "lease",
    start: Start,
    stop: Stop,
    steps: {
      work: defineStep({
        accepts: Start,
        emits: Stop,
        run: () =>
          Effect.gen(function* () {
            const { balance } = yield* Database
            yield* Ref.update(balance, (leases) => leases + 1)
            yield* Effect.sleep(10)
            return yield* Effect.as(Effect.sleep(10), Stop({ value: 1 })).pipe(
              Effect.ensuring(Ref.update(balance, (leases) => leases - 1))
            )
          })
      })
    }
  })

const chargedTwice = () =>
  workflow({
    name: "checkout",
    start: Start,
    stop: Stop,
    steps: {
      charge: defineStep({
        accepts: Start,
        emits: Stop,
        retry: { times: 2 },
        run: () =>
          Effect.flatMap(Database, ({ log }) => Effect.sync(() => void log.push("charge"))).pipe(
            Effect.as(Stop({ value: "paid" }))
          )
      })
    }
  })

const noTimeout = () =>
  workflow({
    name: "patient",
    start: Start,
    stop: Stop,
    steps: {
      items: items(1, 2),
      ask: defineStep({ accepts: Item, emits: Done, run: ({ n }) => Effect.as(Effect.sleep(n), Done({ n })) }),
      end: count(2)
    }
  })

const ofInput = () => {
  const Given = defineEvent("Given", { items: Schema.Array(Schema.Int) })
  const last = defineState("last", Schema.Number, 0)
  return workflow({
    name: "latest",
    start: Given,
    stop: Stop,
    steps: {
      each: defineStep({ accepts: Given, emits: Item, run: ({ items }) => items.map((n) => Item({ n })) }),
      keep: defineStep({
        accepts: Item,
        emits: Done,
        run: ({ n }, { set }) =>
          Effect.map(Effect.sleep(10), () => {
            set(last, n)
            return Done({ n })
          })
      }),
      end: defineStep({ accepts: gather(Done), emits: Stop, run: (_, { get }) => Stop({ value: get(last) }) })
    }
  })
}

const leftOver = () =>
  workflow({
    name: "pairs",
    start: Start,
    stop: Stop,
    steps: {
      items: items(1, 2, 3000),
      work: defineStep({ accepts: Item, emits: Done, run: ({ n }) => Effect.as(Effect.sleep(n), Done({ n })) }),
      end: defineStep({
        accepts: collect(Done, 2),
        emits: Stop,
        run: (done) => Effect.as(Effect.sleep(10), Stop({ value: done.length }))
      })
    }
  })

/** Reports that it is ready too early. */
const emittedTooEarly = () => {
  const Ready = defineEvent("Ready")
  const config = defineState("config", Schema.String, "none")
  return workflow({
    name: "boot",
    start: Start,
    stop: Stop,
    steps: {
      load: defineStep({
        accepts: Start,
        emits: Ready,
        run: (_, { send, set }) =>
          Effect.gen(function* () {
            send(Ready())
            yield* Effect.sleep(1)
            set(config, "loaded")
          })
      }),
      serve: defineStep({
        accepts: Ready,
        emits: Stop,
        run: (_, { get }) => Effect.map(Effect.sleep(5), () => Stop({ value: get(config) }))
      })
    }
  })
}

const slowStub = () => {
  const latest = defineState("latest", Schema.Number, 0)
  return workflow({
    name: "newest",
    start: Start,
    stop: Stop,
    steps: {
      items: items(1, 2),
      // An immediate stub for something slow in production.
      fetch: defineStep({ accepts: Item, emits: Done, run: ({ n }) => Done({ n }) }),
      keep: defineStep({
        accepts: Done,
        emits: Stop,
        run: ({ n }, { set, update }) => {
          set(latest, n)
          if (update(seen, (seen) => seen + 1) === 2) return Stop({ value: n })
        }
      })
    }
  })
}

const locks = twoLocks()

export const corpus: ReadonlyArray<Planted> = [
  { name: "pairs are joined by arrival", flow: joinByArrival(), invariant: "sameResult" },
  { name: "a list is in the order of arrival", flow: byArrival(), invariant: "sameResult" },
  {
    name: "an update is lost over a sleep",
    flow: balances(Effect.sleep(10)),
    options: { layer: database },
    invariant: "sameResult"
  },
  {
    name: "an update is lost over a yield",
    flow: balances(Effect.yieldNow),
    options: { layer: database, fibers: "any" },
    invariant: "sameResult"
  },
  {
    name: "an update is lost without any waiting",
    flow: balances(Effect.void),
    options: { layer: database, preempt: 1 },
    invariant: "sameResult"
  },
  { name: "an update is lost in the run's own state", flow: lostInState(), invariant: "sameResult" },
  {
    name: "an update is lost between two awaits",
    flow: lostBetweenAwaits(() => Promise.resolve()),
    options: { check: { "both are counted": (_, { result }: any) => result?.value === 2 } },
    invariant: "both are counted"
  },
  {
    name: "an update is lost over an awaited timer",
    flow: lostBetweenAwaits(async (millis) => {
      await new Promise((resolve) => setTimeout(resolve, millis))
    }),
    options: { timers: "virtual" },
    invariant: "sameResult"
  },
  { name: "one of six orders was forgotten", flow: forgottenBranch(), invariant: "neverStalls" },
  { name: "two steps race for the stop event", flow: firstStop(), invariant: "sameResult" },
  {
    name: "a permit is returned twice",
    flow: oneTooMany(),
    options: {
      invariants: { sameResult: false },
      check: { "one at a time": (_, { result }: any) => (result?.value > 1 ? `${result.value} at a time` : true) }
    },
    invariant: "one at a time"
  },
  { name: "an event is sent again on a retry", flow: doubledOnRetry(), invariant: "sameResult" },
  {
    name: "a clean-up is forked and cut off",
    flow: detachedCleanUp(),
    options: { invariants: { sameResult: false } },
    invariant: "finalizersRun"
  },
  { name: "a finalizer fails when it comes early", flow: failingFinalizer(), invariant: "finalizersRun" },
  {
    name: "a timeout is mistaken for an answer",
    flow: timeoutDefault(),
    options: { faults: { kinds: ["timeout"] } },
    invariant: "sameResult"
  },
  {
    name: "a check and a write are not atomic",
    flow: checkThenAct(),
    options: { layer: database, check: { "nobody signs up twice": () => opened.log.length === 1 } },
    invariant: "nobody signs up twice"
  },
  { name: "a step reads what another one writes", flow: readBeforeWrite(), invariant: "sameResult" },
  {
    name: "two locks are taken in two orders",
    flow: locks.flow,
    options: { layer: locks.layer },
    invariant: "neverStalls"
  },
  {
    name: "an interruption leaks a lease",
    flow: leaksWhenInterrupted(),
    options: {
      layer: database,
      cancel: true,
      check: { "every lease is given back": () => Ref.getUnsafe(opened.balance) === 0 }
    },
    invariant: "every lease is given back"
  },
  {
    name: "a retry charges twice",
    flow: chargedTwice(),
    options: {
      layer: database,
      faults: { kinds: ["fail", "fail-after"] },
      check: { "one charge": () => (opened.log.length > 1 ? `charged ${opened.log.length} times` : undefined) }
    },
    invariant: "one charge"
  },
  {
    name: "a step without a timeout hangs",
    flow: noTimeout(),
    options: { faults: { kinds: ["hang"] } },
    invariant: "neverStalls"
  },
  { name: "the last write wins", flow: ofInput(), invariant: "sameResult" },
  {
    name: "an event is left over",
    flow: leftOver(),
    options: { invariants: { eachConsumed: true } },
    invariant: "eachConsumed"
  },
  { name: "an event is sent too early", flow: emittedTooEarly(), invariant: "sameResult" },
  {
    name: "a stub hides in which order answers come",
    flow: slowStub(),
    options: { results: "any" },
    invariant: "sameResult"
  }
]
