// If nothing is queued, nothing runs, no input is open and no stop came, the run fails at once with WorkflowStalled,
// which names what is waiting. It needs no timeout, and never fires while something can still happen.
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Schedule, Schema, Stream } from "effect"
import {
  collect,
  defineEvent,
  defineStep,
  gather,
  type Intake,
  join,
  race,
  run,
  WorkflowStalled,
  workflow
} from "stepgraph"
import { Done, recorded, Start, Stop, stop, Task, untyped, upTo } from "./support/flow.ts"
import { failure, random, result } from "./support/virtual.ts"

/** A run that emits tasks and dones to a step with an intake. */
const waiting = (accepts: unknown, events: ReadonlyArray<unknown>, run: unknown = () => stop(1)) =>
  untyped.workflow({
    name: "waiting",
    start: Start,
    stop: Stop,
    timeout: "1 week",
    steps: {
      begin: untyped.step({ accepts: Start, emits: [Task, Done], run: () => Effect.as(Effect.sleep(10), events) }),
      task: defineStep({ accepts: Task, emits: [], run: () => {} }),
      done: defineStep({ accepts: Done, emits: [], run: () => {} }),
      wait: untyped.step({ accepts, emits: Stop, run })
    }
  })

const [task, done] = [Task({ n: 1 }), Done({ n: 1 })]
const byHand = (_: unknown, ctx: { readonly collect: (defs: unknown) => unknown }) =>
  ctx.collect([Task, Done, Done]) && stop(1)

describe("a run that cannot go on", () => {
  const cases: Record<string, [flow: ReturnType<typeof waiting>, has: object, needs: object]> = {
    "a join with nothing": [waiting(join([Task, Done]), []), {}, { Task: 1, Done: 1 }],
    "a join with one of two": [waiting(join([Task, Done]), [task]), { Task: 1 }, { Done: 1 }],
    "a join with many of the one and none of the other": [
      waiting(join([Task, Done]), [task, task, task]),
      { Task: 3 },
      { Done: 1 }
    ],
    "a join of one type twice": [waiting(join([Task, Done, Done]), [done, task]), { Task: 1, Done: 1 }, { Done: 1 }],
    "a collect": [waiting(collect(Task, 5), [task, task]), { Task: 2 }, { Task: 3 }],
    "a collect of an empty fan-out": [waiting(collect(Task, 5), []), {}, { Task: 5 }],
    "a collect of two types": [
      waiting(collect([Task, Done], 3), [task, done]),
      { Task: 1, Done: 1 },
      { "Task or Done": 1 }
    ],
    "a race that nothing came to": [waiting(race(Task), []), {}, { Task: 1 }],
    "a collection by hand": [waiting([Task, Done], [task, done], byHand), { Task: 1, Done: 1 }, { Done: 1 }]
  }
  it.effect.each(Object.entries(cases))("reports at once what is waiting: %s", ([, [flow, has, needs]]) =>
    Effect.gen(function* () {
      const [took, error] = yield* result(Effect.timed(Effect.flip(run(flow))))
      expect(Duration.toMillis(took)).toBe(10)
      expect(error).toBeInstanceOf(WorkflowStalled)
      expect((error as WorkflowStalled).waiting).toMatchObject([{ step: "wait", has, needs }])
    })
  )

  it.effect("reports that no step is waiting, because the last ones emitted nothing", () =>
    Effect.gen(function* () {
      const error = yield* failure(run(waiting(Task, [task], () => {})))
      expect(error).toMatchObject({ _tag: "WorkflowStalled", workflow: "waiting", waiting: [] })
    })
  )

  it.effect("says it when the very first step emits nothing", () =>
    Effect.gen(function* () {
      const only = defineStep({
        accepts: Start,
        emits: Stop,
        run: (): ReturnType<typeof stop> | undefined => undefined
      })
      const flow = workflow({ name: "first", start: Start, stop: Stop, steps: { only } })
      expect(yield* Effect.flip(run(flow))).toBeInstanceOf(WorkflowStalled)
    })
  )

  it.effect("says it although another run of the same workflow goes on", () =>
    Effect.gen(function* () {
      const Begin = defineEvent("Begin", { count: Schema.Number })
      const flow = workflow({
        name: "both",
        start: Begin,
        stop: Stop,
        steps: {
          begin: defineStep({
            accepts: Begin,
            emits: Task,
            run: ({ count }) =>
              Effect.as(
                Effect.sleep(count),
                upTo(count).map((n) => Task({ n }))
              )
          }),
          finish: defineStep({ accepts: collect(Task, 10), emits: Stop, run: (tasks) => stop(tasks.length) })
        }
      })
      const both = Effect.all([Effect.flip(run(flow, { count: 9 })), run(flow, { count: 10 })], { concurrency: 2 })
      const [error, event] = yield* result(both)
      expect(error).toMatchObject({ waiting: [{ has: { Task: 9 }, needs: { Task: 1 } }] })
      expect(event).toEqual(stop(10))
    })
  )
})

describe("a run is not stalled while", () => {
  /** What still goes on when everything else has ended. */
  const cases: Record<string, object> = {
    "an Effect sleeps": { run: () => Effect.as(Effect.sleep("1 day"), stop(1)) },
    "a promise is pending": {
      run: async () => {
        for (let turn = 0; turn < 10; turn++) await new Promise<void>((resume) => setImmediate(resume))
        return stop(1)
      }
    },
    "an async generator has more": {
      run: async function* () {
        for (let turn = 0; turn < 10; turn++) await new Promise<void>((resume) => setImmediate(resume))
        yield stop(1)
      }
    },
    "a Stream has more": { run: () => Stream.fromEffect(Effect.as(Effect.sleep("1 day"), stop(1))) },
    "a retry waits for its next attempt": {
      run: (_: unknown, { attempt }: { readonly attempt: number }) =>
        attempt === 3 ? Effect.succeed(stop(1)) : Effect.fail("again"),
      retry: Schedule.spaced("1 day")
    },
    "a recovery is at work": {
      run: () => Effect.fail("no"),
      recover: () => Effect.as(Effect.sleep("1 day"), stop(1))
    },
    "a step sends from a callback later": {
      run: (_: unknown, { send }: { readonly send: (event: unknown) => void }) =>
        Effect.callback((resume) => {
          setImmediate(() => {
            send(stop(1))
            resume(Effect.never)
          })
        })
    }
  }
  it.effect.each(Object.entries(cases))("%s", ([, setting]) =>
    Effect.gen(function* () {
      const steps = { only: untyped.step({ accepts: Start, emits: Stop, ...setting }) }
      const flow = untyped.workflow({ name: "going on", start: Start, stop: Stop, steps })
      expect(yield* result(run(flow))).toEqual(stop(1))
    })
  )

  it.effect("the deadline of an intake is still to come", () =>
    Effect.gen(function* () {
      const flow = waiting(collect(Task, 5, { within: "1 hour" }), [task, task])
      const [took, event] = yield* result(Effect.timed(run(flow)))
      expect([Duration.toMillis(took), event]).toEqual([3_600_010, stop(1)])
    })
  )

  it.effect("a gather has not run, though nothing ever came to it", () =>
    Effect.gen(function* () {
      expect(yield* result(run(waiting(gather(Task), [])))).toEqual(stop(1))
    })
  )

  it.effect("a race with take has not run, though nothing ever came to it", () =>
    Effect.gen(function* () {
      expect(yield* result(run(waiting(race(Task, { take: 3 }), [])))).toEqual(stop(1))
    })
  )
})

describe("a thousand random graphs", () => {
  const kinds: ReadonlyArray<
    (events: ReadonlyArray<unknown>, millis: number, send: (event: unknown) => void) => unknown
  > = [
    (events) => events,
    (events) => events.values(),
    (events, millis) => Effect.as(Effect.sleep(millis), events),
    (events, millis) => Effect.delay(Effect.succeed(events), millis),
    (events, millis) => Stream.tap(Stream.fromIterable(events), () => Effect.sleep(millis)),
    ([first, ...others], millis, send) =>
      Effect.gen(function* () {
        send(first)
        yield* Effect.sleep(millis)
        return others
      })
  ]

  /** A promise needs real turns of the event loop, during which virtual time may pass. */
  const promises: typeof kinds = [
    async (events) => events,
    async function* (events) {
      for (const event of events) {
        await Promise.resolve()
        yield event
      }
    }
  ]

  /** A random acyclic graph whose last step waits for all the events that come to it, and for `more` that never come. */
  const graph = (seed: number, more: number, kinds: typeof promises) => {
    const next = random(seed)
    const below = (n: number) => Math.floor(next() * n)
    const size = 2 + below(6)
    const Hops = upTo(size).map((n) => defineEvent(`Hop${n}`))
    const paths = upTo(size).map((n) => Number(n === 0))
    const steps: Record<string, unknown> = {}
    for (const n of upTo(size - 1)) {
      const targets = [...upTo(below(3)).map(() => n + 1 + below(size - n - 1)), n + 1]
      for (const target of targets) paths[target]! += paths[n]!
      const kind = kinds[below(kinds.length)]!
      const settings = [{}, {}, {}, { timeout: "52 weeks" }, { retry: { times: 1 } }]
      steps[`step${n}`] = untyped.step({
        accepts: Hops[n],
        emits: [...new Set(targets)].map((target) => Hops[target]),
        workers: 1 + below(3),
        run: (_: unknown, { send }: { readonly send: (event: unknown) => void }) =>
          kind(
            targets.map((target) => Hops[target]!()),
            below(20),
            send
          ),
        ...settings[below(settings.length)]
      })
    }
    const all = paths[size - 1]!
    const last = Hops[size - 1]!
    const intakes: ReadonlyArray<Intake<any, any>> = [collect(last, all + more), join(upTo(all + more).map(() => last))]
    steps.last = untyped.step({ accepts: intakes[below(2)], emits: Stop, run: () => stop(all) })
    const start = Hops[0]
    return { flow: untyped.workflow({ name: `graph ${seed}`, start, stop: Stop, steps }), all }
  }

  it.effect(
    "never stall while something could still happen",
    () =>
      Effect.gen(function* () {
        for (const seed of upTo(500)) {
          const { flow, all } = graph(seed, 0, [...kinds, ...promises])
          expect(yield* result(run(flow)), flow.name).toEqual(stop(all))
        }
      }),
    30_000
  )

  it.effect(
    "always stall as soon as nothing can happen any more",
    () =>
      Effect.gen(function* () {
        for (const seed of upTo(500)) {
          const { flow, all } = graph(500 + seed, 1, kinds)
          const trace = recorded()
          const error = yield* failure(trace.record(run(flow)))
          const last = flow.steps.last.accepts.events[0].tag
          expect(error, flow.name).toMatchObject({
            waiting: [{ step: "last", has: { [last]: all }, needs: { [last]: 1 } }]
          })
          const [finished] = trace.of("RunFinished")
          expect(finished!.at).toBe(trace.of("InvocationEnded").at(-1)!.at)
        }
      }),
    30_000
  )
})
