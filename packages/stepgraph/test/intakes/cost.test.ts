// Linear work takes well under a second here, and quadratic work hits the timeout: no clock is needed.
import { describe, expect, it } from "@effect/vitest"
import { workOf } from "@stepgraph/conformance/support/work"
import { Effect, Schema } from "effect"
import { collect, defineEvent, defineStep, gather, join, race, run, Telemetry, workflow } from "stepgraph"
import { heapInUse } from "../support/memory.ts"
import { result } from "../support/virtual.ts"

const Start = defineEvent("Start")
const Query = defineEvent("Query", { n: Schema.Number })
const Answer = defineEvent("Answer", { n: Schema.Number })
const Late = defineEvent("Late", { n: Schema.Number })
const Some = defineEvent("Some", { n: Schema.Number })
const Stop = defineEvent("Stop", { count: Schema.Number })

const define = { name: "many", start: Start, stop: Stop }
const fan = (count: number) =>
  defineStep({ accepts: Start, emits: Query, run: () => Array.from({ length: count }, (_, n) => Query({ n })) })
const answer = defineStep({ accepts: Query, emits: Answer, run: ({ n }) => Answer({ n }) })
const count = (answers: ReadonlyArray<unknown>) => Stop({ count: answers.length })

describe("the cost of", () => {
  it.effect("a gather of 100,000 is linear", () =>
    Effect.gen(function* () {
      const all = defineStep({ accepts: gather(Answer), emits: Stop, run: count })
      expect((yield* result(run(workflow({ ...define, steps: { fan: fan(100_000), answer, all } })))).count).toBe(
        100_000
      )
    })
  )

  it.effect("a collect of 20,000 is linear", () =>
    Effect.gen(function* () {
      const all = defineStep({ accepts: collect(Answer, 20_000), emits: Stop, run: count })
      expect((yield* result(run(workflow({ ...define, steps: { fan: fan(20_000), answer, all } })))).count).toBe(20_000)
    })
  )

  it.effect("a race that cancels 50,000 is linear", () =>
    Effect.gen(function* () {
      const first = defineStep({ accepts: race(Answer), emits: Stop, run: ({ n }) => Stop({ count: n }) })
      expect((yield* result(run(workflow({ ...define, steps: { fan: fan(50_000), answer, first } })))).count).toBe(0)
    })
  )

  it.effect("the order of 30,000 pages, each of which leads to the next, is almost linear", () =>
    Effect.gen(function* () {
      const pages = 30_000
      const first = defineStep({ accepts: Start, emits: Query, run: () => Query({ n: 0 }) })
      const page = defineStep({
        accepts: Query,
        emits: [Answer, Query],
        run: ({ n }) => (n < pages ? [Answer({ n }), Query({ n: n + 1 })] : [])
      })
      const all = defineStep({
        accepts: gather(Answer),
        emits: Stop,
        run: (answers) => Stop({ count: answers.every(({ n }, at) => n === at) ? answers.length : -1 })
      })
      expect((yield* result(run(workflow({ ...define, steps: { first, page, all } })))).count).toBe(pages)
    })
  )

  const page = (
    pages: number,
    emit: (n: number) => ReadonlyArray<ReturnType<typeof Answer> | ReturnType<typeof Query>>
  ) => ({
    first: defineStep({ accepts: Start, emits: Query, run: () => Query({ n: 0 }) }),
    page: defineStep({ accepts: Query, emits: [Answer, Query], run: ({ n }) => (n < pages ? emit(n) : []) })
  })

  it.effect("a collect of a loop's 20,000 events is linear, and so is a gather of its items in another order", () =>
    Effect.gen(function* () {
      const pages = 20_000
      const shuffled = (n: number) => (n * 7919) % 64
      const steps = {
        ...page(pages, (n) => [Answer({ n }), Query({ n: n + 1 })]),
        later: defineStep({
          accepts: Answer,
          emits: Late,
          workers: "unbounded",
          run: ({ n }) => Effect.as(Effect.sleep(shuffled(n)), Late({ n }))
        }),
        some: defineStep({
          accepts: collect(Answer, pages),
          emits: Some,
          run: (answers) => Some({ n: answers.length })
        }),
        all: defineStep({
          accepts: gather([Late, Some]),
          emits: Stop,
          run: (events) => {
            const late = events.filter(({ _tag }) => _tag === "Late")
            return Stop({ count: late.every(({ n }, at) => n === at) && events.length === pages + 1 ? pages : -1 })
          }
        })
      }
      expect((yield* result(run(workflow({ ...define, steps })))).count).toBe(pages)
    })
  )

  it.effect("a loop that emits two events a hop is flat in memory, whichever of them goes on", () =>
    Effect.gen(function* () {
      const hops = 110_000
      for (const goesOn of ["first", "last"]) {
        const heap: Array<number> = []
        const steps = {
          ...page(hops, (n) => {
            if (n % 100_000 === 1000) heap.push(heapInUse())
            const [log, next] = [Answer({ n }), Query({ n: n + 1 })]
            return goesOn === "first" ? [next, log] : [log, next]
          }),
          log: defineStep({ accepts: Answer, emits: Late, run: ({ n }) => (n === hops - 1 ? Late({ n }) : undefined) }),
          all: defineStep({ accepts: gather(Late), emits: Stop, run: count })
        }
        expect((yield* result(run(workflow({ ...define, steps })))).count).toBe(1)
        // One kept position per hop would take 5 to 10 MB for 100,000 hops.
        expect(heap.at(-1)! - heap[0]!).toBeLessThan(3_000_000)
      }
    })
  )

  it.effect("20,000 turns, each in the scope of the one before, is linear", () =>
    Effect.gen(function* () {
      const turns = 20_000
      const Turn = defineEvent("Turn", { n: Schema.Number })
      const Final = defineEvent("Final", { n: Schema.Number })
      const begin = defineStep({ accepts: Start, emits: Turn, run: () => Turn({ n: 1 }) })
      const think = defineStep({ accepts: Turn, emits: Query, run: ({ n }) => Query({ n }) })
      const next = defineStep({
        accepts: gather(Answer, { per: Turn }),
        emits: [Turn, Final],
        run: (answers, { per }) => {
          // An outer turn that would run once more, with nothing, is another test's.
          if (answers.length === 0) return
          return per.n < turns ? Turn({ n: per.n + 1 }) : Final({ n: per.n })
        }
      })
      const end = defineStep({ accepts: gather(Final), emits: Stop, run: ([final]) => Stop({ count: final!.n }) })
      expect((yield* result(run(workflow({ ...define, steps: { begin, think, answer, next, end } })))).count).toBe(
        turns
      )
    })
  )

  it.effect("a race in the scope of 5,000 others, each in that of the one before, is linear", () =>
    Effect.gen(function* () {
      const turns = 5000
      const Turn = defineEvent("Turn", { n: Schema.Number })
      const begin = defineStep({ accepts: Start, emits: Turn, run: () => Turn({ n: 1 }) })
      const think = defineStep({ accepts: Turn, emits: Query, run: ({ n }) => [Query({ n }), Query({ n })] })
      const next = defineStep({
        accepts: race(Answer, { per: Turn }),
        emits: [Turn, Stop],
        run: (_, { per }) => (per.n < turns ? Turn({ n: per.n + 1 }) : Stop({ count: per.n }))
      })
      expect((yield* result(run(workflow({ ...define, steps: { begin, think, answer, next } })))).count).toBe(turns)
    })
  )

  it("ctx.collect is linear in the number of types: each is visited once, however often the list is passed", () => {
    const reads = (types: number) => {
      let reads = 0
      const counting: ProxyHandler<typeof Query> = {
        get: (def, key) => {
          if (key === "tag") reads++
          return Reflect.get(def, key)
        }
      }
      const defs = Array.from(
        { length: types },
        (_, n) => new Proxy(defineEvent(`Part${n}`, { n: Schema.Number }) as unknown as typeof Query, counting)
      )
      const parts = defineStep({ accepts: Start, emits: defs, run: () => defs.map((def) => def({ n: 1 })) })
      const all = defineStep({
        accepts: defs,
        emits: Stop,
        run: (_, { collect }) => {
          const together = collect([...defs])
          return together === undefined ? [] : count(together)
        }
      })
      expect(Effect.runSync(run(workflow({ ...define, steps: { parts, all } }))).count).toBe(types)
      return reads
    }
    expect(reads(200) / reads(100)).toBeLessThanOrEqual(2.3)
  })

  const parts = (count: number) => Array.from({ length: count }, (_, n) => defineEvent(`Part${n}`))
  const row = (count: number, accepts: (event: any) => any) => {
    const between = [Start, ...parts(count)]
    const steps = between.map((event, n) => {
      const next = between[n + 1]
      const run = () => (next === undefined ? Stop({ count: n }) : next())
      return [`step ${n}`, defineStep({ accepts: accepts(event), emits: next ?? Stop, run } as any)]
    })
    return Object.fromEntries(steps)
  }
  const rounds = 3
  const waiting: Readonly<Record<string, (count: number) => Record<string, unknown>>> = {
    "gathers in a row": (count) => row(count, gather),
    "races in a row": (count) => row(count, race),
    "gathers in a circle": (count) => {
      const ring = parts(count)
      let round = 0
      return {
        first: defineStep({ accepts: Start, emits: ring[0]!, run: () => ring[0]!() }),
        ...Object.fromEntries(
          ring.map((part, n) => {
            const next = ring[(n + 1) % count]!
            const run = () => (n === count - 1 && ++round % rounds === 0 ? Stop({ count }) : next())
            return [`step ${n}`, defineStep({ accepts: gather(part), emits: [next, Stop], run })]
          })
        )
      }
    },
    "gathers that go quiet at once": (count) => {
      const defs = parts(count)
      return {
        ...Object.fromEntries(
          defs.map((part, n) => [
            `step ${n}`,
            defineStep({ accepts: gather(part), emits: Late, run: () => Late({ n }) })
          ])
        ),
        parts: defineStep({ accepts: Start, emits: defs, run: () => defs.map((def) => def()) }),
        all: defineStep({ accepts: gather(Late), emits: Stop, run: (all) => Stop({ count: all.length }) })
      }
    }
  }
  it.each(Object.entries(waiting))("a run through %s is linear", (_, steps) => {
    const work = (count: number) => {
      const flow = workflow({ ...define, steps: steps(count) as any })
      return workOf(() => expect(Effect.runSync(run(flow) as Effect.Effect<any>).count).toBe(count))
    }
    expect(work(400) / work(200)).toBeLessThanOrEqual(2.3)
  })

  it("a join of many types is linear", () => {
    const work = (types: number) => {
      const defs = Array.from({ length: types }, (_, n) => defineEvent(`Part${n}`))
      const parts = defineStep({ accepts: Start, emits: defs, run: () => defs.map((def) => def()) })
      const all = defineStep({ accepts: join(defs), emits: Stop, run: count })
      const flow = workflow({ ...define, steps: { parts, all } })
      return workOf(() => expect(Effect.runSync(run(flow)).count).toBe(types))
    }
    expect(work(800) / work(400)).toBeLessThanOrEqual(2.3)
  })

  it("telemetry of batches that a stop drops is linear", () => {
    const work = (batches: number) => {
      const pairs = defineStep({
        accepts: Start,
        emits: [Query, Answer, Stop],
        run: () => [
          ...Array.from({ length: batches }, (_, n) => [Query({ n }), Answer({ n })]).flat(),
          Stop({ count: batches })
        ]
      })
      const both = defineStep({ accepts: join([Query, Answer]), emits: [], run: () => [] })
      const flow = workflow({ ...define, steps: { pairs, both } })
      const observed = Effect.provideService(run(flow), Telemetry, { spans: false, metrics: true })
      return workOf(() => expect(Effect.runSync(observed).count).toBe(batches))
    }
    expect(work(800) / work(400)).toBeLessThanOrEqual(2.3)
  })
})
