// A whole workflow as one step of another.
import { AsyncLocalStorage } from "node:async_hooks"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Schema, Stream, Tracer } from "effect"
import { TestClock } from "effect/testing"
import {
  asStep,
  defineEvent,
  defineState,
  defineStep,
  gather,
  InvalidWorkflow,
  launch,
  run,
  runPromise,
  stream,
  Telemetry,
  workflow
} from "stepgraph"
import { graphOf } from "stepgraph/graph"
import { recorded } from "../support/flow.ts"
import { failure, result } from "../support/virtual.ts"

const Question = defineEvent("Question", { n: Schema.Number })
const Token = defineEvent("Token", { n: Schema.Number, part: Schema.Number })
const Note = defineEvent("Note", { n: Schema.Number })
const Reply = defineEvent("Reply", { n: Schema.Number })
const Start = defineEvent("Start", { count: Schema.Number })
const Stop = defineEvent("Stop", { ns: Schema.Array(Schema.Number) })
class Broken extends Schema.TaggedError<Broken>()("Broken", { n: Schema.Number }) {}

/** Sends two tokens, a second apart, and a note; then replies. */
const asking = (reply: (n: number) => Effect.Effect<number, Broken> = (n) => Effect.succeed(10 * n)) =>
  workflow({
    name: "asking",
    start: Question,
    stop: Reply,
    outputs: [Token, Note],
    steps: {
      think: defineStep({
        accepts: Question,
        emits: [Token, Note, Reply],
        run: ({ n }, { send }) =>
          Effect.gen(function* () {
            send(Note({ n }))
            send(Token({ n, part: 1 }))
            yield* Effect.sleep("1 second")
            send(Token({ n, part: 2 }))
            return Reply({ n: yield* reply(n) })
          })
      })
    }
  })

const list = defineStep({
  accepts: Start,
  emits: Question,
  run: ({ count }) => Array.from({ length: count }, (_, n) => Question({ n }))
})
const all = defineStep({
  accepts: gather(Reply),
  emits: Stop,
  run: (replies) => Stop({ ns: replies.map(({ n }) => n) })
})

describe("a workflow as a step", () => {
  it.effect("accepts its start event and emits its stop event, once for each", () =>
    Effect.gen(function* () {
      const flow = workflow({ name: "outer", start: Start, stop: Stop, steps: { list, ask: asStep(asking()), all } })
      expect((yield* result(run(flow, { count: 5 }))).ns).toEqual([0, 10, 20, 30, 40])
    })
  )

  it.effect("emits the listed outputs as the inner run does, and drops the others", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const hear = defineStep({ accepts: Token, emits: [], run: ({ part }) => void seen.push(`step ${part}`) })
      const flow = workflow({
        name: "outer",
        start: Start,
        stop: Stop,
        outputs: [Token],
        steps: { list, ask: asStep(asking(), { outputs: [Token] }), hear, all }
      })
      const live = yield* launch(flow, { count: 1 })
      yield* TestClock.adjust("500 millis")
      expect(seen).toEqual(["step 1"])
      yield* TestClock.adjust("500 millis")
      expect((yield* live.result).ns).toEqual([0])
      expect(seen).toEqual(["step 1", "step 2"])
    })
  )

  it("holds back an endless inner generator like its own", async () => {
    let made = 0
    let used = 0
    let ahead = 0
    const Go = defineEvent("Go")
    const Item = defineEvent("Item", { n: Schema.Number })
    const End = defineEvent("End", { n: Schema.Number })
    const inner = workflow({
      name: "items",
      start: Go,
      stop: End,
      outputs: [Item],
      steps: {
        make: defineStep({
          accepts: Go,
          emits: [Item, End],
          run: function* () {
            for (let n = 0; n < 20_000; n++) {
              ahead = Math.max(ahead, ++made - used)
              yield Item({ n })
            }
            yield End({ n: made })
          }
        })
      }
    })
    const use = defineStep({
      accepts: Item,
      emits: [],
      workers: 1,
      run: async () => {
        used++
      }
    })
    const flow = workflow({
      name: "outer",
      start: Go,
      stop: End,
      steps: { go: asStep(inner, { outputs: [Item] }), use }
    })
    expect((await runPromise(flow)).n).toBe(20_000)
    expect(ahead).toBeLessThan(4_000)
  })

  it.effect("is retried as a whole, without the outputs of a failed attempt, and recovers", () =>
    Effect.gen(function* () {
      let calls = 0
      const twice = asking((n) => (++calls < 3 ? Effect.fail(new Broken({ n })) : Effect.succeed(calls)))
      const ask = asStep(twice, { outputs: [Token], retry: { times: 2 } })
      const flow = workflow({ name: "outer", start: Start, stop: Stop, outputs: [Token], steps: { list, ask, all } })
      const events = yield* result(Stream.runCollect(stream(flow, { count: 1 })))
      expect(events).toEqual([Token({ n: 0, part: 1 }), Token({ n: 0, part: 2 }), Stop({ ns: [3] })])

      const recovered = asStep(
        asking((n) => Effect.fail(new Broken({ n }))),
        { recover: (error, { n }) => Reply({ n: error._tag === "Broken" ? -error.n : n }) }
      )
      const safe = workflow({ name: "outer", start: Start, stop: Stop, steps: { list, ask: recovered, all } })
      expect((yield* result(run(safe, { count: 2 }))).ns).toEqual([-0, -1])
    })
  )

  it.effect("emits streamed outputs at once, in each attempt", () =>
    Effect.gen(function* () {
      let calls = 0
      const twice = asking((n) => (++calls < 2 ? Effect.fail(new Broken({ n })) : Effect.succeed(calls)))
      const ask = asStep(twice, { outputs: [Token], stream: Token, retry: { times: 1 } })
      const flow = workflow({ name: "outer", start: Start, stop: Stop, outputs: [Token], steps: { list, ask, all } })
      const events = yield* result(Stream.runCollect(stream(flow, { count: 1 })))
      expect(events.map((event) => ("part" in event ? event.part : event._tag))).toEqual([1, 2, 1, 2, "Stop"])
    })
  )

  it.effect("fails with the inner run's own error, or with its own timeout", () =>
    Effect.gen(function* () {
      const steps = { list, all }
      const broken = asking((n) => Effect.fail(new Broken({ n })))
      const failing = workflow({ name: "outer", start: Start, stop: Stop, steps: { ...steps, ask: asStep(broken) } })
      expect(yield* failure(run(failing, { count: 1 }))).toEqual(new Broken({ n: 0 }))
      const ask = asStep(asking(), { timeout: "10 millis" })
      const slow = workflow({ name: "outer", start: Start, stop: Stop, steps: { ...steps, ask } })
      expect(yield* failure(run(slow, { count: 1 }))).toMatchObject({ _tag: "StepTimedOut", step: "ask" })
    })
  )

  for (const outputs of [[], [Token]] as const) {
    it.effect(`is interrupted with the outer run, which waits for it: ${outputs.length} outputs`, () =>
      Effect.gen(function* () {
        let finalized = 0
        const slow = asking(() =>
          Effect.onInterrupt(Effect.as(Effect.sleep("1 day"), 0), () =>
            Effect.andThen(
              Effect.sleep("1 second"),
              Effect.sync(() => finalized++)
            )
          )
        )
        const ask = asStep(slow, { outputs })
        const say = defineStep({ accepts: Start, emits: Token, run: () => Token({ n: 0, part: 0 }) })
        const flow = workflow({
          name: "outer",
          start: Start,
          stop: Stop,
          outputs: [Token],
          steps: { list, say, ask, all }
        })
        const live = yield* launch(flow, { count: 2 })
        yield* TestClock.adjust("2 seconds")
        const interrupting = yield* Effect.forkChild(live.interrupt, { startImmediately: true })
        expect(interrupting.pollUnsafe()).toBeUndefined()
        yield* TestClock.adjust("1 second")
        expect(finalized).toBe(2)
        expect(interrupting.pollUnsafe()).toEqual(Exit.void)
      })
    )
  }

  it.effect("appears in the outer run's trace, with its parent, and in its tracer", () =>
    Effect.gen(function* () {
      const { of, record } = recorded()
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
      const flow = workflow({ name: "outer", start: Start, stop: Stop, steps: { list, ask: asStep(asking()), all } })
      const traced = run(flow, { count: 2 }).pipe(
        record,
        Effect.provideService(Telemetry, { spans: true, metrics: false }),
        Effect.withTracer(tracer)
      )
      yield* result(traced)
      const [outer, ...inner] = of("RunStarted")
      const asked = of("InvocationStarted").filter(({ step }) => step === "ask")
      expect(inner.map(({ parent }) => parent)).toEqual(
        asked.map(({ invocation }) => ({ run: outer!.run, workflow: "outer", invocation }))
      )
      const parentOf = ({ parent }: Tracer.Span) =>
        parent._tag === "Some" ? spans.find((span) => span === parent.value) : undefined
      const runs = spans.filter(({ name }) => name === "workflow asking")
      expect(runs.map((span) => parentOf(span)?.name)).toEqual(["step ask", "step ask"])
    })
  )

  it("keeps the ambient context in which the outer run was started", async () => {
    const user = new AsyncLocalStorage<string>()
    const seen: Array<string | undefined> = []
    const inner = workflow({
      name: "inner",
      start: Question,
      stop: Reply,
      steps: {
        look: defineStep({
          accepts: Question,
          emits: Reply,
          run: async ({ n }) => {
            await sleep(1)
            seen.push(user.getStore())
            if (seen.length < 3) throw new Error("again")
            return Reply({ n })
          }
        })
      }
    })
    const ask = asStep(inner, { retry: { times: 5 } })
    const flow = workflow({ name: "outer", start: Question, stop: Reply, steps: { ask } })
    await user.run("caller", () => runPromise(flow, { n: 1 }))
    expect(seen).toEqual(["caller", "caller", "caller"])
  })

  it.effect("starts each run with its initial state", () =>
    Effect.gen(function* () {
      const factor = defineState("factor", Schema.Number, 1)
      const inner = workflow({
        name: "inner",
        start: Question,
        stop: Reply,
        steps: {
          times: defineStep({
            accepts: Question,
            emits: Reply,
            run: ({ n }, { update }) => Reply({ n: n * update(factor, (now) => now + 1) })
          })
        }
      })
      const ask = asStep(inner, { state: [factor.with(4)] })
      const flow = workflow({ name: "outer", start: Start, stop: Stop, steps: { list, ask, all } })
      expect((yield* run(flow, { count: 3 })).ns).toEqual([0, 5, 10])
    })
  )

  it("contains the inner graph in its graph, at any depth", () => {
    const inner = asking()
    const middle = workflow({
      name: "middle",
      start: Question,
      stop: Reply,
      steps: { ask: asStep(inner, { workers: 2 }) }
    })
    const graph = graphOf(
      workflow({ name: "outer", start: Start, stop: Stop, steps: { list, deep: asStep(middle), all } })
    )
    const deep = graph.steps.find(({ name }) => name === "deep")!
    expect(deep).toMatchObject({ accepts: ["Question"], emits: ["Reply"], workers: 4, inner: graphOf(middle) })
    expect(deep.inner!.steps[0]!.inner).toEqual(graphOf(inner))
    expect(graph.steps.map(({ inner }) => inner?.name ?? null)).toEqual([null, "middle", null])
    expect(JSON.parse(JSON.stringify(graph))).toEqual(graph)
  })

  it("refuses a value that is not a workflow, an unknown output, and an unknown option", () => {
    const untyped = asStep as (inner?: unknown, options?: unknown) => unknown
    expect(() => untyped(undefined)).toThrow(InvalidWorkflow)
    expect(() => untyped({ name: "x" })).toThrow("workflow 'x' has 5 problems")
    expect(() => untyped(asking(), { outputs: [Reply] })).toThrow(
      "asStep: `outputs` holds something that is not an output of workflow 'asking': choose from Token, Note"
    )
    expect(() => untyped(asking(), { outputs: Token })).toThrow(
      "asStep: `outputs` must be a list of outputs of workflow 'asking': choose from Token, Note"
    )
    expect(() =>
      untyped(workflow({ name: "mute", start: Question, stop: Reply, steps: { ask: asStep(asking()) } }), {
        outputs: [Token]
      })
    ).toThrow("it has none")
    expect(() => untyped(asking(), { worker: 3 })).toThrow(
      "asStep: there is no option 'worker': did you mean 'workers'?"
    )
    expect(() => untyped(asking(), { accepts: Token })).toThrow("asStep: there is no option 'accepts'")
    const bad = asStep(asking(), { workers: 0 })
    expect(() => workflow({ name: "outer", start: Question, stop: Reply, steps: { bad } })).toThrow(
      "step 'bad' has 0 workers"
    )
  })

  it.effect("names both when the inner one dies", () =>
    Effect.gen(function* () {
      const dying = asStep(asking(() => Effect.die(new Error("a bug"))))
      const flow = workflow({ name: "outer", start: Start, stop: Stop, steps: { list, ask: dying, all } })
      const fiber = yield* Effect.forkChild(Effect.exit(run(flow, { count: 1 })))
      yield* TestClock.adjust("1 second")
      const exit = yield* Fiber.join(fiber)
      const defect: any = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      expect(defect).toMatchObject({ _tag: "StepDefect", workflow: "outer", step: "ask" })
      expect(defect.cause).toMatchObject({ _tag: "StepDefect", workflow: "asking", step: "think" })
    })
  )
})
