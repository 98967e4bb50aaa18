// Two copies of effect, or of stepgraph, in one process.
import { cp, mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Schema, SchemaTransformation } from "effect"
import { defineEvent, defineState, type EventDef } from "stepgraph"

let folder: string
let foreign: typeof Schema

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "stepgraph-copies-")))
  const own = dirname(fileURLToPath(import.meta.resolve("effect/package.json")))
  await cp(await realpath(join(own, "dist")), join(folder, "node_modules", "effect", "dist"), {
    recursive: true,
    filter: (path) => !path.endsWith(".map")
  })
  await cp(join(own, "package.json"), join(folder, "node_modules", "effect", "package.json"))
  foreign = await import(
    /* @vite-ignore */ pathToFileURL(join(folder, "node_modules", "effect", "dist", "Schema.js")).href
  )
})
afterAll(() => rm(folder, { recursive: true }))

const refusal =
  "has a schema of another copy of effect than the one that stepgraph uses: install one alone, `npm ls effect` shows them"

describe("a schema of another copy of effect", () => {
  it("is refused as the field of an event, and as the schema of a cell", () => {
    expect(foreign.Number).not.toBe(Schema.Number)
    for (const schema of [foreign.Number, foreign.Array(foreign.String), foreign.Struct({}), foreign.Date]) {
      expect(() => defineEvent("Item", { n: schema })).toThrow(`defineEvent: field 'n' of event 'Item' ${refusal}`)
      expect(() => defineState("cell", schema as never, 0 as never)).toThrow(`defineState: cell 'cell' ${refusal}`)
    }
  })

  it("is refused wherever it stands inside of another", () => {
    const { Number: n, String: s } = foreign
    interface Tree {
      readonly value: number
      readonly trees: ReadonlyArray<Tree>
    }
    const Tree: Schema.Codec<Tree> = Schema.Struct({
      value: n,
      trees: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
    })
    class Point extends Schema.Class<Point>("Point")({ x: n }) {}
    const deep = Array.from({ length: 5_000 }).reduce<Schema.Top>((inner) => Schema.Array(inner), n)
    const nested: Record<string, Schema.Top> = {
      array: Schema.Array(n),
      tuple: Schema.Tuple([Schema.String, n]),
      rest: Schema.TupleWithRest(Schema.Tuple([Schema.String]), [n]),
      struct: Schema.Struct({ a: Schema.String, b: n }),
      "key of a record": Schema.Record(s, Schema.Number),
      "value of a record": Schema.Record(Schema.String, n),
      optional: Schema.optional(n),
      "optional key": Schema.optionalKey(n),
      null: Schema.NullOr(n),
      union: Schema.Union([Schema.String, n]),
      option: Schema.Option(n),
      "part of a template": Schema.TemplateLiteral(["a", n]),
      suspended: Schema.suspend(() => n),
      "in a circle": Tree,
      class: Point,
      "transformed to": s.pipe(Schema.decodeTo(Schema.String, SchemaTransformation.trim())),
      "with checks": Schema.Array(n).check(Schema.isNonEmpty()),
      "with a brand": Schema.Struct({ a: n }).pipe(Schema.brand("A")),
      "the type of another": Schema.toType(Schema.Struct({ a: n })),
      "very deep": deep
    }
    for (const [name, schema] of Object.entries(nested)) {
      expect(() => defineEvent("Item", { n: schema }), name).toThrow(`field 'n' of event 'Item' ${refusal}`)
      // A schema that was refused is refused again.
      expect(() => defineState("cell", schema as never, 0 as never), name).toThrow(refusal)
    }
  })

  it("is told from every kind of schema of the same copy", () => {
    class Point extends Schema.Class<Point>("Point")({ x: Schema.Number }) {}
    class Failed extends Schema.TaggedError<Failed>("Failed")("Failed", { why: Schema.String }) {}
    interface Tree {
      readonly trees: ReadonlyArray<Tree>
    }
    const Tree: Schema.Codec<Tree> = Schema.Struct({
      trees: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
    })
    const forever = (): Schema.Top => Schema.suspend(() => Schema.Array(forever()))
    const own: ReadonlyArray<Schema.Top> = [
      Schema.Date,
      Schema.Any,
      Schema.Unknown,
      Schema.BigInt,
      Schema.Array(Schema.String),
      Schema.NonEmptyArray(Schema.String),
      Schema.Tuple([Schema.String, Schema.optionalKey(Schema.Number)]),
      Schema.TupleWithRest(Schema.Tuple([Schema.String]), [Schema.Number]),
      Schema.optional(Schema.Number),
      Schema.optionalKey(Schema.Number),
      Schema.mutableKey(Schema.Number),
      Schema.Number.pipe(Schema.withConstructorDefault(Effect.succeed(0))),
      Schema.NullOr(Schema.String),
      Schema.Union([Schema.String, Schema.Struct({ a: Schema.Null })]),
      Schema.Literal("a"),
      Schema.Literals(["a", "b"]),
      Schema.TemplateLiteral(["a", Schema.Number]),
      Schema.Enum({ A: 0, B: 1 }),
      Schema.UniqueSymbol(Symbol.for("stepgraph")),
      Schema.Record(Schema.String, Schema.Number),
      Schema.Record(Schema.TemplateLiteral(["x-", Schema.String]), Schema.Number),
      Schema.Option(Schema.Number),
      Schema.Redacted(Schema.String),
      Schema.ReadonlyMap(Schema.String, Schema.Date),
      Schema.ReadonlySet(Schema.String),
      Schema.Uint8Array,
      Schema.URL,
      Schema.File,
      Schema.instanceOf(AbortController),
      Schema.declare((value): value is string => typeof value === "string"),
      Schema.NumberFromString,
      Schema.fromJsonString(Schema.Struct({ a: Schema.Number })),
      Schema.String.pipe(Schema.decodeTo(Schema.Number, SchemaTransformation.numberFromString)),
      Schema.toType(Schema.NumberFromString),
      Schema.toEncoded(Schema.NumberFromString),
      Schema.flip(Schema.NumberFromString),
      Schema.Number.check(Schema.isInt(), Schema.isGreaterThan(0)),
      Schema.Number.pipe(Schema.brand("N")),
      Schema.Number.annotate({ title: "n" }),
      Schema.suspend(() => Schema.String),
      Schema.suspend((): Schema.Top => {
        throw new ReferenceError("it is not there yet")
      }),
      Schema.Struct({ a: Schema.Number }).mapFields((fields) => ({ ...fields, b: Schema.String })),
      forever(),
      Tree,
      Point,
      Failed
    ]
    for (const schema of own) expect(() => defineEvent("Item", { n: schema }), String(schema.ast)).not.toThrow()
  })

  it("is no concern of an event that holds events of its own kind", () => {
    const Branch: EventDef<"Branch", { readonly branches: ReadonlyArray<unknown> }> = defineEvent("Branch", {
      branches: Schema.Array(Schema.suspend((): Schema.Codec<unknown> => Branch.schema))
    })
    const branch = Branch({ branches: [Branch({ branches: [] })] })
    expect(Branch.is(branch)).toBe(true)
    expect(defineEvent("Root", { branch: Branch.schema })({ branch }).branch).toEqual(branch)
  })

  it("is looked for once in what many events share", () => {
    let asked = 0
    const inner = Schema.Struct({ a: Schema.Number })
    const { propertySignatures } = inner.ast
    Object.defineProperty(inner.ast, "propertySignatures", {
      get: () => {
        asked++
        return propertySignatures
      }
    })
    const others = Array.from({ length: 500 }, (_, i) => [`field${i}`, Schema.Array(Schema.Number)])
    const large = Schema.Struct({ ...Object.fromEntries(others), inner })
    defineEvent("Item", { large })
    const once = asked
    expect(once).toBeGreaterThan(0)
    defineEvent("Other", { list: Schema.Array(large) })
    expect(asked).toBe(once)
  })
})
