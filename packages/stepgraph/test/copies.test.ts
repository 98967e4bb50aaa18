// Two copies of effect, or of stepgraph, in one process.
import { cp, mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Schema } from "effect"
import { defineEvent, defineState } from "stepgraph"

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

describe("a schema of another copy of effect", () => {
  it("is refused as the field of an event, and as the schema of a cell", () => {
    expect(foreign.Number).not.toBe(Schema.Number)
    for (const schema of [foreign.Number, foreign.Array(foreign.String), foreign.Struct({}), foreign.Date]) {
      expect(() => defineEvent("Item", { n: schema })).toThrow(
        "defineEvent: field 'n' of event 'Item' is made with another copy of effect: let stepgraph and your program import the same one"
      )
      expect(() => defineState("cell", schema as never, 0 as never)).toThrow(
        "defineState: the schema of cell 'cell' is made with another copy of effect"
      )
    }
  })

  it("is told from every kind of schema of the same copy", () => {
    class Point extends Schema.Class<Point>("Point")({ x: Schema.Number }) {}
    const own = [
      Schema.Date,
      Schema.Any,
      Schema.BigInt,
      Schema.Array(Schema.String),
      Schema.optional(Schema.Number),
      Schema.NullOr(Schema.String),
      Schema.Literals(["a", "b"]),
      Schema.Record(Schema.String, Schema.Number),
      Schema.Option(Schema.Number),
      Schema.NumberFromString,
      Schema.Number.pipe(Schema.brand("N")),
      Schema.suspend(() => Schema.String),
      Point
    ]
    for (const schema of own) expect(() => defineEvent("Item", { n: schema })).not.toThrow()
  })
})
