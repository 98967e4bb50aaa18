// Every public error, with its whole message: what happened, where, with which values, what to do.
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import {
  Cause,
  Channel,
  Context,
  Deferred,
  Effect,
  Exit,
  Layer,
  ManagedRuntime,
  Option,
  PubSub,
  Queue,
  Redacted,
  Ref,
  Result,
  Schedule,
  Schema,
  Scope,
  Sink,
  Stream,
  SubscriptionRef,
  SynchronizedRef,
  TxRef
} from "effect"
import {
  collect,
  defineEvent,
  defineStep,
  FinalizerFailed,
  gather,
  InvalidEvent,
  join,
  launchPromise,
  RunEnded,
  run,
  runPromise,
  StepDefect,
  StepEnded,
  StepRejected,
  StepTimedOut,
  SuppressedErrors,
  type TraceEntry,
  WorkflowStalled,
  WorkflowTimedOut,
  workflow
} from "stepgraph"
import { failure } from "./support/virtual.ts"

const Start = defineEvent("Start", { n: Schema.Number })
const Note = defineEvent("Note", { text: Schema.String })
const Stop = defineEvent("Stop")

/** A flow of one step that is given `Start {"n":1}`. */
const flowOf = (run: (input: { readonly n: number }, ctx: any) => any, options: object = {}) =>
  workflow({
    name: "flow",
    start: Start,
    stop: Stop,
    inputs: [Note],
    steps: {
      work: { ...defineStep({ accepts: Start, emits: Stop, run }), ...options },
      read: defineStep({ accepts: Note, emits: [], run: () => {} })
    }
  })
const rejection = async (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail("it did not reject"),
    (error) => error
  )
const said = async (run: (input: { readonly n: number }, ctx: any) => any) =>
  rejection(runPromise(flowOf(run) as never, { n: 1 } as never))

describe("InvalidEvent", () => {
  it("is thrown where an event is made, with the schema's issue", () => {
    const make = () => Note({ text: 3 } as never)
    expect(make).toThrow(InvalidEvent)
    expect(make).toThrow('event \'Note\' does not fit its schema: Expected string at ["text"] (given {"text":3})')
    expect(make).toThrow(expect.objectContaining({ tag: "Note", input: { text: 3 }, issue: expect.anything() }))
  })

  it("is printed without the schema's issue, which code can read", () => {
    const error = (() => {
      try {
        return Note({ text: 3 } as never)
      } catch (error) {
        return error as InvalidEvent
      }
    })() as InvalidEvent
    expect(inspect(error)).not.toContain("issue")
    expect(error.issue).toBeDefined()
  })

  it("fails a run whose input does not fit its start event", async () => {
    const error = await rejection(runPromise(flowOf(() => Stop()) as never, { n: "1" } as never))
    expect(error).toBeInstanceOf(InvalidEvent)
    expect(error.message).toBe('event \'Start\' does not fit its schema: Expected number at ["n"] (given {"n":"1"})')
  })

  it("refuses an event sent to a live run that is not an input", async () => {
    const live = await launchPromise(flowOf(() => new Promise(() => {})) as never, { n: 1 } as never)
    const error = await rejection(live.send(Stop() as never))
    expect(error.message).toBe(
      "event 'Stop' does not fit its schema: it is not an input of workflow 'flow', whose inputs are 'Note' (given Stop)"
    )
    await live.interrupt()
  })

  it("suggests the input that was probably meant", async () => {
    const live = await launchPromise(flowOf(() => new Promise(() => {})) as never, { n: 1 } as never)
    const error = await rejection(live.send({ _tag: "Noet", text: "x" } as never))
    expect(error.message).toContain(
      "it is not an input of workflow 'flow', whose inputs are 'Note': did you mean 'Note'?"
    )
    await live.interrupt()
  })
})

describe("a tag and its fields", () => {
  it("_tag is not a field", () => {
    expect(() => defineEvent("Odd", { _tag: Schema.String } as never)).toThrow(
      "defineEvent: event 'Odd' has a field named '_tag', which is reserved for the tag: give the field another name"
    )
  })

  it("a tag is a string", () => {
    expect(() => defineEvent("" as never)).toThrow("defineEvent: a tag must be a non-empty string, not an empty one")
  })

  it("a field has a schema", () => {
    expect(() => defineEvent("Odd", { size: "number" } as never)).toThrow(
      "defineEvent: field 'size' of event 'Odd' is not a schema: give one, such as Schema.String"
    )
  })
})

describe("StepRejected", () => {
  it("names the workflow, the step and the event, and has the cause", async () => {
    const cause = new TypeError("no route to host")
    const error = await said(async () => {
      throw cause
    })
    expect(error).toBeInstanceOf(StepRejected)
    expect(error).toMatchObject({ workflow: "flow", step: "work", input: { _tag: "Start", n: 1 }, cause })
    expect(error.message).toBe(
      "step 'work' of workflow 'flow' rejected, given Start {\"n\":1}: TypeError: no route to host"
    )
  })

  it("shows a cause that is not an error", async () => {
    expect((await said(() => Promise.reject({ code: 404 }))).message).toBe(
      "step 'work' of workflow 'flow' rejected, given Start {\"n\":1}: {\"code\":404}"
    )
  })

  it("truncates a large event", async () => {
    const Big = defineEvent("Big", { list: Schema.Array(Schema.Number), text: Schema.String })
    const flow = workflow({
      name: "big",
      start: Big,
      stop: Stop,
      steps: { work: defineStep({ accepts: Big, emits: Stop, run: () => Promise.reject(new Error("no")) }) }
    })
    const list = Array.from({ length: 100_000 }, (_, n) => n)
    const error = await rejection(runPromise(flow, { list, text: "x".repeat(100_000) }))
    expect(error.message).toBe(
      `step 'work' of workflow 'big' rejected, given Big {"list":[0, 1, 2, 3, 4, 5, 6, 7, … 100000 in all],"text":"${"x".repeat(80)}…"}: no`
    )
  })
})

const secret = "hunter2"
class Http extends Context.Service<Http, { readonly url: string }>()("Http") {}
const Url = Context.Reference<string>("Url", { defaultValue: () => secret })
const made = <A>(effect: Effect.Effect<A>) => Effect.runSync(effect)
const inGenerator = "write `run: Effect.fn(function* …)` for a generator with yield*"
const anEffect = `${inGenerator}; return an Effect by itself, or Effect.all([…]) for a list of them`

/** What a step gives that is a value of Effect: what it is called, and what to do. */
const mistakes: ReadonlyArray<readonly [name: string, run: () => unknown, what: string, todo: string]> = [
  [
    "a service, by a plain generator",
    function* () {
      yield* Http
    },
    "a service",
    inGenerator
  ],
  [
    "a reference, by a plain generator",
    function* () {
      yield* Url
    },
    "a service",
    inGenerator
  ],
  [
    "an Effect, by a plain generator",
    function* () {
      yield* Effect.succeed(secret)
    },
    "an Effect",
    anEffect
  ],
  ["a service", () => Http, "a service", inGenerator],
  ["an Effect of a Ref", () => Ref.make(secret), "a Ref", "return Ref.get(ref)"],
  ["a Deferred", () => Deferred.makeUnsafe(), "a Deferred", "return Deferred.await(deferred)"],
  [
    "a Queue",
    () => made(Queue.unbounded()),
    "a Queue",
    "return Queue.take(queue), or Stream.fromQueue(queue) for all it takes"
  ],
  ["a Ref", () => Ref.makeUnsafe(secret), "a Ref", "return Ref.get(ref)"],
  [
    "a SubscriptionRef",
    () => made(SubscriptionRef.make(secret)),
    "a SubscriptionRef",
    "return SubscriptionRef.get(ref), or SubscriptionRef.changes(ref)"
  ],
  [
    "a SynchronizedRef",
    () => made(SynchronizedRef.make(secret)),
    "a SynchronizedRef",
    "return SynchronizedRef.get(ref)"
  ],
  ["a TxRef", () => TxRef.makeUnsafe(secret), "a TxRef", "return TxRef.get(ref)"],
  ["a PubSub", () => made(PubSub.unbounded()), "a PubSub", "return Stream.fromPubSub(pubsub)"],
  ["a Channel", () => Channel.succeed(secret), "a Channel", "return Stream.fromChannel(channel)"],
  ["a Sink", () => Sink.drain, "a Sink", "return Stream.run(stream, sink)"],
  [
    "a Layer",
    () => Layer.succeed(Url, secret),
    "a Layer",
    "provide it to the run: Effect.provide(run(flow, input), layer)"
  ],
  [
    "an Effect.fn that is not called",
    () => Effect.fn(secret)(function* () {}),
    "a function",
    "call it, an Effect.fn too, and return what it gives"
  ],
  ["a Schedule", () => Schedule.forever, "a Schedule", "make events with what defineEvent returns"],
  ["a Scope", () => Scope.makeUnsafe(), "a Scope", "make events with what defineEvent returns"],
  [
    "a ManagedRuntime",
    () => ManagedRuntime.make(Layer.empty),
    "a ManagedRuntime",
    "make events with what defineEvent returns"
  ],
  ["a schema", () => Schema.Struct({ secret: Schema.String }), "a Schema", "make events with what defineEvent returns"]
]

describe("StepDefect", () => {
  it("names the workflow, the step and the event of a throw", async () => {
    const cause = new RangeError("too far")
    const error = await said(() => {
      throw cause
    })
    expect(error).toBeInstanceOf(StepDefect)
    expect(error).toMatchObject({ workflow: "flow", step: "work", input: { _tag: "Start", n: 1 }, cause })
    expect(error.message).toBe("step 'work' of workflow 'flow' failed, given Start {\"n\":1}: RangeError: too far")
  })

  it.each<readonly [string, (input: any, ctx: any) => any, string]>([
    [
      "an event that is not declared",
      () => Note({ text: "x" }),
      "it emitted Note {\"text\":\"x\"}, but it may emit 'Stop': add 'Note' to its 'emits', or do not emit it"
    ],
    [
      "a number",
      () => 3,
      "it emitted 3, which is not an event: make events with what defineEvent returns (it may emit 'Stop')"
    ],
    [
      "an object",
      () => [{ x: 1 }],
      "it emitted {\"x\":1}, which is not an event: make events with what defineEvent returns (it may emit 'Stop')"
    ],
    ["a definition", () => [Stop], "it emitted the definition of 'Stop' itself: call it to make an event, Stop({ … })"],
    [
      "null among events",
      () => [null],
      "it emitted null, which is not an event: make events with what defineEvent returns (it may emit 'Stop')"
    ],
    [
      "a literal with a misspelt tag",
      () => ({ _tag: "Stopp" }),
      "it emitted Stopp, but it may emit 'Stop': did you mean 'Stop'? Otherwise add 'Stopp' to its 'emits', or do not emit it"
    ],
    [
      "a list of Effects",
      () => [Effect.succeed(Stop()), Effect.sync(() => Stop())],
      "it emitted an Effect, which is not an event: write `run: Effect.fn(function* …)` for a generator with yield*; " +
        "return an Effect by itself, or Effect.all([…]) for a list of them (it may emit 'Stop')"
    ],
    [
      "a list of Streams",
      () => [Stream.succeed(Stop())],
      "it emitted a Stream, which is not an event: return it by itself, or " +
        "Stream.mergeAll([…], { concurrency: \"unbounded\" }) for a list of them (it may emit 'Stop')"
    ],
    [
      "an Option",
      () => Option.some(Stop()),
      "it emitted an Option, which is not an event: return Option.getOrUndefined(option), or " +
        "Array.getSomes([…]) for a list of them (it may emit 'Stop')"
    ],
    [
      "a Result",
      () => Result.fail("no"),
      "it emitted a Result, which is not an event: return Effect.fromResult(result), so that a failure fails the step " +
        "(it may emit 'Stop')"
    ],
    [
      "a Cause",
      () => Cause.fail("no"),
      "it emitted a Cause, which is not an event: return Effect.failCause(cause) (it may emit 'Stop')"
    ],
    [
      "a Fiber",
      () => Effect.runFork(Effect.void),
      "it emitted a Fiber, which is not an event: return Fiber.join(fiber) (it may emit 'Stop')"
    ],
    [
      "an error",
      () => new TypeError("no"),
      "it emitted the error TypeError: no, which is not an event: throw it in an async function, or return Effect.fail(error) " +
        "(it may emit 'Stop')"
    ],
    [
      "a function",
      () => () => Stop(),
      "it emitted a function, which is not an event: call it, an Effect.fn too, and return what it gives (it may emit 'Stop')"
    ],
    [
      "a list inside a list",
      () => [[Stop()]],
      "it emitted a list inside a list, which is not an event: flatten it with list.flat() (it may emit 'Stop')"
    ],
    [
      "a Set inside a list",
      () => [new Set([Stop()])],
      "it emitted an iterable, which is not an event: return it by itself, or spread it into the list: [...events] " +
        "(it may emit 'Stop')"
    ],
    ...mistakes.map(
      ([name, run, what, todo]) =>
        [name, run, `it emitted ${what}, which is not an event: ${todo} (it may emit 'Stop')`] as const
    )
  ])("explains a step that emits %s", async (_, run, words) => {
    const error = await said(run)
    expect(error.message).toBe(`step 'work' of workflow 'flow' failed, given Start {"n":1}: ${words}`)
    expect(error.cause._tag).toBe("InvalidEmission")
  })

  it.each<[string, () => unknown, string]>([
    ["a Deferred", () => Deferred.makeUnsafe(), "a Deferred"],
    ["an Effect", () => Effect.succeed(secret), "an Effect"],
    ["a SubscriptionRef", () => made(SubscriptionRef.make(secret)), "a SubscriptionRef"],
    ["a service", () => Http, "a service"]
  ])("says what to do where a generator returns %s", async (_, make, what) => {
    const words =
      `it returned ${what} at the end of what it emits one by one, where only what it yields is emitted: ` + inGenerator
    const given = "step 'work' of workflow 'flow' failed, given Start {\"n\":1}: TypeError: "
    const plain = function* () {
      return make()
    }
    const awaited = async function* () {
      return make()
    }
    expect((await said(plain)).message).toBe(given + words)
    expect((await said(awaited)).message).toBe(given + words)
  })

  it.each<[string, (input: any, ctx: any) => unknown]>([
    ["sends", (_, { send }) => send({ _tag: "stop" })],
    [
      "yields",
      function* () {
        yield { _tag: "Sotp" }
      }
    ],
    ["returns in a promise", async () => [{ _tag: "stop" }]]
  ])("suggests the tag that was probably meant by a literal that a step %s", async (_, run) => {
    expect((await said(run)).message).toContain("did you mean 'Stop'?")
  })

  it("does not mistake another event's tag for a misspelling", async () => {
    const Stops = defineEvent("Stops")
    expect((await said(() => Stops())).message).not.toContain("did you mean")
  })

  it("explains a step that emits although it declares nothing", async () => {
    const flow = workflow({
      name: "flow",
      start: Start,
      stop: Stop,
      steps: {
        work: defineStep({ accepts: Start, emits: [], run: () => Note({ text: "x" }) as never }),
        stop: defineStep({ accepts: Start, emits: Stop, run: () => Effect.never })
      }
    })
    expect((await rejection(runPromise(flow, { n: 1 }))).message).toContain(
      "it emitted Note {\"text\":\"x\"}, but it declares no events: add 'Note' to its 'emits', or do not emit it"
    )
  })
})

describe("writing to an event", () => {
  const copy = (tag: string, field: string) => `make a changed copy, such as ${tag}({ ...event, ${field}: … })`
  it.each<[string, (event: any) => unknown, string]>([
    ["a field", (event) => ++event.n, `Events are frozen: ${copy("Start", "n")}`],
    ["a field, in an async function", async (event) => ++event.n, `Events are frozen: ${copy("Start", "n")}`],
    ["a field, in an Effect", (event) => Effect.sync(() => ++event.n), `Events are frozen: ${copy("Start", "n")}`],
    ["a field that is deleted", (event) => delete event.n, `Events are frozen: ${copy("Start", "n")}`],
    ["a new field", (event) => (event.more = 1), `Events are frozen: if that was one, ${copy("Answer", "more")}`]
  ])("is explained by its being frozen: %s", async (_, run, words) => {
    expect((await said(run)).message.split("\n").slice(1)).toEqual([words])
  })

  it("is explained for the events of an intake", async () => {
    const flow = workflow({
      name: "flow",
      start: Start,
      stop: Stop,
      steps: {
        note: defineStep({ accepts: Start, emits: Note, run: () => Note({ text: "x" }) }),
        work: defineStep({
          accepts: join([Start, Note]),
          emits: Stop,
          run: ([, note]): any => ((note as any).text = "y")
        })
      }
    })
    expect((await rejection(runPromise(flow, { n: 1 }))).message).toContain(copy("Note", "text"))
  })

  it.each<[string, () => unknown]>([
    ["another object", () => (Object.freeze([1]) as Array<number>).push(2)],
    [
      "an error that says the same",
      () => {
        throw new Error("Cannot assign to read only property 'n' of object '#<Object>'")
      }
    ]
  ])("is not %s", async (_, run) => {
    expect((await said(run)).message).not.toContain("frozen")
  })
})

describe("a throw in a step with `retry` or `recover`", () => {
  const fails = async (run: () => unknown, options: object) =>
    rejection(runPromise(flowOf(run, options) as never, { n: 1 } as never))
  const boom = () => {
    throw new Error("boom")
  }
  const instead = "only on its errors: fail with Effect.fail or Effect.try"

  it.each<[string, () => unknown, object, string]>([
    ["an Effect, with a retry", () => Effect.sync(boom), { retry: { times: 1 } }, "`retry` does"],
    ["an Effect", () => Effect.sync(boom), { retry: { times: 1 }, recover: () => Stop() }, "`retry` and `recover` do"]
  ])("explains that they do not act on it: %s", async (_, run, options, which) => {
    expect((await fails(run, options)).message).toBe(
      `step 'work' of workflow 'flow' failed, given Start {"n":1}: boom\n${which} not act on a defect of an Effect, ${instead}`
    )
  })

  it.each<[string, () => unknown, object]>([
    ["without them", boom, { timeout: "1 minute" }],
    ["what is emitted and is not an event", () => 3, { retry: { times: 1 } }],
    ["what the recovery throws", () => Promise.reject("no"), { recover: boom }]
  ])("does not mention them: %s", async (_, run, options) => {
    expect((await fails(run, options)).message).not.toContain("not act on")
  })
})

describe("an error without a message", () => {
  class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", {
    item: Schema.String,
    left: Schema.Number,
    token: Schema.Redacted(Schema.String)
  }) {}
  class Gone extends Schema.TaggedError<Gone>()("Gone", {}) {}
  const outOfStock = new OutOfStock({ item: "tea", left: 0, token: Redacted.make("hunter2") })
  const words = 'OutOfStock {"item":"tea","left":0,"token":<redacted>}'

  it("is shown with its fields, in a message and in the trace", async () => {
    const error = await said(() => Promise.reject(outOfStock))
    expect(error.message).toBe(`step 'work' of workflow 'flow' rejected, given Start {"n":1}: ${words}`)
    const ends: Array<unknown> = []
    const observe = (entry: TraceEntry) => void (entry._tag === "RunFinished" && ends.push(entry.error))
    for (const cause of [outOfStock, new Gone()]) {
      await rejection(runPromise(flowOf(() => Effect.fail(cause)) as never, { n: 1 } as never, { observe }))
    }
    expect(ends).toEqual([words, "Gone"])
  })

  it("is cut short where its fields are long", async () => {
    const long = new OutOfStock({ item: "tea ".repeat(1_000), left: 0, token: Redacted.make("hunter2") })
    const { message } = await said(() => Promise.reject(long))
    expect(message.length).toBeLessThan(400)
    expect(message).toContain('OutOfStock {"item":"tea tea')
  })
})

describe("StepEnded", () => {
  it("is thrown in the code that sends too late", async () => {
    let late: unknown
    const flow = workflow({
      name: "flow",
      start: Start,
      stop: Stop,
      steps: {
        work: defineStep({
          accepts: Start,
          emits: Note,
          run: (_, { send }) => {
            setTimeout(() => {
              try {
                send(Note({ text: "late" }))
              } catch (error) {
                late = error
              }
            }, 1)
          }
        }),
        read: defineStep({ accepts: [Note, Start], emits: Stop, run: () => Effect.as(Effect.sleep(10), Stop()) })
      }
    })
    await runPromise(flow, { n: 1 })
    expect(late).toBeInstanceOf(StepEnded)
    expect((late as Error).message).toBe(
      "step 'work' of workflow 'flow' sent Note {\"text\":\"late\"} after it had ended: " +
        "await or return all remaining work, and stop when ctx.signal is aborted"
    )
  })
})

describe("StepTimedOut", () => {
  it.effect("names the step, the event and the time", () =>
    Effect.gen(function* () {
      const flow = flowOf(() => Effect.never, { timeout: "90 seconds" })
      const error = yield* failure(run(flow as never, { n: 1 } as never) as Effect.Effect<unknown, Error>)
      expect(error).toBeInstanceOf(StepTimedOut)
      expect(error.message).toBe(
        "step 'work' of workflow 'flow' took longer than its timeout of 1m 30s, given Start {\"n\":1}"
      )
    })
  )
})

describe("WorkflowTimedOut", () => {
  it.effect("names what was running, queued and waiting", () =>
    Effect.gen(function* () {
      const flow = workflow({
        name: "slow",
        start: Start,
        stop: Stop,
        timeout: "1 minute",
        steps: {
          fan: defineStep({ accepts: Start, emits: Note, run: () => ["a", "b", "c"].map((text) => Note({ text })) }),
          work: defineStep({ accepts: Note, emits: [], workers: 2, run: () => Effect.never }),
          both: defineStep({ accepts: join([Start, Note, Note, Note, Note]), emits: Stop, run: () => Stop() })
        }
      })
      const error = yield* failure(run(flow, { n: 1 }))
      expect(error).toBeInstanceOf(WorkflowTimedOut)
      expect(error.message).toBe(
        [
          "workflow 'slow' took longer than its timeout of 1m. What it was doing:",
          "  - step 'work': 2 running, 1 queued",
          "  - step 'both' waits for join([Start, Note, Note, Note, Note]): has 1 Start and 3 Note, needs 1 Note"
        ].join("\n")
      )
    })
  )
})

describe("a cycle without a path to a stop", () => {
  const circle = (emits: ReadonlyArray<typeof Note | typeof Stop>) =>
    workflow({
      name: "round",
      start: Start,
      stop: Stop,
      timeout: "1 minute",
      steps: {
        begin: defineStep({ accepts: Start, emits: [Note, Stop], run: () => Note({ text: "a" }) }),
        again: defineStep({
          accepts: Note,
          emits: [Note, ...emits] as [typeof Note],
          run: ({ text }) => Effect.as(Effect.sleep("1 second"), Note({ text }))
        })
      }
    })

  it.effect("is reported by the timeout, with advice", () =>
    Effect.gen(function* () {
      const error = yield* failure(run(circle([]), { n: 1 }))
      expect(error.message).toBe(
        [
          "workflow 'round' took longer than its timeout of 1m. What it was doing:",
          "  - step 'again': 1 running, 0 queued",
          "Nothing there can lead to the stop event 'Stop': let one of these steps emit it, or an event that leads to it."
        ].join("\n")
      )
    })
  )

  it.effect("is not reported if there is a path to a stop", () =>
    Effect.gen(function* () {
      expect((yield* failure(run(circle([Stop]), { n: 1 }))).message).not.toContain("Nothing there can lead")
    })
  )
})

describe("WorkflowStalled", () => {
  const stalled = async (steps: object) => {
    const make = workflow as (definition: unknown) => never
    const error = await rejection(
      runPromise(make({ name: "stuck", start: Start, stop: Stop, steps }), { n: 1 } as never)
    )
    expect(error).toBeInstanceOf(WorkflowStalled)
    return error
  }
  const fan = defineStep({ accepts: Start, emits: Note, run: () => ["a", "b"].map((text) => Note({ text })) })

  it("says what each intake has and needs", async () => {
    const error = await stalled({ fan, all: defineStep({ accepts: collect(Note, 5), emits: Stop, run: () => Stop() }) })
    expect(error.waiting).toEqual([
      { step: "all", intake: "collect(Note, 5)", per: undefined, key: undefined, has: { Note: 2 }, needs: { Note: 3 } }
    ])
    expect(error.message).toBe(
      "workflow 'stuck' stalled: nothing is queued or running, and no stop event ('Stop') came. What is waiting:\n" +
        "  - step 'all' waits for collect(Note, 5): has 2 Note, needs 3 Note"
    )
  })

  it("names the scope and the key", async () => {
    const both = defineStep({
      accepts: join([Note, Note], { per: Start, by: ({ text }) => text }),
      emits: Stop,
      run: () => Stop()
    })
    expect((await stalled({ fan, both })).message).toContain(
      '  - step \'both\' waits for join([Note, Note], { per: Start, by }) of Start {"n":1} with the key "a": has 1 Note, needs 1 Note\n' +
        '  - step \'both\' waits for join([Note, Note], { per: Start, by }) of Start {"n":1} with the key "b": has 1 Note, needs 1 Note'
    )
  })

  it("reports an intake without events", async () => {
    const none = defineStep({ accepts: Start, emits: Note, run: () => [] })
    const all = defineStep({ accepts: collect(Note, 1), emits: Stop, run: () => Stop() })
    expect((await stalled({ none, all })).message).toContain(
      "step 'all' waits for collect(Note, 1): has nothing, needs 1 Note"
    )
  })

  it("says how to send an input if the run was not launched", async () => {
    const finish = defineStep({ accepts: Note, emits: Stop, run: () => Stop() })
    const ask = defineStep({ accepts: Start, emits: [], run: () => {} })
    const flow = workflow({ name: "asks", start: Start, stop: Stop, inputs: [Note], steps: { ask, finish } })
    expect((await rejection(runPromise(flow, { n: 1 }))).message).toBe(
      "workflow 'asks' stalled: nothing is queued or running, and no stop event ('Stop') came. " +
        "No step is waiting either: the last steps emitted nothing\n" +
        "To send 'Note' while it runs, start it with launch or launchPromise instead of run or runPromise"
    )
    const live = await launchPromise(flow, { n: 1 })
    live.closeInputs()
    expect((await rejection(live.result)).message).not.toContain("launch")
  })

  it("reports that no step is waiting", async () => {
    const all = defineStep({ accepts: gather(Note), emits: Stop, run: () => [] })
    expect((await stalled({ fan, all })).message).toBe(
      "workflow 'stuck' stalled: nothing is queued or running, and no stop event ('Stop') came. " +
        "No step is waiting either: the last steps emitted nothing"
    )
  })

  const missing = (step: string) => `\nStep '${step}' returned nothing, although it may emit: a missing return?`
  it.each<[string, (event: any, ctx: any) => any, object]>([
    ["a plain function", () => {}, {}],
    ["an async function", async () => {}, {}],
    ["null", () => null, {}],
    ["an Effect", () => Effect.void, {}],
    ["a step with a retry", () => {}, { retry: { times: 1 } }],
    ["a step that looks at its ctx", (_, { attempt }) => void attempt, {}]
  ])("names a step that returned nothing: %s", async (_, run, options) => {
    const all = { ...defineStep({ accepts: gather(Note), emits: Stop, run }), ...options }
    const error = await stalled({ fan, all })
    expect(error.silent).toEqual(["all"])
    expect(error.message.endsWith(`the last steps emitted nothing${missing("all")}`)).toBe(true)
  })

  it("names it beside the intake that waits for it", async () => {
    const quiet = defineStep({ accepts: Start, emits: Note, run: () => {} })
    const all = defineStep({ accepts: collect(Note, 1), emits: Stop, run: () => Stop() })
    expect((await stalled({ quiet, all })).message).toContain(
      `step 'all' waits for collect(Note, 1): has nothing, needs 1 Note${missing("quiet")}`
    )
  })

  it.each<[string, (event: any, ctx: any) => any, object]>([
    ["an empty list", () => [], {}],
    ["an empty list, with a retry", async () => [], { retry: { times: 1 } }],
    ["an empty generator", function* () {}, {}],
    ["an empty Stream", () => Stream.empty, {}],
    ["nothing after what it sent", (_, { send }) => send(Note({ text: "x" })), {}],
    ["nothing after what it sent, in an async function", async (_, { send }) => send(Note({ text: "x" })), {}],
    ["nothing after what it sent, with a retry", (_, { send }) => send(Note({ text: "x" })), { retry: { times: 1 } }],
    [
      "what it yields",
      function* () {
        yield Note({ text: "x" })
      },
      {}
    ],
    ["nothing, as it emits nothing", () => {}, { emits: [] }]
  ])("does not name a step that emitted an event, or nothing on purpose: %s", async (_, run, options) => {
    const some = { ...defineStep({ accepts: Start, emits: Note, run }), ...options }
    const all = defineStep({ accepts: collect(Note, 5), emits: Stop, run: () => Stop() })
    const error = await stalled({ fan, some, all })
    expect(error.silent).toEqual([])
    expect(error.message).not.toContain("return")
  })

  it("lists five, and counts the others", async () => {
    const many = defineStep({
      accepts: Start,
      emits: Note,
      run: () => Array.from({ length: 9 }, (_, n) => Note({ text: String(n) }))
    })
    const both = defineStep({
      accepts: join([Note, Note], { by: ({ text }) => text }),
      emits: Stop,
      run: () => Stop()
    })
    const lines = (await stalled({ many, both })).message.split("\n")
    expect(lines).toHaveLength(7)
    expect(lines.at(-1)).toBe("  - and 4 more")
  })
})

describe("an error of a nested run", () => {
  const flow = (name: string, run: () => any) =>
    workflow({
      name,
      start: Start,
      stop: Stop,
      steps: { [`of ${name}`]: defineStep({ accepts: Start, emits: Stop, run }) }
    })
  const stalls = flow("inner", () => [])
  const messageOf = async (outer: any) => (await rejection(runPromise(outer, { n: 1 } as never))).message
  const stall =
    "workflow 'inner' stalled: nothing is queued or running, and no stop event ('Stop') came. " +
    "No step is waiting either: the last steps emitted nothing"

  it("names the step and the workflow that it ran in", async () => {
    expect(await messageOf(flow("outer", () => run(stalls, { n: 1 })))).toBe(
      `${stall}\nIt ran in step 'of outer' of workflow 'outer'`
    )
  })

  it("names them all, the innermost first", async () => {
    const middle = flow("middle", () => run(stalls, { n: 1 }))
    expect(await messageOf(flow("outer", () => run(middle, { n: 1 })))).toBe(
      `${stall}\nIt ran in step 'of middle' of workflow 'middle', which ran in step 'of outer' of workflow 'outer'`
    )
  })

  it("names the innermost of many, and says how many there are", async () => {
    let outer = stalls
    for (let depth = 1; depth <= 1_000; depth++) {
      const inner = outer
      outer = flow(`${depth}`, () => run(inner, { n: 1 }))
    }
    const lines = (await messageOf(outer)).split("\n")
    expect(lines.at(-1)).toMatch(
      /^It ran in step 'of 1' of workflow '1', which .* in step 'of 8' of workflow '8', and so on: 1000 runs, one inside the other$/
    )
  })

  it.each<[string, () => any]>([
    ["a rejection", () => Promise.reject(new Error("no"))],
    ["a timeout", () => Effect.never]
  ])("names them for %s", async (_, step) => {
    const inner = flow("inner", step)
    const limited = workflow({
      ...inner,
      steps: { "of inner": { ...inner.steps["of inner"]!, timeout: "1 millis" } }
    })
    expect(await messageOf(flow("outer", () => run(limited, { n: 1 })))).toMatch(
      /\nIt ran in step 'of outer' of workflow 'outer'$/
    )
    expect(await messageOf(limited)).not.toContain("It ran in")
  })

  it("names them across a promise", async () => {
    expect(await messageOf(flow("outer", async () => runPromise(stalls, { n: 1 })))).toBe(
      `step 'of outer' of workflow 'outer' rejected, given Start {"n":1}: ${stall}`
    )
  })
})

describe("failures in the same moment", () => {
  const steps = (runs: Readonly<Record<string, (event: any, ctx: any) => any>>) => ({
    name: "flow",
    start: Start,
    stop: Stop,
    steps: Object.fromEntries(
      Object.entries(runs).map(([name, run]) => [name, defineStep({ accepts: Start, emits: Stop, run })])
    )
  })
  const messages = async (runs: Parameters<typeof steps>[0]) => {
    const make = workflow as (definition: unknown) => never
    const exit = await Effect.runPromiseExit(run(make(steps(runs)), { n: 1 } as never) as Effect.Effect<unknown, Error>)
    return Exit.isFailure(exit)
      ? exit.cause.reasons.map((reason) =>
          Cause.isFailReason(reason)
            ? String(reason.error)
            : Cause.isDieReason(reason)
              ? String(reason.defect)
              : reason._tag
        )
      : []
  }
  const reject = (why: string) => async () => {
    throw new Error(why)
  }
  const rejected = (step: string) =>
    `StepRejected: step '${step}' of workflow 'flow' rejected, given Start {"n":1}: ${step}`

  it("are all in the cause, the first one first", async () => {
    expect(await messages({ a: reject("a"), b: reject("b"), c: reject("c") })).toEqual(["a", "b", "c"].map(rejected))
  })

  it("are all there if one timer caused both", async () => {
    const gate = new Promise<void>((resolve) => setTimeout(resolve, 1))
    const wait = (why: string) => () => gate.then(reject(why))
    expect(await messages({ a: wait("a"), b: wait("b") })).toEqual(["a", "b"].map(rejected))
  })

  it("count an Effect that cannot be interrupted and fails by itself", async () => {
    const slow = () => Effect.uninterruptible(Effect.delay(Effect.fail("slow"), 2))
    expect(await messages({ a: reject("a"), slow })).toEqual([rejected("a"), "slow"])
  })

  it("exclude rejections caused by the aborted signal, and fulfilled promises", async () => {
    const aborted = (_: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
    expect(await messages({ aborted, a: reject("a"), b: async () => [] })).toEqual([rejected("a")])
  })
})

describe("FinalizerFailed", () => {
  it("is suppressed by the typed error, which can still be caught", async () => {
    const flow = workflow({
      name: "flow",
      start: Start,
      stop: Stop,
      steps: {
        work: defineStep({ accepts: Start, emits: Stop, run: () => Effect.delay(Effect.fail("typed" as const), 1) }),
        slow: defineStep({
          accepts: Start,
          emits: [],
          run: () => Effect.ensuring(Effect.never, Effect.die(new Error("cannot close")))
        })
      }
    })
    const exit = await Effect.runPromiseExit(run(flow, { n: 1 }))
    const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
    expect(cause.reasons).toMatchObject([{ _tag: "Fail", error: "typed" }])
    const [failed] = Context.getOrUndefined(Cause.annotations(cause), SuppressedErrors) ?? []
    expect(failed).toBeInstanceOf(FinalizerFailed)
    expect((failed as Error).message).toBe(
      "step 'slow' of workflow 'flow' failed while it was shut down, given Start {\"n\":1}: cannot close"
    )
    expect(await Effect.runPromise(Effect.catch(run(flow, { n: 1 }), (error) => Effect.succeed(error)))).toBe("typed")
  })
})

describe("RunEnded", () => {
  it("is given to a sender after the run has ended", async () => {
    const live = await launchPromise(flowOf(() => Stop()) as never, { n: 1 } as never)
    await live.result
    const error = await rejection(live.send(Note({ text: "late" }) as never))
    expect(error).toBeInstanceOf(RunEnded)
    expect(error.message).toBe(
      'Note {"text":"late"} was sent to a run of workflow \'flow\' that has ended or whose inputs are closed'
    )
  })
})

describe("an interrupted run", () => {
  it("rejects with an AbortError if no signal gave a reason", async () => {
    const live = await launchPromise(flowOf(() => Effect.never) as never, { n: 1 } as never)
    await live.interrupt()
    const error = await rejection(live.result)
    expect([error.name, error.message]).toEqual(["AbortError", "workflow 'flow' was interrupted"])
  })
})

describe("an error", () => {
  const rejected = (input: unknown, cause: unknown) =>
    new StepRejected({ workflow: "flow", step: "work", input, cause })

  it("builds its message when it is first read, and caches it", () => {
    let looks = 0
    const event = new Proxy({ _tag: "Start", n: 1 }, { ownKeys: (target) => Reflect.ownKeys(target).slice(looks++) })
    const error = rejected(event, new Error("no"))
    expect(looks).toBe(0)
    expect(error.message).toBe("step 'work' of workflow 'flow' rejected, given Start {\"n\":1}: no")
    expect(error.message).toBe(`${error}`.slice("StepRejected: ".length))
    expect(looks).toBe(1)
  })

  it.each(["message", "stack"] as const)("has its message at the head of its stack (%s read first)", (first) => {
    const error = rejected({ _tag: "Start", n: 1 }, new Error("no"))
    expect(error[first]).toContain("rejected")
    expect(error.stack?.split("\n")[0]).toBe(`StepRejected: ${error.message}`)
  })

  it("can be given another message, as any error can", () => {
    const error = rejected(1, 2)
    Object.assign(error, { message: "other" })
    expect([error.message, String(error)]).toEqual(["other", "StepRejected: other"])
  })

  it("is printed as an error with its cause, and without the event", () => {
    const event = { _tag: "Start", list: Array.from({ length: 50 }, () => "item") }
    const text = inspect(rejected(event, new TypeError("no route to host")))
    expect(text).toMatch(/^StepRejected: step 'work' of workflow 'flow' rejected, given Start .*: TypeError: no route/)
    expect(text).toMatch(/^ {4}at /m)
    expect(text).toContain("step: 'work'")
    expect(text).toContain("[cause]: TypeError: no route to host")
    expect(text.split("'item'")).toHaveLength(1)
  })

  it("becomes small JSON with its cause", () => {
    const event = { _tag: "Start", big: 1n, text: "x".repeat(1_000_000) }
    const error = rejected(event, rejected(event, new Error("no", { cause: { code: 1n } })))
    const json = JSON.stringify(error)
    expect(json.length).toBeLessThan(2_000)
    expect(JSON.parse(json)).toMatchObject({
      _tag: "StepRejected",
      message: error.message,
      workflow: "flow",
      step: "work",
      cause: { name: "StepRejected", cause: { name: "Error", message: "no", cause: { code: "1" } } }
    })
  })

  it("is yielded and caught by its tag, with what it was made of", async () => {
    const error = rejected({ _tag: "Start" }, "cause")
    const caught = Effect.catchTag(Effect.fail(error), "StepRejected", ({ input, cause }) =>
      Effect.succeed([input, cause])
    )
    expect(await Effect.runPromise(caught)).toEqual([{ _tag: "Start" }, "cause"])
    expect(
      await Effect.runPromise(
        Effect.flip(
          Effect.gen(function* () {
            return yield* error
          })
        )
      )
    ).toBe(error)
  })

  // Unreadable values, with the marks that a message shows instead.
  const revoked = (() => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  })()
  class Denied extends Error {
    #why = "no"
    override get message() {
      return this.#why
    }
  }
  it.each<[string, unknown, string]>([
    ["a revoked proxy", revoked, "[cannot be read]"],
    ["an error whose message throws", Object.create(new Denied()), "[cannot be read]"],
    ["an error whose message is a symbol", Object.assign(new Error(), { message: Symbol("why") }), "Symbol(why)"],
    ["an error whose name is a symbol", Object.assign(new Error("no"), { name: Symbol("why") }), "Symbol(why): no"],
    ["an object without a prototype", Object.assign(Object.create(null), { code: 1 }), '{"code":1}'],
    [
      "a getter, which it does not run",
      {
        get code() {
          throw new Error("run")
        }
      },
      '{"code":[Getter]}'
    ],
    [
      "an own toJSON that throws",
      new (class Odd {
        toJSON() {
          throw new Error("no")
        }
      })(),
      "[cannot be read]"
    ],
    ["a function", () => 1, "[Function]"],
    [
      "a Redacted",
      { key: Redacted.make("hunter2"), named: Redacted.make("hunter2", { label: "key" }) },
      '{"key":<redacted>,"named":<redacted:key>}'
    ],
    ["control characters", "\u001b[2J\u0000\u202e\u2028\ud800", '"\\u001b[2J\\u0000\\u202e\\u2028\\ud800"'],
    ["control characters in an error", new Error("\u001b[2J\u202e\u009b"), "\\u001b[2J\\u202e\\u009b"],
    ["an invalid date", new Date(Number.NaN), "Invalid Date"],
    ["bytes", { bytes: new Uint8Array(10) }, '{"bytes":Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, … 10 in all])}'],
    ["a map", new Map([["a", { n: 1n }]]), 'Map([["a", {"n":1n}]])'],
    ["a tagged value", Option.some(1), 'Some {"value":1}'],
    [
      "a class",
      new (class Money {
        readonly euros = 3
      })(),
      'Money({"euros":3})'
    ],
    ["an opaque class", new URL("https://example.org/"), "https://example.org/"]
  ])("shows %s", (_, cause, shown) => {
    const error = rejected({ _tag: "Start", cause }, cause)
    expect(error.message.endsWith(`: ${shown}`)).toBe(true)
    expect(error.message.length).toBeLessThan(500)
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ message: error.message })
    expect(inspect(error)).toContain(error.message)
    expect(JSON.stringify(error) + inspect(error)).not.toContain("hunter2")
  })

  it("visits no more than it shows", () => {
    let looked = 0
    const watched = <A extends object>(list: A) =>
      new Proxy(list, {
        get: (target, key) => {
          looked++
          return Reflect.get(target, key)
        }
      })
    const list = watched(new Array(4_000_000_000))
    const map = new Map(Array.from({ length: 1_000 }, (_, n) => [n, watched([n])]))
    expect(rejected({ _tag: "Big", list, map }, new Set(map.values())).message.length).toBeLessThan(600)
    expect(looked).toBeGreaterThan(0)
    expect(looked).toBeLessThan(300)
  })
})
