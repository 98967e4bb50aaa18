// A host performs the calls of a run, has them wait until it lets them enter, and can let a recorded run happen again.
import { describe, expect, it, vi } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Schedule, Schema } from "effect"
import { TestClock } from "effect/testing"
import {
  collect,
  defineEvent,
  defineState,
  defineStep,
  gather,
  Observer,
  RunDefect,
  race,
  run,
  WorkflowTimedOut,
  workflow
} from "stepgraph"
import { type Body, type Call, Host, type RunHost, type Settlement, type Settling, type Sleep } from "stepgraph/host"
import { Attempt } from "../src/internal/runtime/call/attempt.ts"
import { Calls } from "../src/internal/runtime/call/calls.ts"
import { Invocation } from "../src/internal/runtime/call/invocation.ts"
import { Done, numbers, Start, Stop, stop, Task, untyped } from "./support/flow.ts"

const hosted = (host: RunHost) => Effect.provideService(Host, () => host)

const sum = defineState("sum", Schema.Number, 0)

/** Tries twice, writes in each attempt, and collects by hand. */
const flowOf = (called: Array<string>) =>
  untyped.workflow({
    name: "hosted",
    start: Start,
    stop: Stop,
    steps: {
      begin: untyped.step({ accepts: Start, emits: Task, run: () => [1, 2, 3].map((n) => Task({ n })) }),
      work: untyped.step({
        accepts: Task,
        emits: Done,
        retry: { times: 1, schedule: Schedule.spaced("1 hour") },
        run: ({ n }: any, { attempt, update }: any) =>
          Effect.suspend(() => {
            called.push(`work ${n}.${attempt}`)
            update(sum, (before: number) => before + n)
            return attempt === 1 ? Effect.fail("again") : Effect.as(Effect.yieldNow, Done({ n }))
          }),
        recover: () => Done({ n: 0 })
      }),
      end: untyped.step({
        accepts: gather(Done),
        emits: Stop,
        run: (done: any, { get }: any) => {
          called.push("end")
          return stop(...numbers(done), get(sum))
        }
      })
    }
  })

interface Entry {
  readonly key: string
  readonly settlement?: Settlement
}

const keyOf = ({ id, attempt, recovers }: Call) => `${id} ${attempt} ${recovers}`

/** Lets calls enter one by one, when the run is idle, and writes down all that enters. */
const journaling = (journal: Array<Entry>): RunHost => {
  const waiting: Array<() => void> = []
  let inside = false
  const idle = () => {
    if (inside) return
    inside = true
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next()
    inside = false
  }
  const waits = (enter: () => void) => {
    waiting.push(enter)
    queueMicrotask(idle)
  }
  return {
    settle: (call, settlement, { again, enter, stale }) =>
      waits(() => {
        if (stale()) {
          again()
          return
        }
        journal.push({ key: keyOf(call), settlement })
        enter(settlement)
      }),
    sleep: ({ why, id }, fire) => {
      let cancelled = false
      waits(() => {
        if (cancelled) return
        journal.push({ key: `${why} ${id}` })
        fire()
      })
      return () => {
        cancelled = true
      }
    },
    idle
  }
}

/** Lets a journal happen again: nothing is called, and nothing enters but what stands there. */
const replaying = (journal: ReadonlyArray<Entry>): RunHost => {
  const ready = new Map<string, () => void>()
  let at = 0
  let inside = false
  const idle = () => {
    if (inside) return
    inside = true
    for (
      let enter = ready.get(journal[at]?.key ?? "");
      enter !== undefined;
      enter = ready.get(journal[at]?.key ?? "")
    ) {
      at++
      enter()
    }
    inside = false
  }
  const awaits = (key: string, enter: () => void) => {
    ready.set(key, enter)
    queueMicrotask(idle)
  }
  return {
    perform: () => undefined,
    settle: (call, _, { enter }) => {
      const key = keyOf(call)
      awaits(key, () => enter(journal.find((entry) => entry.key === key)!.settlement!))
    },
    sleep: ({ why, id }, fire) => {
      awaits(`${why} ${id}`, fire)
      return () => {}
    },
    idle
  }
}

describe("a host that settles calls", () => {
  it("lets a recorded run happen again, without calling a step", async () => {
    const called: Array<string> = []
    const journal: Array<Entry> = []
    const first = await Effect.runPromise(hosted(journaling(journal))(run(flowOf(called))) as Effect.Effect<any>)
    // Two attempts of each, and those once more that had read what another wrote meanwhile.
    const attempts = called.filter((call) => call.startsWith("work"))
    expect(new Set(attempts).size).toBe(6)
    expect(attempts.length).toBeGreaterThan(6)
    expect(first.values.slice(0, 3).toSorted()).toEqual([1, 2, 3])
    // What a failed attempt wrote stays: twice 1, 2 and 3.
    expect(first.values[3]).toBe(12)

    called.length = 0
    const stored = journal.map(({ key, settlement }) => {
      if (settlement === undefined) return { key }
      const writes = settlement.writes.map((write) => ("state" in write ? { name: "sum", json: write.value } : write))
      return { key, settlement: { ...settlement, writes } }
    })
    const again = await Effect.runPromise(hosted(replaying(stored))(run(flowOf(called))) as Effect.Effect<any>)
    expect(again).toEqual(first)
    expect(called).toEqual([])
  })

  it.effect("keeps what a call emits and writes from everybody else until that enters", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const waiting: Array<{ readonly call: Call; readonly settlement: Settlement; readonly settling: Settling }> = []
      const flow = workflow({
        name: "kept",
        start: Start,
        stop: Stop,
        steps: {
          writes: defineStep({
            accepts: Start,
            emits: Task,
            run: (_, { get, send, set }) => {
              set(sum, 7)
              seen.push(get(sum))
              send(Task({ n: 1 }))
            }
          }),
          end: defineStep({ accepts: Task, emits: Stop, run: (_, { get }) => stop(get(sum)) })
        }
      })
      const fiber = yield* Effect.forkChild(
        hosted({ settle: (call, settlement, settling) => waiting.push({ call, settlement, settling }) })(run(flow))
      )
      yield* Effect.yieldNow
      expect(seen).toEqual([7])
      const [{ call, settlement, settling }] = waiting.splice(0) as [(typeof waiting)[0]]
      expect(call).toMatchObject({ step: "writes", attempt: 1, recovers: false })
      expect(settlement).toEqual({
        exit: Exit.void,
        events: [Task({ n: 1 })],
        writes: [{ state: sum, value: 7 }],
        collected: [],
        silent: false
      })
      yield* Effect.yieldNow
      expect(waiting).toEqual([])
      settling.enter(settlement)
      yield* Effect.yieldNow
      const [next] = waiting
      next!.settling.enter(next!.settlement)
      expect((yield* Fiber.join(fiber)).values).toEqual([7])
    })
  )

  it.effect("waits for an interrupted call, whose finalizers have ended", () =>
    Effect.gen(function* () {
      const ended: Array<string> = []
      const flow = untyped.workflow({
        name: "raced",
        start: Start,
        stop: Stop,
        steps: {
          begin: untyped.step({ accepts: Start, emits: Task, run: () => [Task({ n: 1 }), Task({ n: 2 })] }),
          work: untyped.step({
            accepts: Task,
            emits: Done,
            run: ({ n }: any) =>
              n === 1
                ? Effect.as(Effect.sleep(1), Done({ n }))
                : Effect.onInterrupt(Effect.never, () => Effect.sync(() => void ended.push("finalizer")))
          }),
          first: untyped.step({ accepts: race(Done), emits: Stop, run: () => Effect.as(Effect.sleep(1), stop(1)) })
        }
      })
      const settle: RunHost["settle"] = ({ step }, settlement, { enter }) => {
        ended.push(`${step} ${Exit.hasInterrupts(settlement.exit) ? "interrupted" : settlement.exit._tag}`)
        enter(settlement)
      }
      yield* Effect.promise(() => Effect.runPromise(hosted({ settle })(run(flow)) as Effect.Effect<any>))
      expect(ended).toEqual(["begin Success", "work Success", "finalizer", "work interrupted", "first Success"])
    })
  )
})

describe("a call that a host settles", () => {
  const entering: RunHost["settle"] = (_, settlement, { enter }) => enter(settlement)
  const make = (steps: Readonly<Record<string, object>>) =>
    untyped.workflow({
      name: "settled",
      start: Start,
      stop: Stop,
      steps: Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, untyped.step(step as any)]))
    })

  it.effect("ends after the fibers that it has forked, whether it ends by itself or is interrupted", () =>
    Effect.gen(function* () {
      const ended: Array<string> = []
      const child = (name: string) =>
        Effect.forkChild(
          Effect.onInterrupt(Effect.never, () =>
            Effect.delay(
              Effect.sync(() => void ended.push(name)),
              "1 second"
            )
          ),
          { startImmediately: true }
        )
      const flow = make({
        works: { accepts: Start, emits: Stop, run: () => Effect.andThen(child("a child of what runs"), Effect.never) },
        ends: { accepts: Start, emits: Done, run: () => Effect.as(child("a child of what has ended"), Done({ n: 1 })) },
        stops: { accepts: Done, emits: Stop, run: () => stop(1) }
      })
      const settle: RunHost["settle"] = (call, settlement, settling) => {
        ended.push(call.step)
        entering(call, settlement, settling)
      }
      const fiber = yield* Effect.forkChild(hosted({ settle })(run(flow)))
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(fiber)).values).toEqual([1])
      expect(ended).toEqual(["a child of what has ended", "ends", "stops", "a child of what runs", "works"])
    })
  )

  it("is in the cause of the run if its promise was rejected in the same moment as another", async () => {
    const rejects = (why: string) => ({ accepts: Start, emits: Stop, run: () => Promise.reject(new Error(why)) })
    const gate = new Promise<void>((resolve) => setTimeout(resolve, 1))
    const flow = make({
      a: rejects("a"),
      b: rejects("b"),
      fulfilled: { accepts: Start, emits: Stop, run: async () => [] },
      aborted: {
        accepts: Start,
        emits: Stop,
        run: (_: any, { signal }: any) =>
          new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
      },
      later: { accepts: Start, emits: Stop, run: () => gate.then(() => Promise.reject(new Error("later"))) }
    })
    const exit = await Effect.runPromiseExit(hosted({ settle: entering })(run(flow)) as Effect.Effect<unknown>)
    const reasons = Exit.isFailure(exit) ? exit.cause.reasons : []
    expect(reasons.map((reason: any) => reason.error?.cause.message)).toEqual(["a", "b"])
  })

  it.each(["in memory", "under a host"])(
    "is not recovered if its promise was rejected as the run failed, %s",
    async (where) => {
      const called: Array<string> = []
      const rejects = async () => {
        throw new Error("rejected")
      }
      const flow = make({
        fails: { accepts: Start, emits: Stop, run: rejects },
        recovers: { accepts: Start, emits: Stop, run: rejects, recover: () => void called.push("recover") },
        retries: {
          accepts: Start,
          emits: Stop,
          retry: Schedule.recurs(1),
          run: () => {
            called.push("run")
            return rejects()
          }
        }
      })
      const running = where === "in memory" ? run(flow) : hosted({ settle: entering })(run(flow))
      const exit = await Effect.runPromiseExit(running as Effect.Effect<unknown>)
      expect([Exit.isFailure(exit), called]).toEqual([true, ["run"]])
    }
  )

  it("writes nothing to the state of its run before it enters", async () => {
    const waiting: Array<() => void> = []
    const seen: Array<number> = []
    const reads = { accepts: Start, emits: Done, run: (_: any, { get }: any) => void seen.push(get(sum)) }
    const writes = {
      accepts: Start,
      emits: Done,
      run: (_: any, { set }: any) => {
        set(sum, 7)
        return Done({ n: 1 })
      }
    }
    const ends = { accepts: Done, emits: Stop, run: (_: any, { get }: any) => stop(get(sum)) }
    const settle: RunHost["settle"] = (_, settlement, { enter }) => waiting.push(() => enter(settlement))
    const ended = Effect.runPromise(hosted({ settle })(run(make({ writes, reads, ends }))) as Effect.Effect<any>)
    for (const steps of [2, 1]) {
      expect(waiting).toHaveLength(steps)
      for (const enter of waiting.splice(0)) enter()
    }
    expect([seen, (await ended).values]).toEqual([[0], [7]])
  })

  it.each([
    ["it enters", Calls.prototype, "enter", 0],
    ["its effects take place", Invocation.prototype, "enter", 0],
    ["its end is recorded", Attempt.prototype, "end", 1]
  ] as const)("ends its run if that breaks while %s", async (_, prototype, name, at) => {
    const works = { accepts: Start, emits: Done, run: () => Done({ n: 1 }) }
    const ends = { accepts: Done, emits: Stop, run: () => stop(1) }
    const rests = { accepts: Start, emits: Stop, run: () => Effect.never }
    const original = (prototype as any)[name]
    let calls = 0
    const breaking = vi.spyOn(prototype as any, name).mockImplementation(function (this: any, ...given: any) {
      if (calls++ === at) throw new Error("broken")
      return original.apply(this, given)
    })
    try {
      const running = hosted(journaling([]))(run(make({ works, rests, ends }))) as Effect.Effect<unknown>
      const error: any = await Effect.runPromise(Effect.flip(Effect.sandbox(running)).pipe(Effect.map(Cause.squash)))
      expect(error).toBeInstanceOf(RunDefect)
      expect(error.cause).toEqual(new Error("broken"))
    } finally {
      breaking.mockRestore()
    }
  })

  it("is made again after ctx.collect only where it would get something else now", async () => {
    const called: Array<number> = []
    const stopped = async (count: number, list: ReadonlyArray<typeof Task | typeof Done>, ends: object) => {
      called.length = 0
      const flow = make({
        begin: {
          accepts: Start,
          emits: [Task, Done],
          run: () => [...Array.from({ length: count }, (_, n) => Task({ n })), ends]
        },
        by: {
          accepts: [Task, Done],
          emits: Stop,
          workers: count + 1,
          run: ({ n }: any, { collect }: any) => {
            called.push(n)
            const all = collect(list)
            return all && stop(...numbers(all))
          }
        }
      })
      const { values } = (await Effect.runPromise(hosted(journaling([]))(run(flow)) as Effect.Effect<any>)) as any
      return values
    }
    // The one that completes the list is made again, and nobody else.
    expect(await stopped(1000, [Task, Done], Done({ n: -1 }))).toEqual([0, -1])
    expect(called.length).toBe(1002)
    expect(await stopped(3, [Task, Task, Task, Task], Task({ n: 3 }))).toEqual([0, 1, 2, 3])
    expect(called).toEqual([0, 1, 2, 3, 3])
  })
})

describe("a host", () => {
  it.effect("owns the deadlines and the pauses of a run, and not what a step sleeps", () =>
    Effect.gen(function* () {
      const sleeps: Array<Sleep> = []
      const fires: Array<() => void> = []
      const sleep = (of: Sleep, fire: () => void) => {
        sleeps.push(of)
        fires.push(fire)
        return () => {}
      }
      const flow = workflow({
        name: "timed",
        start: Start,
        stop: Stop,
        timeout: "3 hours",
        steps: {
          begin: defineStep({ accepts: Start, emits: Task, run: () => [Task({ n: 1 }), Task({ n: 2 })] }),
          some: defineStep({ accepts: collect(Task, 9, { within: "1 hour" }), emits: [], run: () => {} }),
          work: defineStep({
            accepts: Start,
            emits: Stop,
            timeout: "2 hours",
            retry: { times: 3, schedule: Schedule.spaced("1 minute") },
            run: (_, { attempt }) => (attempt === 1 ? Effect.fail("again" as const) : Effect.never)
          })
        }
      })
      const fiber = yield* Effect.forkChild(Effect.flip(hosted({ sleep })(run(flow))))
      yield* Effect.yieldNow
      expect(sleeps.map(({ why, millis }) => [why, millis])).toEqual([
        ["run", 10_800_000],
        ["within", 3_600_000],
        ["retry", 60_000]
      ])
      fires[2]!()
      yield* Effect.yieldNow
      expect(sleeps.slice(3).map(({ why, millis }) => [why, millis])).toEqual([["attempt", 7_200_000]])
      expect(new Set(sleeps.map(({ why, id }) => `${why} ${id}`)).size).toBe(4)
      fires[0]!()
      expect(yield* Fiber.join(fiber)).toBeInstanceOf(WorkflowTimedOut)
    })
  )

  it("is asked for each run, and told the invocation that it was started in", async () => {
    const inner = workflow({
      name: "inner",
      start: Start,
      stop: Stop,
      steps: { end: defineStep({ accepts: Start, emits: Stop, run: () => stop(1) }) }
    })
    const outer = workflow({
      name: "outer",
      start: Start,
      stop: Stop,
      steps: { end: defineStep({ accepts: Start, emits: Stop, run: () => run(inner) }) }
    })
    const runs: Array<unknown> = []
    const program = Effect.provideService(run(outer), Host, ({ workflow, parent }) => {
      runs.push([workflow, parent?.workflow])
      return undefined
    })
    await Effect.runPromise(program)
    expect(runs).toEqual([
      ["outer", undefined],
      ["inner", undefined]
    ])
    runs.length = 0
    const named = Effect.provideService(run(outer), Host, ({ workflow, parent }) => {
      runs.push([workflow, parent?.workflow])
      return {}
    })
    await Effect.runPromise(named)
    expect(runs).toEqual([
      ["outer", undefined],
      ["inner", "outer"]
    ])
  })

  it("lets what a step streams enter when it says so, and streams it in place of a call", async () => {
    const Token = defineEvent("Token", { n: Schema.Number })
    const flow = untyped.workflow({
      name: "tokens",
      start: Start,
      stop: Stop,
      outputs: [Token],
      steps: {
        step: untyped.step({
          accepts: Start,
          emits: [Token, Stop],
          stream: Token,
          retry: { times: 1 },
          run: (_: any, { send, attempt }: any) => {
            for (const n of [1, 2]) send(Token({ n }))
            return attempt === 1 ? Effect.fail("again") : stop(1)
          }
        })
      }
    })
    const ran = (host: RunHost) => {
      const trace: Array<any> = []
      const running = run(flow, { count: 0 } as never).pipe(
        hosted(host),
        Effect.provideService(Observer, (entry) => void trace.push(entry))
      )
      return Effect.map(Effect.exit(running), (exit) => {
        expect(exit).toEqual(Exit.succeed(stop(1)))
        return trace.flatMap(({ _tag, attempt, data, event, tag }) =>
          tag === "Token" ? [[_tag, event, data, attempt]] : []
        )
      })
    }
    const journal: Array<[string, (body: Body, settling: Settling) => void]> = []
    const live = await Effect.runPromise(
      ran({
        streams: (call, event, { enter, wanted }) => {
          expect(wanted()).toBe(true)
          journal.push([keyOf(call), (body) => body.stream(event)])
          enter()
        },
        settle: (call, settlement, { enter }) => {
          journal.push([keyOf(call), (_, settling) => settling.enter(settlement)])
          enter(settlement)
        }
      })
    )
    expect(live.map(([, , { n }, attempt]) => [n, attempt])).toEqual([
      [1, 1],
      [2, 1],
      [1, 2],
      [2, 2]
    ])
    expect(journal).toHaveLength(6)
    const bodies = new Map<string, { readonly body: Body; readonly end: () => void }>()
    const ended = new Map<string, Settling>()
    const next = () => {
      for (;;) {
        const [key, happens] = journal[0] ?? []
        const known = bodies.get(key!)
        if (known === undefined) return
        if (happens!.length > 1 && !ended.has(key!)) return known.end()
        journal.shift()
        happens!(known.body, ended.get(key!)!)
      }
    }
    const again = await Effect.runPromise(
      ran({
        perform: (call, body) =>
          Effect.callback((resume) => {
            bodies.set(keyOf(call), { body, end: () => resume(Effect.void) })
            queueMicrotask(next)
          }),
        settle: (call, _, settling) => {
          ended.set(keyOf(call), settling)
        },
        idle: next
      })
    )
    expect(again).toEqual(live)
  })

  it("may do all that a call does, and drop what it would emit", async () => {
    const did: Array<string> = []
    const flow = untyped.workflow({
      name: "discarded",
      start: Start,
      stop: Stop,
      steps: {
        work: untyped.step({
          accepts: Start,
          emits: Task,
          run: async function* () {
            yield Task({ n: 1 })
            did.push("all")
          }
        }),
        end: untyped.step({ accepts: Task, emits: Stop, run: () => stop(1) }),
        other: untyped.step({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(20), stop(2)) })
      }
    })
    const perform: RunHost["perform"] = ({ step }, body) => (step === "work" ? body.discard() : body.run())
    const { values } = (await Effect.runPromise(hosted({ perform })(run(flow)) as Effect.Effect<any>)) as any
    expect([did, values]).toEqual([["all"], [2]])
  })
})
