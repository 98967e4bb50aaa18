import { Effect, Exit, Schema } from "effect"
import { TestClock } from "effect/testing"
import { describe, expect, it } from "vitest"
import { type Body, Host, type HostedQuestion, type HostedRun, type RunHost } from "../src/Host.ts"
import {
  defineEvent,
  defineStep,
  gather,
  launch,
  launchPromise,
  NoAnswer,
  Observer,
  runPromise,
  type TraceEntry,
  workflow
} from "../src/index.ts"

const Start = defineEvent("Start", { calls: Schema.Number })
const Call = defineEvent("Call", { id: Schema.Number })
const Question = defineEvent("Question", { id: Schema.Number, text: Schema.String })
const Yes = defineEvent("Yes", { id: Schema.Number })
const No = defineEvent("No", { id: Schema.Number })
const Result = defineEvent("Result", { id: Schema.Number, text: Schema.String })
const Stop = defineEvent("Stop", { texts: Schema.Array(Schema.String) })

const begin = defineStep({
  accepts: Start,
  emits: Call,
  run: ({ calls }) => Array.from({ length: calls }, (_, i) => Call({ id: i + 1 }))
})
const finish = defineStep({
  accepts: gather(Result),
  emits: Stop,
  run: (results) => Stop({ texts: results.map(({ text }) => text) })
})
const around = <const S extends { readonly tool: any }>(steps: S) =>
  workflow({
    name: "tools",
    start: Start,
    stop: Stop,
    inputs: [Yes, No].filter((def) => steps.tool.asks.includes(def)),
    outputs: [Question],
    steps: { begin, ...steps, finish } as any
  }) as any

const asyncTool = (more: object = {}) =>
  defineStep({
    accepts: Call,
    emits: [Question, Result],
    asks: [Yes, No],
    run: async ({ id }, { ask }) => {
      const answer = await ask(Question({ id, text: "may I?" }), [Yes, No], (answer) => answer.id === id)
      return Result({ id, text: `${id}: ${answer._tag}` })
    },
    ...(more as {})
  })
const effectTool = (more: object = {}) =>
  defineStep({
    accepts: Call,
    emits: [Question, Result],
    asks: [Yes, No],
    run: ({ id }, { ask }) =>
      Effect.gen(function* () {
        const answer = yield* ask(Question({ id, text: "may I?" }), [Yes, No], (answer) => answer.id === id)
        return Result({ id, text: `${id}: ${answer._tag}` })
      }),
    ...(more as {})
  })

describe.each([
  ["an async function", asyncTool],
  ["an Effect", effectTool]
])("ctx.ask in %s", (_, tool) => {
  it("emits the question, and goes on with the answer", async () => {
    const live: any = await launchPromise(around({ tool: tool() }), { calls: 1 } as any)
    const heard: Array<unknown> = []
    for await (const event of live.events) {
      heard.push(event)
      if (event._tag === "Question") await live.send(Yes({ id: 1 }))
    }
    expect(heard).toEqual([Question({ id: 1, text: "may I?" }), Stop({ texts: ["1: Yes"] })])
  })

  it("takes one answer a question, and leaves the others to whom they are for", async () => {
    const live: any = await launchPromise(around({ tool: tool() }), { calls: 3 } as any)
    await live.send(No({ id: 3 }))
    await live.send(Yes({ id: 3 }))
    await live.send(Yes({ id: 9 }))
    await live.send(Yes({ id: 2 }))
    await live.send(No({ id: 1 }))
    expect(await live.result).toEqual(Stop({ texts: ["1: No", "2: Yes", "3: No"] }))
  })

  it("holds no worker while it waits", async () => {
    const live: any = await launchPromise(around({ tool: tool({ workers: 1 }) }), { calls: 100 } as any)
    const ids: Array<number> = []
    for await (const event of live.events) {
      if (event._tag !== "Question") continue
      ids.push(event.id)
      if (ids.length < 100) continue
      const { questions, steps } = await live.status()
      expect(questions).toHaveLength(100)
      expect(questions[0]).toEqual({
        step: "tool",
        question: Question({ id: 1, text: "may I?" }),
        awaits: ["Yes", "No"]
      })
      expect(steps.tool).toEqual({ queued: 0, running: 0 })
      for (const id of ids.toReversed()) await live.send(Yes({ id }))
    }
    expect((await live.result).texts).toHaveLength(100)
  })

  it("keeps an answer that comes before the question", async () => {
    const live: any = await launchPromise(around({ tool: tool() }), { calls: 0 } as any)
    await live.result
    const early: any = await launchPromise(around({ tool: tool({ workers: 1 }) }), { calls: 2 } as any)
    await early.send(Yes({ id: 2 }))
    await early.send(Yes({ id: 1 }))
    await early.closeInputs()
    expect(await early.result).toEqual(Stop({ texts: ["1: Yes", "2: Yes"] }))
  })

  it("fails with NoAnswer when the inputs are closed, which recover can take", async () => {
    const live: any = await launchPromise(around({ tool: tool() }), { calls: 2 } as any)
    await live.closeInputs()
    const error = await live.result.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(NoAnswer)
    expect(error.message).toBe(
      `step 'tool' of workflow 'tools' asked Question {"id":1,"text":"may I?"}, given Call {"id":1}, ` +
        "but gets no 'Yes' or 'No': the inputs were closed before one came"
    )
    expect(error).toMatchObject({ step: "tool", awaits: ["Yes", "No"], input: Call({ id: 1 }) })

    const recover = (error: any, { id }: { id: number }) => Result({ id, text: error._tag })
    const recovering: any = await launchPromise(around({ tool: tool({ recover }) }), { calls: 2 } as any)
    await recovering.send(Yes({ id: 2 }))
    await recovering.closeInputs()
    expect(await recovering.result).toEqual(Stop({ texts: ["NoAnswer", "2: Yes"] }))
  })

  it("fails at once in a run that nothing can be sent to, and is not retried for that", async () => {
    let calls = 0
    const counted = tool({ retry: { times: 3 } })
    const run = (input: any, ctx: any) => {
      calls++
      return (counted as any).run(input, ctx)
    }
    const step = { ...counted, run }
    const error = await runPromise(around({ tool: step }), { calls: 1 } as any).catch((error) => error)
    expect(error).toBeInstanceOf(NoAnswer)
    expect(error.message).toContain("nothing can be sent to this run: start it with launch or launchPromise")
    expect(calls).toBe(1)
  })

  it("goes out at once though the step may be retried, and a retry asks anew", async () => {
    let failures = 1
    const plain = tool({ retry: { times: 2 }, workers: 1 })
    const step = {
      ...plain,
      run: (input: any, ctx: any) => {
        const first: any = (plain as any).run(input, ctx)
        const fails = () => failures-- > 0
        return Effect.isEffect(first)
          ? Effect.flatMap(first as Effect.Effect<unknown>, (value) =>
              fails() ? Effect.fail("no") : Effect.succeed(value)
            )
          : first.then((value: unknown) => {
              if (fails()) throw new Error("no")
              return value
            })
      }
    }
    const live: any = await launchPromise(around({ tool: step }), { calls: 1 } as any)
    const heard: Array<string> = []
    for await (const event of live.events) {
      heard.push(event._tag)
      if (event._tag === "Question") await live.send(Yes({ id: 1 }))
    }
    expect(heard).toEqual(["Question", "Question", "Stop"])
  })

  it("times out like everything else, and goes on with a worker", () =>
    Effect.gen(function* () {
      const recover = (error: any, { id }: { id: number }) => Result({ id, text: error._tag })
      const live: any = yield* launch(around({ tool: tool({ workers: 1, timeout: "1 second", recover }) }), {
        calls: 2
      } as any)
      yield* TestClock.adjust("500 millis")
      yield* live.send(Yes({ id: 2 }))
      yield* TestClock.adjust("500 millis")
      expect(yield* live.result).toEqual(Stop({ texts: ["StepTimedOut", "2: Yes"] }))
    }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), (test) => Effect.runPromise(test as Effect.Effect<void>)))

  it("ends with its run", async () => {
    const controller = new AbortController()
    const live: any = await launchPromise(
      around({ tool: tool() }),
      { calls: 2 } as any,
      { signal: controller.signal } as any
    )
    controller.abort(new Error("enough"))
    expect((await live.result.catch((error: unknown) => error)).message).toBe("enough")
    expect((await live.status()).questions).toEqual([])
  })

  it("tells its trace", async () => {
    const trace: Array<TraceEntry> = []
    const live: any = await launchPromise(
      around({ tool: tool() }),
      { calls: 2 } as any,
      {
        observe: (entry: TraceEntry) => void trace.push(entry)
      } as any
    )
    await live.send(Yes({ id: 2 }))
    await live.closeInputs()
    await live.result.catch(() => {})
    const asked = trace.filter((entry) => entry._tag === "QuestionAsked")
    const ended = trace.filter((entry) => entry._tag === "QuestionEnded")
    const emitted = trace.flatMap((entry) => (entry._tag === "EventEmitted" ? [entry.event] : []))
    expect(asked.map(({ step, attempt, question, awaits }) => ({ step, attempt, question, awaits }))).toEqual([
      { step: "tool", attempt: 1, question: 1, awaits: ["Yes", "No"] },
      { step: "tool", attempt: 1, question: 1, awaits: ["Yes", "No"] }
    ])
    for (const { event } of asked) expect(emitted).toContain(event)
    expect(ended.map(({ outcome }) => outcome)).toEqual(["answered", "closed"])
    expect(emitted).toContain(ended[0]!.answer)
  })
})

const questions = (live: any, n: number) =>
  (async () => {
    while ((await live.status()).questions.length < n) await new Promise((then) => setTimeout(then, 0))
  })()

describe("several questions of one step", () => {
  it("may be asked in a row", async () => {
    const tool = defineStep({
      accepts: Call,
      emits: [Question, Result],
      asks: [Yes, No],
      run: async ({ id }, { ask }) => {
        const first = await ask(Question({ id, text: "first" }), [Yes, No])
        const second = await ask(Question({ id, text: "second" }), [Yes, No])
        return Result({ id, text: `${first._tag} ${first.id}, ${second._tag} ${second.id}` })
      }
    })
    const live: any = await launchPromise(around({ tool }), { calls: 1 } as any)
    await live.send(No({ id: 1 }))
    await live.send(Yes({ id: 2 }))
    expect(await live.result).toEqual(Stop({ texts: ["No 1, Yes 2"] }))
  })

  it("may be open at once: the last answer waits for a worker", async () => {
    const tool = defineStep({
      accepts: Call,
      emits: [Question, Result],
      asks: [Yes, No],
      workers: 1,
      run: async ({ id }, { ask }) => {
        const mine = (answer: { id: number }) => answer.id === id
        const [yes, no] = await Promise.all([
          ask(Question({ id, text: "a" }), Yes, mine),
          ask(Question({ id, text: "b" }), No, mine)
        ])
        return Result({ id, text: `${id}: ${yes._tag} ${no._tag}` })
      }
    })
    const live: any = await launchPromise(around({ tool }), { calls: 3 } as any)
    await questions(live, 6)
    for (const id of [1, 2, 3]) await live.send(Yes({ id }))
    expect((await live.status()).steps.tool).toEqual({ queued: 0, running: 0 })
    for (const id of [3, 2, 1]) await live.send(No({ id }))
    expect(await live.result).toEqual(Stop({ texts: ["1: Yes No", "2: Yes No", "3: Yes No"] }))
  })

  it("may be raced: what is not waited for any more takes no answer", async () => {
    const tool = defineStep({
      accepts: Call,
      emits: [Question, Result],
      asks: [Yes, No],
      workers: 1,
      run: ({ id }, { ask }) =>
        Effect.gen(function* () {
          const first = yield* Effect.race(ask(Question({ id, text: "a" }), Yes), ask(Question({ id, text: "b" }), No))
          const second = yield* ask(Question({ id, text: "c" }), [Yes, No])
          return Result({ id, text: `${first._tag} ${first.id}, ${second._tag} ${second.id}` })
        })
    })
    const trace: Array<TraceEntry> = []
    const observe = (entry: TraceEntry) => void trace.push(entry)
    const live: any = await launchPromise(around({ tool }), { calls: 1 } as any, { observe } as any)
    await questions(live, 2)
    await live.send(No({ id: 1 }))
    await live.send(Yes({ id: 2 }))
    expect(await live.result).toEqual(Stop({ texts: ["No 1, Yes 2"] }))
    const ended = trace.flatMap((entry) =>
      entry._tag === "QuestionEnded" ? [`${entry.question} ${entry.outcome}`] : []
    )
    expect(ended).toEqual(["2 answered", "1 interrupted", "3 answered"])
  })

  it("ends all open questions when the inputs are closed, before a call that gives up can withdraw the others", async () => {
    const tool = defineStep({
      accepts: Call,
      emits: [Question, Result],
      asks: Yes,
      run: ({ id }, { ask }) =>
        Effect.as(
          Effect.all(
            ["a", "b", "c"].map((text) => ask(Question({ id, text }), Yes)),
            { concurrency: "unbounded" }
          ),
          Result({ id, text: "" })
        )
    })
    const trace: Array<TraceEntry> = []
    const observe = (entry: TraceEntry) => void trace.push(entry)
    const live: any = await launchPromise(around({ tool }), { calls: 1 } as any, { observe } as any)
    await questions(live, 3)
    await live.closeInputs()
    expect(await live.result.catch((error: unknown) => error)).toBeInstanceOf(NoAnswer)
    const ended = trace.flatMap((entry) => (entry._tag === "QuestionEnded" ? [entry.outcome] : []))
    expect(ended).toEqual(["closed", "closed", "closed"])
  })

  it("each run of an Effect asks anew, and a promise once", async () => {
    const tool = defineStep({
      accepts: Call,
      emits: [Question, Result],
      asks: Yes,
      run: async ({ id }, { ask }) => {
        const asking = ask(Question({ id, text: "once" }), Yes)
        const [one, two] = await Promise.all([asking, asking])
        const twice = ask(Question({ id, text: "twice" }), Yes)
        const [three, four] = await Effect.runPromise(Effect.all([twice, twice]))
        return Result({ id, text: [one.id, two.id, three.id, four.id].join() })
      }
    })
    const live: any = await launchPromise(around({ tool }), { calls: 1 } as any)
    for (const id of [1, 2, 3]) await live.send(Yes({ id }))
    expect(await live.result).toEqual(Stop({ texts: ["1,1,2,3"] }))
  })
})

describe("a worker", () => {
  it("is taken again before the step goes on", async () => {
    let atOnce = 0
    let most = 0
    const work = async () => {
      most = Math.max(most, ++atOnce)
      await new Promise((then) => setTimeout(then, 1))
      atOnce--
    }
    const tool = defineStep({
      accepts: Call,
      emits: [Question, Result],
      asks: Yes,
      workers: 2,
      run: async ({ id }, { ask }) => {
        await work()
        await ask(Question({ id, text: "" }), Yes, (yes) => yes.id === id)
        await work()
        return Result({ id, text: "" })
      }
    })
    const live: any = await launchPromise(around({ tool }), { calls: 8 } as any)
    await questions(live, 8)
    for (let id = 1; id <= 8; id++) await live.send(Yes({ id }))
    const { steps } = await live.status()
    expect(steps.tool.queued + steps.tool.running).toBe(8)
    await live.result
    expect(most).toBe(2)
  })

  it("is not needed by what is over: a step that no longer waits ends without one", async () => {
    const tool = defineStep({
      accepts: Call,
      emits: [Question, Result],
      asks: Yes,
      workers: 1,
      run: async ({ id }, { ask }) => {
        const asking = ask(Question({ id, text: "" }), Yes)
        await Promise.race([asking, new Promise((then) => setTimeout(then, 1))])
        return Result({ id, text: `${id}` })
      }
    })
    const live: any = await launchPromise(around({ tool }), { calls: 3 } as any)
    expect(await live.result).toEqual(Stop({ texts: ["1", "2", "3"] }))
    const { questions, steps } = await live.status()
    expect([questions, steps.tool]).toEqual([[], { queued: 0, running: 0 }])
  })

  it("is waited for by an attempt that follows one that timed out", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const tool = defineStep({
        accepts: Call,
        emits: [Question, Result],
        asks: Yes,
        workers: 1,
        timeout: "1 second",
        retry: { times: 1, while: (error) => error._tag === "StepTimedOut" },
        run: ({ id }, { ask, attempt }) =>
          Effect.gen(function* () {
            order.push(`${id}/${attempt}`)
            if (attempt === 1) yield* ask(Question({ id, text: "" }), Yes)
            order.push(`${id} works`)
            yield* Effect.sleep("100 millis")
            order.push(`${id} done`)
            return Result({ id, text: `${id}` })
          })
      })
      const live: any = yield* launch(around({ tool }), { calls: 2 } as any)
      yield* TestClock.adjust("10 seconds")
      yield* live.result
      expect(order).toEqual(["1/1", "2/1", "1/2", "1 works", "1 done", "2/2", "2 works", "2 done"])
    }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), (test) => Effect.runPromise(test as Effect.Effect<void>)))
})

describe("an answer", () => {
  it("goes to the steps that accept the event, too", async () => {
    const seen: Array<number> = []
    const tool = asyncTool()
    const log = defineStep({ accepts: Yes, emits: [], run: ({ id }) => void seen.push(id) })
    const live: any = await launchPromise(around({ tool, log }), { calls: 1 } as any)
    await live.send(Yes({ id: 7 }))
    await live.send(Yes({ id: 1 }))
    await live.closeInputs()
    expect(await live.result).toEqual(Stop({ texts: ["1: Yes"] }))
    expect(seen).toEqual([7, 1])
  })

  it("that nobody asked for is left over, in the trace", async () => {
    const trace: Array<TraceEntry> = []
    const observe = (entry: TraceEntry) => void trace.push(entry)
    const live: any = await launchPromise(around({ tool: asyncTool() }), { calls: 1 } as any, { observe } as any)
    await live.send(Yes({ id: 7 }))
    await live.send(Yes({ id: 1 }))
    await live.result
    const dropped = trace.flatMap((entry) => (entry._tag === "EventDropped" ? [`${entry.step} ${entry.reason}`] : []))
    expect(dropped).toEqual(["null leftover"])
  })

  it("is for another question where matching it throws", async () => {
    const tool = defineStep({
      accepts: Call,
      emits: [Question, Result],
      asks: Yes,
      run: async ({ id }, { ask }) => {
        const matches = () => {
          if (id === 1) throw new Error("odd")
          return true
        }
        return Result({ id, text: `${(await ask(Question({ id, text: "" }), Yes, matches)).id}` })
      },
      recover: (error, { id }) => Result({ id, text: error.message })
    })
    const live: any = await launchPromise(around({ tool }), { calls: 2 } as any)
    await questions(live, 2)
    await live.send(Yes({ id: 5 }))
    expect((await live.result).texts).toEqual([expect.stringContaining('rejected, given Call {"id":1}: odd'), "5"])
  })
})

describe("a question of plain JavaScript", () => {
  it("is not answered by whatever comes because its `matches` is async", async () => {
    const tool = defineStep({
      accepts: Call,
      emits: [Question, Result],
      asks: Yes,
      run: async ({ id }, { ask }) => {
        await ask(Question({ id, text: "" }), Yes, (async () => Promise.reject(new Error("no"))) as any)
        return Result({ id, text: "approved" })
      },
      recover: (error, { id }) => Result({ id, text: error.message })
    })
    const live: any = await launchPromise(around({ tool }), { calls: 1 } as any)
    await questions(live, 1)
    await live.send(Yes({ id: 5 }))
    expect((await live.result).texts).toEqual([expect.stringContaining("must return true or false, not a promise")])
  })

  it("does not end the process where its step is over before it awaits it", async () => {
    const unhandled: Array<unknown> = []
    const note = (reason: unknown) => void unhandled.push(reason)
    process.on("unhandledRejection", note)
    const tool = (then: () => Promise<unknown>) =>
      defineStep({
        accepts: Call,
        emits: [Question, Result],
        asks: Yes,
        run: async ({ id }, { ask }) => {
          const answer = ask(Question({ id, text: "" }), Yes).then((yes) => yes.id)
          await then()
          return Result({ id, text: `${await answer}` })
        },
        recover: (error, { id }) => Result({ id, text: error.message })
      })
    const failing: any = await launchPromise(around({ tool: tool(() => Promise.reject(new Error("busy"))) }), {
      calls: 1
    } as any)
    expect((await failing.result).texts).toEqual([expect.stringContaining("busy")])
    const never = () => new Promise<void>(() => {})
    const waiting: any = await launchPromise(around({ tool: tool(never) }), { calls: 1 } as any)
    await questions(waiting, 1)
    waiting.result.catch(() => {})
    await waiting.interrupt()
    await new Promise((resolve) => setTimeout(resolve, 5))
    process.off("unhandledRejection", note)
    expect(unhandled).toEqual([])
  })
})

describe("what a run without an answer says", () => {
  const swallowing = defineStep({
    accepts: Call,
    emits: [Question, Result],
    asks: Yes,
    run: async ({ id }, { ask }) => {
      const yes = await ask(Question({ id, text: "may I?" }), Yes).then(
        () => true,
        () => false
      )
      if (yes) return Result({ id, text: "" })
      return []
    }
  })
  const flow = workflow({
    name: "swallowing",
    start: Call,
    stop: Stop,
    inputs: [Yes],
    outputs: [Question],
    timeout: "1 hour",
    steps: {
      tool: swallowing,
      finish: defineStep({ accepts: Result, emits: Stop, run: () => Stop({ texts: [] }) })
    }
  } as any) as any

  it("a stall names who asked what", async () => {
    const live: any = await launchPromise(flow, { id: 1 })
    await live.closeInputs()
    const error = await live.result.catch((error: unknown) => error)
    expect(error.message).toContain(
      "\nNobody answered before the inputs were closed:\n" +
        `  - step 'tool' asked Question {"id":1,"text":"may I?"}, and waits for Yes`
    )
    expect(error.unanswered).toEqual([{ step: "tool", question: Question({ id: 1, text: "may I?" }), awaits: ["Yes"] }])
  })

  it("so does a run that takes too long", () =>
    Effect.gen(function* () {
      const live: any = yield* launch(flow, { id: 1 } as any)
      yield* TestClock.adjust("1 hour")
      const error: any = yield* Effect.flip(live.result as Effect.Effect<never, unknown>)
      expect(error.message).toBe(
        "workflow 'swallowing' took longer than its timeout of 1h. What it was doing:\n" +
          `  - step 'tool' asked Question {"id":1,"text":"may I?"}, and waits for Yes`
      )
    }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), (test) => Effect.runPromise(test as Effect.Effect<void>)))
})

describe("code without types", () => {
  const failing = async (run: (input: any, ctx: any) => unknown, more: object = {}) => {
    const tool = defineStep({ accepts: Call, emits: [Question, Result], asks: Yes, run, ...more } as any) as any
    const live: any = await launchPromise(around({ tool }), { calls: 1 } as any)
    return live.result.catch((error: any) => error)
  }

  it.each([
    [
      "an event that it does not ask for",
      No,
      "ctx.ask waits for 'No', but step 'tool' does not ask for it: add it to its 'asks'"
    ],
    [
      "no event",
      "Yes",
      `ctx.ask takes a question and what defineEvent returned for its answer, or a list of that, not "Yes"`
    ],
    [
      "an empty list",
      [],
      "ctx.ask takes a question and what defineEvent returned for its answer, or a list of that, not []"
    ]
  ])("%s", async (_, answer, words) => {
    const error = await failing(async (_, { ask }) => ask(Question({ id: 1, text: "" }), answer))
    expect(error.message).toContain(words)
  })

  it("a `matches` that is no function", async () => {
    const error = await failing(async (_, { ask }) => ask(Question({ id: 1, text: "" }), Yes, { id: 1 }))
    expect(error.message).toContain('ctx.ask matches an answer with a function, not {"id":1}: write (answer) => …')
  })

  it("a question that the step does not emit", async () => {
    const error = await failing(async (_, { ask }) => ask(Stop({ texts: [] }), Yes))
    expect(error._tag).toBe("StepDefect")
    expect(error.cause._tag).toBe("InvalidEmission")
  })

  it("asks of a workflow that do not fit", () => {
    const steps = { begin, finish, tool: { ...asyncTool(), asks: [Call] } } as any
    expect(() => workflow({ name: "w", start: Start, stop: Stop, inputs: [Yes], outputs: [Question], steps })).toThrow(
      "workflow 'w' has 2 problems:\n" +
        "  - no step accepts the input event 'Yes', or asks for it\n" +
        "  - step 'tool' asks for 'Call', but it is not an input event"
    )
    const odd = { begin, finish, tool: { ...asyncTool(), asks: "Yes" } } as any
    expect(() => workflow({ name: "w", start: Start, stop: Stop, steps: odd })).toThrow(
      "step 'tool' asks for something that is not an event: use what defineEvent returned, or a list of that"
    )
  })

  it("an attempt that is over", async () => {
    let later: any
    const error = await failing(async (_, ctx) => {
      later = ctx.ask(Question({ id: 1, text: "" }), Yes)
      return Result({ id: 1, text: "" })
    })
    expect(error._tag).toBe("Stop")
    const late = await Promise.resolve(later).catch((error) => error)
    expect(late._tag).toBe("StepEnded")
  })
})

describe("a host", () => {
  const observed = (
    flow: any,
    host: (hosted: HostedRun) => RunHost,
    script: (live: any) => Effect.Effect<any, any, any>
  ) => {
    const trace: Array<any> = []
    const running = Effect.gen(function* () {
      const live: any = yield* launch(flow, { calls: 2 } as any)
      yield* script(live)
      return yield* live.result
    }).pipe(
      Effect.scoped,
      Effect.provideService(Host, host),
      Effect.provideService(Observer, (entry) => void trace.push(entry))
    )
    return Effect.runPromise(running as Effect.Effect<any>).then(({ texts }) => ({
      texts,
      asked: trace.filter(({ _tag }) => _tag === "QuestionAsked"),
      ended: trace.flatMap(({ _tag, outcome }) => (_tag === "QuestionEnded" ? [outcome] : []))
    }))
  }
  const answers = [Yes({ id: 2 }), No({ id: 1 })]

  it("lets a question enter when it says so, and its call go on", async () => {
    const waiting: Array<() => void> = []
    const heard: Array<unknown> = []
    const host = (hosted: HostedRun): RunHost => ({
      asks: ({ step }, { awaits, event }, entering) => {
        waiting.push(() => {
          expect([hosted.resting(), entering.wanted()]).toEqual([true, true])
          heard.push([step, event, awaits])
          entering.enter({
            ended: (exit) => heard.push(exit),
            resumes: (go) => waiting.push(go)
          })
        })
        return undefined
      }
    })
    const { texts } = await observed(around({ tool: asyncTool() }), host, (live) =>
      Effect.gen(function* () {
        yield* Effect.yieldNow
        expect((yield* live.status).questions).toEqual([])
        expect(waiting.length).toBe(2)
        for (const enter of waiting.splice(0)) enter()
        expect((yield* live.status).questions).toHaveLength(2)
        for (const answer of answers) yield* live.send(answer)
        yield* Effect.yieldNow
        expect(heard.splice(0)).toEqual([
          ["tool", Question({ id: 1, text: "may I?" }), ["Yes", "No"]],
          ["tool", Question({ id: 2, text: "may I?" }), ["Yes", "No"]],
          ...answers.map((answer) => Exit.succeed(answer))
        ])
        expect(waiting.length).toBe(2)
        for (const go of waiting.splice(0)) go()
      })
    )
    expect(texts).toEqual(["1: No", "2: Yes"])
  })

  it("drops a question whose attempt is over before it has entered", async () => {
    const waiting: Array<{ wanted(): boolean }> = []
    const host = (): RunHost => ({
      asks: (_, __, entering) => void waiting.push(entering) as undefined
    })
    const flow = around({
      tool: asyncTool({ timeout: "10 millis", recover: (_: any, { id }: any) => Result({ id, text: `${id}: late` }) })
    })
    const { asked: entered, ended, texts } = await observed(flow, host, () => Effect.void)
    expect(texts).toEqual(["1: late", "2: late"])
    expect([entered, ended]).toEqual([[], []])
    expect(waiting.map((entering) => entering.wanted())).toEqual([false, false])
  })

  it("asks in place of a call, which goes on with that when it is made", async () => {
    const calls: Array<number> = []
    const tool = (run: any) =>
      defineStep({ accepts: Call, emits: [Question, Result], asks: [Yes, No], retry: { times: 0 }, run } as any)
    const flow = around({
      tool: tool(async ({ id }: any, { ask }: any) => {
        calls.push(id)
        const first = await ask(Question({ id, text: "may I?" }), [Yes, No], (answer: any) => answer.id === id)
        const second = await ask(Question({ id, text: "sure?" }), Yes)
        return Result({ id, text: `${id}: ${first._tag} ${second._tag} ${second.id}` })
      })
    })
    const bodies = new Map<number, { readonly body: Body; readonly begin: () => void }>()
    const asked = new Map<number, HostedQuestion>()
    const gone: Array<string> = []
    const host = (): RunHost => ({
      perform: ({ input, step }, body) =>
        step !== "tool"
          ? body.run()
          : Effect.callback((resume) => {
              bodies.set((input as any).id, {
                body,
                begin: () => resume(Effect.sync(body.run) as Effect.Effect<unknown>)
              })
            }),
      asks: ({ input }, { event }, entering) => {
        const { id } = input as any
        const question = asked.get(id)
        asked.delete(id)
        if (question === undefined) entering.enter()
        else expect(question.event).toEqual(event)
        return question
      }
    })
    const {
      asked: entered,
      ended,
      texts
    } = await observed(flow, host, (live) =>
      Effect.gen(function* () {
        yield* Effect.yieldNow
        for (const [id, { body }] of bodies) {
          const question = { event: Question({ id, text: "may I?" }), awaits: ["Yes", "No"], matches: () => id === 2 }
          const resumes = (go: () => void) => {
            gone.push(`${id} goes on`)
            go()
          }
          const listener = { ended: () => {}, resumes }
          asked.set(id, body.ask(question, listener))
        }
        expect((yield* live.status).questions).toHaveLength(2)
        // The first is answered before its call is made, and the second after.
        yield* live.send(Yes({ id: 9 }))
        yield* Effect.yieldNow
        expect([gone, calls]).toEqual([["2 goes on"], []])
        bodies.get(2)!.begin()
        bodies.get(1)!.begin()
        yield* Effect.sleep(1)
        expect(calls).toEqual([2, 1])
        yield* live.send(No({ id: 1 }))
        for (const id of [7, 8]) yield* live.send(Yes({ id }))
      })
    )
    expect(texts).toEqual(["1: No Yes 8", "2: Yes Yes 7"])
    expect(entered).toHaveLength(4)
    expect(ended).toEqual(Array.from({ length: 4 }, () => "answered"))
    expect(gone).toEqual(["2 goes on", "1 goes on"])
  })
})
