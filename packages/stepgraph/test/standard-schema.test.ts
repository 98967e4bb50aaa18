// Events and state by the schemas of zod, valibot and arktype, alone and beside Effect's own.
import { inspect } from "node:util"
import { toStandardJsonSchema } from "@valibot/to-json-schema"
import { type } from "arktype"
import { Effect, Schema } from "effect"
import {
  collect,
  defineEvent,
  defineState,
  defineStep,
  InvalidEvent,
  InvalidState,
  launchPromise,
  Observer,
  run,
  runPromise,
  type TraceEntry,
  workflow
} from "stepgraph"
import { graphOf } from "stepgraph/graph"
import * as v from "valibot"
import { describe, expect, it } from "vitest"
import { z } from "zod"

const Stop = defineEvent("Stop", { it: Schema.Unknown })

/** The same event by each library: two fields, of which one may be left out and is 5 then. */
const queries = {
  zod: defineEvent("Query", z.object({ query: z.string().min(2), limit: z.number().default(5) })),
  valibot: defineEvent(
    "Query",
    toStandardJsonSchema(v.object({ query: v.pipe(v.string(), v.minLength(2)), limit: v.optional(v.number(), 5) }))
  ),
  arktype: defineEvent("Query", type({ query: "string >= 2", limit: "number = 5" })),
  "zod, by fields": defineEvent("Query", { query: z.string().min(2), limit: z.number().default(5) }),
  "valibot, by fields": defineEvent("Query", {
    query: toStandardJsonSchema(v.pipe(v.string(), v.minLength(2))),
    limit: toStandardJsonSchema(v.optional(v.number(), 5))
  }),
  "arktype, beside Effect's own": defineEvent("Query", {
    query: type("string >= 2"),
    limit: Schema.Number.pipe(Schema.withConstructorDefault(Effect.succeed(5)))
  })
}
const short: Readonly<Record<keyof typeof queries, string>> = {
  zod: "Too small: expected string to have >=2 characters",
  valibot: "Invalid length: Expected >=2 but received 1",
  arktype: "query must be at least length 2 (was 1)",
  "zod, by fields": "Too small: expected string to have >=2 characters",
  "valibot, by fields": "Invalid length: Expected >=2 but received 1",
  "arktype, beside Effect's own": "must be at least length 2 (was 1)"
}

describe.each(Object.keys(queries) as Array<keyof typeof queries>)("an event by %s", (library) => {
  const Query = queries[library] as (typeof queries)["zod"]
  const event = { _tag: "Query", query: "birds", limit: 5 }

  it("is made with the schema's defaults, and frozen", () => {
    expect(Query({ query: "birds" })).toStrictEqual(event)
    expect(Object.keys(Query({ query: "birds" }))).toEqual(["_tag", "query", "limit"])
    expect(Query({ query: "birds", limit: 3 }).limit).toBe(3)
    expect(Object.isFrozen(Query({ query: "birds" }))).toBe(true)
  })

  it("is refused in the library's own words, at its place", () => {
    const attempt = () => Query({ query: "b" })
    expect(attempt).toThrow(InvalidEvent)
    expect(attempt).toThrow(
      `event 'Query' does not fit its schema: ${short[library]} at ["query"] (given {"query":"b"})`
    )
  })

  it("is known again", () => {
    expect(Query.is(Query({ query: "birds" }))).toBe(true)
    expect(Query.is(event)).toBe(true)
    expect(Query.is({ _tag: "Query", query: "b", limit: 5 })).toBe(false)
    expect(Query.is({ _tag: "Other", query: "birds", limit: 5 })).toBe(false)
    for (const other of [undefined, null, "Query", 3, [], () => {}]) expect(Query.is(other)).toBe(false)
  })

  it("goes through JSON", () => {
    const json = Schema.encodeSync(Schema.toCodecJson(Query.schema))(Query({ query: "birds" }))
    expect(json).toEqual(event)
    expect(Query.fromJson(JSON.parse(JSON.stringify(json)))).toStrictEqual(event)
    expect(() => Query.fromJson({ query: 3 })).toThrow(InvalidEvent)
    expect(() => Query.fromJson({ ...event, _tag: "Other" })).toThrow('["_tag"]')
    expect(() => Query.fromJson(null)).toThrow(InvalidEvent)
  })

  it("runs: as an input, a literal, and the event itself", async () => {
    const Limits = defineEvent("Limits", { limits: z.array(z.number()) })
    const flow = workflow({
      name: "flow",
      start: Query,
      stop: Limits,
      inputs: [Query],
      steps: {
        both: defineStep({
          accepts: collect(Query, 3),
          emits: Limits,
          run: (all) => Limits({ limits: all.map(({ limit }) => limit) })
        })
      }
    })
    const live = await launchPromise(flow, { query: "birds" })
    await live.send({ _tag: "Query", query: "fish", limit: 3 })
    await live.send(Query({ query: "bees", limit: 4 }))
    expect((await live.result).limits).toEqual([5, 3, 4])
  })

  it("has a JSON Schema by its tag", () => {
    const { schema, definitions } = Schema.toJsonSchemaDocument(Query.schema)
    expect(schema).toEqual({ $ref: "#/$defs/Query" })
    expect(definitions.Query).toMatchObject({
      type: "object",
      properties: { _tag: { type: "string", enum: ["Query"] }, query: { type: "string", minLength: 2 } },
      required: expect.arrayContaining(["_tag", "query"])
    })
    if (library !== "arktype, beside Effect's own") expect(definitions.Query!.required).not.toContain("limit")
  })
})

describe("what a schema makes of its input", () => {
  const At = defineEvent("At", {
    n: v.pipe(v.string(), v.transform(Number)),
    at: z.coerce.date(),
    word: z.string().optional(),
    own: Schema.Date
  })
  const given = { n: "5", at: "2026-01-02T03:04:05.000Z", own: new Date(0) }
  const made = { _tag: "At", n: 5, at: new Date(given.at), own: new Date(0) }

  it("is what the event has", () => {
    expect(At(given)).toStrictEqual(made)
    expect(At.fromJson({ ...given, own: "1970-01-01T00:00:00.000Z" })).toStrictEqual(made)
    expect(At.is(At(given))).toBe(true)
  })

  it("is not made of it a second time: not where it is sent, and not where it begins a run", async () => {
    const flow = workflow({
      name: "flow",
      start: At,
      stop: Stop,
      inputs: [At],
      steps: { both: defineStep({ accepts: collect(At, 2), emits: Stop, run: (it) => Stop({ it }) }) }
    })
    const live = await launchPromise(flow, At(given))
    await live.send(At.fromJson({ ...given, own: "1970-01-01T00:00:00.000Z" }))
    expect((await live.result).it).toStrictEqual([made, made])
  })

  it("cannot be encoded where the schema does not take it back", () => {
    expect(() => Schema.encodeSync(At.schema)(At(given))).toThrow(
      'it cannot be encoded: its valibot schema does not take it back as it is\n  at ["n"]'
    )
    const Back = defineEvent("Back", { at: z.coerce.date(), trimmed: z.string().trim(), word: z.string().optional() })
    const back = Back({ at: 0, trimmed: " a ", word: undefined })
    const json = Schema.encodeSync(Schema.toCodecJson(Back.schema))(back)
    expect(json).toStrictEqual({ _tag: "Back", at: "1970-01-01T00:00:00.000Z", trimmed: "a" })
    expect(Back.fromJson(json)).toEqual({ _tag: "Back", at: new Date(0), trimmed: "a" })
    const Lost = defineEvent("Lost", { at: z.date() })
    expect(() => Schema.encodeSync(Schema.toCodecJson(Lost.schema))(Lost({ at: new Date(0) }))).toThrow(
      "it cannot be encoded: its zod schema does not take it back as it is"
    )
  })

  it("stands in the trace as it is", async () => {
    const flow = workflow({
      name: "flow",
      start: At,
      stop: Stop,
      steps: { only: defineStep({ accepts: At, emits: Stop, run: (it) => Stop({ it }) }) }
    })
    const trace: Array<TraceEntry> = []
    await Effect.runPromise(Effect.provideService(run(flow, given), Observer, (entry) => void trace.push(entry)))
    expect(trace.find((entry) => entry._tag === "EventEmitted")).toMatchObject({
      tag: "At",
      data: { n: 5, at: given.at, own: "1970-01-01T00:00:00.000Z" }
    })
  })
})

describe("a schema that validates asynchronously", () => {
  const words = (vendor: string) =>
    `its ${vendor} schema validates asynchronously (or one of its checks threw), but events and state are checked synchronously: do slow work in a step`

  it("is refused where it always does", () => {
    expect(() => defineEvent("Slow", v.objectAsync({ name: v.string() }))).toThrow(
      new TypeError(`defineEvent: event 'Slow' cannot be defined: ${words("valibot")}`)
    )
    expect(() => defineState("slow", v.pipeAsync(v.number()), 0)).toThrow(
      new TypeError(`defineState: cell 'slow' cannot be defined: ${words("valibot")}`)
    )
  })

  it("is refused where it does for a value, in a run, too", async () => {
    const Slow = defineEvent("Slow", { name: z.string().refine(async (name) => name !== "") })
    expect(() => Slow({ name: "x" })).toThrow(new TypeError(`event 'Slow' cannot be made: ${words("zod")}`))
    const flow = workflow({
      name: "flow",
      start: Slow,
      stop: Stop,
      steps: { only: defineStep({ accepts: Slow, emits: Stop, run: (it) => Stop({ it }) }) }
    })
    await expect(runPromise(flow, { name: "x" })).rejects.toThrow(words("zod"))
  })
})

describe("a schema's own code", () => {
  const odd = (validate: (value: unknown) => unknown): z.ZodString =>
    ({ "~standard": { version: 1, vendor: "odd", validate } }) as never

  it("that throws refuses the value", () => {
    const Odd = defineEvent("Odd", {
      name: odd(() => {
        throw new Error("in the schema")
      })
    })
    expect(() => Odd({ name: "x" })).toThrow(InvalidEvent)
    expect(() => Odd({ name: "x" })).toThrow("event 'Odd' does not fit its schema: Error: in the schema")
  })

  it("may reject: nobody is asked to handle that", async () => {
    const refused = { issues: [{ message: "no" }] }
    const Slow = defineEvent("Slow", {
      name: odd((value) => (value === undefined ? refused : Promise.reject(new Error("nobody hears this"))))
    })
    expect(() => Slow({ name: "x" })).toThrow("its odd schema validates asynchronously")
    await new Promise((resolve) => setImmediate(resolve))
  })

  it("that gives no reason, a place by key objects, or no object", () => {
    const Odd = defineEvent("Odd", { name: odd(() => ({ issues: [] })) })
    expect(() => Odd({ name: "x" })).toThrow('it was refused without a reason at ["name"]')
    const Path = defineEvent("Path", { name: odd(() => ({ issues: [{ message: "no", path: [{ key: "a" }, 0] }] })) })
    expect(() => Path({ name: "x" })).toThrow('no at ["name"]["a"][0]')
    const Whole = defineEvent("Whole", odd(() => ({ value: [1] })) as never)
    expect(() => Whole({} as never)).toThrow("its odd schema makes something else than an object of it")
  })

  it("may make a `_tag` of its own, which is the event's all the same", () => {
    const Own = defineEvent("Own", odd(() => ({ value: { _tag: "Other", n: 1 } })) as never)
    expect(Own({} as never)).toEqual({ _tag: "Own", n: 1 })
  })
})

describe("JSON Schema of other libraries", () => {
  const jsonOf = (def: { readonly schema: Schema.Constraint }) => Schema.toJsonSchemaDocument(def.schema).definitions

  it("is anything where the library gives none", () => {
    expect(jsonOf(defineEvent("Any", { name: v.string(), n: Schema.Number })).Any).toMatchObject({
      properties: { name: {}, n: {} },
      required: ["_tag", "name", "n"]
    })
    expect(jsonOf(defineEvent("Any", v.object({ name: v.string() }))).Any).toEqual({
      type: "object",
      properties: { _tag: { type: "string", enum: ["Any"] } },
      required: ["_tag"]
    })
  })

  it("has no references into a document that it does not stand in", () => {
    interface Tree {
      readonly name: string
      readonly branches: ReadonlyArray<Tree>
    }
    const Tree: z.ZodType<Tree> = z.object({
      name: z.string(),
      get branches() {
        return z.array(Tree)
      }
    })
    const grown = JSON.stringify(jsonOf(defineEvent("Grown", { tree: Tree as z.ZodType<Tree, Tree> })))
    expect(grown).not.toContain("$ref")
    expect(grown).toContain('"branches"')
    const Grown = defineEvent("Grown", { tree: Tree as z.ZodType<Tree, Tree> })
    expect(Grown({ tree: { name: "a", branches: [{ name: "b", branches: [] }] } }).tree.branches).toHaveLength(1)
  })

  it("of a union stands beside the tag, with what is said of the event", () => {
    const Shape = defineEvent(
      "Shape",
      z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("circle"), radius: z.number() }),
        z.object({ kind: z.literal("square"), side: z.number() })
      ]),
      { description: "a shape" }
    )
    expect(Shape({ kind: "circle", radius: 1 })).toEqual({ _tag: "Shape", kind: "circle", radius: 1 })
    expect(jsonOf(Shape).Shape).toMatchObject({ description: "a shape", allOf: [{ required: ["_tag"] }, {}] })
  })
})

describe("state by another library", () => {
  const count = defineState("count", z.number().int(), 0)

  it("begins with what fits, or says what does not", async () => {
    const Start = defineEvent("Start")
    const Stop = defineEvent("Stop", { count: z.number() })
    const steps = {
      only: defineStep({
        accepts: Start,
        emits: Stop,
        run: (_, { update }) => Stop({ count: update(count, (n) => n + 1) })
      })
    }
    const flow = workflow({ name: "flow", start: Start, stop: Stop, steps })
    expect((await runPromise(flow, {}, { state: [count.with(41)] })).count).toBe(42)
    expect(() => count.with(0.5)).toThrow(InvalidState)
    expect(() => count.with(0.5)).toThrow(
      "state 'count' does not fit its schema: Invalid input: expected int, received number (given 0.5)"
    )
    expect(Schema.decodeUnknownSync(count.schema)(3)).toBe(3)
  })
})

it("a workflow of such events is drawn, and prints", () => {
  const flow = workflow({
    name: "flow",
    start: queries.zod,
    stop: Stop,
    steps: { only: defineStep({ accepts: queries.zod, emits: Stop, run: (it) => Stop({ it }) }) }
  })
  expect(graphOf(flow).events).toMatchObject([{ tag: "Query" }, { tag: "Stop" }])
  expect(inspect(flow)).toContain("Query")
})
