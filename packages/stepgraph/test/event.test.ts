// An event is a plain tagged value, checked where it is made, and frozen.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option, Schema, Stream } from "effect"
import { collect, defineEvent, defineStep, InvalidEvent, launchPromise, run, runPromise, workflow } from "stepgraph"
import { Start, Stop, stop, Task, untyped } from "./support/flow.ts"
import { defect, failure, result } from "./support/virtual.ts"

const Query = defineEvent("Query", { query: Schema.String, limit: Schema.optional(Schema.Number) })
const Answer = defineEvent("Answer", { query: Schema.String, result: Schema.String })

describe("an event", () => {
  it("is a plain value: its tag and its fields", () => {
    expect(Query({ query: "birds" })).toEqual({ _tag: "Query", query: "birds" })
    expect(Object.getPrototypeOf(Query({ query: "birds" }))).toBe(Object.prototype)
    expect(JSON.stringify(Query({ query: "birds", limit: 3 }))).toBe('{"_tag":"Query","query":"birds","limit":3}')
  })

  it("needs no argument if all its fields may be left out", () => {
    const Maybe = defineEvent("Maybe", { n: Schema.optional(Schema.Number) })
    expect([Start(), Maybe(), Maybe({})]).toEqual([{ _tag: "Start" }, { _tag: "Maybe" }, { _tag: "Maybe" }])
  })

  it("takes the defaults of its schema", () => {
    const Page = defineEvent("Page", { n: Schema.Number.pipe(Schema.withConstructorDefault(Effect.succeed(1))) })
    expect(Page({} as never)).toEqual({ _tag: "Page", n: 1 })
  })

  it("is frozen: its own fields, deeper it is read-only by type", () => {
    const event = Stop({ values: [1] })
    expect(Object.isFrozen(event)).toBe(true)
    expect(() => {
      ;(event as { values: unknown }).values = []
    }).toThrow(TypeError)
    expect(Object.isFrozen(event.values)).toBe(false)
  })

  it("leaves its argument unchanged", () => {
    const fields = { query: "birds" }
    const event = Query(fields)
    fields.query = "fish"
    expect(event.query).toBe("birds")
    expect(Object.isFrozen(fields)).toBe(false)
  })

  it("has only the fields of its definition", () => {
    const more = { query: "birds", more: 1 }
    expect(Query(more)).toEqual({ _tag: "Query", query: "birds" })
  })

  it("takes fields from another event", async () => {
    const answer = defineStep({ accepts: Query, emits: Answer, run: (query) => Answer({ ...query, result: "robins" }) })
    const flow = workflow({ name: "over", start: Query, stop: Answer, steps: { answer } })
    expect(await runPromise(flow, { query: "birds" })).toEqual({ _tag: "Answer", query: "birds", result: "robins" })
  })

  it.each([undefined, null, {}, { query: 3 }, "birds", 7, []])(
    "of fields that do not fit is an InvalidEvent: %j",
    (fields) => {
      expect(() => Query(fields as never)).toThrow(InvalidEvent)
    }
  )

  it("may have a field named `then` without being a promise", async () => {
    const Next = defineEvent("Next", { then: Schema.Any })
    const then = (resolve: (value: unknown) => void) => resolve("taken for a promise")
    const kinds: Record<string, (next: ReturnType<typeof Next>) => any> = {
      plain: (next) => next,
      array: (next) => [next],
      generator: function* (next) {
        yield next
      },
      "async array": async (next) => [next],
      Effect: (next) => Effect.succeed(next),
      "Effect later": (next) => Effect.as(Effect.sleep(1), next),
      Stream: (next) => Stream.succeed(next)
    }
    for (const [kind, emit] of Object.entries(kinds)) {
      for (const setting of [{}, { timeout: "1 week" }, { retry: { times: 1 } }]) {
        for (const value of [then, "text"]) {
          const steps = {
            begin: untyped.step({ accepts: Start, emits: Next, run: () => emit(Next({ then: value })), ...setting }),
            end: defineStep({ accepts: Next, emits: Stop, run: (next) => stop(Number(next.then === value)) })
          }
          const flow = untyped.workflow({ name: kind, start: Start, stop: Stop, steps })
          expect((await untyped.runPromise(flow)).values, kind).toEqual([1])
        }
      }
    }
  })

  it("may have fields named like inherited members", () => {
    const Odd = defineEvent("Odd", { constructor: Schema.Number, toString: Schema.Number, length: Schema.Number })
    expect(Odd({ constructor: 1, toString: 2, length: 3 })).toEqual({
      _tag: "Odd",
      constructor: 1,
      toString: 2,
      length: 3
    })
  })

  it("of strings, numbers and booleans alone is what their schema makes of the same input", () => {
    const fields = { text: Schema.String, n: Schema.Number, yes: Schema.Boolean }
    const Plain = defineEvent("Plain", fields)
    const schema = Schema.Struct({ _tag: Schema.tag("Plain"), ...fields })
    const good = { text: "a", n: 1, yes: true }
    const inputs: ReadonlyArray<any> = [
      good,
      { yes: false, n: Number.NaN, text: "" },
      { ...good, _tag: "Plain" },
      { ...good, more: 1 },
      { ...good, more: undefined },
      Object.create(good),
      Object.assign(Object.create({ n: 2 }), good),
      Object.defineProperty({ ...good }, "hidden", { value: 1 }),
      new (class {
        text = "a"
        n = 1
        get yes() {
          return true
        }
      })(),
      { ...good, n: "1" },
      { ...good, n: undefined },
      { text: "a", n: 1 },
      { text: "a", n: 1, no: true },
      Object.assign([], good),
      Object.assign(() => {}, good),
      null,
      "text"
    ]
    for (const input of inputs) {
      const made = () => Plain(input)
      let expected: object
      try {
        expected = schema.make(input)
      } catch {
        expect(made).toThrow(InvalidEvent)
        continue
      }
      expect(made()).toStrictEqual(expected)
    }
    expect(() =>
      Plain({
        ...good,
        get n(): number {
          throw new Error("no number")
        }
      })
    ).toThrow(InvalidEvent)
  })

  it("may contain values that are not JSON", async () => {
    const Rich = defineEvent("Rich", { at: Schema.Date, bytes: Schema.Uint8Array, maybe: Schema.Option(Schema.Number) })
    const rich = { at: new Date(0), bytes: new Uint8Array(3), maybe: Option.some(1) }
    const steps = { only: defineStep({ accepts: Rich, emits: Rich2, run: (event) => Rich2({ at: event.at }) }) }
    const Flow = workflow({ name: "rich", start: Rich, stop: Rich2, steps })
    expect((await runPromise(Flow, rich)).at).toBe(rich.at)
  })
})
const Rich2 = defineEvent("Rich2", { at: Schema.Date })

describe("a definition", () => {
  it("has a tag and a schema, and knows its events", () => {
    expect(Query.tag).toBe("Query")
    expect(Query.name).toBe("Query")
    expect(Query.is(Query({ query: "birds" }))).toBe(true)
    expect(Query.is({ _tag: "Query", query: "birds" })).toBe(true)
    expect(Query.is({ _tag: "Query", query: 3 })).toBe(false)
    expect(Query.is(Answer({ query: "birds", result: "" }))).toBe(false)
    expect(Query.is(undefined)).toBe(false)
  })

  it("decodes by its schema", () => {
    const decode = Schema.decodeUnknownSync(Query.schema)
    expect(decode(JSON.parse('{"_tag":"Query","query":"birds"}'))).toEqual({ _tag: "Query", query: "birds" })
    expect(() => decode({ _tag: "Answer", query: "birds" })).toThrow()
  })

  describe("makes events of JSON", () => {
    const Visit = defineEvent("Visit", {
      at: Schema.Date,
      count: Schema.NumberFromString,
      cents: Schema.BigInt,
      tags: Schema.optional(Schema.ReadonlySet(Schema.String))
    })
    const json = { at: "2026-01-02T03:04:05.000Z", count: "3", cents: "99", tags: ["a", "b"] }
    const event = Visit({
      at: new Date("2026-01-02T03:04:05.000Z"),
      count: 3,
      cents: 99n,
      tags: new Set(["a", "b"])
    })

    it("whose fields are decoded, with the tag or without it", () => {
      expect(Visit.fromJson(json)).toEqual(event)
      expect(Visit.fromJson({ _tag: "Visit", ...json })).toEqual(event)
      expect(Object.isFrozen(Visit.fromJson(json))).toBe(true)
    })

    it("that have only the fields of the definition, and are what their schema encodes", () => {
      expect(Visit.fromJson({ ...json, more: 1 })).toEqual(event)
      const encoded = Schema.encodeSync(Schema.toCodecJson(Visit.schema))(event)
      expect(Visit.fromJson(JSON.parse(JSON.stringify(encoded)))).toEqual(event)
    })

    it("that a run begins with, and that a run is sent", async () => {
      const flow = workflow({
        name: "visits",
        start: Visit,
        stop: Stop,
        inputs: [Visit],
        steps: {
          both: defineStep({
            accepts: collect(Visit, 2),
            emits: Stop,
            run: (visits) => stop(...visits.map(({ count, at }) => count + at.getUTCFullYear()))
          })
        }
      })
      const live = await launchPromise(flow, Visit.fromJson(json))
      await live.send(Visit.fromJson({ ...json, count: "4" }))
      expect((await live.result).values).toEqual([2029, 2030])
    })

    it.each([
      ["a field that does not decode", { ...json, at: "yesterday" }, '["at"]'],
      ["a missing field", { at: json.at, count: "3" }, '["cents"]'],
      ["another tag", { ...json, _tag: "Other" }, '["_tag"]'],
      ["nothing", undefined, "undefined"],
      ["null", null, "null"],
      ["a text", "Visit", "Visit"],
      ["a list", [json], "["]
    ])("or throws InvalidEvent if it does not fit: %s", (_, wrong, words) => {
      const attempt = () => Visit.fromJson(wrong)
      expect(attempt).toThrow(InvalidEvent)
      expect(attempt).toThrow(words)
      try {
        attempt()
      } catch (error) {
        expect(error).toMatchObject({ tag: "Visit", input: wrong, issue: expect.anything() })
      }
    })

    it("or reports what the schema's own code threw", () => {
      const Broken = defineEvent("Broken", {
        n: Schema.Number.check(
          Schema.makeFilter((): boolean => {
            throw new Error("in the schema")
          })
        )
      })
      expect(() => Broken.fromJson({ n: 1 })).toThrow("in the schema")
      expect(() => Broken.fromJson({ n: 1 })).toThrow(InvalidEvent)
    })
  })

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", "then", "a b", "ä", "0"])(
    "may have any tag, and its step any name: %s",
    async (name) => {
      const Odd = defineEvent(name, { n: Schema.Number })
      const steps: object = Object.fromEntries([
        ["begin", defineStep({ accepts: Start, emits: Odd, run: () => [Odd({ n: 1 }), Odd({ n: 2 })] })],
        [
          name,
          defineStep({
            accepts: Odd,
            emits: Stop,
            run: (event, { collect, step }) => {
              expect([event._tag, step]).toEqual([name, name])
              const both = collect([Odd, Odd])
              if (both) return stop(both[0].n, both[1].n)
            }
          })
        ]
      ])
      const flow = untyped.workflow({ name, start: Start, stop: Stop, steps })
      expect((await untyped.runPromise(flow)).values).toEqual([1, 2])
    }
  )
})

describe("the start event", () => {
  const flow = workflow({
    name: "start",
    start: Query,
    stop: Stop,
    steps: { only: defineStep({ accepts: Query, emits: Stop, run: ({ limit }) => stop(limit ?? 0) }) }
  })

  it("is made from the run's input", async () => {
    expect((await runPromise(flow, { query: "birds", limit: 3 })).values).toEqual([3])
  })

  it("may be given as the event itself", async () => {
    expect((await runPromise(flow, Query({ query: "birds", limit: 3 }))).values).toEqual([3])
  })

  it.effect("that does not fit is InvalidEvent, a typed error, and nothing runs", () =>
    Effect.gen(function* () {
      const error = yield* failure(run(flow, { query: 3 } as never))
      expect(error).toBeInstanceOf(InvalidEvent)
      expect((error as InvalidEvent).tag).toBe("Query")
      expect((error as InvalidEvent).input).toEqual({ query: 3 })
      expect((error as InvalidEvent).issue?._tag).toBeDefined()
    })
  )

  it("that does not fit rejects the promise with the InvalidEvent itself", async () => {
    await expect(untyped.runPromise(flow, undefined)).rejects.toBeInstanceOf(InvalidEvent)
  })

  it.effect("whose schema throws reports the exception", () =>
    Effect.gen(function* () {
      const Broken = defineEvent("Broken", {
        n: Schema.Number.check(
          Schema.makeFilter((): boolean => {
            throw new Error("in the schema")
          })
        )
      })
      const only = defineStep({ accepts: Broken, emits: Stop, run: () => stop() })
      const broken = workflow({ name: "broken", start: Broken, stop: Stop, steps: { only } })
      const exit = yield* Effect.exit(run(broken, { n: 1 }))
      expect(String(exit)).toContain("in the schema")
    })
  )
})

describe("a literal that looks like an event", () => {
  const emitting = (value: unknown) =>
    untyped.workflow({
      name: "literal",
      start: Start,
      stop: Stop,
      steps: {
        begin: untyped.step({ accepts: Start, emits: Task, run: () => value }),
        end: defineStep({ accepts: Task, emits: Stop, run: ({ n }) => stop(n) })
      }
    })

  it("is checked as an event is", async () => {
    expect((await untyped.runPromise(emitting({ _tag: "Task", n: 7 }))).values).toEqual([7])
  })

  it.effect("is a defect that names the step if it does not fit", () =>
    Effect.gen(function* () {
      const error = yield* defect(run(emitting({ _tag: "Task", n: "x" })))
      expect(error).toMatchObject({ _tag: "StepDefect", step: "begin", cause: { _tag: "InvalidEvent", tag: "Task" } })
    })
  )

  describe("is checked, even if it is frozen, and in every way to emit it", () => {
    const ways: Record<string, (value: any) => { readonly run: any; readonly [setting: string]: unknown }> = {
      "returned alone": (value) => ({ run: () => value }),
      "in a list": (value) => ({ run: () => [value] }),
      sent: (value) => ({ run: (_: unknown, { send }: { send: (value: unknown) => void }) => send(value) }),
      "from a promise": (value) => ({ run: async () => value }),
      "from a generator": (value) => ({
        run: function* () {
          yield value
        }
      }),
      "from an Effect": (value) => ({ run: () => Effect.succeed(value) }),
      "from a Stream": (value) => ({ run: () => Stream.succeed(value) }),
      "with a retry": (value) => ({ run: () => value, retry: { times: 1 } }),
      "from a recovery": (value) => ({ run: () => Effect.fail("never mind"), recover: () => value })
    }
    const Text = defineEvent("Found", { text: Schema.String })
    const List = defineEvent("Found", { texts: Schema.Array(Schema.String) })
    const Other = defineEvent("Found", { n: Schema.Number })
    const kinds = [
      { kind: "plain fields", Found: Text, good: { text: "a" }, Twin: defineEvent("Found", { text: Schema.String }) },
      {
        kind: "fields with a schema to go through",
        Found: List,
        good: { texts: ["a"] },
        Twin: defineEvent("Found", { texts: Schema.Array(Schema.String) })
      }
    ]
    /** The form in which an emitted value arrives. */
    const arrival = (Found: any, emitting: object) =>
      Effect.gen(function* () {
        let arrived: unknown
        const end = (event: unknown) => {
          arrived = event
          return stop()
        }
        const steps = {
          begin: untyped.step({ accepts: Start, emits: Found, ...emitting }),
          end: untyped.step({ accepts: Found, emits: Stop, run: end })
        }
        yield* run(untyped.workflow({ name: "arrival", start: Start, stop: Stop, steps }))
        return arrived
      })

    for (const { kind, Found, good, Twin } of kinds) {
      const event: any = { _tag: "Found", ...good }
      const fitting: Record<string, object> = {
        "a literal": { ...event },
        "a frozen literal": Object.freeze({ ...event }),
        "a sealed literal": Object.seal({ ...event }),
        "a literal that cannot be extended": Object.preventExtensions({ ...event }),
        "a frozen literal with another field": Object.freeze({ ...event, more: 1 }),
        "an event of another definition with the same fields": Twin(good as never)
      }
      const wrong: Record<string, object> = {
        "an event of another definition with the same tag": Other({ n: 1 }),
        "a frozen literal without its field": Object.freeze({ _tag: "Found" }),
        "a frozen literal with a wrong field": Object.freeze({ ...event, text: 1, texts: [1] }),
        "a sealed literal without its field": Object.seal({ _tag: "Found" }),
        "a literal that cannot be extended and lacks its field": Object.preventExtensions({ _tag: "Found" })
      }
      it.effect.each(Object.keys(ways))(`${kind}, %s`, (way) =>
        Effect.gen(function* () {
          const emit = ways[way]!
          for (const [what, value] of Object.entries(fitting)) {
            const arrived = yield* result(arrival(Found, emit(value)))
            expect(arrived, what).toStrictEqual(event)
            expect(Object.isFrozen(arrived), what).toBe(true)
          }
          for (const [what, value] of Object.entries(wrong)) {
            const error = yield* defect(arrival(Found, emit(value)))
            expect(error, what).toMatchObject({
              _tag: "StepDefect",
              step: "begin",
              cause: { _tag: "InvalidEvent", tag: "Found", input: value }
            })
          }
        })
      )

      it.effect.each(Object.keys(ways))(`${kind}, %s; what the definition has made arrives as the very object`, (way) =>
        Effect.gen(function* () {
          const made = Found(good as never)
          const decoded = Found.fromJson(good)
          const others = [Found(good as never), Other({ n: 1 })]
          for (const own of [made, decoded]) {
            for (let times = 0; times < 2; times++) {
              expect(yield* result(arrival(Found, ways[way]!(own)))).toBe(own)
            }
          }
          expect(others).toHaveLength(2)
        })
      )
    }
  })
})
