/**
 * JSON Schemas of events, for whoever makes them elsewhere.
 */
import * as Schema from "effect/Schema"
import type { Json } from "../Runs.ts"
import type { Def } from "./json.ts"

/** `null` for one that cannot be described. */
const schemaOf = ({ schema }: Def): any => {
  try {
    return Schema.toJsonSchemaDocument(Schema.toCodecJson(schema)) as unknown as Json
  } catch {
    return null
  }
}

/** By their tags. */
export const schemasOf = (defs: ReadonlyArray<Def>): Record<string, any> =>
  Object.fromEntries(defs.map((def) => [def.tag, schemaOf(def)]))

/** The same as plain JSON Schema, complete in itself. */
export const plainSchemasOf = (defs: ReadonlyArray<Def>): Record<string, any> =>
  Object.fromEntries(
    Object.entries(schemasOf(defs)).map(([tag, document]) => [tag, document === null ? null : plainOf(document)])
  )

const plainOf = ({ definitions, schema: { $ref, ...schema } }: any): object => {
  // An event is a definition of its own, named by its tag; a model reads a plain object more easily.
  const name = typeof $ref === "string" ? decodeURIComponent($ref.replace(/^#\/\$defs\//, "")) : undefined
  if (name === undefined || !Object.hasOwn(definitions, name)) return { $ref, ...schema, $defs: definitions }
  const { [name]: root, ...others } = definitions
  const isRecursive = JSON.stringify(definitions).includes(JSON.stringify($ref))
  const $defs = isRecursive ? definitions : others
  return Object.keys($defs).length === 0 ? { ...root, ...schema } : { ...root, ...schema, $defs }
}
