// An attempt that is over cannot affect its run, whatever its step's form and whatever ended it.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Schema, Stream } from "effect"
import {
  defineState,
  defineStep,
  gather,
  race,
  run,
  runPromise,
  type StepContext,
  StepEnded,
  type StepTimedOut,
  type WorkflowTimedOut
} from "stepgraph"
import { Done, numbers, recorded, Start, Stop, stop, Task, untyped } from "./support/flow.ts"
import { ended, failure, result } from "./support/virtual.ts"

type Ctx = StepContext<typeof Start, any>

const cell = defineState("cell", Schema.Number, 0)
const task = Task({ n: 1 })

/** The results of everything that a step can do with its `ctx`, done now. */
const useOf = (ctx: Ctx) => {
  let threw: unknown
  try {
    ctx.send(task)
  } catch (error) {
    threw = error
  }
  const before = ctx.get(cell)
  ctx.set(cell, before + 1)
  const updated = ctx.update(cell, (n) => n + 10)
  return {
    threw,
    written: ctx.get(cell) - before,
    updated: updated - before,
    collected: ctx.collect([Start]),
    aborted: ctx.signal.aborted
  }
}
const nothing = { threw: undefined, written: 0, updated: 0, collected: undefined, aborted: true }

const never = new Promise<never>(() => {})
/** Functions of every form, none of which ends by itself. */
const hanging: Record<string, () => unknown> = {
  "an async function": () => never,
  "an Effect": () => Effect.never,
  "a promise of an Effect": async () => Effect.never,
  "a Stream": () => Stream.concat(Stream.make(task), Stream.never),
  "an async generator": async function* () {
    yield task
    await never
  },
  "a generator that waits for room": function* () {
    for (;;) yield task
  }
}
const ending: Record<string, () => unknown> = {
  "a plain function": () => [task],
  "an async function": async () => task,
  "an Effect": () => Effect.as(Effect.sleep(1), task),
  "a Stream": () => Stream.make(task),
  "an async generator": async function* () {
    yield task
  },
  "a generator": function* () {
    yield task
  },
  "an Effect that fails": () => Effect.fail("no"),
  "an async function that rejects": async () => Promise.reject("no"),
  "a plain function that throws": () => {
    throw new Error("no")
  }
}
const settings: Record<string, object> = {
  "": {},
  " with a timeout": { timeout: "1 week" },
  " with a retry": { retry: { times: 1, while: () => false } },
  " with a recovery": { recover: () => Effect.never }
}
const everyWay = (forms: Record<string, () => unknown>) =>
  Object.entries(forms).flatMap(([form, call]) =>
    Object.entries(settings).map(([name, setting]) => [`${form}${name}`, call, setting] as const)
  )

/** A workflow with a step that keeps its `ctx` for later, beside `others`. */
const keeping = (call: () => unknown, setting: object, others: object, more: object = {}) => {
  const kept: Array<Ctx> = []
  const keep = untyped.step({
    accepts: Start,
    emits: [Task, Done, Stop],
    run: (_: unknown, ctx: Ctx) => {
      kept.push(ctx)
      // Half of them ask for it now, and the others only when the attempt is over.
      if (Object.keys(setting).length % 2 === 0) ctx.signal.throwIfAborted()
      return call()
    },
    ...setting
  })
  const stuck = defineStep({ accepts: Task, emits: [], workers: 1, run: () => Effect.never })
  const done = defineStep({ accepts: Done, emits: [], run: () => {} })
  const flow = untyped.workflow({
    name: "over",
    start: Start,
    stop: Stop,
    steps: { keep, stuck, done, ...others },
    ...more
  })
  return { flow, kept, reason: () => kept[0]!.signal.reason }
}
const after = <A>(time: string, value: A) => Effect.as(Effect.sleep(time as "1 second"), value)
const stops = defineStep({ accepts: Start, emits: Stop, run: () => after("1 second", stop()) })
const fails = untyped.step({
  accepts: Start,
  emits: Stop,
  run: () => Effect.andThen(Effect.sleep("1 second"), Effect.fail("elsewhere"))
})
const wins = {
  quick: defineStep({ accepts: Start, emits: Done, run: () => after("1 second", Done({ n: 1 })) }),
  first: defineStep({ accepts: race(Done), emits: Stop, run: () => after("1 second", stop()) })
}

describe("an attempt that was ended from outside does nothing to the run, and its signal says why", () => {
  it.effect.each(everyWay(hanging))("by a stop elsewhere: %s", ([, call, setting]) =>
    Effect.gen(function* () {
      const { flow, kept, reason } = keeping(call, setting, { stops })
      yield* result(run(flow))
      expect(useOf(kept[0]!)).toEqual(nothing)
      expect(reason()).toMatchObject({ name: "AbortError", message: "workflow 'over' has stopped with 'Stop'" })
    })
  )

  it.effect.each(everyWay(hanging))("by a failure elsewhere: %s", ([, call, setting]) =>
    Effect.gen(function* () {
      const { flow, kept, reason } = keeping(call, setting, { fails })
      expect(yield* failure(run(flow))).toBe("elsewhere")
      expect(useOf(kept[0]!)).toEqual(nothing)
      expect(reason()).toMatchObject({ name: "AbortError", message: "workflow 'over' has failed", cause: "elsewhere" })
    })
  )

  it.effect.each(everyWay(hanging))("by a lost race: %s", ([, call, setting]) =>
    Effect.gen(function* () {
      let used: unknown
      const look = defineStep({
        accepts: Start,
        emits: [],
        run: () =>
          Effect.delay(
            Effect.sync(() => void (used = useOf(kept[0]!))),
            "1500 millis"
          )
      })
      const { flow, kept, reason } = keeping(call, setting, { ...wins, look })
      yield* result(run(flow))
      expect(used).toEqual(nothing)
      expect(reason()).toMatchObject({
        name: "AbortError",
        message: "step 'keep' of workflow 'over' is not needed any more: a race has been won"
      })
    })
  )

  it.effect.each(everyWay(hanging))("by the timeout of the run: %s", ([, call, setting]) =>
    Effect.gen(function* () {
      const { flow, kept, reason } = keeping(call, setting, {}, { timeout: "1 second" })
      const error = (yield* failure(run(flow))) as WorkflowTimedOut
      expect(error._tag).toBe("WorkflowTimedOut")
      expect(useOf(kept[0]!)).toEqual(nothing)
      expect(reason()).toBe(error)
    })
  )

  const limited = Object.entries({
    "": { timeout: "1 second" },
    " with a retry": { timeout: "1 second", retry: { times: 1 } }
  }).flatMap(([name, setting]) =>
    Object.entries(hanging).map(([form, call]) => [`${form}${name}`, call, setting] as const)
  )
  it.effect.each(limited)("by its own timeout, which the run fails with: %s", ([, call, setting]) =>
    Effect.gen(function* () {
      const { flow, kept } = keeping(call, setting, {})
      const error = (yield* failure(run(flow))) as StepTimedOut
      expect(error._tag).toBe("StepTimedOut")
      for (const ctx of kept) expect(useOf(ctx)).toEqual(nothing)
      expect(kept.at(-1)!.signal.reason).toBe(error)
    })
  )

  it.effect.each(limited)("by its own timeout, which is recovered: %s", ([, call, setting]) =>
    Effect.gen(function* () {
      let used: ReadonlyArray<unknown> = []
      let recovered: unknown
      const { flow, kept } = keeping(
        call,
        {
          ...setting,
          recover: (error: unknown, _: unknown, ctx: Ctx) => {
            recovered = error
            used = kept.map(useOf)
            expect(ctx.signal.aborted).toBe(false)
          }
        },
        { ends: defineStep({ accepts: gather(Done), emits: Stop, run: () => stop() }) }
      )
      yield* result(run(flow))
      expect(used).toEqual(kept.map(() => nothing))
      expect(kept.at(-1)!.signal.reason).toBe(recovered)
    })
  )

  it.effect.each(everyWay(hanging))("by the fiber's interruption: %s", ([, call, setting]) =>
    Effect.gen(function* () {
      const { flow, kept, reason } = keeping(call, setting, {})
      const fiber = yield* Effect.forkChild(run(flow))
      while (kept.length === 0) yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      expect(useOf(kept[0]!)).toEqual(nothing)
      expect(reason()).toMatchObject({ name: "AbortError", message: "workflow 'over' was interrupted" })
    })
  )

  it.each(everyWay(hanging))("by the caller's signal: %s", async (_, call, setting) => {
    const controller = new AbortController()
    const why = { text: "the browser's tab was closed" }
    const aborts = defineStep({ accepts: Start, emits: [], run: () => controller.abort(why) })
    const { flow, kept, reason } = keeping(call, setting, { aborts })
    await expect(untyped.runPromise(flow, {}, { signal: controller.signal })).rejects.toBe(why)
    expect(useOf(kept[0]!)).toEqual(nothing)
    expect(reason()).toBe(why)
  })
})

describe("an attempt that has come to its own end", () => {
  it.effect.each(everyWay(ending))(
    "does nothing to the run either, and `send` throws StepEnded: %s",
    ([, call, setting]) =>
      Effect.gen(function* () {
        const { flow, kept, reason } = keeping(call, setting, { stops })
        yield* ended(run(flow))
        const { threw, ...used } = useOf(kept[0]!)
        expect(threw).toBeInstanceOf(StepEnded)
        expect({ ...used, threw: undefined }).toEqual(nothing)
        expect(reason()).toMatchObject({ name: "AbortError", message: "step 'keep' of workflow 'over' has ended" })
      })
  )

  it.effect.each(everyWay(ending))("sees its signal abort at once, and may send then: %s", ([, call, setting]) =>
    Effect.gen(function* () {
      const told: Array<unknown> = []
      const trace = recorded()
      let ctx: Ctx | undefined
      const { flow } = keeping(() => call(), setting, { stops })
      const { run: keep, ...rest } = (flow.steps as any).keep
      const listening = untyped.step({
        ...rest,
        run: (input: unknown, own: Ctx) => {
          ctx = own
          own.signal.addEventListener("abort", () => told.push(useOf(own)))
          return keep(input, own)
        }
      })
      yield* ended(trace.record(run(untyped.workflow({ ...flow, steps: { ...flow.steps, keep: listening } }))))
      expect(told).toEqual([nothing])
      expect(ctx!.signal.aborted).toBe(true)
      const last = trace.entries.at(-1)
      expect(last?._tag).toBe("RunFinished")
    })
  )
})

describe("an event sent too late", () => {
  /** A step that goes on after its time is over, and its run. */
  const going = (setting: object, others: object, late: (ctx: Ctx) => void = ({ send }) => send(task)) => {
    const goes = untyped.step({
      accepts: Start,
      emits: [Task, Done],
      run: (_: unknown, ctx: Ctx) => {
        if (ctx.attempt > 1) return [task, task]
        ctx.signal.addEventListener("abort", () => queueMicrotask(() => late(ctx)))
        return never
      },
      ...setting
    })
    const tasks = defineStep({ accepts: Task, emits: [], run: () => {} })
    const done = defineStep({ accepts: Done, emits: [], run: () => {} })
    return untyped.workflow({ name: "late", start: Start, stop: Stop, steps: { goes, tasks, done, ...others } })
  }
  const lasts = defineStep({
    accepts: Start,
    emits: [],
    run: () => Effect.onInterrupt(Effect.never, () => Effect.sleep("1 second"))
  })
  const slow = defineStep({ accepts: Start, emits: Stop, run: () => after("1 hour", stop()) })
  const dropped = (flow: ReturnType<typeof going>) =>
    Effect.gen(function* () {
      const trace = recorded()
      yield* ended(trace.record(run(flow)))
      const [drop] = trace.of("EventDropped").filter(({ reason }) => reason !== "leftover")
      const emitted = trace.of("EventEmitted").find(({ event }) => event === drop?.event)
      expect(trace.entries.at(-1)?._tag).toBe("RunFinished")
      return drop && { reason: drop.reason, step: drop.step, tag: emitted?.tag, data: emitted?.data }
    })
  const drop = { step: null, tag: "Task", data: { n: 1 } }

  it.effect("is in the trace: after a timeout of the step", () =>
    Effect.gen(function* () {
      const flow = going({ timeout: "1 second", recover: () => Done({ n: 0 }) }, { slow })
      expect(yield* dropped(flow)).toEqual({ ...drop, reason: "late" })
    })
  )

  it.effect("is in the trace: after a lost race", () =>
    Effect.gen(function* () {
      expect(yield* dropped(going({}, wins))).toEqual({ ...drop, reason: "raced" })
    })
  )

  it.effect("is in the trace: after the stop, while others still end", () =>
    Effect.gen(function* () {
      expect(yield* dropped(going({}, { stops, lasts }))).toEqual({ ...drop, reason: "ended" })
    })
  )

  it.effect("is not in the trace when nothing of the run is running", () =>
    Effect.gen(function* () {
      expect(yield* dropped(going({}, { stops }))).toBe(undefined)
    })
  )

  it.effect("may be anything: values that are not declared events are ignored", () =>
    Effect.gen(function* () {
      const hostile = {
        get _tag(): string {
          throw new Error("hostile")
        }
      }
      for (const value of [undefined, null, 7, Stop, stop(), { _tag: "Unknown" }, hostile]) {
        let threw: unknown
        const late = (ctx: Ctx) => {
          try {
            ctx.send(value)
          } catch (error) {
            threw = error
          }
        }
        const flow = going({ timeout: "1 second", recover: () => Done({ n: 0 }) }, { slow }, late)
        expect([yield* dropped(flow), threw]).toEqual([undefined, undefined])
      }
    })
  )

  it.effect("does not change the ids of live attempts' events", () =>
    Effect.gen(function* () {
      const ids = (late: (ctx: Ctx) => void) => {
        const trace = recorded()
        const flow = going({ timeout: "1 second", retry: { times: 1 } }, { slow }, late)
        return Effect.map(result(trace.record(run(flow))), () => trace.of("EventDelivered").map(({ event }) => event))
      }
      const quiet = yield* ids(() => {})
      expect(quiet.filter((id) => id.startsWith("Task"))).toHaveLength(2)
      expect(yield* ids(({ send }) => [task, task, task].forEach(send))).toEqual(quiet)
    })
  )

  it("does not end the process: a timer that goes on after the step's timeout", async () => {
    let ticks = 0
    let over = (): void => {}
    const ended = new Promise<void>((resolve) => {
      over = resolve
    })
    const flow = going(
      { timeout: 5, recover: () => Done({ n: 0 }) },
      { quick: { ...slow, run: () => after("10 millis", stop()) } },
      (ctx) => {
        const timer = setInterval(() => {
          ctx.send(task)
          if (++ticks < 20) return
          clearInterval(timer)
          over()
        }, 1)
      }
    )
    expect((await untyped.runPromise(flow))._tag).toBe("Stop")
    await ended
    expect(ticks).toBe(20)
  })
})

describe("a step that was left", () => {
  it.effect("does not take a live attempt's event with `collect`", () =>
    Effect.gen(function* () {
      const pairs = (late: boolean) => {
        const pair = untyped.step({
          accepts: Task,
          emits: Done,
          timeout: "1 second",
          run: ({ n }: { n: number }, { collect, signal }: Ctx) => {
            const both = () => {
              const two = collect([Task, Task] as never) as ReadonlyArray<{ readonly n: number }> | undefined
              return two && Done({ n: two[0]!.n * 10 + two[1]!.n })
            }
            if (n !== 1) return both()
            return new Promise((resolve) => {
              if (late) signal.addEventListener("abort", () => resolve(both()))
            })
          },
          recover: () => Done({ n: 0 })
        })
        const fan = defineStep({
          accepts: Start,
          emits: Task,
          run: () =>
            Stream.concat(
              Stream.make(Task({ n: 1 }), Task({ n: 2 })),
              Stream.fromEffect(after("2 seconds", Task({ n: 3 })))
            )
        })
        const end = defineStep({ accepts: gather(Done), emits: Stop, run: (all) => stop(...numbers(all)) })
        return untyped.workflow({ name: "pairs", start: Start, stop: Stop, steps: { fan, pair, end } })
      }
      for (const late of [false, true]) expect(yield* result(run(pairs(late)))).toEqual(stop(0, 23))
    })
  )

  it("that has been overtaken in a race sets no state", async () => {
    const loser = defineStep({
      accepts: Start,
      emits: Done,
      run: (_, { set, signal }) =>
        new Promise<ReturnType<typeof Done>>((resolve) => {
          signal.addEventListener("abort", () => {
            set(cell, 99)
            resolve(Done({ n: 99 }))
          })
        })
    })
    const winner = defineStep({
      accepts: Start,
      emits: Done,
      run: async (_, { set }) => {
        set(cell, 1)
        return Done({ n: 1 })
      }
    })
    const first = defineStep({
      accepts: race(Done),
      emits: Stop,
      run: async ({ n }, { get }) => {
        await Promise.resolve()
        return stop(n, get(cell))
      }
    })
    const flow = untyped.workflow({ name: "race", start: Start, stop: Stop, steps: { loser, winner, first } })
    expect((await runPromise(flow as never)) as unknown).toEqual(stop(1, 1))
  })

  it.effect("has been left from the moment on at which it is interrupted, its finalizers included", () =>
    Effect.gen(function* () {
      const used: Array<unknown> = []
      const finalizing = untyped.step({
        accepts: Start,
        emits: Task,
        run: (_: unknown, ctx: Ctx) => Effect.onInterrupt(Effect.never, () => Effect.sync(() => used.push(useOf(ctx))))
      })
      const tasks = defineStep({ accepts: Task, emits: [], run: () => {} })
      for (const more of [{}, { timeout: "1 second", recover: () => {} }]) {
        const steps = { finalizing: { ...finalizing, ...more }, tasks, stops }
        const exit = yield* ended(run(untyped.workflow({ name: "finalizers", start: Start, stop: Stop, steps })))
        expect(Exit.isSuccess(exit)).toBe(true)
      }
      expect(used).toEqual([nothing, nothing])
    })
  )
})
