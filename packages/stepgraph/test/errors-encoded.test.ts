// Every public error is a schema of itself: it goes through JSON, an HTTP API and RPC, whatever it holds.
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, Redacted, Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Rpc } from "effect/rpc"
import * as stepgraph from "stepgraph"
import {
  defineEvent,
  FinalizerFailed,
  InvalidEmission,
  InvalidEvent,
  InvalidState,
  InvalidWorkflow,
  NoAnswer,
  OutsideScope,
  RunDefect,
  RunEnded,
  StepDefect,
  StepEnded,
  StepRejected,
  StepTimedOut,
  WorkflowStalled,
  WorkflowTimedOut
} from "stepgraph"

const event = { _tag: "Start", n: 1 }
const at = { workflow: "flow", step: "work", input: event }
const sent = { workflow: "flow", step: "work", event }
const cause = new TypeError("no route", { cause: "the cable" })
const waiting: ReadonlyArray<stepgraph.Waiting> = [
  { step: "work", intake: "join([A, B])", per: event, key: 7, has: { A: 1 }, needs: { B: 2 } }
]
/** One of each, and the fields that have to be there again. */
const errors: ReadonlyArray<readonly [error: any, schema: Schema.Codec<any, any>, fields: object]> = [
  [
    new InvalidEvent({ tag: "Start", input: { n: "1" }, problem: "Expected number" }),
    InvalidEvent,
    { tag: "Start", input: { n: "1" }, problem: "Expected number", issue: undefined }
  ],
  [
    new InvalidState({ state: "seen", input: "1", problem: "Expected number" }),
    InvalidState,
    { state: "seen", input: "1", problem: "Expected number", issue: undefined }
  ],
  [new StepRejected({ ...at, cause }), StepRejected, at],
  [
    new NoAnswer({ ...at, question: { _tag: "Question" }, awaits: ["Yes", "No"], sendable: true }),
    NoAnswer,
    { ...at, question: { _tag: "Question" }, awaits: ["Yes", "No"] }
  ],
  [new StepTimedOut({ ...at, after: "5s" }), StepTimedOut, { ...at, after: "5s" }],
  [new StepDefect({ ...at, cause, unheeded: ["retry"] }), StepDefect, at],
  [new RunDefect({ workflow: "flow", activity: "ending", cause }), RunDefect, { workflow: "flow", activity: "ending" }],
  [new InvalidEmission({ emitted: event, declared: ["Stop"] }), InvalidEmission, { emitted: event }],
  [new StepEnded(sent), StepEnded, sent],
  [
    new OutsideScope({ event, intake: "join([A])", per: "Page" }),
    OutsideScope,
    { event, intake: "join([A])", per: "Page" }
  ],
  [
    new WorkflowStalled({ workflow: "flow", stops: ["Stop"], unsent: ["Note"], waiting, silent: ["quiet"], more: 2 }),
    WorkflowStalled,
    { workflow: "flow", waiting, silent: ["quiet"] }
  ],
  [
    new WorkflowTimedOut({ workflow: "flow", after: "5s", running: { work: 1 }, queued: { work: 2 }, waiting }),
    WorkflowTimedOut,
    { workflow: "flow", after: "5s", running: { work: 1 }, queued: { work: 2 }, waiting }
  ],
  [new FinalizerFailed({ ...at, cause }), FinalizerFailed, at],
  [new RunEnded({ workflow: "flow", event }), RunEnded, { workflow: "flow", event }],
  [
    new InvalidWorkflow({ workflow: "flow", problems: ["no step"] }),
    InvalidWorkflow,
    { workflow: "flow", problems: ["no step"] }
  ]
]
const throughJson = (schema: Schema.Codec<any, any>, error: unknown): any => {
  const codec = Schema.toCodecJson(schema)
  const json = JSON.stringify(Schema.encodeSync(codec)(error as never))
  return Schema.decodeUnknownSync(codec)(JSON.parse(json))
}

describe("a public error", () => {
  it("has a case here, each of them", () => {
    const all = Object.entries(stepgraph).filter(([, value]) => typeof value === "function" && isErrorClass(value))
    expect(all.map(([name]) => name).toSorted()).toEqual(errors.map(([{ _tag }]) => _tag).toSorted())
  })

  it.each(errors.map(([error, schema, fields]) => [error._tag as string, error, schema, fields] as const))(
    "goes through JSON and back: %s",
    (tag, error, schema, fields) => {
      const back = throughJson(schema, error)
      expect(back).toBeInstanceOf(schema)
      expect(back).toBeInstanceOf(Error)
      expect(back).toMatchObject({ _tag: tag, name: tag, ...fields })
      expect(back.message).toBe(error.message)
      expect(Object.keys(back).toSorted()).toEqual(Object.keys(error).toSorted())
      if ("cause" in error && error.cause !== undefined) {
        expect(back.cause).toMatchObject({ name: "TypeError", message: "no route", cause: "the cable" })
        expect(back.cause).toBeInstanceOf(Error)
      }
      expect(Schema.is(schema)(error)).toBe(true)
      expect(Schema.is(schema)(new Error("another"))).toBe(false)
      // A second time gives the same.
      expect(throughJson(schema, back).message).toBe(error.message)
    }
  )

  it.each(errors.map(([error, schema]) => [error._tag as string, schema] as const))(
    "has its name in a JSON Schema: %s",
    (tag, schema) => {
      const { schema: root, definitions } = Schema.toJsonSchemaDocument(schema)
      expect(root).toEqual({ $ref: `#/$defs/${tag}` })
      expect(definitions[tag]).toMatchObject({ properties: { _tag: { enum: [tag] }, message: { type: "string" } } })
    }
  )

  it("is an exit's error, and an HTTP API's, with a status", () => {
    const schema = Schema.Exit(Schema.Void, Schema.Union([InvalidEvent, WorkflowTimedOut]), Schema.Defect())
    const invalid: InvalidEvent = errors[0]![0]
    const back: Exit.Exit<void, InvalidEvent | WorkflowTimedOut> = throughJson(schema, Exit.fail(invalid))
    expect(Exit.isFailure(back) && Cause.squash(back.cause)).toBeInstanceOf(InvalidEvent)

    const endpoint = HttpApiEndpoint.post("start", "/runs", { error: [InvalidEvent, WorkflowTimedOut, StepRejected] })
    const { paths, components } = OpenApi.fromApi(HttpApi.make("api").add(HttpApiGroup.make("runs").add(endpoint)))
    expect(Object.keys(paths["/runs"]!.post!.responses).toSorted()).toEqual(["204", "422", "500", "504"])
    expect(Object.keys(components.schemas)).toEqual(
      expect.arrayContaining(["InvalidEvent", "WorkflowTimedOut", "StepRejected"])
    )
  })

  it("is an RPC's error", () => {
    const start = Rpc.make("start", { error: Schema.Union([StepRejected, RunEnded]) })
    const codec = Schema.toCodecJson(Rpc.exitSchema(start))
    const error = new StepRejected({ ...at, cause })
    const json = JSON.parse(JSON.stringify(Schema.encodeSync(codec)(Exit.fail(error))))
    const back = Schema.decodeUnknownSync(codec)(json)
    expect(Exit.isFailure(back) && Cause.squash(back.cause)).toMatchObject({ _tag: "StepRejected", step: "work" })
  })

  it.effect("can be yielded, caught by its tag, and annotated", () =>
    Effect.gen(function* () {
      const caught = yield* Effect.catchTag(new RunEnded({ workflow: "flow", event }), "RunEnded", Effect.succeed)
      expect(caught.workflow).toBe("flow")
      expect(Schema.isSchema(RunEnded.annotate({ description: "too late" }))).toBe(true)
      expect(RunEnded.fields.workflow).toBe(Schema.String)
      expect(RunEnded.identifier).toBe("RunEnded")
    })
  )
})

/** `new`, without running it. */
function isErrorClass(value: unknown): boolean {
  return (value as { readonly prototype?: unknown }).prototype instanceof Error
}

describe("what an error holds does not keep it from being encoded", () => {
  const circular: Record<string, unknown> = {}
  circular.itself = circular
  const trap = new Proxy(
    {},
    {
      get: () => {
        throw new Error("trapped")
      },
      ownKeys: () => {
        throw new Error("trapped")
      },
      getPrototypeOf: () => {
        throw new Error("trapped")
      }
    }
  )
  it.each<[string, unknown]>([
    ["a circle", circular],
    ["a proxy that throws", trap],
    ["a bigint", 10n],
    ["a function", () => {}],
    ["a symbol", Symbol("x")],
    ["NaN", Number.NaN],
    ["a getter", Object.defineProperty({}, "x", { enumerable: true, get: () => expect.fail("it was run") })],
    ["a million values", Array.from({ length: 1_000_000 }, (_, n) => ({ n }))],
    ["null", null],
    ["an error with a getter", Object.defineProperty(new Error("x"), "message", { get: () => trap })]
  ])("%s", (_, value) => {
    for (const error of [
      new StepRejected({ workflow: "flow", step: "work", input: value, cause: value }),
      new StepRejected({ workflow: "flow", step: "work", input: undefined, cause: undefined })
    ]) {
      const json = JSON.stringify(Schema.encodeSync(Schema.toCodecJson(StepRejected))(error))
      expect(json.length).toBeLessThan(20_000)
      expect(Schema.decodeUnknownSync(Schema.toCodecJson(StepRejected))(JSON.parse(json)).message).toBe(error.message)
    }
  })

  it("nor is a secret sent: neither what is Redacted, nor what a schema would have made so", () => {
    const encode = (error: InvalidEvent | StepRejected) =>
      JSON.stringify(Schema.encodeSync(Schema.toCodecJson(Schema.Union([InvalidEvent, StepRejected])))(error))
    const Login = defineEvent("Login", { name: Schema.String, password: Schema.Redacted(Schema.String) })
    let refused: InvalidEvent | undefined
    try {
      Login({ name: "me", password: "s3cret" } as never)
    } catch (error) {
      refused = error as InvalidEvent
    }
    expect(encode(refused!)).not.toContain("s3cret")
    const login = Login({ name: "me", password: Redacted.make("s3cret") })
    const rejected = encode(new StepRejected({ ...at, input: login, cause: new Error("no") }))
    expect(rejected).toContain('"name":"me"')
    expect(rejected).not.toContain("s3cret")
  })

  it("nor are words made before somebody reads them", () => {
    let looked = 0
    const seen = {
      get toJSON() {
        looked++
        return undefined
      }
    }
    class Odd {
      toJSON() {
        looked++
        return "odd"
      }
    }
    const error = new StepRejected({ ...at, input: new Odd(), cause: seen })
    expect(looked).toBe(0)
    expect(error.message).toContain("odd")
    expect(looked).toBeGreaterThan(0)
  })
})
