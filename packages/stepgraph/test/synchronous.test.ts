// Long synchronous work between steps neither grows the stack nor starves timers, signals and other fibers.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { collect, defineStep, gather, join, race, run, type StepContext, workflow } from "stepgraph"
import { Done, Start, Stop, stop, Task, untyped, upTo } from "./support/flow.ts"

type Context = StepContext<any, unknown>

/** A loop of so many hops through one step. */
const loop = (hops: number, kind: (event: unknown, ctx: Context) => unknown, settings: object = {}) =>
  untyped.workflow({
    name: "loop",
    start: Start,
    stop: Stop,
    steps: {
      begin: defineStep({ accepts: Start, emits: Task, run: () => Task({ n: hops }) }),
      hop: untyped.step({
        accepts: Task,
        emits: [Task, Stop],
        ...settings,
        run: (input: { readonly n: number } | ReadonlyArray<{ readonly n: number }>, ctx: Context) => {
          const { n } = Array.isArray(input) ? input[0] : input
          return kind(n === 0 ? stop(hops) : Task({ n: n - 1 }), ctx)
        }
      })
    }
  })

/** How often a timer fires, and another fiber has its turn, while something runs. */
const beside = async (running: Promise<unknown>) => {
  let timers = 0
  let turns = 0
  let timer = setTimeout(function again() {
    timers++
    timer = setTimeout(again, 0)
  }, 0)
  const other = new AbortController()
  const counting = Effect.forever(
    Effect.andThen(
      Effect.sync(() => turns++),
      Effect.yieldNow
    )
  )
  Effect.runFork(counting, { signal: other.signal })
  const event = await running
  clearTimeout(timer)
  other.abort()
  return { event, timers, turns }
}

const hops = 100_000

describe(`a loop of ${hops} hops neither grows the stack nor starves a timer or another fiber`, () => {
  const kinds: Record<string, [kind: (event: unknown, ctx: Context) => unknown, settings?: object]> = {
    "of plain steps": [(event) => event],
    "of arrays": [(event) => [event]],
    "of steps that send": [(event, { send }) => send(event)],
    "of Effects that are done at once": [(event) => Effect.succeed(event)],
    "of async steps": [async (event) => event],
    "through a collect": [(event) => event, { accepts: collect(Task, 1) }],
    "through a gather": [(event) => event, { accepts: gather(Task) }]
  }
  it.each(Object.entries(kinds))("%s", async (_, [kind, settings]) => {
    const { event, timers, turns } = await beside(untyped.runPromise(loop(hops, kind, settings)))
    expect(event).toEqual(stop(hops))
    expect(timers).toBeGreaterThan(2)
    expect(turns).toBeGreaterThan(2)
  })

  const slower: typeof kinds = {
    "of generators": [
      function* (event) {
        yield event
      }
    ],
    "of Effects that yield": [(event) => Effect.as(Effect.yieldNow, event)],
    "of promises in Effects": [(event) => Effect.promise(async () => event)],
    "of steps with a timeout": [(event) => event, { timeout: "1 minute" }],
    "of steps with a retry": [(event) => event, { retry: { times: 1 } }],
    "through a join": [(event) => event, { accepts: join([Task]) }],
    "of Streams": [(event) => Stream.succeed(event)],
    "of async generators": [
      async function* (event) {
        yield event
      }
    ]
  }
  it.each(Object.entries(slower))("%s (20,000)", async (_, [kind, settings]) => {
    const { event, timers, turns } = await beside(untyped.runPromise(loop(20_000, kind, settings)))
    expect(event).toEqual(stop(20_000))
    expect(timers).toBeGreaterThan(0)
    expect(turns).toBeGreaterThan(0)
  })
})

describe("long synchronous work", () => {
  it("of two runs at once is done in turns: neither waits for the end of the other", async () => {
    const order: Array<string> = []
    const flow = (name: string) =>
      loop(20_000, (event) => {
        if (order.at(-1) !== name) order.push(name)
        return event
      })
    await Effect.runPromise(
      Effect.all([run(flow("a")), run(flow("b"))], { concurrency: "unbounded" }) as Effect.Effect<unknown>
    )
    expect(order.length).toBeGreaterThan(6)
  })

  it("is done in turns by the steps of one run: none waits until another has done all its own", async () => {
    const order: Array<string> = []
    const take = defineStep({
      accepts: Task,
      emits: Done,
      run: (_, { step }) => {
        if (order.at(-1) !== step) order.push(step)
        return Done({ n: 1 })
      }
    })
    const flow = workflow({
      name: "turns",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({ accepts: Start, emits: Task, run: () => upTo(1000).map((n) => Task({ n })) }),
        a: take,
        b: take,
        finish: defineStep({ accepts: collect(Done, 2000), emits: Stop, run: () => stop() })
      }
    })
    await untyped.runPromise(flow)
    expect(order.length).toBeGreaterThan(1000)
  })

  it("of an endless generator does not starve other work, whether its events go to a lane or an intake", async () => {
    for (const accepts of [Task, gather(Task), collect(Task, 10_000_000)]) {
      let pulled = 0
      const flow = untyped.workflow({
        name: "endless",
        start: Start,
        stop: Stop,
        steps: {
          begin: untyped.step({
            accepts: Start,
            emits: Task,
            run: function* () {
              for (;;) yield Task({ n: pulled++ })
            }
          }),
          take: untyped.step({ accepts, emits: [], run: () => {} }),
          end: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(60), stop(1)) })
        }
      })
      // It ends because the other step's timer has its turn.
      expect(await untyped.runPromise(flow)).toEqual(stop(1))
      expect(pulled).toBeGreaterThan(1000)
    }
  })

  it("of 100,000 nested steps in one chain of sends does not grow the stack", async () => {
    // Each send makes the same step runnable while it is still running.
    const flow = loop(
      hops,
      (event, { send }) => {
        send(event)
        return []
      },
      { workers: 1 }
    )
    expect(await untyped.runPromise(flow)).toEqual(stop(hops))
  })

  it("of 20,000 retries that fail at once does not grow the stack", async () => {
    const flow = untyped.workflow({
      name: "retries",
      start: Start,
      stop: Stop,
      steps: {
        only: untyped.step({
          accepts: Start,
          emits: Stop,
          retry: { times: 20_000 },
          run: (_: unknown, { attempt }: Context) => (attempt > 20_000 ? stop(attempt) : Effect.fail("again"))
        })
      }
    })
    expect(await untyped.runPromise(flow)).toEqual(stop(20_001))
  })

  it("of 2,000 rounds of a race, each in a scope inside the last, does not grow the stack", async () => {
    const flow = untyped.workflow({
      name: "nested",
      start: Start,
      stop: Stop,
      steps: {
        // A race runs once in its scope, so each task opens one.
        begin: defineStep({ accepts: Start, emits: Task, run: () => Task({ n: 2_000 }) }),
        answer: defineStep({ accepts: Task, emits: Done, run: ({ n }) => [Done({ n }), Done({ n })] }),
        first: defineStep({
          accepts: race(Done, { per: Task }),
          emits: [Task, Stop],
          run: ({ n }) => (n === 0 ? stop(1) : Task({ n: n - 1 }))
        })
      }
    })
    expect(await untyped.runPromise(flow)).toEqual(stop(1))
  })
})
