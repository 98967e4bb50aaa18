/**
 * The schemas of a file's workflow, which may be of another copy of effect than the command's own, such as where the command is
 * installed for all projects. Only the functions of their own copy read them as they are meant.
 */
import { createRequire } from "node:module"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { AnyWorkflow } from "stepgraph/graph"
import { copyOf } from "stepgraph/internal"
import { Misuse } from "./errors.ts"

export type Schemas = typeof Schema

const isOf = (schemas: Schemas, { start, stop }: AnyWorkflow): boolean =>
  [start, stop].flat().every(({ schema }) => copyOf(schema.ast) === copyOf(schemas.String.ast))

/** Effect's `Schema`, of the copy that the workflow of a file is made with. */
export const schemasOf = (file: string, flow: AnyWorkflow): Effect.Effect<Schemas, Misuse> =>
  Effect.gen(function* () {
    if (isOf(Schema, flow)) return Schema
    const found = yield* Effect.promise(async (): Promise<Schemas | undefined> => {
      try {
        return await import(pathToFileURL(createRequire(resolve(file)).resolve("effect/Schema")).href)
      } catch {
        return undefined
      }
    })
    if (found !== undefined && isOf(found, flow)) return found
    const message = `${file} has a workflow that is made with another copy of effect than the one beside it: install effect once, \`npm ls effect\` shows where it is.`
    return yield* new Misuse({ message })
  })
