// Observing a run shows what can be read and changes nothing: neither the outcome nor the events.
import { describe, expect, it } from "@effect/vitest"
import { hostile } from "@stepgraph/conformance/support/hostile"
import { Cause, Context, Effect, Exit, Option, Redacted, Schema, SchemaGetter, Tracer } from "effect"
import {
  defineEvent,
  defineState,
  defineStep,
  InvalidEmission,
  InvalidEvent,
  join,
  launch,
  run,
  runPromise,
  StepDefect,
  StepRejected,
  SuppressedErrors,
  TraceEntry,
  workflow
} from "stepgraph"
import { recorded, untyped } from "../support/flow.ts"

const Start = defineEvent("Start", { value: Schema.Any })
const Row = defineEvent("Row", { value: Schema.Any })
const Stop = defineEvent("Stop", { value: Schema.Any })

/** A value goes through a start event, a step's event and a stop event; or a step fails with it, in each way it can. */
const flowOf = (finish: (row: { readonly value: any }) => any) =>
  workflow({
    name: "looked at",
    start: Start,
    stop: Stop,
    steps: {
      load: defineStep({ accepts: Start, emits: Row, run: ({ value }) => Row({ value }) }),
      finish: defineStep({ accepts: Row, emits: Stop, run: finish })
    }
  })
const ways = {
  passes: flowOf(({ value }) => Stop({ value })),
  throws: flowOf(({ value }) => {
    throw value
  }),
  rejects: flowOf(({ value }) => Promise.reject(value)),
  fails: flowOf(({ value }) => Effect.fail(value)),
  dies: flowOf(({ value }) => Effect.die(value)),
  "emits it bare": flowOf(({ value }) => ({ _tag: "Odd", value }))
}

/** A tracer that reads the same parts of errors as exporters do. */
const tracer = () => {
  const ended: Array<string> = []
  class Span extends Tracer.NativeSpan {
    override end(time: bigint, exit: Exit.Exit<unknown, unknown>) {
      if (Exit.isFailure(exit))
        JSON.stringify(Cause.prettyErrors(exit.cause).map(({ name, message, stack }) => [name, message, stack]))
      ended.push(this.name)
      super.end(time, exit)
    }
  }
  return { ended, tracer: Tracer.make({ span: (options) => new Span(options) }) }
}

/** Even for values that throw when asked for their prototype. */
const isOf = <A>(type: new (...props: any) => A, value: unknown): value is A => {
  try {
    return value instanceof type
  } catch {
    return false
  }
}

/** The outcome of a run, by identity. */
const key = (exit: Exit.Exit<any, any>): ReadonlyArray<unknown> => {
  if (Exit.isSuccess(exit)) return ["stops", exit.value.value]
  return exit.cause.reasons.map((reason) => {
    if (!Cause.isFailReason(reason) && !Cause.isDieReason(reason)) return reason._tag
    const error: unknown = Cause.isFailReason(reason) ? reason.error : reason.defect
    // The runtime's own errors are new in each run.
    if (isOf(StepRejected, error)) return [reason._tag, error.message, error.cause]
    if (!isOf(StepDefect, error)) return [reason._tag, error]
    return [reason._tag, error.message, isOf(InvalidEmission, error.cause) ? "" : error.cause]
  })
}

const same = (left: unknown, right: unknown): boolean =>
  Object.is(left, right) ||
  (Array.isArray(left) &&
    Array.isArray(right) &&
    left.length === right.length &&
    left.every((item, n) => same(item, right[n])))

describe.each(Object.keys(hostile))("a payload that is %s", (name) => {
  it.each(Object.keys(ways) as ReadonlyArray<keyof typeof ways>)(
    "%s: the run ends as it does unobserved",
    async (way) => {
      const value = hostile[name]!()
      const flow = ways[way]
      const plain = await Effect.runPromiseExit(run(flow, { value }))
      const recording = recorded()
      const observed = await Effect.runPromiseExit(recording.record(run(flow, { value })))
      const spans = tracer()
      const traced = await Effect.runPromiseExit(Effect.withTracer(run(flow, { value }), spans.tracer))
      expect(same(key(observed), key(plain))).toBe(true)
      expect(same(key(traced), key(plain))).toBe(true)
      // Everything visible is there, is JSON, and is bounded.
      expect(recording.entries.at(-1)?._tag).toBe("RunFinished")
      expect(
        recording
          .of("EventEmitted")
          .map(({ tag }) => tag)
          .slice(0, 2)
      ).toEqual(["Start", "Row"])
      const text = JSON.stringify(recording.entries)
      expect(text.length).toBeLessThan(10_000_000)
      expect(JSON.parse(text)).toEqual(recording.entries)
      Schema.decodeUnknownSync(Schema.Array(TraceEntry))(JSON.parse(text))
      expect(text).not.toContain("hunter2")
      expect(spans.ended.sort()).toEqual(["step finish", "step load", "workflow looked at"])
    }
  )
})

/** The errors that a run of some steps fails with, then those that they suppress. */
const errorsOf = async (value: unknown, ...steps: ReadonlyArray<object>): Promise<ReadonlyArray<unknown>> => {
  const flow = untyped.workflow({
    name: "errors",
    start: Start,
    stop: Stop,
    steps: Object.fromEntries(
      steps.map((step, n) => [`step ${n}`, untyped.step({ accepts: Start, emits: Stop, ...step })])
    )
  })
  const exit: Exit.Exit<unknown, unknown> = await Effect.runPromiseExit(
    run(flow as unknown as typeof ways.passes, { value })
  )
  return Exit.isFailure(exit)
    ? [
        ...exit.cause.reasons.map((reason) =>
          Cause.isFailReason(reason) ? reason.error : Cause.isDieReason(reason) ? reason.defect : reason
        ),
        ...(Context.getOrUndefined(Cause.annotations(exit.cause), SuppressedErrors) ?? [])
      ]
    : []
}

describe.each(Object.keys(hostile))("an event that holds %s", (name) => {
  it("does not change the order of errors", async () => {
    const value = hostile[name]!()
    const [first, second] = [new Error("first"), new Error("second")]
    const rejects = { run: () => Promise.reject(first) }
    const recovering = await errorsOf(value, { ...rejects, recover: () => Promise.reject(second) })
    expect(recovering).toMatchObject([{ _tag: "StepRejected" }, { _tag: "StepRejected" }])
    expect(recovering.map((error) => (error as Error).cause)).toEqual([second, first])

    const finalizing = { run: () => Effect.onInterrupt(Effect.never, () => Effect.die(second)) }
    const shutDown = await errorsOf(value, rejects, finalizing)
    expect(shutDown).toMatchObject([{ _tag: "StepRejected" }, { _tag: "FinalizerFailed" }])
    expect(shutDown.map((error) => (error as Error).cause)).toEqual([first, second])
  })
})

describe.each(Object.keys(hostile))("a thrown value that is %s", (name) => {
  const thrown = (value: unknown) => () => {
    throw value
  }

  it("is named with its step", async () => {
    const [error] = await errorsOf(undefined, { run: thrown(hostile[name]!()), retry: { times: 1 } })
    const { message } = error as Error
    expect(message.startsWith("step 'step 0' of workflow 'errors' rejected, given Start")).toBe(true)
  })

  it("is attributed to the `by` that threw it, not to the step that emitted", async () => {
    const value = hostile[name]!()
    const by = thrown(value)
    const [error] = await errorsOf(undefined, { run: () => Stop({ value: 1 }), accepts: join([Start], { by }) })
    expect(error).toMatchObject({ _tag: "StepDefect", step: "step 0" })
    expect(Object.is((error as Error).cause, value)).toBe(true)
  })
})

it("a rethrown error is in the cause once, and its fields are not read", async () => {
  let read = 0
  const value = {
    get author() {
      return ++read
    }
  }
  const rejects = { run: () => Promise.reject(value) }
  expect(await errorsOf(value, { ...rejects, recover: (error: unknown) => Effect.fail(error) })).toHaveLength(1)
  expect(await errorsOf(value, { ...rejects, recover: () => Promise.reject(value) })).toHaveLength(2)
  expect(read).toBe(0)
})

describe("the data of an event", () => {
  const dataOf = async (value: unknown) => {
    const recording = recorded()
    await runPromise(ways.passes, { value }, { observe: recording.observe })
    return (recording.of("EventEmitted")[0]!.data as { readonly value: any }).value
  }

  it("contains all of an ordinary payload", async () => {
    const nested = { a: [1, "two", true, null, { b: { c: { d: { e: { f: [[[[1]]]] } } } } }], text: "é\n\u0000😀" }
    const messages = Array.from({ length: 500 }, (_, n) => ({ role: "user", content: "word ".repeat(n) }))
    expect(await dataOf(nested)).toEqual(nested)
    expect(await dataOf(messages)).toEqual(messages)
    expect(await dataOf(new Uint8Array([1, 2, 3]))).toBe("AQID")
    expect(await dataOf(new Date(0))).toBe("1970-01-01T00:00:00.000Z")
    expect(await dataOf(Option.some(1))).toEqual({ _tag: "Some", value: 1 })
    expect(await dataOf(new URL("https://example.org"))).toBe("https://example.org/")
    expect(await dataOf({ gone: undefined, kept: 1 })).toEqual({ kept: 1 })
    expect(await dataOf(new TypeError("no", { cause: 1n }))).toEqual({ name: "TypeError", message: "no", cause: "1" })
  })

  it("is encoded by the field's schema, if that is possible", async () => {
    const whole = Schema.Number.check(Schema.isInt())
    const encode = (n: number) => {
      if (n === 13) throw new Error("unlucky")
      return `no. ${n}`
    }
    const Coded = defineEvent("Coded", {
      map: Schema.ReadonlyMap(Schema.String, Schema.Number),
      n: whole.pipe(
        Schema.encodeTo(Schema.String, {
          decode: SchemaGetter.transform((text: string) => Number(text)),
          encode: SchemaGetter.transform(encode)
        })
      )
    })
    const flow = workflow({
      name: "coded",
      start: Coded,
      stop: Stop,
      steps: { end: defineStep({ accepts: Coded, emits: Stop, run: () => Stop({ value: 1 }) }) }
    })
    const dataOf = async (n: number) => {
      const recording = recorded()
      await runPromise(flow, { map: new Map([["a", n]]), n }, { observe: recording.observe })
      return recording.of("EventEmitted")[0]!.data
    }
    expect(await dataOf(1)).toEqual({ map: [["a", 1]], n: "no. 1" })
    expect(await dataOf(13)).toEqual({ map: [["a", 13]], n: 13 })
  })

  it("reports the size of omitted parts", async () => {
    expect((await dataOf("x".repeat(200_000))).slice(-30)).toBe("x… 200000 characters in all".padStart(30, "x"))
    expect((await dataOf(new Array(2_000).fill(0))).slice(-2)).toEqual([0, "… 2000 in all"])
    expect(await dataOf(new Uint8Array(200_000))).toMatch(/A… 200000 bytes in all$/)
    const fields = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`f${n}`, n]))
    expect((await dataOf(fields))["…"]).toBe("2000 in all")
    const deep = JSON.stringify(await dataOf(hostile["8,000 links"]!()))
    expect(deep).toContain('"{…}"')
  })

  it("runs no getter", async () => {
    let read = 0
    const row = {
      id: 1,
      get author() {
        return read++
      }
    }
    expect(await dataOf(row)).toEqual({ id: 1, author: "[Getter]" })
    expect(read).toBe(0)
  })

  it("begins no generator", async () => {
    const items = (function* () {
      yield 1
    })()
    await dataOf(items)
    expect([...items]).toEqual([1])
  })
})

describe("a Redacted value", () => {
  const secret = "hunter2"
  class User extends Schema.Class<User>("User")({ password: Schema.Redacted(Schema.String) }) {}
  const fields = {
    plain: Schema.Redacted(Schema.String),
    labelled: Schema.Redacted(Schema.String, { label: "key" }),
    nested: Schema.Struct({ list: Schema.Array(Schema.Redacted(Schema.String)) }),
    option: Schema.Option(Schema.Redacted(Schema.String)),
    map: Schema.ReadonlyMap(Schema.String, Schema.Redacted(Schema.String)),
    union: Schema.Union([Schema.Number, Schema.Redacted(Schema.String)]),
    user: User,
    fromText: Schema.RedactedFromValue(Schema.String),
    record: Schema.Record(Schema.String, Schema.Redacted(Schema.String)),
    optional: Schema.optionalKey(Schema.Redacted(Schema.String)),
    any: Schema.Any,
    n: Schema.Number
  }
  const Login = defineEvent("Login", fields)
  const hidden = Redacted.make(secret)
  const input = {
    plain: hidden,
    labelled: Redacted.make(secret, { label: "key" }),
    nested: { list: [hidden] },
    option: Option.some(hidden),
    map: new Map([["key", hidden]]),
    union: hidden,
    user: new User({ password: hidden }),
    fromText: hidden,
    record: { key: hidden },
    optional: hidden,
    any: { deep: [hidden] },
    n: 1
  }

  it("appears in the trace as a mark, and its step can read it", async () => {
    const recording = recorded()
    const flow = workflow({
      name: "login",
      start: Login,
      stop: Stop,
      steps: {
        login: defineStep({
          accepts: Login,
          emits: Stop,
          run: ({ plain }) => Stop({ value: Redacted.value(plain) === secret })
        })
      }
    })
    expect((await runPromise(flow, input, { observe: recording.observe })).value).toBe(true)
    const [{ data }] = recording.of("EventEmitted") as unknown as [{ readonly data: any }]
    expect(data).toMatchObject({
      plain: "<redacted>",
      labelled: "<redacted:key>",
      nested: { list: ["<redacted>"] },
      option: { _tag: "Some", value: "<redacted>" },
      user: { password: "<redacted>" },
      n: 1
    })
    expect(JSON.stringify(data)).not.toContain(secret)
  })

  it("appears in no message, however the run fails", async () => {
    const flow = workflow({
      name: "login",
      start: Login,
      stop: Stop,
      steps: { login: defineStep({ accepts: Login, emits: Stop, run: () => Promise.reject(new Error("no")) }) }
    })
    const error = await runPromise(flow, input).catch((error) => error)
    expect(`${error.stack}${JSON.stringify(error)}`).not.toContain(secret)
  })

  const inTheClear: Readonly<Record<string, unknown>> = {
    plain: secret,
    labelled: secret,
    nested: { list: [secret] },
    option: { _tag: "Some", value: secret },
    map: [["key", secret]],
    union: secret,
    user: { password: secret },
    fromText: secret,
    record: { key: secret },
    optional: secret,
    pasword: secret,
    n: "wrong"
  }

  it.each(Object.keys(inTheClear))("is not shown if it is given as plain text: %s", (name) => {
    const wrong = { [name]: inTheClear[name], n: "wrong" }
    for (const make of [() => Login(wrong as never), () => Login.fromJson(wrong), () => Login.fromJson(secret)]) {
      const error = (() => {
        try {
          return make()
        } catch (error) {
          return error
        }
      })()
      expect(error).toBeInstanceOf(InvalidEvent)
      const { message, stack } = error as InvalidEvent
      expect(`${message}${stack}${JSON.stringify(error)}`).not.toContain(secret)
    }
  })

  it("is not quoted by the message of a check, while other problems are reported", () => {
    const long = Schema.makeFilter((text: string) => text.length > 20 || `'${text}' is too short`)
    const Keyed = defineEvent("Keyed", {
      key: Schema.Redacted(Schema.String.check(long)),
      text: Schema.String.check(long)
    })
    expect(() => Keyed.fromJson({ key: secret, text: "x".repeat(30) })).toThrow(
      "event 'Keyed' does not fit its schema: Expected a valid value at [\"key\"] " +
        `(given {"key":<redacted>,"text":"${"x".repeat(30)}"})`
    )
    expect(() => Keyed.fromJson({ key: "y".repeat(30), text: "short" })).toThrow("'short' is too short at [\"text\"]")
    expect(() => Keyed({ key: secret as never, text: "x".repeat(30) })).toThrow('Expected Redacted at ["key"]')
  })

  it("is not shown in the error of a state cell that refuses it", () => {
    const cell = defineState("login", Schema.Struct({ key: Schema.Redacted(Schema.String) }), { key: hidden })
    expect(() => cell.with({ key: secret } as never)).toThrow('(given {"key":<redacted>})')
  })

  it("is shown neither in the status of a run nor in a span", async () => {
    const Never = defineEvent("Never")
    const flow = workflow({
      name: "login",
      start: Login,
      stop: Stop,
      inputs: [Never],
      steps: { login: defineStep({ accepts: [Login, Never], emits: Stop, run: () => Effect.never }) }
    })
    const spans: Array<Tracer.Span> = []
    const keeping = Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
    await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const live = yield* launch(flow, input)
          expect(JSON.stringify(yield* live.status)).not.toContain(secret)
        })
      ).pipe(Effect.withTracer(keeping), Effect.provideContext(Context.empty()))
    )
    expect(JSON.stringify(spans.map(({ attributes }) => [...attributes]))).not.toContain(secret)
  })
})
