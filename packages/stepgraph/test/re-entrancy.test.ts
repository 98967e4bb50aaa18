// A step that acts on its own run, or on another, from within: sending, stopping, nesting and aborting do not
// interfere.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import { collect, defineEvent, defineStep, gather, join, run, runPromise, workflow } from "stepgraph"
import { Done, numbers, recorded, Start, Stop, stop, Task, untyped, upTo } from "./support/flow.ts"
import { result } from "./support/virtual.ts"

describe("ctx.send inside a step", () => {
  it("never calls another step before this one gives way", async () => {
    const order: Array<string> = []
    const flow = workflow({
      name: "inline",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({
          accepts: Start,
          emits: Task,
          run: (_, { send }) => {
            order.push("begin")
            send(Task({ n: 1 }))
            order.push("end")
          }
        }),
        next: defineStep({
          accepts: Task,
          emits: Stop,
          run: () => {
            order.push("next")
            return stop()
          }
        })
      }
    })
    await runPromise(flow)
    expect(order).toEqual(["begin", "end", "next"])
  })

  it.effect("never calls another step before this Effect gives way, at once or later", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const flow = workflow({
        name: "inline",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({
            accepts: Start,
            emits: Task,
            run: (_, { send }) =>
              Effect.gen(function* () {
                for (const n of [1, 2]) {
                  order.push(`begin ${n}`)
                  send(Task({ n }))
                  order.push(`end ${n}`)
                  yield* Effect.sleep(1)
                }
              })
          }),
          next: defineStep({
            accepts: Task,
            emits: Stop,
            run: ({ n }) => {
              order.push(`next ${n}`)
              if (n === 2) return stop()
            }
          })
        }
      })
      yield* result(run(flow))
      expect(order).toEqual(["begin 1", "end 1", "next 1", "begin 2", "end 2", "next 2"])
    })
  )

  it("of an event that its own step accepts makes it run again, not inside itself", async () => {
    let depth = 0
    const flow = workflow({
      name: "itself",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({ accepts: Start, emits: Task, run: () => Task({ n: 5 }) }),
        again: defineStep({
          accepts: Task,
          emits: [Task, Stop],
          run: ({ n }, { send }) => {
            expect(++depth).toBe(1)
            send(n === 0 ? stop(n) : Task({ n: n - 1 }))
            depth--
          }
        })
      }
    })
    expect((await runPromise(flow)).values).toEqual([0])
  })

  it.effect("that completes a join, a collect and a gather runs each once", () =>
    Effect.gen(function* () {
      const runs: Array<string> = []
      const note = (name: string) => () => {
        runs.push(name)
        return Done({ n: runs.length })
      }
      const flow = workflow({
        name: "intakes",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({
            accepts: Start,
            emits: Task,
            run: (_, { send }) =>
              Effect.sync(() => {
                send(Task({ n: 1 }))
                send(Task({ n: 2 }))
              })
          }),
          joined: defineStep({ accepts: join([Task, Task]), emits: Done, run: note("join") }),
          collected: defineStep({ accepts: collect(Task, 2), emits: Done, run: note("collect") }),
          gathered: defineStep({ accepts: gather(Task), emits: Done, run: note("gather") }),
          finish: defineStep({ accepts: collect(Done, 3), emits: Stop, run: () => stop() })
        }
      })
      yield* result(run(flow))
      expect(runs.sort()).toEqual(["collect", "gather", "join"])
    })
  )
})

describe("a run inside a step", () => {
  const Count = defineEvent("Count", { n: Schema.Number })
  const End = defineEvent("End", { n: Schema.Number })

  it("may be of the same workflow: a recursion that shares nothing", async () => {
    const steps = {
      count: defineStep({
        accepts: Count,
        emits: End,
        workers: 1,
        run: ({ n }): Promise<ReturnType<typeof End>> =>
          n === 0 ? Promise.resolve(End({ n: 0 })) : untypedRun({ n: n - 1 }).then((end) => End({ n: end.n + 1 }))
      })
    }
    const flow = workflow({ name: "recursion", start: Count, stop: End, steps })
    const untypedRun = (input: { readonly n: number }) => runPromise(flow, input)
    expect((await runPromise(flow, { n: 30 })).n).toBe(30)
  })

  it.effect("may be of the same workflow as an Effect, a hundred deep, each with a sleep of its own", () =>
    Effect.gen(function* () {
      const deeper = (n: number): Effect.Effect<ReturnType<typeof End>, any> => run(flow, { n })
      const flow = workflow({
        name: "recursion",
        start: Count,
        stop: End,
        steps: {
          count: defineStep({
            accepts: Count,
            emits: End,
            run: ({ n }) =>
              n === 0
                ? Effect.succeed(End({ n: 0 }))
                : Effect.andThen(
                    Effect.sleep(1),
                    Effect.map(deeper(n - 1), (end) => End({ n: end.n + 1 }))
                  )
          })
        }
      })
      expect((yield* result(deeper(100))).n).toBe(100)
    })
  )

  it("may be run at once: a workflow of plain steps in a plain step", async () => {
    const inner = workflow({
      name: "inner",
      start: Count,
      stop: End,
      steps: { double: defineStep({ accepts: Count, emits: End, run: ({ n }) => End({ n: 2 * n }) }) }
    })
    const flow = workflow({
      name: "outer",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({ accepts: Start, emits: Task, run: () => upTo(5).map((n) => Task({ n })) }),
        nest: defineStep({
          accepts: Task,
          emits: Done,
          run: ({ n }) => Done({ n: Effect.runSync(run(inner, { n })).n })
        }),
        finish: defineStep({ accepts: collect(Done, 5), emits: Stop, run: (done) => stop(...numbers(done)) })
      }
    })
    expect((await runPromise(flow)).values).toEqual([0, 2, 4, 6, 8])
  })

  it.effect("ends when the step around it does: its finalizers come before the outer result", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const inner = workflow({
        name: "inner",
        start: Start,
        stop: Stop,
        steps: {
          hold: defineStep({
            accepts: Start,
            emits: Stop,
            run: () =>
              Effect.onInterrupt(Effect.never, () =>
                Effect.andThen(
                  Effect.sleep("1 minute"),
                  Effect.sync(() => log.push("closed"))
                )
              )
          })
        }
      })
      const outer = workflow({
        name: "outer",
        start: Start,
        stop: Stop,
        steps: {
          nest: defineStep({ accepts: Start, emits: Stop, run: () => run(inner) }),
          end: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep("1 second"), stop(1)) })
        }
      })
      const fiber = yield* Effect.forkChild(Effect.map(run(outer), (event) => [...event.values, ...log]))
      yield* TestClock.adjust("60 seconds")
      expect(fiber.pollUnsafe()).toBe(undefined)
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toEqual([1, "closed"])
    })
  )

  it("fails as its own typed error, and is named in the trace by the step around it", async () => {
    const trace = recorded()
    const inner = untyped.workflow({
      name: "inner",
      start: Start,
      stop: Stop,
      steps: { only: untyped.step({ accepts: Start, emits: Stop, run: () => Effect.fail("inner") }) }
    })
    const outer = untyped.workflow({
      name: "outer",
      start: Start,
      stop: Stop,
      steps: { nest: untyped.step({ accepts: Start, emits: Stop, run: () => run(inner) }) }
    })
    await expect(untyped.runPromise(outer, {}, { observe: trace.observe })).rejects.toBe("inner")
    const [first, second] = trace.of("RunStarted")
    expect(first).toMatchObject({ workflow: "outer", parent: null })
    expect(second).toMatchObject({ workflow: "inner", parent: { run: first!.run, workflow: "outer" } })
    expect(second!.parent!.invocation).toBe(trace.of("InvocationStarted")[0]!.invocation)
  })
})

describe("a step that ends its own run", () => {
  it.effect("by interrupting its fiber gets no deadlock", () =>
    Effect.gen(function* () {
      let fiber: Fiber.Fiber<unknown, unknown> | undefined
      const log: Array<string> = []
      const flow = workflow({
        name: "suicide",
        start: Start,
        stop: Stop,
        steps: {
          only: defineStep({
            accepts: Start,
            emits: Stop,
            run: () =>
              Effect.suspend(() => Fiber.interrupt(fiber!)).pipe(
                Effect.delay(10),
                Effect.onInterrupt(() => Effect.sync(() => log.push("interrupted"))),
                Effect.as(stop())
              )
          })
        }
      })
      fiber = yield* Effect.forkChild(run(flow))
      yield* TestClock.adjust(10)
      expect((yield* Fiber.await(fiber))._tag).toBe("Failure")
      expect(log).toEqual(["interrupted"])
    })
  )

  it("by aborting its signal, in any kind of step, ends it there", async () => {
    const kinds: Record<string, (abort: () => void) => unknown> = {
      plain: (abort) => abort(),
      promise: async (abort) => {
        await Promise.resolve()
        abort()
      },
      Effect: (abort) => Effect.sync(abort),
      "Effect later": (abort) => Effect.andThen(Effect.sleep(1), Effect.sync(abort)),
      generator: function* (abort) {
        abort()
        yield Task({ n: 1 })
      }
    }
    for (const [kind, make] of Object.entries(kinds)) {
      const controller = new AbortController()
      const calls: Array<string> = []
      const flow = untyped.workflow({
        name: kind,
        start: Start,
        stop: Stop,
        steps: {
          first: untyped.step({
            accepts: Start,
            emits: Task,
            run: () => make(() => controller.abort(new Error(kind)))
          }),
          second: untyped.step({ accepts: Start, emits: Stop, run: () => Effect.never }),
          third: untyped.step({ accepts: Task, emits: Stop, run: () => void calls.push("third") })
        }
      })
      await expect(untyped.runPromise(flow, {}, { signal: controller.signal })).rejects.toThrow(kind)
      expect(calls).toEqual([])
    }
  })
})

describe("an observer", () => {
  it("that throws, or starts a run itself, does no harm", async () => {
    const inner = workflow({
      name: "inner",
      start: Start,
      stop: Stop,
      steps: { only: defineStep({ accepts: Start, emits: Stop, run: () => stop(2) }) }
    })
    const flow = workflow({
      name: "observed",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({ accepts: Start, emits: Task, run: async () => upTo(3).map((n) => Task({ n })) }),
        finish: defineStep({ accepts: collect(Task, 3), emits: Stop, run: (tasks) => stop(...numbers(tasks)) })
      }
    })
    let inside = 0
    const observe = () => {
      inside += Effect.runSync(run(inner)).values.length
      throw new Error("an observer only looks on")
    }
    expect((await runPromise(flow, {}, { observe })).values).toEqual([0, 1, 2])
    expect(inside).toBeGreaterThan(10)
  })
})
