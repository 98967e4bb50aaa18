// Something around every step of a workflow.
import { AsyncLocalStorage } from "node:async_hooks"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Context, Duration, Effect, Exit, Stream } from "effect"
import {
  around,
  asStep,
  defineStep,
  gather,
  InvalidWorkflow,
  isStep,
  isWorkflow,
  run,
  runPromise,
  type StepResult,
  workflow
} from "stepgraph"
import { graphOf } from "stepgraph/graph"
import { Done, Start, Stop, stop, Task } from "./support/flow.ts"
import { failure, result } from "./support/virtual.ts"

const kinds: Record<string, (n: number) => any> = {
  "a plain value": (n) => Done({ n }),
  "a list": (n) => [Done({ n })],
  "a promise": async (n) => {
    await sleep(1)
    return Done({ n })
  },
  "an Effect": (n) => Effect.as(Effect.sleep("1 second"), Done({ n })),
  "a generator": function* (n) {
    yield Done({ n })
  },
  "an async generator": async function* (n) {
    await sleep(1)
    yield Done({ n })
  },
  "a Stream": (n) => Stream.make(Done({ n })),
  "a thenable that begins when it is asked": (n) => {
    let begun = 0
    return { then: (resolve: (value: unknown) => void) => resolve(Done({ n: n + begun++ })) }
  }
}

const of = (work: (n: number) => any, more: object = {}) =>
  workflow({
    name: "flow",
    start: Start,
    stop: Stop,
    steps: {
      plan: defineStep({ accepts: Start, emits: Task, run: () => [1, 2].map((n) => Task({ n })) }),
      work: defineStep({ accepts: Task, emits: Done, run: ({ n }: { readonly n: number }) => work(n), ...more } as any),
      all: defineStep({ accepts: gather(Done), emits: Stop, run: (all: any) => stop(...all.map(({ n }: any) => n)) })
    } as any
  })

const wraps = {
  "its own result": (_: unknown, next: () => StepResult) => next(),
  "a promise of it": async (_: unknown, next: () => StepResult) => {
    await sleep(1)
    return await next()
  },
  "an Effect of it": (_: unknown, next: { readonly effect: Effect.Effect<StepResult, any, any> }) => next.effect
}

describe("around", () => {
  for (const [kind, work] of Object.entries(kinds)) {
    for (const [what, wrap] of Object.entries(wraps)) {
      it.effect(`${kind}, as ${what}: the workflow does the same`, () =>
        Effect.gen(function* () {
          const flow = around(of(work), wrap as any)
          expect((yield* result(run(flow as any, {}))) as any).toEqual(stop(1, 2))
        })
      )
    }
  }

  it.effect("is called once for each attempt, inside the step's timeout, retry and recovery", () =>
    Effect.gen(function* () {
      const calls: Array<string> = []
      const flow = of((n) => (n === 1 ? Effect.fail("down") : Effect.as(Effect.sleep("1 day"), Done({ n }))), {
        retry: { times: 2, while: (error: unknown) => error === "down" },
        timeout: "1 minute",
        recover: (_: unknown, { n }: { n: number }) => Done({ n: -n })
      })
      const logged = around(flow, ({ workflow, step, input, ctx }, next) => {
        calls.push(`${workflow} ${step} ${JSON.stringify((input as any).n)} ${ctx.attempt} ${ctx.step}`)
        return next()
      })
      expect(yield* result(run(logged as any))).toEqual(stop(-1, -2))
      expect(calls.sort()).toEqual([
        "flow all undefined 1 all",
        "flow plan undefined 1 plan",
        "flow work 1 1 work",
        "flow work 1 2 work",
        "flow work 1 3 work",
        "flow work 2 1 work"
      ])
    })
  )

  it("gives each step a user's ambient context", async () => {
    const user = new AsyncLocalStorage<string>()
    const seen: Array<string | undefined> = []
    const flow = around(
      of(async (n) => {
        await sleep(1)
        seen.push(user.getStore())
        return Done({ n })
      }),
      (_, next) => user.run("Ada", next)
    )
    await runPromise(flow as any)
    expect(seen).toEqual(["Ada", "Ada"])
  })

  it.effect("times Effects and promises, and gives them services", () =>
    Effect.gen(function* () {
      const Tenant = Context.Reference<string>("Tenant", { defaultValue: () => "nobody" })
      const seen: Array<string> = []
      const flow = of((n) =>
        Effect.gen(function* () {
          seen.push(yield* Tenant)
          yield* Effect.sleep("2 seconds")
          return Done({ n })
        })
      )
      const timed = around(flow, ({ step }, next) =>
        Effect.gen(function* () {
          const [took, value] = yield* Effect.timed(Effect.provideService(next.effect, Tenant, "acme"))
          if (step === "work") seen.push(Duration.format(took))
          return value
        })
      )
      yield* result(run(timed as any))
      expect(seen).toEqual(["acme", "acme", "2s", "2s"])
    })
  )

  it.effect("may leave the step out, and give what an earlier call returned", () =>
    Effect.gen(function* () {
      let calls = 0
      const cache = new Map<string, StepResult>()
      const flow = around(
        of((n) => Done({ n: n + 10 * calls++ })),
        ({ step, input }, next) => {
          if (step !== "work") return next()
          const key = JSON.stringify(input)
          if (!cache.has(key)) cache.set(key, next())
          return cache.get(key)!
        }
      )
      const first = yield* run(flow as any)
      expect(yield* run(flow as any)).toEqual(first)
      expect(calls).toBe(2)
    })
  )

  it("keeps the step's own rejection, and makes any other a defect", async () => {
    const down = new Error("down")
    const flow = of(async () => {
      throw down
    })
    const own = around(flow, async (_, next) => await next())
    await expect(runPromise(own as any)).rejects.toMatchObject({ _tag: "StepRejected", step: "work", cause: down })
    const bug = around(of(kinds["a promise"]!), async ({ step }, next) => {
      const value = await next()
      if (step === "work") throw new Error("a bug in the wrapper")
      return value
    })
    await expect(runPromise(bug as any)).rejects.toMatchObject({ _tag: "StepDefect", step: "work" })
    const thrown = around(flow, () => {
      throw new Error("a bug in the wrapper")
    })
    await expect(runPromise(thrown as any)).rejects.toMatchObject({ _tag: "StepDefect", step: "plan" })
  })

  for (const [what, wrap] of Object.entries(wraps)) {
    it(`keeps what a function throws the step's own, retried if the step is, as ${what}`, async () => {
      let calls = 0
      const work = (n: number) => {
        if (++calls < 3) throw new Error("busy")
        return Done({ n })
      }
      expect(await runPromise(around(of(work, { retry: { times: 2 } }), wrap as any) as any, {})).toEqual(stop(1, 2))
      calls = 0
      const defect: any = await runPromise(around(of(work), wrap as any) as any, {}).catch((error) => error)
      expect(defect._tag).toBe("StepDefect")
    })
  }

  it("makes what the function around a step throws a defect, which is not retried", async () => {
    for (const bug of [
      () => {
        throw new Error("a bug")
      },
      async () => {
        throw new Error("a bug")
      }
    ]) {
      const wrap = ({ step }: { readonly step: string }, next: () => StepResult) => {
        const returned = next()
        return step === "work" ? bug() : returned
      }
      const flow = around(
        of((n) => Done({ n }), { workers: 1, retry: { times: 2 } }),
        wrap as any
      )
      const error: any = await runPromise(flow as any, {}).catch((error) => error)
      expect(error._tag).toBe("StepDefect")
      expect(error.message).toContain("a bug")
    }
  })

  it("keeps the rejection of a promise that an earlier call was given", async () => {
    const cache = new Map<string, StepResult>()
    const flow = of(async () => Promise.reject(new Error("down")))
    for (const wrap of [(of: StepResult) => of, async (of: StepResult) => await of]) {
      const cached = around(flow, ({ step }, next) => {
        if (step !== "work") return next()
        if (!cache.has(step)) cache.set(step, next())
        return wrap(cache.get(step)!)
      })
      for (let run = 0; run < 2; run++) {
        await expect(runPromise(cached as any)).rejects.toMatchObject({ _tag: "StepRejected", step: "work" })
      }
    }
  })

  it.effect("fails with a rejection by name where it is asked for as an Effect", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const flow = around(
        of(async () => Promise.reject("down")),
        (_, next) => Effect.tapError(next.effect, (error) => Effect.sync(() => seen.push(error)))
      )
      const error = yield* failure(run(flow as any))
      expect(error).toMatchObject({ _tag: "StepRejected", workflow: "flow", step: "work", cause: "down" })
      expect(seen).toContain(error)
    })
  )

  it("gives a workflow like the one it was given: same graph, steps that are steps, a spread that is one", () => {
    const inner = of(kinds["a plain value"]!)
    const flow = workflow({
      name: "outer",
      start: Start,
      stop: Stop,
      timeout: "1 minute",
      outputs: [Stop],
      steps: { whole: asStep(inner, { workers: 2 }) }
    } as any)
    const copy = around(flow as any, (_, next) => next())
    expect(isWorkflow(copy)).toBe(true)
    expect(isStep(copy.steps.whole)).toBe(true)
    expect(graphOf(copy)).toEqual(graphOf(flow as any))
    expect({ ...copy, steps: 0 }).toEqual({ ...(flow as any), steps: 0 })
    expect(isWorkflow(around({ ...inner } as any, (_, next) => next()))).toBe(true)
  })

  it("may stand around itself", async () => {
    const seen: Array<string> = []
    const logging = (name: string) => (call: { readonly step: string }, next: () => StepResult) => {
      seen.push(`${name} ${call.step}`)
      return next()
    }
    await runPromise(around(around(of(kinds["a plain value"]!), logging("inner")), logging("outer")) as any)
    expect(seen.slice(0, 2)).toEqual(["outer plan", "inner plan"])
  })

  it("refuses what is no workflow and no function, and says which step returned something else", async () => {
    const bad = around as unknown as (flow?: unknown, wrap?: unknown) => any
    expect(() => bad(undefined, () => {})).toThrow(InvalidWorkflow)
    expect(() => bad(of(kinds["a plain value"]!), undefined)).toThrow(
      "around takes a function, not a undefined: write (call, next) => next()"
    )
    const exit: Exit.Exit<unknown> = await Effect.runPromiseExit(run(bad(of(kinds["a plain value"]!), () => 3)) as any)
    const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    expect(String(defect)).toMatch(/step 'plan' of workflow 'flow'.* 3/)
  })
})
