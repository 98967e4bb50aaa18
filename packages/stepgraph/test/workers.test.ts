// At most `workers` invocations of one step run at once, in one run of the workflow, and exactly as many if there is
// enough to do. Two runs of a workflow share nothing.
import { AsyncLocalStorage } from "node:async_hooks"
import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Schema } from "effect"
import { collect, defineEvent, defineState, defineStep, run, runPromise, workflow } from "stepgraph"
import { Done, numbers, Start, Stop, stop, Task, untyped, upTo } from "./support/flow.ts"
import { random, result } from "./support/virtual.ts"

/** A workflow that sleeps for each of the durations, at most so many at once, and when each began and ended. */
const sleepers = (workers: number | "unbounded" | undefined, sleeps: ReadonlyArray<number>) => {
  const times: Array<readonly [number, number]> = []
  let running = 0
  let most = 0
  const flow = workflow({
    name: "sleepers",
    start: Start,
    stop: Stop,
    steps: {
      begin: defineStep({ accepts: Start, emits: Task, run: () => upTo(sleeps.length).map((n) => Task({ n })) }),
      sleep: defineStep({
        accepts: Task,
        emits: Done,
        ...(workers === undefined ? {} : { workers }),
        run: ({ n }) =>
          Effect.gen(function* () {
            const began = yield* Clock.currentTimeMillis
            most = Math.max(most, ++running)
            yield* Effect.sleep(sleeps[n]!)
            running--
            times[n] = [began, yield* Clock.currentTimeMillis]
            return Done({ n })
          })
      }),
      finish: defineStep({ accepts: collect(Done, sleeps.length), emits: Stop, run: (done) => stop(...numbers(done)) })
    }
  })
  return { flow, times, most: () => most }
}

/** When each begins and ends if the first free worker takes the next. */
const schedule = (workers: number, sleeps: ReadonlyArray<number>) => {
  const free = upTo(Math.min(workers, sleeps.length)).map(() => 0)
  return sleeps.map((sleep) => {
    const began = Math.min(...free)
    free[free.indexOf(began)] = began + sleep
    return [began, began + sleep] as const
  })
}

describe("workers", () => {
  const seeds = upTo(60)
  it.effect.each(seeds)("are never more than declared, and never fewer than there is work for (seed %i)", (seed) =>
    Effect.gen(function* () {
      const next = random(seed)
      const workers = 1 + Math.floor(next() * 8)
      const sleeps = upTo(1 + Math.floor(next() * 30)).map(() => 1 + Math.floor(next() * 20))
      const { flow, times, most } = sleepers(workers, sleeps)
      yield* result(run(flow))
      expect(times).toEqual(schedule(workers, sleeps))
      expect(most()).toBe(Math.min(workers, sleeps.length))
    })
  )

  it.effect.each([
    [undefined, 4],
    [1, 1],
    [7, 7],
    ["unbounded", 100]
  ] as const)("%s: %i of 100 run at once", ([workers, expected]) =>
    Effect.gen(function* () {
      const { flow, most } = sleepers(
        workers,
        upTo(100).map(() => 10)
      )
      const [took] = yield* result(Effect.timed(run(flow)))
      expect(most()).toBe(expected)
      expect(Duration.toMillis(took)).toBe(Math.ceil(100 / expected) * 10)
    })
  )

  it("bound promises and async generators, too", async () => {
    const running: Record<string, number> = { promise: 0, generator: 0 }
    const most: Record<string, number> = { promise: 0, generator: 0 }
    const busy = async (step: string) => {
      most[step] = Math.max(most[step]!, ++running[step]!)
      for (let turn = 0; turn < 3; turn++) await new Promise<void>((resume) => setImmediate(resume))
      running[step]!--
    }
    const flow = workflow({
      name: "promises",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({ accepts: Start, emits: Task, run: () => upTo(20).map((n) => Task({ n })) }),
        promise: defineStep({
          accepts: Task,
          emits: Done,
          workers: 2,
          run: ({ n }, { step }) => busy(step).then(() => Done({ n }))
        }),
        generator: defineStep({
          accepts: Task,
          emits: Done,
          workers: 3,
          run: async function* ({ n }, { step }) {
            await busy(step)
            yield Done({ n })
          }
        }),
        finish: defineStep({ accepts: collect(Done, 40), emits: Stop, run: () => stop() })
      }
    })
    await runPromise(flow)
    expect(most).toEqual({ promise: 2, generator: 3 })
  })

  it.effect("are free again when a step's events have been delivered, and not before", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const flow = workflow({
        name: "order",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({ accepts: Start, emits: Task, run: () => upTo(2).map((n) => Task({ n })) }),
          work: defineStep({
            accepts: Task,
            emits: Done,
            workers: 1,
            run: ({ n }) => {
              order.push(`work ${n}`)
              return Effect.as(Effect.sleep(1), Done({ n }))
            }
          }),
          done: defineStep({
            accepts: Done,
            emits: Stop,
            run: ({ n }) => {
              order.push(`done ${n}`)
              if (n === 1) return stop()
            }
          })
        }
      })
      yield* result(run(flow))
      expect(order).toEqual(["work 0", "done 0", "work 1", "done 1"])
    })
  )
})

describe("two runs of a workflow at once", () => {
  it.effect("have workers of their own", () =>
    Effect.gen(function* () {
      const { flow } = sleepers(
        1,
        upTo(3).map(() => 10)
      )
      const both = Effect.all([run(flow), run(flow), run(flow)], { concurrency: "unbounded" })
      const [took] = yield* result(Effect.timed(both))
      expect(Duration.toMillis(took)).toBe(30)
    })
  )

  it.effect("have lanes, intakes, collectors and state of their own", () =>
    Effect.gen(function* () {
      const Begin = defineEvent("Begin", { name: Schema.String })
      const Part = defineEvent("Part", { name: Schema.String })
      const Whole = defineEvent("Whole", { name: Schema.String })
      const End = defineEvent("End", { names: Schema.Array(Schema.String), count: Schema.Number })
      const seen = defineState("seen", Schema.Number, 0)
      const flow = workflow({
        name: "apart",
        start: Begin,
        stop: End,
        steps: {
          begin: defineStep({
            accepts: Begin,
            emits: Part,
            run: ({ name }) => upTo(6).map((n) => Part({ name: `${name}${n}` }))
          }),
          collected: defineStep({
            accepts: collect(Part, 3),
            emits: Whole,
            run: (parts) => Effect.as(Effect.sleep(5), Whole({ name: parts.map(({ name }) => name).join() }))
          }),
          byHand: defineStep({
            accepts: Whole,
            emits: End,
            run: ({ name }, { collect, update, get }) =>
              Effect.gen(function* () {
                yield* Effect.sleep(5)
                update(seen, (n) => n + 1)
                yield* Effect.sleep(name.startsWith("a") ? 5 : 7)
                const both = collect([Whole, Whole])
                if (both) return End({ names: both.map((whole) => whole.name), count: get(seen) })
              })
          })
        }
      })
      const ends = yield* result(
        Effect.forEach(["a", "b", "c"], (name) => run(flow, { name }), { concurrency: "unbounded" })
      )
      const expected = (name: string) =>
        End({ names: [upTo(3), [3, 4, 5]].map((ns) => ns.map((n) => name + n).join()), count: 2 })
      expect(ends).toEqual(["a", "b", "c"].map(expected))
    })
  )

  it.effect("have separate state, even if it is changed in place", () =>
    Effect.gen(function* () {
      const seen = defineState("seen", Schema.Any, (): Set<number> => new Set())
      const flow = workflow({
        name: "place",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({ accepts: Start, emits: Task, run: () => upTo(3).map((n) => Task({ n })) }),
          add: defineStep({
            accepts: Task,
            emits: Stop,
            run: ({ n }, { get }) => {
              const all: Set<number> = get(seen)
              if (all.add(n).size === 3) return stop(...all)
            }
          })
        }
      })
      const both = Effect.all([run(flow), run(flow)], { concurrency: 2 })
      expect(yield* both).toEqual([stop(0, 1, 2), stop(0, 1, 2)])
    })
  )

  it("keep the asynchronous context of their own callers apart", async () => {
    const caller = new AsyncLocalStorage<string>()
    const kinds: Record<string, (event: unknown) => unknown> = {
      plain: (event) => event,
      promise: async (event) => event,
      timer: (event) => new Promise((resume) => setTimeout(resume, 1, event)),
      Effect: (event) => Effect.as(Effect.yieldNow, event),
      "Effect that sleeps": (event) => Effect.as(Effect.sleep(1), event)
    }
    for (const [kind, emit] of Object.entries(kinds)) {
      const strangers: Array<string | undefined> = []
      const flow = (name: string) =>
        untyped.workflow({
          name,
          start: Start,
          stop: Stop,
          steps: {
            // Enough of them for several turns of the event loop.
            begin: defineStep({ accepts: Start, emits: Task, run: () => Task({ n: kind === "plain" ? 5_000 : 20 }) }),
            hop: untyped.step({
              accepts: Task,
              emits: [Task, Stop],
              run: ({ n }: { readonly n: number }) => {
                if (caller.getStore() !== name) strangers.push(caller.getStore())
                return emit(n === 0 ? stop() : Task({ n: n - 1 }))
              }
            })
          }
        })
      await Promise.all(["a", "b", "c"].map((name) => caller.run(name, () => untyped.runPromise(flow(name)))))
      expect(strangers, kind).toEqual([])
    }
  })

  it.effect("end apart: a failure or a stop of one leaves the other alone", () =>
    Effect.gen(function* () {
      const Begin = defineEvent("Begin", { fails: Schema.Boolean })
      const flow = workflow({
        name: "apart",
        start: Begin,
        stop: Stop,
        steps: {
          only: defineStep({
            accepts: Begin,
            emits: Stop,
            run: ({ fails }) => (fails ? Effect.fail("failed" as const) : Effect.as(Effect.sleep(10), stop(1)))
          })
        }
      })
      const failing = Effect.flip(run(flow, { fails: true }))
      const both = Effect.all([failing, run(flow, { fails: false })], { concurrency: "unbounded" })
      expect(yield* result(both)).toEqual(["failed", stop(1)])
    })
  )
})
