import { describe, expect, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import {
  defineEvent,
  defineState,
  defineStep,
  gather,
  launch,
  Observer,
  type RunError,
  run,
  runPromise,
  type TraceEntry,
  workflow
} from "stepgraph"
import { failure, result } from "../support/virtual.ts"

const Question = defineEvent("Question", { n: Schema.Number })
const Reply = defineEvent("Reply", { n: Schema.Number })
const Start = defineEvent("Start", { count: Schema.Number })
const Item = defineEvent("Item", { n: Schema.Number })
const Done = defineEvent("Done", { n: Schema.Number })
const Stop = defineEvent("Stop", { ns: Schema.Array(Schema.Number) })

class Broken extends Schema.TaggedError<Broken>()("Broken", { n: Schema.Number }) {}

const inner = (reply: (n: number) => Effect.Effect<number, Broken>) =>
  workflow({
    name: "inner",
    start: Question,
    stop: Reply,
    steps: {
      reply: defineStep({
        accepts: Question,
        emits: Reply,
        run: ({ n }) => Effect.map(reply(n), (n) => Reply({ n }))
      })
    }
  })

/** Runs the inner workflow once for each of its items. */
const outer = (reply: (n: number) => Effect.Effect<number, Broken>) => {
  const asked = inner(reply)
  return workflow({
    name: "outer",
    start: Start,
    stop: Stop,
    steps: {
      list: defineStep({
        accepts: Start,
        emits: Item,
        run: ({ count }) => Array.from({ length: count }, (_, n) => Item({ n }))
      }),
      ask: defineStep({
        accepts: Item,
        emits: Done,
        run: ({ n }) => Effect.map(run(asked, { n }), ({ n }) => Done({ n }))
      }),
      all: defineStep({ accepts: gather(Done), emits: Stop, run: (all) => Stop({ ns: all.map(({ n }) => n) }) })
    }
  })
}

const doubled = (n: number) => Effect.as(Effect.sleep(1000 - n), 2 * n)

describe("a workflow in a step", () => {
  it.effect("returns its stop event to the step", () =>
    Effect.gen(function* () {
      expect((yield* result(run(outer(doubled), { count: 5 }))).ns).toEqual([0, 2, 4, 6, 8])
    })
  )

  it.effect("fails the step with its typed error, which is in the outer workflow's type", () =>
    Effect.gen(function* () {
      const flow = outer((n) => (n === 2 ? Effect.fail(new Broken({ n })) : doubled(n)))
      const error: RunError<typeof flow> = yield* failure(run(flow, { count: 5 }))
      expect(error).toEqual(new Broken({ n: 2 }))
    })
  )

  it.effect("that stalls names itself, not the outer one", () =>
    Effect.gen(function* () {
      const stalling = workflow({
        ...inner(doubled),
        steps: { reply: defineStep({ accepts: Question, emits: Reply, run: () => {} }) }
      })
      const flow = outer(doubled)
      const ask = defineStep({ accepts: Item, emits: Done, run: ({ n }) => Effect.map(run(stalling, { n }), Done) })
      const error = yield* failure(run(workflow({ ...flow, steps: { ...flow.steps, ask } }), { count: 1 }))
      expect(error).toMatchObject({ _tag: "WorkflowStalled", workflow: "inner" })
    })
  )

  it.effect("names its own step and the outer one when it dies", () =>
    Effect.gen(function* () {
      const flow = outer(() => Effect.die(new Error("a bug")))
      const exit = yield* Effect.exit(run(flow, { count: 1 }))
      const defect: any = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      expect(defect).toMatchObject({ _tag: "StepDefect", workflow: "outer", step: "ask" })
      expect(defect.cause).toMatchObject({ _tag: "StepDefect", workflow: "inner", step: "reply" })
    })
  )

  it.effect("is interrupted with the outer one, which waits for its finalizers", () =>
    Effect.gen(function* () {
      let finalized = 0
      const flow = outer(() =>
        Effect.onInterrupt(Effect.as(Effect.sleep("1 day"), 0), () =>
          Effect.andThen(
            Effect.sleep("1 second"),
            Effect.sync(() => finalized++)
          )
        )
      )
      const live = yield* launch(flow, { count: 3 })
      yield* TestClock.adjust("1 second")
      const interrupting = yield* Effect.forkChild(live.interrupt, { startImmediately: true })
      expect(interrupting.pollUnsafe()).toBeUndefined()
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(interrupting)
      expect(finalized).toBe(3)
    })
  )

  it.effect("can be retried and recovered from by the step", () =>
    Effect.gen(function* () {
      let calls = 0
      const asked = inner((n) => (++calls < 3 ? Effect.fail(new Broken({ n })) : Effect.succeed(n)))
      const flow = outer(doubled)
      const ask = defineStep({
        accepts: Item,
        emits: Done,
        retry: { times: 1 },
        run: ({ n }) => Effect.map(run(asked, { n }), Done),
        recover: (error) => Done({ n: error._tag === "Broken" ? -1 : 0 })
      })
      const recovering = workflow({ ...flow, steps: { ...flow.steps, ask } })
      expect((yield* result(run(recovering, { count: 1 }))).ns).toEqual([-1])
      expect((yield* result(run(recovering, { count: 1 }))).ns).toEqual([0])
    })
  )

  it.effect("has its own state", () =>
    Effect.gen(function* () {
      const cell = defineState("cell", Schema.Number, 0)
      const asked = workflow({
        ...inner(doubled),
        steps: {
          reply: defineStep({
            accepts: Question,
            emits: Reply,
            run: (_, ctx) => Reply({ n: ctx.update(cell, (n) => n + 1) })
          })
        }
      })
      const flow = outer(doubled)
      const ask = defineStep({
        accepts: Item,
        emits: Done,
        run: (_, ctx) => {
          ctx.set(cell, 100)
          return Effect.map(run(asked, { n: 0 }), Done)
        }
      })
      const { ns } = yield* result(run(workflow({ ...flow, steps: { ...flow.steps, ask } }), { count: 3 }))
      expect(ns).toEqual([1, 1, 1])
    })
  )

  it.effect("gets its services from the outer one, which then needs them", () =>
    Effect.gen(function* () {
      class Dictionary extends Context.Service<Dictionary, { readonly size: number }>()("Dictionary") {}
      const asked = workflow({
        ...inner(doubled),
        steps: {
          reply: defineStep({
            accepts: Question,
            emits: Reply,
            run: () => Effect.map(Dictionary, ({ size }) => Reply({ n: size }))
          })
        }
      })
      const flow = outer(doubled)
      const ask = defineStep({ accepts: Item, emits: Done, run: ({ n }) => Effect.map(run(asked, { n }), Done) })
      const program: Effect.Effect<unknown, unknown, Dictionary> = run(
        workflow({ ...flow, steps: { ...flow.steps, ask } }),
        { count: 1 }
      )
      expect(yield* result(Effect.provideService(program, Dictionary, { size: 7 }))).toEqual(Stop({ ns: [7] }))
    })
  )

  it.effect("may be the workflow itself, recursively", () =>
    Effect.gen(function* () {
      const N = defineEvent("N", { n: Schema.Number })
      const Factorial = defineEvent("Factorial", { n: Schema.Number })
      const of = (n: number): Effect.Effect<number> =>
        run(factorial, { n }).pipe(
          Effect.map(({ n }) => n),
          Effect.orDie
        )
      const factorial = workflow({
        name: "factorial",
        start: N,
        stop: Factorial,
        steps: {
          multiply: defineStep({
            accepts: N,
            emits: Factorial,
            run: ({ n }) =>
              n === 0
                ? Effect.succeed(Factorial({ n: 1 }))
                : Effect.map(of(n - 1), (below) => Factorial({ n: n * below }))
          })
        }
      })
      expect((yield* run(factorial, { n: 5 })).n).toBe(120)
    })
  )

  it("runs as a promise with the step's signal, too", async () => {
    const asked = inner((n) => Effect.succeed(2 * n))
    const flow = outer(doubled)
    const ask = defineStep({
      accepts: Item,
      emits: Done,
      run: async ({ n }, { signal }) => Done({ n: (await runPromise(asked, { n }, { signal })).n })
    })
    const promised = workflow({ ...flow, steps: { ...flow.steps, ask } })
    expect((await runPromise(promised, { count: 3 })).ns).toEqual([0, 2, 4])
  })

  it("as a promise is interrupted by that signal", async () => {
    let interrupted = false
    const asked = inner(() =>
      Effect.onInterrupt(Effect.never, () =>
        Effect.sync(() => {
          interrupted = true
        })
      )
    )
    const flow = outer(doubled)
    const ask = defineStep({
      accepts: Item,
      emits: Done,
      run: async ({ n }, { signal }) => Done({ n: (await runPromise(asked, { n }, { signal })).n })
    })
    const promised = workflow({ ...flow, steps: { ...flow.steps, ask } })
    await expect(runPromise(promised, { count: 1 }, { signal: AbortSignal.timeout(5) })).rejects.toMatchObject({
      name: "TimeoutError"
    })
    await new Promise((resume) => setTimeout(resume, 1))
    expect(interrupted).toBe(true)
  })
})

describe("the trace of nested runs", () => {
  it.effect("names the run and the invocation that started each run", () =>
    Effect.gen(function* () {
      const trace: Array<TraceEntry> = []
      yield* result(
        Effect.provideService(run(outer(doubled), { count: 3 }), Observer, (entry) => void trace.push(entry))
      )
      const runs = trace.flatMap((entry) => (entry._tag === "RunStarted" ? [entry] : []))
      const [top, ...nested] = runs
      expect(top).toMatchObject({ workflow: "outer", parent: null })
      const asks = trace.flatMap((entry) =>
        entry._tag === "InvocationStarted" && entry.step === "ask" ? [entry.invocation] : []
      )
      expect(nested.map(({ workflow, parent }) => [workflow, parent])).toEqual(
        asks.map((invocation) => ["inner", { run: top!.run, workflow: "outer", invocation }])
      )
      expect(trace.filter(({ _tag }) => _tag === "RunFinished")).toHaveLength(4)
    })
  )

  it.effect("names the run in each entry", () =>
    Effect.gen(function* () {
      const trace: Array<TraceEntry> = []
      yield* result(
        Effect.provideService(run(outer(doubled), { count: 3 }), Observer, (entry) => void trace.push(entry))
      )
      const runs = new Map<string, Array<TraceEntry>>()
      for (const entry of trace) runs.set(entry.run, [...(runs.get(entry.run) ?? []), entry])
      expect(runs.size).toBe(4)
      for (const entries of runs.values()) {
        expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, i) => i))
        expect(entries.at(-1)?._tag).toBe("RunFinished")
      }
    })
  )

  it.effect("does so for a run launched in a step, too", () =>
    Effect.gen(function* () {
      const trace: Array<TraceEntry> = []
      const flow = outer(doubled)
      const ask = defineStep({
        accepts: Item,
        emits: Done,
        run: ({ n }) =>
          Effect.scoped(
            Effect.gen(function* () {
              const live = yield* launch(inner(doubled), { n })
              return Done({ n: (yield* live.result).n })
            })
          )
      })
      const launching = workflow({ ...flow, steps: { ...flow.steps, ask } })
      yield* result(Effect.provideService(run(launching, { count: 1 }), Observer, (entry) => void trace.push(entry)))
      const runs = trace.flatMap((entry) => (entry._tag === "RunStarted" ? [entry.parent?.workflow] : []))
      expect(runs).toEqual([undefined, "outer"])
    })
  )
})

describe("a workflow is data", () => {
  it.effect("a step is overridden by spreading, and the original is unchanged", () =>
    Effect.gen(function* () {
      const flow = outer(doubled)
      const ask = defineStep({ accepts: Item, emits: Done, run: ({ n }) => Done({ n: -n }) })
      const overridden = workflow({ ...flow, steps: { ...flow.steps, ask } })
      expect((yield* result(run(overridden, { count: 3 }))).ns).toEqual([-0, -1, -2])
      expect((yield* result(run(flow, { count: 3 }))).ns).toEqual([0, 2, 4])
    })
  )

  it("a spread that no longer fits together is refused like any other workflow", () => {
    const flow = outer(doubled)
    const ask = defineStep({ accepts: Item, emits: Reply, run: ({ n }) => Reply({ n }) })
    // @ts-expect-error step 'ask' emits 'Reply', but no step accepts it
    expect(() => workflow({ ...flow, steps: { ...flow.steps, ask } })).toThrow("step 'ask' emits 'Reply'")
  })

  it.effect("a copy that did not come from workflow() is checked when it is run", () =>
    Effect.gen(function* () {
      const flow = outer(doubled)
      const { all: _, ...steps } = flow.steps
      const exit = yield* Effect.exit(run({ ...flow, steps } as unknown as typeof flow, { count: 1 }))
      expect(Exit.isFailure(exit) && String(Cause.squash(exit.cause))).toContain("InvalidWorkflow")
    })
  )

  it.effect("a function with parameters makes workflows, and sub-graphs to spread into them", () =>
    Effect.gen(function* () {
      /** Maps all numbers with so many workers, and gathers them. */
      const mapped = (map: (n: number) => number, workers: number) => ({
        map: defineStep({ accepts: Item, emits: Done, workers, run: ({ n }) => Done({ n: map(n) }) }),
        all: defineStep({
          accepts: gather(Done),
          emits: Stop,
          run: (all) => Stop({ ns: all.map(({ n }) => n) })
        })
      })
      const of = (name: string, map: (n: number) => number) =>
        workflow({ name, start: Start, stop: Stop, steps: { list: outer(doubled).steps.list, ...mapped(map, 2) } })
      expect(
        (yield* run(
          of("squares", (n) => n * n),
          { count: 4 }
        )).ns
      ).toEqual([0, 1, 4, 9])
      expect(
        (yield* run(
          of("negatives", (n) => -1 - n),
          { count: 2 }
        )).ns
      ).toEqual([-1, -2])
    })
  )
})
