import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, Schema } from "effect"
import {
  defineEvent,
  defineState,
  defineStep,
  join,
  launch,
  launchPromise,
  Observer,
  run,
  runPromise,
  workflow
} from "stepgraph"
import { defect } from "../support/virtual.ts"

const Start = defineEvent("Start", { n: Schema.Number })
const Note = defineEvent("Note", { text: Schema.String })
const Stop = defineEvent("Stop", { texts: Schema.Array(Schema.String) })

let began = 0
const flow = workflow({
  name: "notes",
  start: Start,
  stop: Stop,
  inputs: [Note],
  steps: {
    begin: defineStep({
      accepts: Start,
      emits: [],
      run: () => {
        began++
      }
    }),
    end: defineStep({
      accepts: join([Note, Note, Note]),
      emits: Stop,
      run: (notes) => Stop({ texts: notes.map(({ text }) => text) })
    })
  }
})

const wrong: ReadonlyArray<readonly [string, unknown]> = [
  ["nothing", undefined],
  ["null", null],
  ["a number", 7],
  ["a list", []],
  ["a missing field", {}],
  ["a field of another type", { n: "7" }],
  ["a field that is not there", { m: 7 }]
]

describe("an input that does not fit the start event", () => {
  it.effect.each(wrong)("is InvalidEvent, and nothing runs: %s", ([_, input]) =>
    Effect.gen(function* () {
      began = 0
      const doors = [run(flow, input as never), Effect.scoped(launch(flow, input as never))]
      for (const door of doors) {
        const error = yield* Effect.flip(door as Effect.Effect<unknown, unknown>)
        expect(error).toMatchObject({ _tag: "InvalidEvent", tag: "Start" })
      }
      expect(began).toBe(0)
    })
  )

  it("rejects a promise with the same error", async () => {
    for (const [, input] of wrong) {
      await expect(runPromise(flow, input as never)).rejects.toMatchObject({ _tag: "InvalidEvent", tag: "Start" })
      await expect(launchPromise(flow, input as never)).rejects.toMatchObject({ _tag: "InvalidEvent", tag: "Start" })
    }
  })

  it("names the field and the value", async () => {
    const error: Error = await runPromise(flow, { n: "7" } as never).catch((error) => error)
    expect(error.message).toContain("event 'Start' does not fit its schema")
    expect(error.message).toContain('["n"]')
    expect(error.message).toContain('{"n":"7"}')
  })
})

describe("a value that cannot be read", () => {
  const boom = () => {
    throw new Error("boom")
  }
  const proxied = (trap: keyof ProxyHandler<object>) => new Proxy({ _tag: "Note", text: "x" }, { [trap]: boom })
  const revoked = () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }
  /** Has the right tag when it is looked at first, and throws from then on. */
  const once = () => {
    let looks = 0
    return {
      text: "x",
      get _tag() {
        if (++looks > 1) boom()
        return "Note"
      }
    }
  }
  const hostile: ReadonlyArray<readonly [string, () => unknown]> = [
    [
      "a tag that throws",
      () => ({
        get _tag() {
          return boom()
        }
      })
    ],
    ["a tag that throws the second time", once],
    ["a tag that is a symbol", () => ({ _tag: Symbol("Note") })],
    ["a tag that is not text", () => ({ _tag: Object.create(null) })],
    ["a tag that throws when it is made text", () => ({ _tag: { toString: boom } })],
    ["a tag that is made the right text", () => ({ _tag: { toString: () => "Note" }, text: "x" })],
    [
      "a field that throws",
      () => ({
        _tag: "Note",
        get text() {
          return boom()
        }
      })
    ],
    [
      "a field that throws what has no text",
      () => ({
        _tag: "Note",
        get text() {
          throw Object.create(null)
        }
      })
    ],
    [
      "a field that throws a revoked proxy",
      () => ({
        _tag: "Note",
        get text() {
          throw revoked()
        }
      })
    ],
    ["a proxy that cannot be read", () => proxied("get")],
    ["a proxy without keys", () => proxied("ownKeys")],
    ["a proxy without a prototype", () => proxied("getPrototypeOf")],
    ["a revoked proxy", revoked],
    ["nothing", () => undefined],
    ["null", () => null],
    ["a symbol", () => Symbol("Note")],
    ["a function", () => boom],
    ["the definition of an input", () => Note]
  ]

  it.each(hostile)("is InvalidEvent when it is sent: %s", async (name, make) => {
    const live = await launchPromise(flow, { n: 1 })
    // A proxy that hides its keys or its prototype may still hold the right fields.
    const sent = await live.send(make() as never).then(
      () => "taken",
      (error) => error._tag
    )
    expect(["InvalidEvent", ...(/keys|prototype/.test(name) ? ["taken"] : [])]).toContain(sent)
    expect((await live.status()).state).toBe("running")
    await live.interrupt()
  })

  it.effect.each(hostile)("fails the Effect with it, too: %s", ([, make]) =>
    Effect.gen(function* () {
      const live = yield* launch(flow, { n: 1 })
      const exit = yield* Effect.exit(live.send(make() as never))
      expect(Exit.isFailure(exit) && Cause.hasDies(exit.cause)).toBe(false)
    })
  )

  it("is InvalidEvent as the input of a run, and as JSON", async () => {
    const input = {
      get n() {
        return boom()
      }
    }
    await expect(runPromise(flow, input as never)).rejects.toMatchObject({ _tag: "InvalidEvent", tag: "Start" })
    for (const [, make] of hostile) {
      const run = runPromise(flow, make() as never)
      await expect(run).rejects.toMatchObject({ _tag: "InvalidEvent", tag: "Start" })
      expect(() => Start.fromJson(make())).toThrow("event 'Start'")
    }
  })

  it("is described without being read", async () => {
    const live = await launchPromise(flow, { n: 1 })
    const error = await live
      .send({
        get _tag() {
          return boom()
        }
      } as never)
      .catch((error) => error)
    expect(error.message).toContain("it is not an input of workflow 'notes', whose inputs are 'Note'")
    expect(Note.fromJson).toThrow("event 'Note'")
    await live.interrupt()
  })
})

describe("wrong events between right ones", () => {
  it.effect("lose nothing: every right one is used, in order", () =>
    Effect.gen(function* () {
      const live = yield* launch(flow, { n: 0 })
      const refused: Array<string> = []
      const send = (event: unknown) =>
        Effect.catch(live.send(event as never), ({ _tag }) => Effect.sync(() => void refused.push(_tag)))
      for (const text of ["a", "b"]) {
        yield* send({ _tag: "Note" })
        yield* send({ _tag: "Note", text: 1 })
        yield* send(Note({ text }))
        yield* send({ _tag: "Stop", texts: [] })
        yield* send("Note")
        // Frozen like events from defineEvent, but not made by it.
        yield* send(Object.freeze({ _tag: "Note", text: 2 }))
      }
      expect((yield* live.status).waiting[0]).toMatchObject({ has: { Note: 2 }, needs: { Note: 1 } })
      yield* live.send(Note({ text: "c" }))
      expect((yield* live.result).texts).toEqual(["a", "b", "c"])
      expect(refused).toEqual(Array.from({ length: 10 }, () => "InvalidEvent"))
    })
  )

  it.effect("that come too late fail, and appear in no trace", () =>
    Effect.gen(function* () {
      const tags: Array<string> = []
      const live = yield* Effect.provideService(launch(flow, { n: 0 }), Observer, (entry) => {
        if (entry._tag === "EventEmitted") tags.push(entry.tag)
      })
      for (const text of ["a", "b", "c"]) yield* live.send(Note({ text }))
      yield* live.result
      expect((yield* Effect.flip(live.send(Note({ text: "d" }))))._tag).toBe("RunEnded")
      expect(tags).toEqual(["Start", "Note", "Note", "Note", "Stop"])
    })
  )
})

describe("invalid options", () => {
  const seen = defineState("seen", Schema.Number, 0)
  const wrong: ReadonlyArray<readonly [string, object, string]> = [
    [
      "state that is not a list",
      { state: seen.with(1) },
      "state must be a list of initial values, such as [seen.with(5)]"
    ],
    ["a cell itself as state", { state: [seen] }, "state holds something that is not an initial value"],
    ["nothing as state", { state: [undefined] }, "state holds something that is not an initial value"],
    [
      "state that was made by hand and does not fit",
      { state: [{ state: seen, value: "a" }] },
      "state 'seen' does not fit"
    ],
    ["an observer that cannot be called", { observe: "log" }, 'observe must be a function, not "log"']
  ]
  it.each(wrong)("are refused with a clear message, as a promise: %s", async (_, options, message) => {
    began = 0
    await expect(runPromise(flow, { n: 0 }, options)).rejects.toThrow(message)
    await expect(launchPromise(flow, { n: 0 }, options)).rejects.toThrow(message)
    expect(began).toBe(0)
  })

  it.effect.each(wrong.slice(0, 4))("are a defect of an Effect: %s", ([_, options, message]) =>
    Effect.gen(function* () {
      for (const door of [run(flow, { n: 0 }, options), Effect.scoped(launch(flow, { n: 0 }, options))]) {
        expect(String(yield* defect(door as Effect.Effect<unknown>))).toContain(message)
      }
    })
  )
})

describe("a value that is not a workflow", () => {
  const nothings: ReadonlyArray<readonly [string, unknown]> = [
    ["nothing", undefined],
    ["null", null],
    ["a text", "flow"],
    ["an object", {}],
    ["a workflow that has lost its steps", { ...flow, steps: undefined }]
  ]
  it.effect.each(nothings)("is InvalidWorkflow at every entry point, not a crash somewhere inside: %s", ([_, value]) =>
    Effect.gen(function* () {
      for (const door of [run(value as typeof flow, { n: 0 }), Effect.scoped(launch(value as typeof flow, { n: 0 }))]) {
        const exit = yield* Effect.exit(door as Effect.Effect<unknown>)
        expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toMatchObject({ _tag: "InvalidWorkflow" })
      }
      const rejected = yield* Effect.promise(() => runPromise(value as typeof flow, { n: 0 }).catch((error) => error))
      expect(rejected).toMatchObject({ _tag: "InvalidWorkflow" })
    })
  )
})
