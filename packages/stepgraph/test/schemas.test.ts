// An event's schema is a schema like any other: of its type, with its fields, by its name in documents.
import { describe, expect, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Schema, SchemaGetter } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { defineEvent, defineState, defineStep, InvalidEvent, run, workflow } from "stepgraph"

const Visit = defineEvent(
  "Visit",
  { at: Schema.DateFromString, count: Schema.FiniteFromString },
  { description: "Somebody came by" }
)
const visit = Visit({ at: new Date(0), count: 3 })

describe("an event's schema", () => {
  it("is the tagged struct of its fields", () => {
    expect(Object.keys(Visit.schema.fields)).toEqual(["_tag", "at", "count"])
    expect(Visit.schema.fields.count).toBe(Schema.FiniteFromString)
    expect(Visit.schema.fields._tag.schema.literal).toBe("Visit")
    expect(Visit.schema.make({ at: new Date(0), count: 3 })).toEqual(visit)
    const More = Schema.Struct({ ...Visit.schema.fields, by: Schema.String })
    expect(More.make({ at: new Date(0), count: 3, by: "me" })).toEqual({ ...visit, by: "me" })
  })

  it("encodes and decodes both sides", () => {
    const encoded: { readonly _tag: "Visit"; readonly at: string; readonly count: string } = Schema.encodeSync(
      Visit.schema
    )(visit)
    expect(encoded).toEqual({ _tag: "Visit", at: "1970-01-01T00:00:00.000Z", count: "3" })
    expect(Schema.decodeSync(Visit.schema)(encoded)).toEqual(visit)
  })

  it("has the tag for its name, and what else is said of it, in a JSON Schema", () => {
    const { schema, definitions } = Schema.toJsonSchemaDocument(Schema.Array(Visit.schema))
    expect(schema).toEqual({ type: "array", items: { $ref: "#/$defs/Visit" } })
    expect(definitions.Visit).toMatchObject({
      type: "object",
      description: "Somebody came by",
      required: ["_tag", "at", "count"]
    })
    const Named = defineEvent("Named", {}, { identifier: "TheName", title: "A title" })
    expect(Schema.toJsonSchemaDocument(Named.schema)).toMatchObject({
      schema: { $ref: "#/$defs/TheName" },
      definitions: { TheName: { title: "A title" } }
    })
  })

  it("has that name in an HTTP API, too", () => {
    const Api = HttpApi.make("api").add(
      HttpApiGroup.make("visits").add(HttpApiEndpoint.get("last", "/last", { success: Visit.schema }))
    )
    const api = OpenApi.fromApi(Api)
    expect(Object.keys(api.components.schemas)).toContain("Visit")
    expect(JSON.stringify(api.paths)).toContain("#/components/schemas/Visit")
  })

  it("is made of a struct with its checks", () => {
    const Span = defineEvent(
      "Span",
      Schema.Struct({ from: Schema.Number, to: Schema.Number }).check(
        Schema.makeFilter(({ from, to }) => from <= to || "`from` is after `to`")
      )
    )
    expect(Span({ from: 1, to: 2 })).toEqual({ _tag: "Span", from: 1, to: 2 })
    expect(() => Span({ from: 2, to: 1 })).toThrow("event 'Span' does not fit its schema: `from` is after `to`")
    expect(Object.keys(Span.schema.fields)).toEqual(["_tag", "from", "to"])
  })

  it.each<[string, unknown, string]>([
    [
      "a schema that is not a struct",
      Schema.Array(Schema.String),
      "event 'Odd' is given a schema that is not a struct: give a Schema.Struct, or the fields by their names"
    ],
    ["a text", "size", "event 'Odd' takes its fields by their names, such as { query: Schema.String }, not \"size\""],
    [
      "a list",
      [Schema.String],
      "event 'Odd' takes its fields by their names, such as { query: Schema.String }, not [[Function Schema]]"
    ],
    ["null", null, "event 'Odd' takes its fields by their names, such as { query: Schema.String }, not null"],
    [
      "a struct with a tag of its own",
      Schema.TaggedStruct("Other", {}),
      "event 'Odd' has a field named '_tag', which is reserved for the tag: give the field another name"
    ]
  ])("cannot be made of %s", (_, fields, words) => {
    expect(() => defineEvent("Odd", fields as never)).toThrow(new TypeError(`defineEvent: ${words}`))
  })
})

describe("a schema that needs a service to be decoded", () => {
  class Prices extends Context.Service<Prices, { readonly of: (item: string) => number }>()("Prices") {}
  const Priced = Schema.String.pipe(
    Schema.decodeTo(Schema.Number, {
      decode: SchemaGetter.transformEffect((item: string) => Effect.map(Prices, (prices) => prices.of(item))),
      encode: SchemaGetter.transform(String)
    })
  )
  const words =
    "event 'Sold' cannot be made: its schema needs the service 'Prices' to be decoded, but no services are available here: " +
    "decode it in a step, and pass the result"

  it("is said to be that, where the compiler was not asked", () => {
    const Sold = defineEvent("Sold", { price: Priced as Schema.Top })
    expect(Sold({ price: 3 })).toEqual({ _tag: "Sold", price: 3 })
    expect(() => Sold.fromJson({ price: "tea" })).toThrow(new TypeError(words))
    expect(() => Sold.fromJson({ price: "tea" })).not.toThrow(InvalidEvent)
  })

  it("is so for one that is needed to encode alone: it can be used", () => {
    const Back = Schema.String.pipe(
      Schema.decodeTo(Schema.Number, {
        decode: SchemaGetter.transform(Number),
        encode: SchemaGetter.transformEffect((price: number) =>
          Effect.map(Prices, (prices) => String(prices.of(String(price))))
        )
      })
    )
    const Sold = defineEvent("Sold", { price: Back })
    const services: Prices = undefined as unknown as (typeof Sold.schema)["EncodingServices"]
    expect(services).toBeUndefined()
    expect(Sold.fromJson({ price: "3" })).toEqual({ _tag: "Sold", price: 3 })
    const encode = Schema.encodeEffect(Sold.schema)(Sold({ price: 3 }))
    const encoded = Effect.runSync(Effect.provideService(encode, Prices, { of: () => 7 }))
    expect(encoded).toEqual({ _tag: "Sold", price: "7" })
  })

  it("decodes at once, or says that it does not", () => {
    const Slow = Schema.String.pipe(
      Schema.decodeTo(Schema.Number, {
        decode: SchemaGetter.transformEffect((text: string) => Effect.as(Effect.sleep(1), Number(text))),
        encode: SchemaGetter.transform(String)
      })
    )
    const Sold = defineEvent("Sold", { price: Slow })
    expect(() => Sold.fromJson({ price: "3" })).toThrow(
      "event 'Sold' cannot be made: its schema decodes asynchronously"
    )
  })

  it.effect("ends a run that is given its start event as a defect, not as a wrong input", () =>
    Effect.gen(function* () {
      const Sold = defineEvent("Sold", {
        price: Schema.Number.pipe(
          Schema.withConstructorDefault(Effect.map(Prices, (prices) => prices.of("tea")) as Effect.Effect<number>)
        )
      })
      const flow = workflow({
        name: "sold",
        start: Sold,
        stop: Visit,
        steps: { only: defineStep({ accepts: Sold, emits: Visit, run: () => visit }) }
      })
      const exit = yield* Effect.exit(run(flow, {}))
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toEqual(new TypeError(words))
    })
  )
})

describe("a cell's schema", () => {
  it("is the one that was given, with what else is said of it", () => {
    const plain = defineState("count", Schema.FiniteFromString, 0)
    expect(plain.schema).toBe(Schema.FiniteFromString)
    const encoded: string = Schema.encodeSync(plain.schema)(3)
    expect(encoded).toBe("3")
    const named = defineState(
      "count",
      Schema.Struct({ n: Schema.Int }),
      { n: 0 },
      { identifier: "Count", description: "how many" }
    )
    expect(Schema.toJsonSchemaDocument(named.schema).definitions).toHaveProperty("Count")
  })

  it("is said to be no schema", () => {
    expect(() => defineState("count", 0 as never, 0 as never)).toThrow(
      "defineState: cell 'count' has no schema: give one, such as Schema.Number"
    )
  })
})
