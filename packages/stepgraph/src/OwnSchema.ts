/**
 * Whether a schema comes from the copy of effect that stepgraph itself uses.
 */
import * as Schema from "effect/Schema"

const root = (schema: Schema.Top): unknown => {
  let prototype = Object.getPrototypeOf(schema.ast)
  for (let next = prototype; next !== null && next !== Object.prototype; next = Object.getPrototypeOf(next)) {
    prototype = next
  }
  return prototype
}

/** Another copy looks the same, and what it parses comes out as something else without a word. */
export const isForeign = (schema: Schema.Top): boolean => root(schema) !== root(Schema.String)

export const foreignInWords = "is made with another copy of effect: let stepgraph and your program import the same one"
