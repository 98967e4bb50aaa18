import { setTimeout as setTimeoutOfNode } from "node:timers"
import { scheduler, setInterval as setIntervalPromise, setTimeout as setTimeoutPromise } from "node:timers/promises"
import { promisify } from "node:util"
import { it as effectIt } from "@effect/vitest"
import {
  CannotReplay,
  type ExploreError,
  explore,
  explorePromise,
  InjectedFault,
  InvalidExploration,
  ScheduleFailure
} from "@stepgraph/testing"
import { Context, Data, Effect, Layer, Schema, Stream } from "effect"
import { collect, defineEvent, defineStep, gather, launch, Observer, run, type TraceEntry, workflow } from "stepgraph"
import { describe, expect, it, vi } from "vitest"
import { seed } from "./seed.ts"

const Start = defineEvent("Start")
const Item = defineEvent("Item", { n: Schema.Number })
const Done = defineEvent("Done", { n: Schema.Number })
const Stop = defineEvent("Stop", { value: Schema.Unknown })
/** The real one, even while timers are virtual. */
const kept = promisify(setTimeout)
const anyResult = { invariants: { sameResult: false } }

const failing = (exploring: Effect.Effect<unknown, ExploreError>) =>
  Effect.runPromise(Effect.flip(exploring) as Effect.Effect<ScheduleFailure>)

const items = (count: number) =>
  defineStep({ accepts: Start, emits: Item, run: () => Array.from({ length: count }, (_, n) => Item({ n })) })
const all = defineStep({
  accepts: gather(Done),
  emits: Stop,
  run: (done) => Stop({ value: done.map(({ n }) => n) })
})
const sleepers = (count: number) =>
  workflow({
    name: "sleepers",
    start: Start,
    stop: Stop,
    steps: {
      items: items(count),
      work: defineStep({
        accepts: Item,
        emits: Done,
        workers: "unbounded",
        run: ({ n }) => Effect.as(Effect.sleep(10), Done({ n }))
      }),
      all
    }
  })

describe("explore", () => {
  effectIt.effect("is an Effect that returns its findings, even under a TestClock", () =>
    Effect.gen(function* () {
      const seen = yield* explore(seed, anyResult)
      expect(seen).toMatchObject({ schedules: 6, complete: true, uncontrolled: [], inputs: 1, coverage: { ratio: 1 } })
      expect(seen.outcomes.map(({ times }) => times)).toEqual([1, 1, 1, 1, 1, 1])
    })
  )

  effectIt.effect("fails with the schedule that breaks a rule", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(explore(seed))
      expect(failure).toBeInstanceOf(ScheduleFailure)
      expect(failure).toMatchObject({ _tag: "ScheduleFailure", invariant: "sameResult", schedule: "0.1.3~dg0jc" })
    })
  )

  it("is a promise in tests without Effect", async () => {
    expect(await explorePromise(seed, anyResult)).toMatchObject({ schedules: 6, complete: true })
    await expect(explorePromise(seed)).rejects.toBeInstanceOf(ScheduleFailure)
  })

  it("points at the test that called it", async () => {
    const failure = await failing(explore(seed))
    expect(failure.stack).toMatch(/^ScheduleFailure: workflow 'concurrent'/)
    expect(failure.stack?.split("\n").find((line) => line.startsWith("    at "))).toContain("explore.test.ts")
  })

  it("tries the fewest deviations first", async () => {
    const { outcomes } = await explorePromise(seed, anyResult)
    const deviations = outcomes.map(({ schedule }) => schedule.match(/\d+\.\d+\.\d+/g)?.length ?? 0)
    expect(deviations).toEqual([0, 1, 1, 1, 2, 2])
  })

  it("continues at random when the budget runs out, and reports that it is not complete", async () => {
    const seen = await explorePromise(sleepers(6), { schedules: 100, random: 50 })
    expect(seen).toMatchObject({ schedules: 150, complete: false })
  })

  it("finds deep failures at random, and removes needless deviations", async () => {
    const flow = workflow({
      name: "deep",
      start: Start,
      stop: Stop,
      steps: {
        items: items(5),
        work: defineStep({
          accepts: Item,
          emits: Done,
          workers: 5,
          run: ({ n }) => Effect.as(Effect.sleep(n + 1), Done({ n }))
        }),
        seen: defineStep({ accepts: Done, emits: [], run: () => {} }),
        all
      }
    })
    const lastFirst = (trace: ReadonlyArray<any>) => {
      const order = trace.filter(({ tag }) => tag === "Done").map(({ data }) => data.n)
      return order.join("") !== "43210" && order.join("") !== "43201"
    }
    const options = { schedules: 5, random: 2_000, lanes: "in turn", check: { lastFirst } } as const
    const failure = await failing(explore(flow, options))
    expect(failure.message).toContain("3 choices differ")
    const again = await failing(explore(flow, { ...options, replay: failure.schedule }))
    expect(again.trace).toEqual(failure.trace)
  })

  it("yields to the event loop, so it can be interrupted", async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 80)
    const exploring = explorePromise(sleepers(9), { schedules: 1e6, signal: controller.signal })
    await expect(exploring).rejects.toThrow()
  })

  it("builds a layer again for each schedule", async () => {
    class Counter extends Context.Service<Counter, { count: number }>()("Counter") {}
    let built = 0
    const layer = Layer.sync(Counter, () => {
      built++
      return { count: 0 }
    })
    const flow = workflow({
      name: "counted",
      start: Start,
      stop: Stop,
      steps: {
        items: items(2),
        work: defineStep({
          accepts: Item,
          emits: Done,
          run: ({ n }) =>
            Effect.gen(function* () {
              yield* Effect.sleep(n + 1)
              ;(yield* Counter).count++
              return Done({ n })
            })
        }),
        end: defineStep({
          accepts: gather(Done),
          emits: Stop,
          run: () => Effect.map(Counter, ({ count }) => Stop({ value: count }))
        })
      }
    })
    const { outcomes, schedules } = await explorePromise(flow, { layer })
    expect([built, schedules, outcomes[0]!.outcome.result]).toEqual([2, 2, { _tag: "Stop", value: 2 }])
  })

  it("reports a workflow that is not deterministic", async () => {
    let runs = 0
    const flow = workflow({
      name: "moody",
      start: Start,
      stop: Stop,
      steps: {
        items: defineStep({
          accepts: Start,
          emits: Item,
          run: () => Array.from({ length: runs++ === 0 ? 3 : 2 }, (_, n) => Item({ n }))
        }),
        work: defineStep({ accepts: Item, emits: Done, run: ({ n }) => Effect.as(Effect.sleep(1), Done({ n })) }),
        all
      }
    })
    const { complete, uncontrolled } = await explorePromise(flow, { ...anyResult, warn: false })
    expect([complete, uncontrolled]).toEqual([
      false,
      ["the workflow behaves differently when the same choices are repeated"]
    ])
  })
})

describe("promises", () => {
  const asyncSteps = (wait: () => Promise<unknown>) =>
    workflow({
      name: "promises",
      start: Start,
      stop: Stop,
      steps: {
        items: items(3),
        work: defineStep({
          accepts: Item,
          emits: Done,
          run: async ({ n }) => {
            await wait()
            return Done({ n })
          }
        }),
        first: defineStep({ accepts: Done, emits: Stop, run: ({ n }) => Stop({ value: n }) })
      }
    })

  it("are settled in every order if nothing outside is involved", async () => {
    for (const wait of [async () => {}, () => new Promise<void>((resolve) => queueMicrotask(resolve))]) {
      const { complete, outcomes } = await explorePromise(asyncSteps(wait), anyResult)
      expect([complete, outcomes.length]).toEqual([true, 3])
    }
  })

  it("inside an Effect are settled in every order, too", async () => {
    const flow = workflow({
      name: "inside",
      start: Start,
      stop: Stop,
      steps: {
        items: items(3),
        work: defineStep({
          accepts: Item,
          emits: Stop,
          run: ({ n }) =>
            Effect.as(
              Effect.promise(() => Promise.resolve().then(() => {})),
              Stop({ value: n })
            )
        })
      }
    })
    const { complete, outcomes } = await explorePromise(flow, anyResult)
    expect([complete, outcomes.length]).toEqual([true, 3])
  })

  const slowly = (sleep: (millis: number) => Promise<unknown>) =>
    workflow({
      name: "timers",
      start: Start,
      stop: Stop,
      steps: {
        items: items(3),
        work: defineStep({
          accepts: Item,
          emits: Stop,
          run: async ({ n }) => {
            await Promise.resolve()
            await sleep(1_000 * (n + 1))
            return Stop({ value: n })
          }
        })
      }
    })

  const anHour = 3_600_000
  const sleeps: Readonly<Record<string, (millis: number) => Promise<unknown>>> = {
    setTimeout: (millis) => new Promise((resolve) => setTimeout(resolve, millis)),
    "setTimeout, promised": (millis) => promisify(setTimeout)(millis),
    "node:timers/promises": (millis) => setTimeoutPromise(millis, "a value", { signal: new AbortController().signal }),
    "node:timers": (millis) => new Promise((resolve) => setTimeoutOfNode(resolve, millis)),
    setInterval: (millis) =>
      new Promise<void>((resolve) => {
        let times = 0
        const timer = setInterval(() => {
          if (++times < 2) return
          clearInterval(timer)
          resolve()
        }, millis)
      }),
    "setInterval of node:timers/promises": async (millis) => {
      let times = 0
      for await (const value of setIntervalPromise(millis, "a value")) {
        expect(value).toBe("a value")
        if (++times === 2) return
      }
    },
    "scheduler.wait": (millis) => scheduler.wait(millis),
    "AbortSignal.timeout": (millis) =>
      new Promise((resolve) => AbortSignal.timeout(millis).addEventListener("abort", resolve))
  }

  it("can clear, refresh and abort virtual timers", async () => {
    const flow = slowly(async (millis) => {
      const refused = setTimeoutPromise(anHour, 1, { signal: AbortSignal.timeout(1) }).catch((error) => error.name)
      expect(await refused).toBe("AbortError")
      const [never, refreshed] = [setTimeout(() => expect.fail(), 2), setTimeout(() => {}, anHour)]
      clearTimeout(Number(never))
      clearTimeout(refreshed.refresh())
      await new Promise((resolve) => setImmediate(resolve, millis))
      expect(Date.now()).toBe(1)
    })
    expect(await explorePromise(flow, { timers: "virtual", time: "ordered", ...anyResult })).toMatchObject({
      complete: true
    })
  })

  it("end an aborted interval, count unread ticks, and yield to others", async () => {
    const flow = slowly(async () => {
      await scheduler.yield()
      const stop = new AbortController()
      const seen: Array<number> = []
      const pull = async () => {
        for await (const _ of setIntervalPromise(10, undefined, { signal: stop.signal })) {
          seen.push(Date.now())
          if (seen.length === 1) await setTimeoutPromise(25)
          if (seen.length === 4) stop.abort()
        }
      }
      expect(await pull().catch((error) => error.name)).toBe("AbortError")
      expect(seen).toEqual([10, 35, 35, 40])
    })
    const one = { ...anyResult, timers: "virtual", time: "ordered", schedules: 1 } as const
    expect(await explorePromise(flow, one)).toMatchObject({ uncontrolled: [] })
    expect(await scheduler.wait(1)).toBe(undefined)
  })

  it("report an exception in a timer's callback as a story, with the line that replays it", async () => {
    const flow = workflow({
      name: "poll",
      start: Start,
      stop: Stop,
      steps: {
        items: items(2),
        work: defineStep({
          accepts: Item,
          emits: Stop,
          run: ({ n }, { attempt }) =>
            new Promise<any>((resolve) => {
              setTimeout(() => {
                if (n === 1) throw new TypeError("no socket")
                resolve(Stop({ value: attempt }))
              }, 1_000)
            })
        })
      }
    })
    const options = { timers: "virtual", ...anyResult, invariants: { neverFails: false, sameResult: false } } as const
    const failure = await failing(explore(flow, options))
    expect(failure).toMatchObject({
      invariant: "neverFails",
      problem: "it ends its process: nothing can catch an exception in a timer's callback"
    })
    expect(failure.message).toContain(
      `this time  ends its process: a timer's callback of work(Item {"n":1}) throws TypeError: no socket`
    )
    expect(failure.message).toContain('→ work(Item {"n":1}) wakes from a sleep of 1s before work(Item {"n":0}) does')
    const again = await failing(explore(flow, { ...options, replay: failure.schedule }))
    expect(again.trace).toEqual(failure.trace)
  })

  it.for(Object.entries(sleeps))("that wait by %s are explored with virtual timers", async ([, sleep]) => {
    const before = performance.now()
    const { complete, outcomes, uncontrolled } = await explorePromise(slowly(sleep), {
      ...anyResult,
      timers: "virtual"
    })
    expect([complete, outcomes.length, uncontrolled]).toEqual([true, 3, []])
    // Each of three orders sleeps for three seconds.
    expect(performance.now() - before).toBeLessThan(9_000)
  })

  it("with virtual timers, see the run's time in Date and performance.now, unlike other code", async () => {
    const { setTimeout: realTimeout, Date: RealDate } = globalThis
    const aDate = new Date()
    const flow = workflow({
      name: "time",
      start: Start,
      stop: Stop,
      steps: {
        look: defineStep({
          accepts: Start,
          emits: Stop,
          run: async () => {
            await sleeps.setTimeout!(anHour)
            expect(aDate).toBeInstanceOf(Date)
            return Stop({ value: [Date.now(), new Date().toISOString(), performance.now(), new Date(5).getTime()] })
          }
        })
      }
    })
    const exploring = explorePromise(flow, { timers: "virtual" })
    const alongside = Date.now()
    const [{ outcome }] = (await exploring).outcomes as [any]
    expect(outcome.result.value).toEqual([anHour, "1970-01-01T01:00:00.000Z", anHour, 5])
    expect(alongside).toBeGreaterThan(anHour)
    expect([setTimeout, Date]).toEqual([realTimeout, RealDate])
  })

  it("name the owner of a timer in a failing order", async () => {
    const failure = await failing(explore(slowly(sleeps.setTimeout!), { timers: "virtual" }))
    expect(failure.message).toContain(
      '→ work(Item {"n":1}) wakes from a sleep of 2s before work(Item {"n":0}) wakes from one of 1s'
    )
    expect(failure.message).toContain('explore(flow, { timers: "virtual", replay: "')
    const again = await failing(explore(slowly(sleeps.setTimeout!), { timers: "virtual", replay: failure.schedule }))
    expect(again.trace).toEqual(failure.trace)
  })

  it("of two concurrent explorations do not disturb each other with virtual timers", async () => {
    const both = [sleeps.setTimeout!, sleeps.setInterval!].map((sleep) =>
      explorePromise(slowly(sleep), { ...anyResult, timers: "virtual" })
    )
    for (const { complete, outcomes } of await Promise.all(both)) expect([complete, outcomes.length]).toEqual([true, 3])
  })

  it("of a real timer are waited for, and one warning says that the exploration is incomplete", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {})
    const few = { ...anyResult, schedules: 3, random: 0 }
    const { complete, uncontrolled } = await explorePromise(
      asyncSteps(() => kept(2)),
      few
    )
    expect(complete).toBe(false)
    expect(uncontrolled).toEqual(["step 'work' waits for a promise that only the outside world can settle"])
    await explorePromise(
      asyncSteps(() => kept(2)),
      { ...few, schedules: 1, timers: "virtual" }
    )
    const said = warn.mock.calls.map(([line]) => line)
    await explorePromise(
      asyncSteps(() => kept(2)),
      { ...few, warn: false }
    )
    await explorePromise(
      asyncSteps(async () => {}),
      few
    )
    expect(warn).toHaveBeenCalledTimes(2)
    warn.mockRestore()
    expect(said).toEqual([
      `explore 'promises' found no failure, but did not try all orders: step 'work' waits for a promise that only the outside world can settle. To explore timers, set timers: "virtual"; use stubs for files, sockets and other processes.`,
      `explore 'promises' found no failure, but did not try all orders: step 'work' waits for a promise that only the outside world can settle. A timer function captured earlier, such as promisify(setTimeout) in a module, is a real one. Virtual timers, such as a time limit of fetch, do not wait for files, sockets and other processes: use stubs for them.`
    ])
  })

  const waits: Readonly<Record<string, () => any>> = {
    "the promise of a step": async () => {
      await kept(20)
      return Stop({ value: 1 })
    },
    "the promise of a step's Effect": () =>
      Effect.as(
        Effect.promise(() => kept(20)),
        Stop({ value: 1 })
      )
  }

  it.for(Object.entries(waits))("of a timer captured earlier do not make a run hang, as %s", async ([, run]) => {
    const one = workflow({
      name: "kept",
      start: Start,
      stop: Stop,
      steps: { one: defineStep({ accepts: Start, emits: Stop, run }) }
    })
    for (const timers of ["virtual", "real"] as const) {
      // Opened as the run begins, and closed while it waits.
      for (let i = 0; i < 3; i++) setImmediate(() => {})
      const { complete, outcomes } = await explorePromise(one, { timers, warn: false })
      expect([complete, outcomes.map(({ outcome }) => outcome.text)]).toEqual([false, ['Stop {"value":1}']])
    }
  })

  it("that nothing settles make a run hang when its patience ends, and the report names them", async () => {
    const failure = await failing(
      explore(
        asyncSteps(() => new Promise(() => {})),
        { patience: 30 }
      )
    )
    expect(failure.message).toContain(
      "breaks 'neverStalls' in the usual order already: it waits for something that never comes\n"
    )
    expect(failure.message).toMatch(/this time {2}hangs: 3 of step 'work' never ended\n/)
    expect(failure.message).toContain(
      `explore(flow, { patience: 30, replay: "${failure.schedule}" })\n\nNot under control: a run waited 30 ms ('patience') in vain for the promise of step 'work'. To explore timers, set timers: "virtual"; use stubs`
    )
    const again = await failing(
      explore(
        asyncSteps(() => new Promise(() => {})),
        { patience: 5, timers: "virtual" }
      )
    )
    expect(again.message).toContain(
      "for the promise of step 'work'. A timer function captured earlier, such as promisify(setTimeout) in a module, is a real one. Virtual timers"
    )
  })

  it("that nothing settles are waited for once, not for each smaller input", async () => {
    let calls = 0
    const Given = defineEvent("Given", { text: Schema.String })
    const flow = workflow({
      name: "stuck",
      start: Given,
      stop: Stop,
      steps: {
        one: defineStep({
          accepts: Given,
          emits: Stop,
          run: ({ text }) => (text.length < 3 ? Stop({ value: text }) : new Promise<never>(() => calls++))
        })
      }
    })
    const failure = await failing(explore(flow, { patience: 5 }))
    expect([failure.invariant, calls]).toEqual(["neverStalls", 1])
  })

  it("that end differently the second time are reported as they first failed", async () => {
    let calls = 0
    const flow = workflow({
      name: "flaky",
      start: Start,
      stop: Stop,
      steps: {
        one: defineStep({
          accepts: Start,
          emits: Stop,
          run: async () => {
            if (calls++ === 0) throw new Error("refused")
            return Stop({ value: 1 })
          }
        })
      }
    })
    const { message } = await failing(explore(flow))
    expect(message).toContain("breaks 'neverFails' in the usual order already: it fails\n")
    expect(message).toMatch(/this time {2}fails with .*refused\n/)
    expect(message).toContain("Not under control: the workflow behaves differently when the same choices are repeated.")
  })
})

describe("immediate results", () => {
  const flow = (run: () => any) =>
    workflow({
      name: "quick",
      start: Start,
      stop: Stop,
      steps: {
        one: defineStep({ accepts: Start, emits: Stop, run: () => Stop({ value: 1 }) }),
        two: defineStep({ accepts: Start, emits: Stop, run })
      }
    })
  const ends = async (run: () => any) => {
    const options = { results: "any", lanes: "in turn", invariants: { sameResult: false, neverFails: false } } as const
    const { complete, outcomes } = await explorePromise(flow(run), options)
    return [complete, outcomes.map(({ outcome }) => outcome.state).sort()]
  }

  it("may come later, with results: any", async () => {
    const both = [true, ["stopped", "stopped"]]
    expect(await ends(() => Stop({ value: 2 }))).toEqual(both)
    expect(await ends(() => Effect.succeed(Stop({ value: 2 })))).toEqual(both)
    expect(await ends(async () => Stop({ value: 2 }))).toEqual(both)
  })

  it("may be failures, too", async () => {
    const both = [true, ["failed", "stopped"]]
    const fail = () => {
      throw new Error("no")
    }
    expect(await ends(fail)).toEqual(both)
    expect(await ends(() => Effect.fail("no"))).toEqual(both)
    expect(await ends(async () => fail())).toEqual(both)
  })
})

describe("a time limit", () => {
  const limited = (run: () => unknown, more: object = {}, timeout = "20 seconds") =>
    workflow({
      name: "limited",
      start: Start,
      stop: Stop,
      steps: {
        items: items(2),
        work: defineStep({
          accepts: Item,
          emits: Done,
          ...more,
          run: run as () => Effect.Effect<ReturnType<typeof Done>>
        }),
        end: defineStep({ accepts: gather(Done), emits: Stop, run: (done) => Stop({ value: done.length }) })
      },
      ...(timeout === "" ? {} : { timeout: timeout as "20 seconds" })
    }) as never
  const works = () => Effect.as(Effect.sleep("1 hour"), Done({ n: 1 }))
  const anyEnd = { invariants: { neverFails: false, sameResult: false } } as const

  it("is no work: it is reached only if nothing else can happen", async () => {
    const without = await explorePromise(limited(works, {}, ""))
    for (const flow of [limited(works), limited(works, { timeout: "1 second" })]) {
      expect(await explorePromise(flow)).toMatchObject({
        complete: true,
        schedules: without.schedules,
        outcomes: [{ outcome: { text: 'Stop {"value":2}' } }]
      })
    }
  })

  it("is reached by what never ends, the shorter limit first", async () => {
    const ends = async (flow: never, of: "an Effect" | "a promise" = "an Effect") => {
      const { complete, outcomes } = await explorePromise(flow, anyEnd)
      expect(complete).toBe(of === "an Effect")
      return outcomes.map(({ outcome }) => (outcome.error as { _tag: string } | undefined)?._tag)
    }
    const never = () => Effect.never
    expect(await ends(limited(never))).toEqual(["WorkflowTimedOut"])
    expect(await ends(limited(never, { timeout: "19 seconds" }))).toEqual(["StepTimedOut"])
    expect(await ends(limited(never, { timeout: "21 seconds" }))).toEqual(["WorkflowTimedOut"])
    expect(
      await ends(
        limited(() => new Promise(() => {}), { timeout: "19 seconds" }),
        "a promise"
      )
    ).toEqual(["StepTimedOut"])
  })

  it("waits for the outside world", async () => {
    const slow = async () => {
      await setTimeoutPromise(20)
      return Done({ n: 1 })
    }
    const inEffect = () => Effect.promise(slow)
    for (const work of [slow, inEffect]) {
      const { outcomes } = await explorePromise(limited(work, { timeout: "1 second" }), { ...anyEnd, warn: false })
      expect(outcomes.map(({ outcome }) => outcome.text)).toEqual(['Stop {"value":2}'])
    }
  })

  it("waits for it though other timers of the process end meanwhile", async () => {
    const others = [2, 5, 25, 30].map((millis) => setTimeoutPromise(millis))
    const unlisted = () =>
      new Promise((then) => setTimeout(() => then(Done({ n: 1 })), 20).unref()) as Promise<ReturnType<typeof Done>>
    for (const millis of [10, 15, 22]) {
      const slow = async () => {
        await setTimeoutPromise(millis)
        return Done({ n: 1 })
      }
      const { outcomes } = await explorePromise(limited(slow, { timeout: "1 second" }), { ...anyEnd, warn: false })
      expect(outcomes.map(({ outcome }) => outcome.text)).toEqual(['Stop {"value":2}'])
    }
    const { outcomes } = await explorePromise(limited(unlisted, { timeout: "1 second" }), { ...anyEnd, warn: false })
    expect(outcomes.map(({ outcome }) => outcome.text)).toEqual(['Stop {"value":2}'])
    await Promise.all(others)
  })

  it("waits for an Effect outside, though other timers of the process end in the next turns", async () => {
    const others = Array.from({ length: 20 }, () => setTimeoutPromise(1))
    const slow = () =>
      Effect.as(
        Effect.promise(() => setTimeoutPromise(30)),
        Done({ n: 1 })
      )
    const { outcomes } = await explorePromise(limited(slow, {}, ""), { warn: false, schedules: 1, random: 0 })
    expect(outcomes.map(({ outcome }) => outcome.text)).toEqual(['Stop {"value":2}'])
    await Promise.all(others)
  })

  it("may be reached early as a fault, which says which limit it is", async () => {
    const flow = limited(works, { timeout: "1 second" })
    const early = { faults: { kinds: ["timeout"] }, invariants: { sameResult: false } } as const
    const seen = await explorePromise(flow, early)
    expect(seen.complete).toBe(true)
    const ends = seen.outcomes.map(({ outcome }) => (outcome.error as { _tag: string } | undefined)?._tag)
    expect(ends.sort()).toEqual(["StepTimedOut", "StepTimedOut", "WorkflowTimedOut", "WorkflowTimedOut", undefined])
    const replayed = async (tag: string) => {
      const found = seen.outcomes.find(({ outcome }) => (outcome.error as { _tag: string } | undefined)?._tag === tag)
      return (
        await failing(
          explore(flow, { ...early, replay: found!.schedule, input: {}, check: { never: () => false } } as never)
        )
      ).message
    }
    expect(await replayed("StepTimedOut")).toMatch(/→ work\(Item \{"n":\d\}\) reaches its timeout of 1s\n/)
    expect(await replayed("WorkflowTimedOut")).toContain("→ the run itself reaches its timeout of 20s\n")
    const ofItems = await explorePromise(flow, { ...early, faults: { kinds: ["timeout"], steps: ["items" as never] } })
    expect(ofItems.outcomes).toHaveLength(1)
  })

  it("is not `within`, which stays a choice", async () => {
    const flow = workflow({
      name: "within",
      start: Start,
      stop: Stop,
      steps: {
        items: items(2),
        work: defineStep({ accepts: Item, emits: Done, run: ({ n }) => Effect.as(Effect.sleep(1), Done({ n })) }),
        end: defineStep({
          accepts: collect(Done, 2, { within: "1 minute" }),
          emits: Stop,
          run: (done) => Stop({ value: done.length })
        })
      }
    })
    const { outcomes } = await explorePromise(flow, anyResult)
    expect(outcomes.map(({ outcome }) => outcome.text).sort()).toEqual(['Stop {"value":1}', 'Stop {"value":2}'])
  })
})

describe("faults", () => {
  const flow = workflow({
    name: "asking",
    start: Start,
    stop: Stop,
    steps: {
      ask: defineStep({
        accepts: Start,
        emits: Stop,
        timeout: "5 seconds",
        retry: { times: 1 },
        run: () => Effect.as(Effect.sleep("1 second"), Stop({ value: "an answer" }))
      })
    }
  })

  it("that a retry and a timeout handle are survived", async () => {
    const seen = await explorePromise(flow, {
      time: "ordered",
      faults: { max: 1, kinds: ["fail", "hang", "fail-after"] }
    })
    expect(seen).toMatchObject({ complete: true, schedules: 4, outcomes: [{ times: 4 }] })
  })

  it("are limited to their maximum", async () => {
    const failure = await failing(explore(flow, { faults: { max: 2, kinds: ["fail"] } }))
    expect(failure.outcome?.error).toBeInstanceOf(InjectedFault)
    expect(failure.message).toContain("2 choices differ")
  })

  it.each<[string, (done: () => void) => any]>([
    ["a plain function", (done) => done()],
    ["an Effect", (done) => Effect.sync(done)],
    ["a promise", async (done) => done()],
    [
      "a generator",
      function* (done) {
        done()
      }
    ],
    [
      "an async generator",
      async function* (done) {
        done()
      }
    ],
    [
      "an Effect of a generator",
      (done) =>
        Effect.sync(() =>
          (function* () {
            done()
          })()
        )
    ],
    ["a stream", (done) => Stream.fromEffectDrain(Effect.sync(done))]
  ])("come after all of a step's work on request: %s", async (_, work) => {
    let done = 0
    const steps = { only: defineStep({ accepts: Start, emits: Stop, run: (): any => work(() => void done++) }) }
    const flow = workflow({ name: "after", start: Start, stop: Stop, steps })
    const invariants = { sameResult: false, neverStalls: false, neverFails: false }
    const { schedules } = await explorePromise(flow, { faults: { kinds: ["fail-after"] }, invariants })
    expect([schedules, done]).toEqual([2, 2])
  })

  it("affect only the named steps", async () => {
    const failure = await failing(explore(sleepers(1), { faults: { kinds: ["die"], steps: ["work"] } }))
    expect(failure.message).toContain('→ work(Item {"n":0}) is made to die')
  })
})

describe("an input", () => {
  const Given = defineEvent("Given", { items: Schema.Array(Schema.Int), name: Schema.String })
  const flow = workflow({
    name: "given",
    start: Given,
    stop: Stop,
    steps: {
      each: defineStep({ accepts: Given, emits: Item, run: ({ items }) => items.map((n) => Item({ n })) }),
      work: defineStep({ accepts: Item, emits: Done, run: ({ n }) => Effect.as(Effect.sleep(10), Done({ n })) }),
      // The last result counts, whatever the order of the others.
      end: defineStep({
        accepts: gather(Done),
        emits: Stop,
        run: (done) => Stop({ value: done.length })
      })
    }
  })

  it("is generated from the start event's schema by default", async () => {
    const seen = await explorePromise(flow, { inputs: 10, schedules: 500 })
    expect(seen).toMatchObject({ inputs: 10, complete: false })
  })

  it("is shrunk together with the schedule", async () => {
    const twoInOrder = (trace: ReadonlyArray<any>) => {
      const done = trace.filter(({ tag }) => tag === "Done").map(({ data }) => data.n)
      const given = trace.filter(({ tag }) => tag === "Item").map(({ data }) => data.n)
      return done.join() === given.join()
    }
    const failure = await failing(explore(flow, { check: { twoInOrder } }))
    expect(failure.input).toEqual({ items: [0, expect.any(Number)], name: "" })
    expect(failure.message).toContain("one choice differs")
  })
})

describe("replay", () => {
  it("runs only the schedule of a report", async () => {
    const failure = await failing(explore(seed, { replay: "0.2.3_1.1.2~dg0jc" }))
    expect(failure.outcome?.text).toBe('Stop {"result":"Query 3, Query 2, Query 1"}')
    expect(await explorePromise(seed, { ...anyResult, replay: failure.schedule })).toMatchObject({ uncontrolled: [] })
  })

  it("accepts a schedule without its counts", async () => {
    const failure = await failing(explore(seed, { replay: "0.2_1.1" }))
    expect(failure.schedule).toBe("0.2.3_1.1.2~dg0jc")
  })

  const refused = (replay: string, flow: any = seed) =>
    Effect.runPromise(Effect.flip(explore(flow, { replay })) as Effect.Effect<CannotReplay>)

  it("is refused if the graph has changed", async () => {
    const { name, start, stop, steps } = seed
    const changed = workflow({ name, start, stop, steps: { ...steps, search: { ...steps.search, workers: 2 } } })
    const failure = await refused("0.2.3~dg0jc", changed)
    expect(failure).toBeInstanceOf(CannotReplay)
    expect(failure.message).toMatchInlineSnapshot(
      `"the graph of workflow 'concurrent' has changed since '0.2.3~dg0jc' was found, so it now means another schedule: explore again without 'replay'"`
    )
  })

  it("is refused if the choices have changed", async () => {
    const other = await refused("0.2.4~dg0jc")
    expect(other.message).toMatchInlineSnapshot(
      `"'0.2.4~dg0jc' cannot be replayed: at choice 0 there were 4 ways to go on, and now there are 3. The workflow, its input or the options of the exploration have changed: explore again without 'replay'"`
    )
    const none = await refused("7.1.2")
    expect(none.message).toContain("at choice 7 there were 2 ways to go on, and now there is no such choice")
    expect((await refused("what?")).message).toBe("'what?' is not a schedule: copy all of it from the report")
  })
})

describe("an invalid exploration", () => {
  const Given = defineEvent("Given", { n: Schema.Int })
  const given = workflow({
    name: "given",
    start: Given,
    stop: Stop,
    steps: { end: defineStep({ accepts: Given, emits: Stop, run: ({ n }) => Stop({ value: n }) }) }
  })
  const refused = async (flow: unknown, options?: unknown) => {
    // A caller without types could pass this.
    const failure = await failing(explore(flow as typeof given, options as {}))
    expect(failure).toBeInstanceOf(InvalidExploration)
    return failure.message
  }

  it("is refused without a workflow", async () => {
    expect(await refused(undefined)).toBe(
      "this cannot be explored: it is not a workflow: it is not an object: give workflow({ name, start, stop, steps })"
    )
    expect(await refused(() => seed)).toContain("it is not a workflow: ")
    expect(await refused({ ...seed, steps: {} })).toMatch(
      /^workflow 'concurrent' cannot be explored: it is not a workflow: /
    )
  })

  it("lists every invalid option with its valid values", async () => {
    const options = {
      schedules: 0,
      inputs: 1.5,
      random: -1,
      seconds: 0,
      seed: "now",
      time: "fast",
      lanes: "some",
      fibers: true,
      results: "later",
      timers: "fake",
      preempt: -1,
      cancel: "yes",
      faults: { max: -1, kinds: ["explode"], steps: ["serach"], often: true },
      replay: 5,
      layer: {},
      program: Effect.void,
      invariants: { sameResults: true, neverStalls: 1 },
      check: { mine: true },
      patience: -1,
      logs: 1,
      progress: "dots",
      signal: {},
      schedule: 10
    }
    expect(await refused(seed, options)).toMatchInlineSnapshot(`
      "workflow 'concurrent' cannot be explored:
      - 'schedules' must be a whole number from 1, not 0
      - 'inputs' must be a whole number from 1, not 1.5
      - 'random' must be a whole number from 0, not -1
      - 'seconds' must be a number of seconds above 0, not 0
      - 'seed' must be a whole number, not "now"
      - 'time' must be 'any' or 'ordered', not "fast"
      - 'lanes' must be 'any' or 'in turn', not "some"
      - 'fibers' must be 'any' or 'in turn', not true
      - 'results' must be 'any' or 'at once', not "later"
      - 'timers' must be 'real' or 'virtual', not "fake"
      - 'preempt' must be a whole number from 0, not -1
      - 'cancel' must be true or false, not "yes"
      - 'replay' must be a string, not 5
      - 'layer' must be a Layer, not {}
      - 'program' must be a function, not Success {"~effect/Effect/args":undefined}
      - 'patience' must be a number of milliseconds from 0, not -1
      - 'logs' must be true or false, not 1
      - 'progress' must be a function, not "dots"
      - 'signal' must be an AbortSignal, not {}
      - there is no 'schedule': did you mean 'schedules'?
      - 'faults.max' must be a whole number from 0, not -1
      - 'faults.kinds' must be a list of 'fail', 'fail-after', 'die', 'interrupt', 'interrupt-after', 'hang', 'timeout', not ["explode"]
      - there is no 'faults.often': there are max, kinds, steps
      - 'faults.steps' names "serach", but the workflow has no such step
      - there is no 'invariants.sameResults': did you mean 'invariants.sameResult'?
      - 'invariants.neverStalls' must be true or false, not 1
      - 'check.mine' must be a function, not true"
    `)
    expect(await refused(seed, null)).toBe(
      "workflow 'concurrent' cannot be explored: its options must be an object, not null"
    )
    expect(await refused(seed, { faults: {} })).toContain(
      "'faults.kinds' is missing: it must be a list of 'fail', 'fail-after'"
    )
  })

  it("treats undefined options as left out", async () => {
    const options = { schedules: undefined, time: undefined, faults: undefined, invariants: { sameResult: false } }
    expect(await explorePromise(seed, options as {})).toMatchObject({ schedules: 6 })
  })

  it("is refused with an input that does not fit", async () => {
    expect(await refused(given, { input: { n: "one" } })).toMatchInlineSnapshot(
      `"workflow 'given' cannot be explored: 'input': event 'Given' does not fit its schema: Expected number at ["n"] (given {"n":"one"})"`
    )
  })

  it("is refused if no input can be generated", async () => {
    const of = (field: Schema.Codec<any>) => {
      const Odd = defineEvent("Odd", { field })
      const end = defineStep({ accepts: Odd, emits: Stop, run: () => Stop({ value: 1 }) })
      return workflow({ name: "odd", start: Odd, stop: Stop, steps: { end } })
    }
    expect(await refused(of(Schema.instanceOf(Date)))).toMatchInlineSnapshot(
      `"workflow 'odd' cannot be explored: cannot generate an input from start event 'Odd' (Unable to derive an arbitrary for an unsupported Declaration at ["field"]): pass 'input'"`
    )
    const rare = Schema.Number.check(Schema.makeFilter((n: number) => n === 123_456))
    expect(await refused(of(rare))).toMatchInlineSnapshot(
      `"workflow 'odd' cannot be explored: cannot generate an input from start event 'Odd' (no generated value passes its checks): pass 'input'"`
    )
  })

  it("rejects a promise, with the place of the call", async () => {
    const failure: Error = await explorePromise(seed, { preempt: -1 }).catch((error) => error)
    expect(failure.message).toBe(
      "workflow 'concurrent' cannot be explored: 'preempt' must be a whole number from 0, not -1"
    )
    expect(failure.stack?.split("\n").find((line) => line.startsWith("    at "))).toContain("explore.test.ts")
  })

  it("is refused as a replay without its input", async () => {
    const failure = await failing(explore(given, { replay: "0.1.2" }))
    expect(failure).toBeInstanceOf(CannotReplay)
    expect(failure.message).toBe(
      "'0.1.2' cannot be replayed without its input: copy the whole line from the report, 'input' too"
    )
  })
})

describe("the rules of the trace", () => {
  const one = { run: "r", seq: 0, at: 0, step: "work", events: [], attempt: 1, scope: null }
  const started = (invocation: string) => ({ ...one, _tag: "InvocationStarted", invocation }) as TraceEntry
  const ended = (invocation: string) =>
    ({ ...one, _tag: "InvocationEnded", invocation, outcome: "succeeded", error: null }) as TraceEntry
  const finished = { ...one, _tag: "RunFinished", outcome: "stopped", event: null, error: null } as TraceEntry
  const flow = workflow({
    name: "told",
    start: Start,
    stop: Stop,
    steps: { work: defineStep({ accepts: Start, emits: Stop, workers: 2, run: () => Stop({ value: 1 }) }) }
  })
  /** A broken runtime; the real one does not do this. */
  const told = async (...trace: ReadonlyArray<TraceEntry>) => {
    const program = () => Effect.map(Observer, (observe) => trace.forEach((entry, seq) => observe?.({ ...entry, seq })))
    const explored = await explorePromise(flow, { program }).catch((error: ScheduleFailure) => error)
    return explored instanceof ScheduleFailure ? [explored.invariant, explored.problem] : undefined
  }

  it("are broken by one worker too many", async () => {
    const [a, b, c] = ["a", "b", "c"] as const
    expect(await told(started(a), started(b), ended(a), started(c))).toBeUndefined()
    expect(await told(started(a), started(b), started(c))).toEqual([
      "withinWorkers",
      "step 'work' has 3 invocations at once and 2 workers"
    ])
  })

  it("distinguish concurrent runs with equal ids", async () => {
    const program = () => Effect.all([run(flow), run(flow)])
    const { message }: Error = await explorePromise(flow, { program, check: { never: () => "no" } }).catch(
      (error) => error
    )
    expect(message.match(/work {2}begins with Start/g)).toHaveLength(2)
    expect(message).not.toContain("from outside")
  })

  it("are broken by a run that ends before its steps", async () => {
    expect(await told(started("a"), ended("a"), finished)).toBeUndefined()
    expect(await told(started("a"), finished, ended("a"))).toEqual([
      "finalizersRun",
      "step 'work' had not ended when the run ended"
    ])
  })
})

describe("sameResult", () => {
  it("compares a function of the results, and reports if it throws", async () => {
    const sorted = ({ result }: { result: string }) => result.split(", ").sort()
    expect(await explorePromise(seed, { invariants: { sameResult: sorted } })).toMatchObject({ complete: true })
    const wrong = () => {
      throw new Error("what is this?")
    }
    const { problem } = await failing(explore(seed, { invariants: { sameResult: wrong } }))
    expect(problem).toBe("its function throws: what is this?")
  })
})

describe("a custom rule", () => {
  it("is broken if it throws or returns a promise", async () => {
    const broken = async (rule: () => any) => (await failing(explore(seed, { check: { rule } }))).problem
    expect(await broken(() => expect(1).toBe(2))).toContain("expected 1 to be 2")
    expect(await broken(async () => true)).toBe("it returned a promise, but a rule must be synchronous")
  })
})

describe("a program", () => {
  it("may have several runs at once", async () => {
    const both = (flow: typeof seed) => Effect.all([run(flow), run(flow)], { concurrency: 2 })
    const seen = await explorePromise(seed, { ...anyResult, program: both, schedules: 200, random: 20 })
    expect(seen).toMatchObject({ complete: false, schedules: 220, coverage: { ratio: 1 } })
  })

  it("may send events to a live run, and the report shows when", async () => {
    const flow = workflow({
      name: "asked",
      start: Start,
      stop: Stop,
      inputs: [Item],
      steps: {
        begin: defineStep({ accepts: Start, emits: Done, run: () => Effect.as(Effect.sleep(1), Done({ n: 0 })) }),
        end: defineStep({ accepts: [Item, Done], emits: Stop, run: ({ _tag }) => Stop({ value: _tag }) })
      }
    })
    const talking = Effect.scoped(
      Effect.gen(function* () {
        const live = yield* launch(flow)
        yield* Effect.forkChild(Effect.andThen(Effect.sleep(2), Effect.ignore(live.send(Item({ n: 1 })))))
        return yield* live.result
      })
    )
    const { message } = await failing(explore(flow, { program: () => talking }))
    expect(message).toContain(`
    begin  begins with Start
  → the run itself wakes from a sleep of 2ms before begin(Start) wakes from one of 1ms
    Item {"n":1} comes from outside
    end    begins with Item {"n":1}
    end    emits Stop {"value":"Item"}
    begin  is interrupted
`)
  })

  it("that throws is a defect of the exploration", async () => {
    const program = () => {
      throw new Error("no program")
    }
    await expect(explorePromise(seed, { program })).rejects.toThrow("no program")
  })
})

describe("a run that never ends", () => {
  const Next = defineEvent("Next")
  const endless = (run: () => any) =>
    workflow({
      name: "endless",
      start: Start,
      stop: Stop,
      steps: { again: defineStep({ accepts: [Start, Next], emits: [Next, Stop], run }) }
    })

  const runs = { "does not wait": () => Next(), waits: () => Effect.as(Effect.sleep(1), Next()) }

  it.for(Object.entries(runs))("is stopped and reported if it %s", { timeout: 60_000 }, async ([, run]) => {
    const { message } = await failing(explore(endless(run)))
    expect(message).toMatch(/^workflow 'endless' breaks 'neverStalls' in the usual order already: it never ends\n/)
    expect(message).toMatch(/this time {2}goes on and on: given up after \d+,\d+ entries of its trace/)
    expect(message).toMatch(/… [\d,]+ more\n(.*again.*\n)+ {4}and so on\n/)
    const { complete } = await explorePromise(endless(run), {
      schedules: 1,
      random: 0,
      warn: false,
      invariants: { neverStalls: false }
    })
    expect(complete).toBe(false)
  })
})

describe("a report", () => {
  it("shows the duration of a timeout", async () => {
    const flow = workflow({
      name: "limited",
      start: Start,
      stop: Stop,
      timeout: "45 seconds",
      steps: {
        work: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(1), Stop({ value: 1 })) })
      }
    })
    const { message } = await failing(explore(flow, { faults: { kinds: ["timeout"] } }))
    expect(message).toContain("→ the run itself reaches its timeout of 45s")
    expect(await explorePromise(flow)).toMatchObject({ complete: true, schedules: 1 })
    expect(await explorePromise(flow, { time: "ordered" })).toMatchObject({ complete: true, schedules: 1 })
  })

  it("lists every reason of a failure, and what it suppresses", async () => {
    class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", { item: Schema.String }) {}
    const fails = Effect.ensuring(Effect.fail(new OutOfStock({ item: "tea" })), Effect.die(new Error("cannot close")))
    const flow = workflow({
      name: "stock",
      start: Start,
      stop: Stop,
      steps: {
        take: defineStep({ accepts: Start, emits: Stop, run: () => Effect.andThen(Effect.sleep(1), fails) }),
        watch: defineStep({
          accepts: Start,
          emits: Stop,
          run: () => Effect.onInterrupt(Effect.never, () => Effect.die(new Error("cannot stop")))
        })
      }
    })
    const { message } = await failing(explore(flow))
    expect(message).toContain(
      "  this time  fails with StepDefect: step 'take' of workflow 'stock' failed, given Start: OutOfStock " +
        '{"item":"tea"}\n' +
        "             and StepDefect: step 'take' of workflow 'stock' failed, given Start: cannot close\n" +
        "             and FinalizerFailed: step 'watch' of workflow 'stock' failed while it was shut down, given Start: cannot stop\n"
    )
  })

  it("says to give `layer` where a service from outside remembers earlier schedules", async () => {
    class Count extends Context.Service<Count, { n: number }>()("Count") {}
    const flow = workflow({
      name: "counted",
      start: Start,
      stop: Stop,
      steps: {
        items: items(2),
        work: defineStep({ accepts: Item, emits: Done, run: ({ n }) => Effect.as(Effect.sleep(1), Done({ n })) }),
        end: defineStep({
          accepts: gather(Done),
          emits: Stop,
          run: Effect.fn(function* () {
            return Stop({ value: ++(yield* Count).n })
          })
        })
      }
    })
    const outside = explore(flow).pipe(Effect.provideService(Count, { n: 0 }))
    const { message } = await failing(outside)
    expect(message).toContain(
      '  usually    Stop {"value":1}\n  this time  Stop {"value":4}\n  again      Stop {"value":3}\n\n' +
        "The usual order now ends differently itself: a service from outside remembers what earlier schedules did to it.\n" +
        "Give `layer`, which is built again for each schedule."
    )
    const layer = Layer.sync(Count, () => ({ n: 0 }))
    expect(await Effect.runPromise(explore(flow, { layer }))).toMatchObject({ complete: true })
    const wrong = await failing(explore(sleepers(2), { check: { "in order": (trace) => trace.length > 99 } }))
    expect(wrong.message).not.toContain("Give `layer`")
  })

  it("shows where two long results differ", async () => {
    const flow = workflow({
      name: "long",
      start: Start,
      stop: Stop,
      steps: {
        items: items(2),
        work: defineStep({ accepts: Item, emits: Done, run: ({ n }) => Effect.as(Effect.sleep(1), Done({ n })) }),
        end: defineStep({
          accepts: collect(Done, 2),
          emits: Stop,
          run: (done) => Stop({ value: `${"x".repeat(200)}${done.map(({ n }) => n)}` })
        })
      }
    })
    const { message } = await failing(explore(flow))
    expect(message).toMatch(/usually {4}…x{40}0,1"}\n {2}this time {2}…x{40}1,0"}\n/)
    expect((await explorePromise(flow, anyResult)).outcomes).toHaveLength(2)
  })

  it("distinguishes two errors with equal messages and different fields", async () => {
    class Refused extends Data.TaggedError("Refused")<{ readonly by: number }> {}
    const refuse = (by: number) =>
      defineStep({
        accepts: Start,
        emits: Stop,
        run: () => Effect.andThen(Effect.sleep(1), Effect.fail(new Refused({ by })))
      })
    const flow = workflow({ name: "refused", start: Start, stop: Stop, steps: { a: refuse(1), b: refuse(2) } })
    const { outcomes } = await explorePromise(flow, { invariants: { neverFails: false, sameResult: false } })
    expect(outcomes.map(({ outcome }) => (outcome.error as Refused).by).sort()).toEqual([1, 2])
  })

  it("writes the input as code", async () => {
    const Given = defineEvent("Given", {
      at: Schema.Date,
      tags: Schema.ReadonlySet(Schema.String),
      size: Schema.BigInt,
      "a-b": Schema.Array(Schema.Number)
    })
    const flow = workflow({
      name: "kinds",
      start: Given,
      stop: Stop,
      steps: { end: defineStep({ accepts: Given, emits: Stop, run: () => Stop({ value: 1 }) }) }
    })
    const input = { at: new Date(0), tags: new Set(["x"]), size: 5n, "a-b": [-0, 1] }
    const { message } = await failing(explore(flow, { input, check: { never: () => false } }))
    expect(message).toContain(
      'input: { at: new Date("1970-01-01T00:00:00.000Z"), tags: new Set(["x"]), size: 5n, "a-b": [-0, 1] } })'
    )
  })
})

describe("a long exploration", () => {
  it("goes on after a failure if it is told of each, and names every way in which a rule is broken once", async () => {
    const first = (by: string) => defineStep({ accepts: Start, emits: Stop, run: () => Stop({ value: by }) })
    const flow = workflow({
      name: "three",
      start: Start,
      stop: Stop,
      steps: { ada: first("ada"), bob: first("bob"), eve: first("eve") }
    })
    const failures: Array<ScheduleFailure> = []
    const onFailure = (failure: ScheduleFailure) => void failures.push(failure)
    const { complete, outcomes } = await explorePromise(flow, { onFailure })
    expect(complete).toBe(true)
    expect(outcomes.length).toBe(3)
    expect(failures.map(({ invariant, outcome }) => [invariant, outcome.text])).toEqual([
      ["sameResult", 'Stop {"value":"bob"}'],
      ["sameResult", 'Stop {"value":"eve"}']
    ])
    const [bob] = failures
    expect(bob!.message).toContain(`explorePromise(flow, { replay: "${bob!.schedule}" })`)
    expect(bob!.trace.at(-1)).toMatchObject({ _tag: "RunFinished", outcome: "stopped" })
    failures.length = 0
    await explorePromise(flow, { onFailure, replay: bob!.schedule })
    expect(failures.map(({ schedule }) => schedule)).toEqual([bob!.schedule])
  })

  it("stops when its time is over, with what it has found", async () => {
    const { complete, schedules } = await explorePromise(sleepers(8), { schedules: 1_000_000, seconds: 0.05 })
    expect(complete).toBe(false)
    expect(schedules).toBeGreaterThan(0)
    expect(schedules).toBeLessThan(1_000_000)
  })

  it("reports its progress every second to a function, and every 5 seconds to the console", async () => {
    const real = performance.now.bind(performance)
    let later = 0
    const clock = vi.spyOn(performance, "now").mockImplementation(() => real() + later)
    const told: Array<readonly [schedules: number, deviations: number]> = []
    const line = vi.spyOn(console, "info").mockImplementation(() => {})
    const look = () => void (later += 100)
    const options = { schedules: 200, random: 0, check: { look } }
    await explorePromise(sleepers(6), { ...options, progress: (...progress) => void told.push(progress) })
    await explorePromise(sleepers(6), options)
    clock.mockRestore()
    expect(told.length).toBeGreaterThan(2)
    expect(told.map(([, deviations]) => deviations)).toContain(1)
    expect(line.mock.calls[0]![0]).toMatch(
      /^explore 'sleepers': \d+ schedules, by now 1 choice differs from the usual order$/
    )
    line.mockRestore()
  })
})
