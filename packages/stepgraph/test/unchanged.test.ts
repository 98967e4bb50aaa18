// Being observed changes nothing: what a program draws from its own `Random` and `Clock` is the same, whoever looks at its
// runs, and a run leaves nothing in the scope around it.
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Random, Scope, Stream, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { AnnotateLogs, defineStep, gather, launch, Observer, run, stream, Telemetry, workflow } from "stepgraph"
import { Done, numbers, Start, Stop, stop, Task } from "./support/flow.ts"
import { result } from "./support/virtual.ts"

/** A workflow whose steps draw numbers, in every way in which a step can be an Effect. */
const flowOf = (look: (ctx: { readonly runId: string }) => unknown = () => undefined) =>
  workflow({
    name: "draws",
    start: Start,
    stop: Stop,
    timeout: "1 hour",
    steps: {
      fan: defineStep({ accepts: Start, emits: Task, run: () => [1, 2, 3].map((n) => Task({ n })) }),
      draw: defineStep({
        accepts: Task,
        emits: Done,
        timeout: "1 minute",
        retry: { times: 1 },
        run: (_, ctx) => {
          look(ctx)
          return Effect.map(Effect.andThen(Effect.sleep(1), Random.nextInt), (n) => Done({ n }))
        }
      }),
      end: defineStep({ accepts: gather(Done), emits: Stop, run: (all) => stop(...numbers(all)) })
    }
  })

type Change = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
const observed: Change = Effect.provideService(Observer, () => {})
const traced: Change = Effect.provideService(
  Tracer.Tracer,
  Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })
)
const measured: Change = Effect.provideService(Telemetry, { spans: false, metrics: true })
const annotated: Change = Effect.provideService(AnnotateLogs, true)
const bare: Change = (effect) => effect

const looks: Record<string, readonly [change: Change, flow: ReturnType<typeof flowOf>]> = {
  "an observer": [observed, flowOf()],
  "a tracer": [traced, flowOf()],
  metrics: [measured, flowOf()],
  "logs that say where they come from": [annotated, flowOf()],
  "a look at ctx.runId": [bare, flowOf(({ runId }) => runId)],
  "all of them": [(effect) => observed(traced(measured(annotated(effect)))), flowOf(({ runId }) => runId)]
}

const doors: Record<string, (flow: ReturnType<typeof flowOf>) => Effect.Effect<unknown, unknown>> = {
  run: (flow) => run(flow),
  launch: (flow) => Effect.scoped(Effect.flatMap(launch(flow), (handle) => handle.result)),
  stream: (flow) => Stream.runCollect(stream(flow))
}

const cases = Object.keys(doors).flatMap((door) => Object.keys(looks).map((look) => [door, look] as const))

describe("what a program draws from its `Random`", () => {
  const drawn = (program: Effect.Effect<unknown, unknown>) =>
    Effect.gen(function* () {
      const first = yield* Random.next
      const ran = yield* result(program)
      return [first, ran, yield* Random.next]
    }).pipe(Random.withSeed("stepgraph"))

  it.effect.each(cases)("is the same with %s and %s", ([door, look]) =>
    Effect.gen(function* () {
      const [change, flow] = looks[look]!
      const without = yield* drawn(doors[door]!(flowOf()))
      expect(yield* change(drawn(doors[door]!(flow)))).toEqual(without)
      // The seed decides: without it the numbers would not be the same either.
      expect(new Set(without.map((value) => JSON.stringify(value))).size).toBe(3)
    })
  )
})

describe("the `Clock`", () => {
  /** A clock that counts how often it is asked, and for which sleeps. */
  const counting = Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const asked = { reads: 0, sleeps: [] as Array<string> }
    const read = <A>(value: () => A) => {
      asked.reads++
      return value()
    }
    const counted: Clock.Clock = Object.assign(Object.create(clock) as Clock.Clock, {
      currentTimeMillisUnsafe: () => read(() => clock.currentTimeMillisUnsafe()),
      currentTimeNanosUnsafe: () => read(() => clock.currentTimeNanosUnsafe()),
      sleep: (duration: Parameters<Clock.Clock["sleep"]>[0]) => {
        asked.sleeps.push(String(duration))
        return clock.sleep(duration)
      }
    })
    return { asked, counted }
  })
  const asked = (change: Change, flow: ReturnType<typeof flowOf>) =>
    Effect.gen(function* () {
      const { asked, counted } = yield* counting
      yield* Effect.provideService(change(run(flow)), Clock.Clock, counted)
      return asked
    }).pipe(result, Effect.provide(TestClock.layer()))

  it.effect("is not read by a run that nobody looks at", () =>
    Effect.gen(function* () {
      expect((yield* asked(bare, flowOf())).reads).toBe(0)
    })
  )

  it.effect.each(Object.keys(looks))("is only read for the sake of %s: the sleeps are the same", (look) =>
    Effect.gen(function* () {
      const { sleeps } = yield* asked(bare, flowOf())
      expect((yield* asked(...looks[look]!)).sleeps).toEqual(sleeps)
      expect(sleeps.length).toBeGreaterThan(3)
    })
  )
})

describe("a scope around a run", () => {
  it.effect.each(Object.keys(looks))("is left as it was, with %s", (look) =>
    Effect.gen(function* () {
      const [change, flow] = looks[look]!
      const around = yield* Scope.make()
      let added = 0
      const scope: Scope.Scope = new Proxy(around, {
        get: (target, key) => {
          added++
          return Reflect.get(target, key)
        }
      })
      const within = Effect.provideService(Scope.Scope, scope)
      yield* result(within(change(run(flow))))
      yield* result(within(change(Stream.runDrain(stream(flow)))))
      expect(added).toBe(0)
      // It would be seen.
      yield* Effect.addFinalizer(() => Effect.void).pipe(within)
      expect(added).toBeGreaterThan(0)
    })
  )
})
