/**
 * An event's fields as a trace holds them: JSON, whatever they are.
 */
import { format } from "effect/Formatter"
import * as Schema from "effect/Schema"
import type { AnyDef, AnyEvent } from "../../Event.ts"

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** A value as JSON: itself where it is, and its text in place of whatever is none (a function, a class, a circle). */
const plain = (value: unknown, around: ReadonlyArray<object>): Schema.Json => {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value
  if (typeof value === "number" && Number.isFinite(value)) return value
  if (typeof value !== "object" || around.includes(value)) return format(value)
  const inside = [...around, value]
  if (Array.isArray(value)) return value.map((item) => plain(item, inside))
  if (!isPlain(value)) return format(value)
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return Object.fromEntries(fields.map(([key, field]) => [key, plain(field, inside)]))
}

const encoders = new WeakMap<AnyDef, (event: AnyEvent) => Schema.Json>()

/** The fields as the event's schema encodes them, or as they are where it cannot. */
export const dataOf = (def: AnyDef, event: AnyEvent): Schema.Json => {
  let encode = encoders.get(def)
  if (encode === undefined) {
    const encodeSync = Schema.encodeSync(Schema.toCodecJson(def.schema)) as (event: AnyEvent) => AnyEvent
    encode = (event) => {
      const { _tag, ...fields } = encodedOr(event, encodeSync)
      // A schema that takes anything encodes nothing: what it lets through may still be no JSON.
      return plain(fields, [])
    }
    encoders.set(def, encode)
  }
  return encode(event)
}

const encodedOr = (event: AnyEvent, encode: (event: AnyEvent) => AnyEvent): AnyEvent => {
  try {
    return encode(event)
  } catch {
    return event
  }
}
