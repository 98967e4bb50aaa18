import { setImmediate as turn } from "node:timers/promises"
import { describe, expect, it, vi } from "@effect/vitest"
import { searched } from "@stepgraph/conformance"
import { Effect, Fiber, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  collect,
  defineEvent,
  defineStep,
  gather,
  join,
  launch,
  launchPromise,
  race,
  run,
  runPromise,
  workflow
} from "stepgraph"
import { heapInUse } from "../support/memory.ts"
import { random } from "../support/virtual.ts"

// Much work, and on a busy machine it takes a while.
vi.setConfig({ testTimeout: 60_000 })

const Start = defineEvent("Start", { count: Schema.Number })
const Item = defineEvent("Item", { n: Schema.Number })
const Stop = defineEvent("Stop", { handled: Schema.Number })

const highWaterMark = 1024
const MiB = 2 ** 20

/** All results that are pulled. `pulled` receives each event as it is requested. */
const producers = {
  generator: (pulled: () => void) =>
    function* (count: number) {
      for (let n = 0; n < count; n++) {
        pulled()
        yield Item({ n })
      }
    },
  "async generator": (pulled: () => void) =>
    async function* (count: number) {
      for (let n = 0; n < count; n++) {
        pulled()
        yield Item({ n })
      }
    },
  stream: (pulled: () => void) => (count: number) =>
    Stream.range(0, count - 1).pipe(
      Stream.rechunk(1),
      Stream.map((n) => {
        pulled()
        return Item({ n })
      })
    )
}

/** One producer and one slow step, counting pulled and handled events. */
const slow = (kind: keyof typeof producers, workers: number, handle: () => unknown) => {
  const seen = { pulled: 0, handled: 0, ahead: 0 }
  const produce = producers[kind](() => {
    seen.pulled++
    seen.ahead = Math.max(seen.ahead, seen.pulled - seen.handled)
  })
  const flow = workflow({
    name: "slow",
    start: Start,
    stop: Stop,
    steps: {
      produce: defineStep({ accepts: Start, emits: Item, run: ({ count }) => produce(count) as Iterable<never> }),
      handle: defineStep({
        accepts: Item,
        emits: Stop,
        workers,
        run: async ({ n }, { get: _ }) => {
          await handle()
          seen.handled++
          return n === last ? Stop({ handled: seen.handled }) : undefined
        }
      })
    }
  })
  let last = -1
  const runs = async (count: number) => {
    last = count - 1
    return runPromise(flow, { count })
  }
  return { seen, runs }
}

describe("back-pressure", () => {
  it("pulls any number of events through a slow step in bounded memory", { timeout: 60_000 }, async () => {
    const count = searched(1_000_000)
    const workers = 4
    const heaps: Array<number> = []
    let calls = 0
    const { seen, runs } = slow("generator", workers, () => {
      if (++calls % (count / 5) === 1) heaps.push(heapInUse())
    })
    expect((await runs(count)).handled).toBe(count)
    const growth = Math.max(...heaps) - heaps[0]!
    console.log(
      `${count} events: at most ${seen.ahead} pulled ahead, heap ${heaps.map((n) => (n / MiB).toFixed(1)).join(" ")} MiB`
    )
    expect(seen.pulled).toBe(count)
    expect(seen.ahead).toBeLessThanOrEqual(highWaterMark + workers)
    expect(growth).toBeLessThan(2 * MiB)
  })

  it.each(["generator", "async generator", "stream"] as const)("holds for every kind: %s", async (kind) => {
    const { seen, runs } = slow(kind, 2, () => turnEvery(100))
    await runs(10_000)
    // A stream has one more event in its own hands.
    expect(seen.ahead).toBeLessThanOrEqual(highWaterMark + 2 + (kind === "stream" ? 1 : 0))
    expect(seen.ahead).toBeGreaterThan(100)
  })

  it("waits for the slowest of several steps that accept the event", async () => {
    let pulled = 0
    let slowest = 0
    let ahead = 0
    const flow = workflow({
      name: "two",
      start: Start,
      stop: Stop,
      steps: {
        produce: defineStep({
          accepts: Start,
          emits: Item,
          run: function* ({ count }) {
            for (let n = 0; n < count; n++) {
              ahead = Math.max(ahead, ++pulled - slowest)
              yield Item({ n })
            }
          }
        }),
        quick: defineStep({ accepts: Item, emits: [], run: () => {} }),
        slow: defineStep({
          accepts: Item,
          emits: Stop,
          workers: 1,
          run: async ({ n }) => {
            await turnEvery(100)
            slowest++
            return n === 4999 ? Stop({ handled: slowest }) : undefined
          }
        })
      }
    })
    expect((await runPromise(flow, { count: 5000 })).handled).toBe(5000)
    expect(ahead).toBeLessThanOrEqual(highWaterMark + 1)
  })

  it("holds for any number of producers of a step, at the same cost for each event", async () => {
    const Source = defineEvent("Source")
    const each = 60
    const feed = async (sources: number) => {
      let pulled = 0
      let handled = 0
      let ahead = 0
      const flow = workflow({
        name: "many",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({
            accepts: Start,
            emits: Source,
            run: () => Array.from({ length: sources }, () => Source())
          }),
          produce: defineStep({
            accepts: Source,
            emits: Item,
            workers: "unbounded",
            run: function* () {
              for (let n = 0; n < each; n++) {
                ahead = Math.max(ahead, ++pulled - handled)
                yield Item({ n })
              }
            }
          }),
          handle: defineStep({
            accepts: Item,
            emits: Stop,
            workers: 2,
            run: async () => (++handled === sources * each ? Stop({ handled }) : undefined)
          })
        }
      })
      const began = process.cpuUsage()
      expect((await runPromise(flow, { count: 0 })).handled).toBe(sources * each)
      return { ahead, perEvent: process.cpuUsage(began).user / (sources * each) }
    }
    const few = await feed(100)
    const many = await feed(2000)
    expect(few.ahead).toBeLessThanOrEqual(highWaterMark + 2)
    expect(many.ahead).toBeLessThanOrEqual(highWaterMark + 2)
    // A cost that grew with their number would be twenty times as much.
    expect(many.perEvent).toBeLessThan(8 * few.perEvent)
  })

  it("never holds back a plain list or `send`", async () => {
    const flow = workflow({
      name: "list",
      start: Start,
      stop: Stop,
      steps: {
        produce: defineStep({
          accepts: Start,
          emits: Item,
          run: ({ count }, { send }) => {
            for (let n = 0; n < count; n++) send(Item({ n }))
            return Array.from({ length: count }, (_, n) => Item({ n: count + n }))
          }
        }),
        handle: defineStep({
          accepts: Item,
          emits: Stop,
          run: ({ n }) => (n === 9999 ? Stop({ handled: n }) : undefined)
        })
      }
    })
    expect((await runPromise(flow, { count: 5000 })).handled).toBe(9999)
  })

  it("does not hold a generator back for an intake, which takes every event", async () => {
    const flow = workflow({
      name: "gather",
      start: Start,
      stop: Stop,
      steps: {
        produce: defineStep({ accepts: Start, emits: Item, run: ({ count }) => producers.generator(() => {})(count) }),
        all: defineStep({ accepts: gather(Item), emits: Stop, run: (items) => Stop({ handled: items.length }) })
      }
    })
    expect((await runPromise(flow, { count: 20_000 })).handled).toBe(20_000)
  })

  it("lets timers and other fibers run, for every form of step", async () => {
    for (const kind of ["generator", "async generator", "stream"] as const) {
      let ticks = 0
      const ticking = setInterval(() => ticks++, 1)
      const { runs } = slow(kind, 4, () => {})
      const began = performance.now()
      await runs(50_000)
      const took = performance.now() - began
      clearInterval(ticking)
      expect(ticks, `${kind}: ticks in ${took.toFixed(0)} ms`).toBeGreaterThan(1)
    }
  })
})

describe("a live run that is sent events for hours", () => {
  it("keeps nothing of used events, whatever waited for them", async () => {
    const Note = defineEvent("Note", { n: Schema.Number })
    const A = defineEvent("A", { n: Schema.Number })
    const B = defineEvent("B", { n: Schema.Number })
    const Pair = defineEvent("Pair", { n: Schema.Number })
    const All = defineEvent("All", { n: Schema.Number })
    const Told = defineEvent("Told", { n: Schema.Number })
    let raced = 0
    let heard = 0
    const flow = workflow({
      name: "session",
      start: Start,
      stop: Stop,
      inputs: [Note],
      outputs: [Told],
      steps: {
        begin: defineStep({ accepts: Start, emits: Stop, run: () => {} }),
        fan: defineStep({ accepts: Note, emits: [A, B], run: async ({ n }) => [A({ n }), B({ n })] }),
        pair: defineStep({ accepts: join([A, B], { per: Note }), emits: Pair, run: ([{ n }]) => Pair({ n }) }),
        all: defineStep({ accepts: gather([A, Pair], { per: Note }), emits: All, run: ([a]) => All({ n: a!.n }) }),
        first: defineStep({ accepts: race([A, B], { per: Note }), emits: [], run: () => void raced++ }),
        tell: defineStep({
          accepts: collect(All, 2, { by: ({ n }) => n >> 1, within: "1 hour" }),
          emits: Told,
          run: ([all]) => Told({ n: all!.n })
        })
      }
    })
    const live = await launchPromise(flow, { count: 0 }, { keep: 0 })
    const listening = (async () => {
      for await (const _ of live.events) heard++
    })()
    const talk = async (from: number, count: number) => {
      for (let n = from; n < from + count; n++) {
        await live.send(Note({ n }))
        if (n % 100 === 99) await turn()
      }
      while (heard < (from + count) / 2) await turn()
      return heapInUse()
    }
    await talk(0, 5000)
    const before = await talk(5000, 5000)
    const after = await talk(10_000, 10_000)
    expect(raced).toBe(20_000)
    expect(after - before).toBeLessThan(MiB)
    await live.interrupt()
    await expect(listening).rejects.toMatchObject({ name: "AbortError" })
  })
})

describe("a loop that opens a scope each time round", () => {
  const Round = defineEvent("Round", { n: Schema.Number, text: Schema.String })
  const Doc = defineEvent("Doc", { n: Schema.Number, text: Schema.String })
  const A = defineEvent("A", { n: Schema.Number })
  const B = defineEvent("B", { n: Schema.Number })
  const rounds = 2000
  /** Kept by 2,000 rounds it would be 20 MB, and as much for each document. */
  const text = () => Buffer.alloc(10_000, "x").toString("latin1")
  const begin = defineStep({ accepts: Start, emits: Round, run: ({ count }) => Round({ n: count, text: text() }) })
  const next = (n: number) => (n === 0 ? Stop({ handled: rounds }) : Round({ n: n - 1, text: text() }))
  const heaps: Array<number> = []
  const fan = defineStep({
    accepts: Round,
    emits: [A, B],
    run: ({ n }) => {
      if (n % 500 === 0) heaps.push(heapInUse())
      return [A({ n }), B({ n })]
    }
  })
  const emits = [Round, Stop] as const
  const loops = {
    "a join": {
      fan,
      meet: defineStep({ accepts: join([A, B], { per: Round }), emits, run: ([{ n }]) => next(n) })
    },
    "a gather": {
      fan,
      meet: defineStep({
        accepts: gather([A, B], { per: Round }),
        emits,
        run: (all) => (all.length === 0 ? undefined : next(all[0]!.n))
      })
    },
    "a race, which leaves half of a join behind": {
      fan,
      both: defineStep({ accepts: join([B, B], { per: Round, within: "1 hour" }), emits: A, run: () => {} }),
      meet: defineStep({ accepts: race(A, { per: Round }), emits, run: ({ n }) => next(n) })
    },
    "two kinds of scopes, one in the other": {
      open: defineStep({ accepts: Round, emits: Doc, run: ({ n }) => Doc({ n, text: text() }) }),
      fan: defineStep({
        accepts: Doc,
        emits: [A, B],
        run: ({ n }) => {
          if (n % 500 === 0) heaps.push(heapInUse())
          return [A({ n }), B({ n })]
        }
      }),
      look: defineStep({ accepts: join([A, B], { per: Round }), emits: [], run: () => {} }),
      meet: defineStep({ accepts: join([A, B], { per: Doc }), emits, run: ([{ n }]) => next(n) })
    }
  }

  it.each(Object.entries(loops))("keeps no finished round: %s", async (_, steps) => {
    heaps.length = 0
    const flow = workflow({ name: "loop", start: Start, stop: Stop, steps: { begin, ...steps } } as any)
    await runPromise(flow as any, { count: rounds } as never)
    expect(heaps.at(-1)! - heaps[0]!).toBeLessThan(10 * MiB)
  })
})

describe("races without a winner", () => {
  const Note = defineEvent("Note", { n: Schema.Number })
  const Found = defineEvent("Found", { n: Schema.Number })
  const flow = workflow({
    name: "search",
    start: Start,
    stop: Stop,
    inputs: [Note],
    steps: {
      begin: defineStep({ accepts: Start, emits: Stop, run: () => {} }),
      look: defineStep({ accepts: Note, emits: Found, run: ({ n }) => (n < 0 ? Found({ n }) : undefined) }),
      first: defineStep({ accepts: race(Found, { per: Note }), emits: Stop, run: ({ n }) => Stop({ handled: n }) })
    }
  })

  it("are not kept by a live run", async () => {
    const live = await launchPromise(flow, { count: 0 })
    const talk = async (from: number, count: number) => {
      for (let n = from; n < from + count; n++) {
        await live.send(Note({ n }))
        if (n % 100 === 99) await turn()
      }
      await turn()
      expect((await live.status()).waiting).toEqual([])
      return heapInUse()
    }
    const before = await talk(0, 2000)
    const after = await talk(2000, 10_000)
    expect(after - before).toBeLessThan(MiB)
    await live.send(Note({ n: -1 }))
    expect((await live.result).handled).toBe(-1)
  })

  it("are named by a stalled run: the last ones, and the number of others", async () => {
    const live = await launchPromise(flow, { count: 0 })
    for (let n = 0; n < 100; n++) await live.send(Note({ n }))
    live.closeInputs()
    const error = await live.result.then(undefined, (error) => error)
    expect(error).toMatchObject({ _tag: "WorkflowStalled" })
    expect(error.waiting).toHaveLength(5)
    expect(error.message).toContain("step 'first' waits for race(Found, { per: Note }) of Note {\"n\":99}: has nothing")
    expect(error.message).toContain("and 95 more")
  })
})

let turns = 0
/** Real waiting, but not for each event. */
const turnEvery = (events: number) => (++turns % events === 0 ? turn() : undefined)

describe("loops of generators", () => {
  /** Steps that each feed some of the others, themselves included, until an event's hops are used up. */
  const Hop = (index: number) => defineEvent(`Hop${index}`, { hops: Schema.Number })

  const graphOf = (seed: number) => {
    const next = random(seed)
    const whole = (below: number) => Math.floor(next() * below)
    const size = 1 + whole(4)
    const events = Array.from({ length: size }, (_, index) => Hop(index))
    const edges = events.map((_, from) => {
      const some = events.map((_, to) => to).filter((to) => to === (from + 1) % size || next() < 0.4)
      return some
    })
    const fan = 20 + whole(20)
    const hops = 2 + whole(2)
    const kinds = events.map(() => whole(3))
    const workers = events.map(() => 1 + whole(3))
    let handled = 0
    let made = 1
    const steps = Object.fromEntries(
      events.map((event, index) => {
        const children = function* (hops: number) {
          if (hops === 0) return
          for (let n = 0; n < fan; n++) {
            made++
            yield events[edges[index]![n % edges[index]!.length]!]!({ hops: hops - 1 })
          }
        }
        const step = defineStep({
          accepts: event as any,
          emits: [...edges[index]!.map((to) => events[to]!), Stop] as any,
          workers: workers[index]!,
          run: ({ hops }: any) => {
            handled++
            if (kinds[index] === 0) return children(hops)
            if (kinds[index] === 1) return Stream.fromIterable(children(hops))
            return (async function* () {
              yield* children(hops)
            })()
          }
        } as any)
        return [`step${index}`, step]
      })
    )
    const flow = workflow({ name: `graph ${seed}`, start: events[0]!, stop: Stop, steps } as any)
    return { flow, hops, counts: () => ({ made, handled }) }
  }

  it.effect.prop(
    "never wait for themselves: everything that was emitted is handled",
    { seed: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 })) },
    ({ seed }) =>
      Effect.gen(function* () {
        const { flow, hops, counts } = graphOf(seed)
        const error = yield* Effect.flip(run(flow as any, { hops } as any))
        expect(error).toMatchObject({ _tag: "WorkflowStalled" })
        const { made, handled } = counts()
        expect(handled).toBe(made)
      }),
    { timeout: 60_000, arbitrary: { runs: searched(30) } }
  )

  it("continue with more events in flight than all lanes may hold, oldest first", async () => {
    // Each of the 2,000 first events makes two more: the loop's own lane is full all the time.
    const flow = workflow({
      name: "flood",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({ accepts: Start, emits: Item, run: ({ count }) => producers.generator(() => {})(count) }),
        again: defineStep({
          accepts: Item,
          emits: [Item, Stop],
          workers: 8,
          run: function* ({ n }) {
            if (n < 4000) for (let i = 0; i < 2; i++) yield Item({ n: n + 4000 })
          }
        }),
        count: defineStep({ accepts: collect(Item, 6000), emits: Stop, run: (all) => Stop({ handled: all.length }) })
      }
    })
    expect((await runPromise(flow, { count: 2000 })).handled).toBe(6000)
  })
})

describe("a pulled source is closed when its step is interrupted", () => {
  const closing = (produce: (closed: (how: string) => void) => unknown) => {
    const log: Array<string> = []
    const flow = workflow({
      name: "closing",
      start: Start,
      stop: Stop,
      steps: {
        produce: defineStep({
          accepts: Start,
          emits: Item,
          run: () => produce((how) => void log.push(how)) as Iterable<never>
        }),
        handle: defineStep({ accepts: Item, emits: Stop, workers: 1, run: () => Effect.never })
      }
    })
    return { flow, log }
  }

  const kinds: Record<string, (closed: (how: string) => void) => unknown> = {
    "a generator that waits for room": function* (closed) {
      try {
        for (let n = 0; ; n++) yield Item({ n })
      } finally {
        closed("closed")
      }
    },
    "an async generator that waits for room": async function* (closed) {
      try {
        for (let n = 0; ; n++) yield Item({ n })
      } finally {
        await turn()
        closed("closed")
      }
    },
    "an iterator with a return of its own": (closed) => ({
      [Symbol.iterator]: () => ({
        n: 0,
        next() {
          return { done: false, value: Item({ n: this.n++ }) }
        },
        return() {
          closed("closed")
          return { done: true, value: undefined }
        }
      })
    }),
    "a stream that waits for room": (closed) =>
      Stream.range(0, Number.MAX_SAFE_INTEGER).pipe(
        Stream.map((n) => Item({ n })),
        Stream.ensuring(Effect.sync(() => closed("closed")))
      ),
    "a stream that waits for its source": (closed) =>
      Stream.concat(Stream.make(Item({ n: 0 })), Stream.never).pipe(
        Stream.ensuring(Effect.sync(() => closed("closed")))
      ),
    "a web stream": (closed) => {
      let n = 0
      return new ReadableStream({
        pull: (controller) => controller.enqueue(Item({ n: n++ })),
        cancel: () => closed("closed")
      })
    }
  }

  it.live.each(Object.entries(kinds))("%s", ([, produce]) =>
    Effect.gen(function* () {
      const { flow, log } = closing(produce)
      const fiber = yield* Effect.forkChild(run(flow, { count: 0 }), { startImmediately: true })
      for (let i = 0; i < 5; i++) yield* Effect.promise(() => turn())
      expect(log).toEqual([])
      yield* Fiber.interrupt(fiber)
      expect(log).toEqual(["closed"])
    })
  )

  it.live("an async generator that waits forever for a promise does not keep the run from ending", () =>
    Effect.gen(function* () {
      const { flow } = closing(async function* () {
        yield Item({ n: 0 })
        await new Promise(() => {})
      })
      const fiber = yield* Effect.forkChild(run(flow, { count: 0 }), { startImmediately: true })
      for (let i = 0; i < 5; i++) yield* Effect.promise(() => turn())
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("by a stop event from another step", () =>
    Effect.gen(function* () {
      const { flow, log } = closing(kinds["a generator that waits for room"]!)
      const ended = workflow({
        ...flow,
        steps: {
          ...flow.steps,
          end: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(10), Stop({ handled: 0 })) })
        }
      })
      const live = yield* launch(ended, { count: 0 })
      yield* TestClock.adjust(10)
      expect(yield* live.result).toEqual(Stop({ handled: 0 }))
      expect(log).toEqual(["closed"])
    })
  )

  it.effect("by a decided race", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const flow = workflow({
        name: "race",
        start: Start,
        stop: Stop,
        steps: {
          slow: defineStep({
            accepts: Start,
            emits: Item,
            run: () =>
              Stream.tick("1 hour").pipe(
                Stream.drop(1),
                Stream.map(() => Item({ n: 1 })),
                Stream.ensuring(Effect.sync(() => log.push("closed")))
              )
          }),
          quick: defineStep({ accepts: Start, emits: Item, run: () => Effect.as(Effect.sleep(10), Item({ n: 2 })) }),
          first: defineStep({
            accepts: race(Item),
            emits: Stop,
            run: ({ n }) => Effect.sync(() => Stop({ handled: log.length * 10 + n }))
          })
        }
      })
      const live = yield* launch(flow, { count: 0 })
      yield* TestClock.adjust(10)
      expect((yield* live.result).handled).toBe(12)
    })
  )

  it.effect("by a failure of another step", () =>
    Effect.gen(function* () {
      const { flow, log } = closing(kinds["a stream that waits for room"]!)
      const failing = workflow({
        ...flow,
        steps: {
          ...flow.steps,
          end: defineStep({
            accepts: Start,
            emits: Stop,
            run: () => Effect.andThen(Effect.sleep(10), Effect.fail("no"))
          })
        }
      })
      const live = yield* launch(failing, { count: 0 })
      yield* TestClock.adjust(10)
      expect(yield* Effect.flip(live.result)).toBe("no")
      expect(log).toEqual(["closed"])
    })
  )
})
