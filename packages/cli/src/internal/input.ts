/**
 * The events that a run is given, from JSON: its start event, or an input.
 */
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { AnyWorkflow } from "stepgraph"
import { Misuse } from "./errors.ts"
import { read } from "./files.ts"
import type { Schemas } from "./schemas.ts"

const formatIssue = SchemaIssue.makeFormatterDefault()

/** JSON has no infinite numbers, so drop them from the message of a number codec. */
const noNumber = '"Infinity" | "-Infinity" | "NaN"'

/** What the sentences about an event call it, and how to write it. */
interface Words {
  readonly what: string
  readonly write: string
}
const ofInput: Words = { what: "The input", write: "--input '{ … }'" }

export const inputOf = ({ start }: AnyWorkflow, given: string, schemas: Schemas): Effect.Effect<object, Misuse> =>
  eventOf(start, given, schemas, ofInput)

/** The fields of an event: JSON, or `@` and the name of a file. */
export const fieldsOf = (tag: string, given: string, { what, write }: Words): Effect.Effect<object, Misuse> =>
  Effect.gen(function* () {
    const text = given.startsWith("@") ? yield* read(given.slice(1)) : given
    const fields = yield* Effect.try({
      try: (): unknown => JSON.parse(text),
      catch: (error) => new Misuse({ message: `${what} is not JSON: ${(error as Error).message}.` })
    })
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
      return yield* new Misuse({ message: `${what} must be an object with the fields of '${tag}': write ${write}.` })
    }
    return fields
  })

/** Decodes the fields with the event's schema from their JSON form, in which a date is a string. */
export const eventOf = (
  def: AnyWorkflow["start"],
  given: string,
  schemas: Schemas,
  words: Words
): Effect.Effect<object, Misuse> =>
  Effect.gen(function* () {
    const fields = yield* fieldsOf(def.tag, given, words)
    const event = { _tag: def.tag, ...fields }
    const decode = schemas.decodeUnknownEffect(schemas.toCodecJson(def.schema as Schema.Codec<object, unknown>))
    yield* decode(event, { onExcessProperty: "error", errors: "all" }).pipe(
      Effect.mapError(({ issue }) => {
        const lines = formatIssue(issue)
          .replace(/\n +at /g, " at ")
          .split("\n")
        const wrong = lines.join("; ").replaceAll(noNumber, "a number")
        return new Misuse({ message: `${words.what} does not fit '${def.tag}': ${wrong}.` })
      })
    )
    // An event, and not its fields: a schema of another library may change what it is given, and would change it twice.
    return def.fromJson(fields)
  })
