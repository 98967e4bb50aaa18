/**
 * The schema functions that fit a file's workflow. The workflow may use another copy of effect than the command, for
 * example if the command is installed globally, and a schema works only with the functions of its own copy.
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

/** Whether a workflow is made with the copy of effect that this command uses. */
export const isOfThisCopy = (flow: AnyWorkflow): boolean => isOf(Schema, flow)

/** Effect's `Schema` from the copy that the file's workflow uses. */
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
    const message = `${file} has a workflow made with another copy of effect than the one installed next to it. Install effect only once: \`npm ls effect\` lists the copies.`
    return yield* new Misuse({ message })
  })
