/**
 * An event's fields for the trace, meant for reading. To store a run and resume it, you would need the whole event,
 * secrets included, encoded by its schema.
 */
import * as Schema from "effect/Schema"
import type { AST } from "effect/SchemaAST"
import type { AnyDef, AnyEvent } from "../../../Event.ts"
import { isForeign } from "../../../OwnSchema.ts"
import { alternatives, inside, secretOf } from "../../../Secrets.ts"
import { type Encoders, jsonOf } from "../../../Show.ts"

/** Types whose values show everything that their codec would. */
const plain = ["effect/schema/Date", "effect/schema/Uint8Array"]

/** Whether a schema itself determines the JSON form of its values. */
const isCoded = (schema: { readonly ast: AST }): boolean => {
  const all = new Set([schema.ast])
  for (const ast of all) {
    if (ast.encoding !== undefined) return true
    if (ast._tag === "Declaration" && !plain.includes(idOf(ast) ?? "")) return true
    for (const other of [...alternatives(ast), ...inside(ast)]) all.add(other)
  }
  return false
}

const idOf = ({ annotations }: AST): string | undefined =>
  (annotations?.representation as { readonly id?: string } | undefined)?.id

const encoders = new WeakMap<AnyDef, Encoders>()

/** Encoders for fields whose schema knows more than their values show, unless it could reveal a secret. */
const encodersOf = (def: AnyDef): Encoders => {
  const made = new Map<string, (value: unknown) => unknown>()
  // A definition from another copy of stepgraph may have schemas that this copy of effect would misread.
  if (isForeign(def.schema)) return made
  const { fields = {} } = def.schema as Partial<Schema.Struct<Record<string, Schema.Codec<unknown, unknown>>>>
  for (const [name, field] of Object.entries(fields)) {
    if (name === "_tag" || !isCoded(field) || secretOf(field) !== undefined) continue
    try {
      made.set(name, Schema.encodeUnknownSync(Schema.toCodecJson(field)))
    } catch {
      // It has no codec: show its values as they are.
    }
  }
  return made
}

export const dataOf = (def: AnyDef, event: AnyEvent): Schema.Json => {
  let made = encoders.get(def)
  if (made === undefined) {
    made = encodersOf(def)
    encoders.set(def, made)
  }
  return jsonOf(event, made)
}
