// The `ctx` of a step's function.
import { inspect } from "node:util"
import { describe, expect, it, vi } from "@effect/vitest"
import { Context, Effect, Random, Schema, Stream } from "effect"
import {
  defineEvent,
  defineState,
  defineStep,
  gather,
  launch,
  run,
  runPromise,
  type StepContext,
  Telemetry,
  workflow
} from "stepgraph"
import { Done, numbers, recorded, Start, Stop, stop, Task, untyped } from "./support/flow.ts"
import { result } from "./support/virtual.ts"

const count = defineState("count", Schema.Number, 0)

describe("ctx", () => {
  it("can be destructured: each member works alone", async () => {
    const flow = workflow({
      name: "apart",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({
          accepts: Start,
          emits: Task,
          run: (_, { send }) => {
            for (const n of [1, 2]) send(Task({ n }))
          }
        }),
        finish: defineStep({
          accepts: Task,
          emits: Stop,
          run: (_, { send, collect, get, set, update, per, signal, attempt, runId, step }) => {
            set(count, get(count) + 10)
            update(count, (n) => n + 1)
            const both = collect([Task, Task])
            if (both === undefined) return
            expect([per, signal.aborted, attempt, typeof runId, step]).toEqual([
              undefined,
              false,
              1,
              "string",
              "finish"
            ])
            send(stop(get(count), both[0].n, both[1].n))
          }
        })
      }
    })
    expect((await runPromise(flow)).values).toEqual([22, 1, 2])
  })

  it("can be destructured after an await, too", async () => {
    const flow = workflow({
      name: "apart",
      start: Start,
      stop: Stop,
      steps: {
        only: defineStep({
          accepts: Start,
          emits: Stop,
          run: async (_, ctx) => {
            await Promise.resolve()
            const { send, signal, step } = ctx
            send(stop(step.length, Number(signal.aborted)))
          }
        })
      }
    })
    expect((await runPromise(flow)).values).toEqual([4, 0])
  })

  const members = ["send", "ask", "collect", "get", "set", "update", "per", "signal", "attempt", "runId", "step"]
  type Ctx = StepContext<typeof Task, any>
  const copies: Record<string, (ctx: Ctx) => Ctx> = {
    "a rest": ({ signal, ...rest }) => ({ ...rest, signal }),
    "a spread": (ctx) => ({ ...ctx }),
    "a spread of a rest": ({ step, ...ctx }) => ({ ...ctx, step }),
    "Object.assign": (ctx) => Object.assign({}, ctx),
    entries: (ctx) => Object.fromEntries(Object.entries(ctx)) as Ctx,
    "a proxy": (ctx) => new Proxy(ctx, {}),
    "an object that inherits from it": (ctx) => Object.create(ctx)
  }
  const settings = { "": {}, " of a retried step": { retry: { times: 1 } } }
  const everyCopy = Object.entries(settings).flatMap(([name, setting]) =>
    Object.entries(copies).map(([copy, make]) => [`${copy}${name}`, make, setting] as const)
  )
  it.each(everyCopy)("has all its members in %s", async (_, make, setting) => {
    const copied = untyped.step({
      accepts: Task,
      emits: Stop,
      ...setting,
      run: async ({ n }: { readonly n: number }, ctx: Ctx) => {
        const copy = make(ctx)
        await Promise.resolve()
        expect(members.filter((name) => !(name in copy))).toEqual([])
        copy.set(count, copy.get(count) + n)
        const all = copy.update(count, (sum) => sum + 10)
        const both = copy.collect([Task, Task])
        expect([copy.per, copy.signal, copy.attempt, copy.runId, copy.step]).toEqual([
          undefined,
          ctx.signal,
          1,
          ctx.runId,
          "copied"
        ])
        if (both !== undefined) copy.send(stop(all, ...numbers(both)))
      }
    })
    const begin = defineStep({ accepts: Start, emits: Task, run: () => [Task({ n: 1 }), Task({ n: 2 })] })
    const flow = untyped.workflow({ name: "copies", start: Start, stop: Stop, steps: { begin, copied } })
    expect((await untyped.runPromise(flow)).values).toEqual([23, 1, 2])
  })

  const looking: Record<string, (look: (ctx: Ctx) => unknown) => any> = {
    "a second parameter": (look) => (_: unknown, ctx: Ctx) => look(ctx),
    "a pattern":
      () =>
      (_: unknown, { send, step }: Ctx) =>
        send(stop(step.length)),
    "a pattern with other names":
      () =>
      async (_: unknown, { send: emit, step: name }: Ctx) =>
        emit(stop(name.length)),
    "a pattern with a rest":
      (look) =>
      (_: unknown, { signal, ...ctx }: Ctx) =>
        look({ ...ctx, signal }),
    "a pattern with a default":
      () =>
      (_: unknown, { step = "", send }: Ctx) =>
        send(stop(step.length)),
    "a default":
      (look) =>
      (_: unknown, ctx = undefined as unknown as Ctx) =>
        look(ctx),
    "rest parameters":
      (look) =>
      (...all: [unknown, Ctx]) =>
        look(all[1]),
    "a rest behind the event":
      (look) =>
      (_: unknown, ...rest: [Ctx]) =>
        look(rest[0]),
    "its arguments": (look) =>
      function (_: unknown) {
        // biome-ignore lint/complexity/noArguments: that they can be used is what is shown
        return look(arguments[1])
      },
    "the arguments of a method": (look) =>
      ({
        run(_: unknown) {
          // biome-ignore lint/complexity/noArguments: that they can be used is what is shown
          return look(arguments[1])
        }
      }).run,
    "a bound function": (look) => ((_: unknown, ctx: Ctx) => look(ctx)).bind(undefined),
    "a mock": (look) => vi.fn((_: unknown, ctx: Ctx) => look(ctx)),
    "a proxy of a function": () =>
      new Proxy((_: unknown) => undefined, { apply: (_target, _this, [, ctx]) => ctx.send(stop(ctx.step.length)) })
  }
  it.each(Object.entries(looking))("is there for a function that looks for it by %s", async (_, by) => {
    const only = untyped.step({ accepts: Start, emits: Stop, run: by((ctx) => ctx.send(stop(ctx.step.length))) })
    const flow = untyped.workflow({ name: "looking", start: Start, stop: Stop, steps: { only } })
    expect((await untyped.runPromise(flow)).values).toEqual([4])
  })

  it("has exactly these members, and says what to do instead of changing it", async () => {
    const flow = workflow({
      name: "members",
      start: Start,
      stop: Stop,
      steps: {
        only: defineStep({
          accepts: Start,
          emits: Stop,
          run: (_, ctx) => {
            expect(Object.keys(ctx)).toEqual(members)
            expect(Reflect.ownKeys({ ...ctx })).toEqual(members)
            expect(["end" in ctx, "caller" in ctx, (ctx as any).interrupt, (ctx as any)[Symbol.iterator]]).toEqual([
              false,
              false,
              undefined,
              undefined
            ])
            const words = "ctx cannot be changed: make one of your own, { ...ctx, log }"
            expect(() => Object.assign(ctx, { log: console.log })).toThrow(words)
            expect(() => Object.defineProperty(ctx, "log", {})).toThrow(words)
            expect(() => delete (ctx as any).send).toThrow(words)
            expect(() => Object.freeze(ctx)).toThrow(words)
            return stop()
          }
        })
      }
    })
    await runPromise(flow)
  })

  it.each(Object.entries(settings))(
    "shows its members in the console, and nothing of the run%s",
    async (_, setting) => {
      const only = untyped.step({
        accepts: Start,
        emits: Stop,
        ...setting,
        run: (_: unknown, ctx: Ctx) => {
          expect(inspect(ctx)).toBe(inspect({ ...ctx }))
          return stop()
        }
      })
      await untyped.runPromise(untyped.workflow({ name: "shown", start: Start, stop: Stop, steps: { only } }))
    }
  )

  it("has one runId for all steps of a run, and another for each run", async () => {
    const ids: Array<string> = []
    const flow = workflow({
      name: "ids",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({
          accepts: Start,
          emits: Task,
          run: (_, { runId }) => {
            ids.push(runId)
            return Task({ n: 1 })
          }
        }),
        finish: defineStep({
          accepts: Task,
          emits: Stop,
          run: (_, { runId }) => {
            ids.push(runId)
            return stop()
          }
        })
      }
    })
    await runPromise(flow)
    await runPromise(flow)
    expect(ids[0]).toBe(ids[1])
    expect(ids[2]).toBe(ids[3])
    expect(ids[0]).not.toBe(ids[2])
  })

  it.effect("does not change the numbers of a seeded program, however its runs are observed", () =>
    Effect.gen(function* () {
      const number = Effect.map(Random.nextInt, (n) => Task({ n }))
      const flow = (look: (ctx: { readonly runId: string }) => unknown) =>
        workflow({
          name: "seeded",
          start: Start,
          stop: Stop,
          steps: {
            begin: defineStep({
              accepts: Start,
              emits: Task,
              run: (_, ctx) => {
                look(ctx)
                return number
              }
            }),
            finish: defineStep({
              accepts: Task,
              emits: Stop,
              run: ({ n }, ctx) => {
                look(ctx)
                return Effect.map(Random.nextInt, (m) => stop(n, m))
              }
            })
          }
        })
      const bare = flow(() => {})
      const programs: Record<string, Effect.Effect<{ readonly values: ReadonlyArray<number> }, unknown>> = {
        bare: run(bare),
        observed: run(bare).pipe(recorded().record),
        traced: run(bare).pipe(Effect.provideService(Telemetry, { spans: true, metrics: true })),
        "in a span": run(bare).pipe(Effect.withSpan("around")),
        "with its id read": run(flow(({ runId }) => runId)),
        "with a handle": Effect.scoped(Effect.flatMap(launch(bare), ({ result }) => result))
      }
      const drawn = (program: (typeof programs)[string]) =>
        Effect.map(Effect.zip(program, Random.nextInt), ([{ values }, after]) => [...values, after]).pipe(
          Random.withSeed("the same")
        )
      const expected = yield* drawn(run(bare))
      for (const [how, program] of Object.entries(programs)) expect(yield* drawn(program), how).toEqual(expected)
    })
  )

  it("has the event that opened the scope as per", async () => {
    const Doc = defineEvent("Doc", { name: Schema.String })
    const Part = defineEvent("Part")
    const End = defineEvent("End", { name: Schema.String })
    const flow = workflow({
      name: "per",
      start: Start,
      stop: End,
      steps: {
        begin: defineStep({ accepts: Start, emits: Doc, run: () => Doc({ name: "a" }) }),
        split: defineStep({ accepts: Doc, emits: Part, run: () => [Part(), Part()] }),
        finish: defineStep({
          accepts: gather(Part, { per: Doc }),
          emits: End,
          run: (_, { per }) => End({ name: per.name })
        })
      }
    })
    expect((await runPromise(flow)).name).toBe("a")
  })
})

describe("an Effect step", () => {
  class Greeting extends Context.Service<Greeting, { readonly of: (name: string) => string }>()("Greeting") {}

  it.effect("has the services of the run, in every kind of step that can ask for them", () =>
    Effect.gen(function* () {
      const greet = Effect.map(Greeting, ({ of }) => stop(of("Ada").length))
      const kinds: Record<string, () => unknown> = {
        Effect: () => greet,
        "Effect later": () => Effect.andThen(Effect.sleep(1), greet),
        Stream: () => Stream.fromEffect(greet),
        "promise of an Effect": async () => greet
      }
      for (const [kind, emit] of Object.entries(kinds)) {
        for (const more of [{}, { timeout: "1 week" }, { retry: { times: 1 } }]) {
          const only = untyped.step({ accepts: Start, emits: Stop, run: emit, ...more })
          const flow = untyped.workflow({ name: kind, start: Start, stop: Stop, steps: { only } })
          const provided = Effect.provideService(run(flow), Greeting, { of: (name) => `Hello, ${name}!` })
          expect(yield* result(provided), kind).toEqual(stop("Hello, Ada!".length))
        }
      }
    })
  )

  it.effect("has the run's references, and changes only its own copies", () =>
    Effect.gen(function* () {
      const Mood = Context.Reference<string>("Mood", { defaultValue: () => "calm" })
      const seen: Array<string> = []
      const look = Effect.map(Mood, (mood) => void seen.push(mood))
      const flow = workflow({
        name: "references",
        start: Start,
        stop: Stop,
        steps: {
          first: defineStep({
            accepts: Start,
            emits: Task,
            run: () => Effect.as(Effect.provideService(look, Mood, "angry"), Task({ n: 1 }))
          }),
          second: defineStep({ accepts: Task, emits: Stop, run: () => Effect.as(look, stop()) })
        }
      })
      yield* Effect.provideService(run(flow), Mood, "glad")
      expect(seen).toEqual(["angry", "glad"])
    })
  )
})

describe("ctx.signal", () => {
  /** A run that a fast step ends while another waits for its signal, which `lose` records. */
  const losing = (lose: (signal: () => AbortSignal) => unknown, setting: object = {}) =>
    workflow({
      name: "losing",
      start: Start,
      stop: Stop,
      steps: {
        slow: defineStep({
          accepts: Start,
          emits: Done,
          ...setting,
          run: (_, ctx): Promise<void> => Promise.resolve(lose(() => ctx.signal)) as Promise<void>
        }),
        done: defineStep({ accepts: Done, emits: [], run: () => {} }),
        fast: defineStep({
          accepts: Start,
          emits: Stop,
          run: () => Effect.as(Effect.sleep("1 second"), stop(1))
        })
      }
    })

  for (const [name, setting] of Object.entries({
    "": {},
    " with a timeout": { timeout: "1 week" },
    " with a retry": { retry: { times: 1 } }
  })) {
    it.effect(`aborts an async step${name} that loses`, () =>
      Effect.gen(function* () {
        let aborted = 0
        const flow = losing((signal) => new Promise(() => signal().addEventListener("abort", () => aborted++)), setting)
        yield* result(run(flow))
        expect(aborted).toBe(1)
      })
    )
  }

  it.effect("has a reason that distinguishes an abort from a step's own failure", () =>
    Effect.gen(function* () {
      let reason: unknown
      const flow = losing(
        (signal) =>
          new Promise(() => {
            const own = signal()
            own.addEventListener("abort", () => {
              reason = own.reason
            })
          })
      )
      yield* result(run(flow))
      expect(reason).toBeInstanceOf(DOMException)
      expect((reason as DOMException).name).toBe("AbortError")
    })
  )

  it.effect("is already aborted if it is first read after the end", () =>
    Effect.gen(function* () {
      let signal: (() => AbortSignal) | undefined
      const flow = losing((asked) => {
        signal = asked
        return new Promise(() => {})
      })
      yield* result(run(flow))
      expect(signal?.().aborted).toBe(true)
    })
  )

  const winners = {
    "a plain step": () => stop(1),
    "an async step": async () => stop(1),
    "an Effect": () => Effect.as(Effect.sleep("1 second"), stop(1)),
    "an Effect of an array": () => Effect.as(Effect.sleep("1 second"), [stop(1)])
  }
  const limits = {
    "on its own": {},
    "with a timeout": { timeout: "1 week" as const },
    "with a retry": { retry: { times: 1 } },
    "with a recovery": { recover: () => stop(0) }
  }
  for (const [limit, setting] of Object.entries(limits)) {
    for (const [kind, win] of Object.entries(winners)) {
      it.effect(
        `is aborted as its own end, and not as the end of the run, for what succeeds: ${kind} ${limit} that returns the stop event`,
        () =>
          Effect.gen(function* () {
            const reasons: Array<string> = []
            const steps = {
              only: defineStep({
                accepts: Start,
                emits: Stop,
                ...setting,
                run: (_, { signal }): Effect.Effect<ReturnType<typeof Stop>> => {
                  signal.addEventListener("abort", () => reasons.push(signal.reason.message))
                  return win() as Effect.Effect<ReturnType<typeof Stop>>
                }
              })
            }
            const flow = workflow({ name: "winner", start: Start, stop: Stop, steps })
            const trace = recorded()
            yield* result(trace.record(run(flow)))
            const outcomes = trace.of("InvocationEnded").map(({ outcome }) => outcome)
            const ended = "step 'only' of workflow 'winner' has ended"
            expect({ reasons, outcomes }).toEqual({ reasons: [ended], outcomes: ["succeeded"] })
          })
      )
    }
  }
})
