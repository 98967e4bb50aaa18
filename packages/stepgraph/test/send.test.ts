// `ctx.send` after its step has come to its own end is an error in the code that does it, not a lost event.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { collect, defineStep, run, runPromise, StepEnded, workflow } from "stepgraph"
import { Done, numbers, Start, Stop, stop, Task, untyped, upTo } from "./support/flow.ts"
import { ended, result } from "./support/virtual.ts"

type Send = (event: ReturnType<typeof Task>) => void
type Sender = { readonly send: Send }

/** A run with a step that leaks its `send`, and the results of later calls. */
const escaping = (kind: (out: (send: Send) => void) => (_: unknown, ctx: Sender) => unknown, setting: object = {}) => {
  let send: Send | undefined
  const flow = untyped.workflow({
    name: "escaping",
    start: Start,
    stop: Stop,
    steps: {
      leak: untyped.step({
        accepts: Start,
        emits: Task,
        run: kind((own) => {
          send = own
        }),
        ...setting
      }),
      go: defineStep({
        accepts: Task,
        emits: Stop,
        // When this runs, the step that sent the task is long over.
        run: () =>
          Effect.delay(
            Effect.sync(() => stop(Number(tooLate() instanceof StepEnded))),
            "1 second"
          )
      })
    }
  })
  const tooLate = (): unknown => {
    try {
      send!(Task({ n: 2 }))
      return "sent"
    } catch (error) {
      return error
    }
  }
  return { flow, tooLate }
}

const task = Task({ n: 1 })
const kinds: Record<string, (out: (send: Send) => void) => (_: unknown, ctx: Sender) => unknown> = {
  "a plain step": (out) => (_, ctx) => {
    out(ctx.send)
    return task
  },
  "a generator": (out) =>
    function* (_, ctx) {
      out(ctx.send)
      yield task
    },
  "an async step": (out) => async (_, ctx) => {
    out(ctx.send)
    return task
  },
  "an async generator": (out) =>
    async function* (_, ctx) {
      out(ctx.send)
      yield task
    },
  "an Effect": (out) => (_, ctx) => {
    out(ctx.send)
    return Effect.succeed(task)
  },
  "a Stream": (out) => (_, ctx) => {
    out(ctx.send)
    return Stream.succeed(task)
  }
}

describe("ctx.send", () => {
  for (const [setting, more] of Object.entries({
    "": {},
    " with a timeout": { timeout: "1 week" },
    " with a retry": { retry: { times: 1 } }
  })) {
    it.effect.each(Object.entries(kinds))(`throws when %s${setting} has ended`, ([, kind]) =>
      Effect.gen(function* () {
        const { flow } = escaping(kind, more)
        expect((yield* result(run(flow))).values).toEqual([1])
      })
    )
  }

  it("throws a StepEnded that names the workflow, the step and the event", async () => {
    const { flow, tooLate } = escaping(kinds["a plain step"]!)
    await untyped.runPromise(flow)
    const error = tooLate()
    expect(error).toMatchObject({ _tag: "StepEnded", workflow: "escaping", step: "leak", event: Task({ n: 2 }) })
  })

  it("throws in the calling code, and harms neither the run nor the process", async () => {
    const errors: Array<unknown> = []
    const flow = workflow({
      name: "timer",
      start: Start,
      stop: Stop,
      steps: {
        begin: defineStep({
          accepts: Start,
          emits: [Task, Done],
          run: (_, { send }) => {
            setTimeout(() => {
              try {
                send(Task({ n: 1 }))
              } catch (error) {
                errors.push(error)
              }
            }, 1)
            return Done({ n: 1 })
          }
        }),
        task: defineStep({ accepts: Task, emits: [], run: () => {} }),
        end: defineStep({ accepts: Done, emits: Stop, run: () => Effect.as(Effect.sleep(20), stop(1)) })
      }
    })
    expect((await runPromise(flow)).values).toEqual([1])
    expect(errors).toMatchObject([{ _tag: "StepEnded" }])
  })

  it.effect("does nothing in an async step that was interrupted and does not look at its signal", () =>
    Effect.gen(function* () {
      const errors: Array<unknown> = []
      let go = () => {}
      const flow = workflow({
        name: "interrupted",
        start: Start,
        stop: Stop,
        steps: {
          slow: defineStep({
            accepts: Start,
            emits: Task,
            run: async (_, { send }) => {
              await new Promise<void>((resume) => {
                go = resume
              })
              try {
                send(Task({ n: 1 }))
              } catch (error) {
                errors.push(error)
              }
            }
          }),
          task: defineStep({ accepts: Task, emits: [], run: () => {} }),
          end: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(10), stop(1)) })
        }
      })
      yield* result(run(flow))
      go()
      yield* Effect.promise(() => new Promise((resume) => setImmediate(resume)))
      expect(errors).toEqual([])
    })
  )

  it.effect("throws for an attempt that has failed, while the next one is running", () =>
    Effect.gen(function* () {
      const sends: Array<Send> = []
      const errors: Array<unknown> = []
      const flow = workflow({
        name: "attempts",
        start: Start,
        stop: Stop,
        steps: {
          only: defineStep({
            accepts: Start,
            emits: [Task, Stop],
            run: (_, { send, attempt }): Effect.Effect<ReturnType<typeof Stop>, "again"> => {
              sends.push(send)
              if (attempt === 1) return Effect.fail("again" as const)
              try {
                sends[0]!(Task({ n: 1 }))
              } catch (error) {
                errors.push(error)
              }
              return Effect.succeed(stop(attempt))
            },
            retry: { times: 1 }
          }),
          task: defineStep({ accepts: Task, emits: [], run: () => {} })
        }
      })
      expect((yield* result(run(flow))).values).toEqual([2])
      expect(errors).toMatchObject([{ _tag: "StepEnded", step: "only" }])
    })
  )

  it("may be called while the step is running, and takes effect at once", async () => {
    const seen: Array<number> = []
    const flow = workflow({
      name: "meanwhile",
      start: Start,
      stop: Stop,
      steps: {
        slow: defineStep({
          accepts: Start,
          emits: [Task, Stop],
          run: async (_, { send }) => {
            for (const n of upTo(3)) {
              send(Task({ n }))
              await new Promise((resume) => setTimeout(resume, 5))
              expect(seen).toEqual(upTo(n + 1))
            }
            return stop(...seen)
          }
        }),
        fast: defineStep({ accepts: Task, emits: [], run: ({ n }) => void seen.push(n) })
      }
    })
    expect((await runPromise(flow)).values).toEqual([0, 1, 2])
  })

  it.effect("from callbacks, timers and child fibers of a running step are as good as its own", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "children",
        start: Start,
        stop: Stop,
        steps: {
          begin: defineStep({
            accepts: Start,
            emits: Task,
            run: (_, { send }) =>
              Effect.forEach(
                upTo(5),
                (n) =>
                  Effect.andThen(
                    Effect.sleep(10 * (5 - n)),
                    Effect.sync(() => send(Task({ n })))
                  ),
                { concurrency: "unbounded", discard: true }
              )
          }),
          finish: defineStep({ accepts: collect(Task, 5), emits: Stop, run: (tasks) => stop(...numbers(tasks)) })
        }
      })
      expect((yield* result(run(flow))).values).toEqual([4, 3, 2, 1, 0])
    })
  )

  it.effect("of an undeclared event fails the run, even if the step swallows the error", () =>
    Effect.gen(function* () {
      const flow = untyped.workflow({
        name: "swallowed",
        start: Start,
        stop: Stop,
        steps: {
          only: untyped.step({
            accepts: Start,
            emits: Stop,
            run: (_: unknown, { send }: Sender) => {
              try {
                send(Task({ n: 1 }))
              } catch {}
              return stop(1)
            }
          })
        }
      })
      const exit = yield* ended(run(flow))
      expect(String(exit)).toContain("step 'only'")
      expect(exit._tag).toBe("Failure")
    })
  )
})
