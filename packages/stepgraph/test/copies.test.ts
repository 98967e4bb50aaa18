// Two copies of effect, or of stepgraph, in one process.
import { mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { copyInto } from "@stepgraph/conformance/support/copies"
import * as effect from "effect"
import { Effect, Schema, SchemaTransformation } from "effect"
import * as stepgraph from "stepgraph"
import { defineEvent, defineState, type EventDef } from "stepgraph"

interface Copy {
  readonly effect: typeof effect
  readonly stepgraph: typeof stepgraph
}
const mine: Copy = { effect, stepgraph }
let other: Copy
let folder: string
let foreign: typeof Schema

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "stepgraph-copies-")))
  await copyInto(folder)
  const load = (path: string) => import(/* @vite-ignore */ pathToFileURL(join(folder, path)).href)
  other = {
    effect: await load("node_modules/effect/dist/index.js"),
    stepgraph: await load("stepgraph/src/index.ts")
  }
  foreign = other.effect.Schema
}, 60_000)
afterAll(() => rm(folder, { recursive: true }))

const refusal =
  "has a schema from another copy of effect than stepgraph uses: install effect only once (`npm ls effect` lists the copies)"

describe("a schema of another copy of effect", () => {
  it("is refused as the field of an event, and as the schema of a cell", () => {
    expect(foreign.Number).not.toBe(Schema.Number)
    for (const schema of [foreign.Number, foreign.Array(foreign.String), foreign.Struct({}), foreign.Date]) {
      expect(() => defineEvent("Item", { n: schema })).toThrow(`defineEvent: field 'n' of event 'Item' ${refusal}`)
      expect(() => defineState("cell", schema as never, 0 as never)).toThrow(`defineState: cell 'cell' ${refusal}`)
    }
  })

  it("is refused anywhere inside another schema", () => {
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
      // A refused schema stays refused.
      expect(() => defineState("cell", schema as never, 0 as never), name).toThrow(refusal)
    }
  })

  it("is distinguished from every kind of schema of the same copy", () => {
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

  it("does not affect an event that contains events of its own kind", () => {
    const Branch: EventDef<"Branch", { readonly branches: ReadonlyArray<unknown> }> = defineEvent("Branch", {
      branches: Schema.Array(Schema.suspend((): Schema.Codec<unknown> => Branch.schema))
    })
    const branch = Branch({ branches: [Branch({ branches: [] })] })
    expect(Branch.is(branch)).toBe(true)
    expect(defineEvent("Root", { branch: Branch.schema })({ branch }).branch).toEqual(branch)
  })

  it("is searched for once in a schema that many events share", () => {
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

it.each([
  ["an Effect", { _tag: "Success", [Symbol.for("effect/Effect")]: {}, *[Symbol.iterator]() {} }],
  ["a Stream", { [Symbol.for("effect/Stream")]: {} }]
])("%s of effect 3 is refused with an explanation", async (what, members) => {
  class Old {}
  const [Start, Stop] = [defineEvent("Start"), defineEvent("Stop")]
  const old = stepgraph.defineStep({ accepts: Start, emits: Stop, run: (): any => Object.assign(new Old(), members) })
  const flow = stepgraph.workflow({ name: "old", start: Start, stop: Stop, steps: { old } })
  await expect(stepgraph.runPromise(flow as stepgraph.AnyWorkflow as never)).rejects.toThrow(
    `it emitted ${what} of effect 3, which is not an event: make it with effect 4, which stepgraph uses`
  )
})

/** Which copy defines the events and cells, the steps and the workflow, and makes the Effects that the steps return. */
const makers = ["definitions", "steps", "workflow", "effects"] as const
const mixtures = Array.from({ length: 2 ** makers.length }, (_, bits) => makers.map((_, i) => (bits & (1 << i)) === 0))

const mixed = (theirs: ReadonlyArray<boolean>) => {
  const [defs, steps, flows, effects] = theirs.map((isMine) => (isMine ? mine : other)) as [Copy, Copy, Copy, Copy]
  const { Schema } = defs.effect
  const { Effect, Schedule, Stream } = effects.effect
  const Start = defs.stepgraph.defineEvent("Start", { n: Schema.Number, at: Schema.optional(Schema.Date) })
  const Part = defs.stepgraph.defineEvent("Part", { n: Schema.Number, text: Schema.NumberFromString })
  const Note = defs.stepgraph.defineEvent("Note", { text: Schema.Option(Schema.String) })
  const Stop = defs.stepgraph.defineEvent("Stop", { sum: Schema.Number, at: Schema.Date })
  const sum = defs.stepgraph.defineState("sum", Schema.Number, 0)
  const { defineStep, gather } = steps.stepgraph
  const part = (n: number) => Part({ n, text: n })
  const flow = flows.stepgraph.workflow({
    name: "mixed",
    start: Start,
    stop: Stop,
    inputs: [Note],
    steps: {
      split: defineStep({
        accepts: Start,
        emits: Part,
        run: ({ n }) => Stream.fromIterable([n, n + 1, n + 2]).pipe(Stream.map(part))
      }),
      add: defineStep({
        accepts: Part,
        emits: Note,
        retry: { schedule: Schedule.recurs(3) },
        run: ({ n }, { attempt, update }) =>
          Effect.gen(function* () {
            yield* Effect.yieldNow
            if (n === 100) yield* Effect.die(new Error("too many"))
            if (attempt === 1 || n === 10) yield* Effect.fail({ _tag: "Refused" as const, n })
            update(sum, (sum) => sum + n)
            return Note({ text: defs.effect.Option.some(String(n)) })
          })
      }),
      end: defineStep({
        accepts: gather(Note),
        emits: Stop,
        run: (notes, { get }) => (notes.length < 3 ? undefined : Stop({ sum: get(sum), at: new Date(0) }))
      })
    }
  })
  return { flow, sum, Note }
}

describe("two copies of stepgraph, each with its own copy of effect", () => {
  const mixtureText = (theirs: ReadonlyArray<boolean>) =>
    makers.map((maker, i) => `${theirs[i] ? "own" : "other"} ${maker}`).join(", ")

  it.each(mixtures.map((theirs) => [mixtureText(theirs), theirs] as const))("work together: %s", async (_, theirs) => {
    const { flow, sum, Note } = mixed(theirs)
    const { Effect } = effect
    const { run, runPromise, launchPromise } = stepgraph
    const notes = async (input: unknown) => {
      const live = await launchPromise(flow as any, input as any)
      await live.send(Note({ text: effect.Option.none() }) as never)
      await live.closeInputs()
      return live.result
    }
    expect(await notes({ n: 1 })).toMatchObject({ _tag: "Stop", sum: 6 })

    const trace: Array<stepgraph.TraceEntry> = []
    const state = [sum.with(10)]
    const stop = await runPromise(
      flow,
      { n: 1, at: new Date(5) },
      { state, observe: (entry) => void trace.push(entry) }
    )
    expect(stop).toEqual({ _tag: "Stop", sum: 16, at: new Date(0) })
    const data = trace.flatMap((entry) => (entry._tag === "EventEmitted" ? [entry.data] : []))
    expect(data[0]).toEqual({ n: 1, at: "1970-01-01T00:00:00.005Z" })
    expect(data.at(-1)).toEqual({ sum: 16, at: "1970-01-01T00:00:00.000Z" })
    expect(JSON.stringify(data)).not.toContain("Symbol")

    const invalid = run(flow, { n: "one" } as never).pipe(
      Effect.catchTag("InvalidEvent", ({ message }) => Effect.succeed(message))
    )
    const problem = 'event \'Start\' does not fit its schema: Expected number at ["n"] (given {"n":"one"})'
    expect(await Effect.runPromise(invalid)).toBe(problem)
    await expect(launchPromise(flow as any, { n: "one" } as any)).rejects.toMatchObject({ _tag: "InvalidEvent" })

    await expect(runPromise(flow, { n: 10 })).rejects.toEqual({ _tag: "Refused", n: 10 })
    await expect(runPromise(flow, { n: 100 })).rejects.toMatchObject({
      _tag: "StepDefect",
      message: expect.stringMatching(/^step 'add' of workflow 'mixed' .*too many/)
    })
  })

  it("report the same problems of a workflow", () => {
    for (const [{ defineEvent, defineStep }, { workflow }] of [
      [mine.stepgraph, other.stepgraph],
      [other.stepgraph, mine.stepgraph]
    ] as const) {
      const Start = defineEvent("Start")
      const steps: any = { a: defineStep({ accepts: Start, emits: [], run: () => {} }) }
      expect(() => workflow({ name: "none", start: Start, stop: defineEvent("Stop"), steps })).toThrow(
        expect.objectContaining({ _tag: "InvalidWorkflow", problems: ["no step emits the stop event 'Stop'"] })
      )
    }
  })

  it("observe and run each other's runs", async () => {
    const { flow } = mixed([false, false, false, false])
    const seen: Array<string> = []
    const running = stepgraph
      .run(flow, { n: 1 })
      .pipe(other.effect.Effect.provideService(other.stepgraph.Observer, ({ _tag }) => void seen.push(_tag)))
    expect(await other.effect.Effect.runPromise(running as never)).toMatchObject({ sum: 6 })
    expect(seen.at(-1)).toBe("RunFinished")
  })
})
