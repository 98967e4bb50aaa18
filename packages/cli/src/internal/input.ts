/**
 * The input of a run: the start event's fields, from JSON.
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

/** Decodes the fields with the event's schema from their JSON form, in which a date is a string. */
export const inputOf = ({ start }: AnyWorkflow, given: string, schemas: Schemas): Effect.Effect<object, Misuse> =>
  Effect.gen(function* () {
    const text = given.startsWith("@") ? yield* read(given.slice(1)) : given
    const fields = yield* Effect.try({
      try: (): unknown => JSON.parse(text),
      catch: (error) => new Misuse({ message: `The input is not JSON: ${(error as Error).message}.` })
    })
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
      return yield* new Misuse({
        message: `The input must be an object with the fields of '${start.tag}': write --input '{ … }'.`
      })
    }
    const event = { _tag: start.tag, ...fields }
    const decode = schemas.decodeUnknownEffect(schemas.toCodecJson(start.schema as Schema.Codec<object, unknown>))
    yield* decode(event, { onExcessProperty: "error", errors: "all" }).pipe(
      Effect.mapError(({ issue }) => {
        const lines = formatIssue(issue)
          .replace(/\n +at /g, " at ")
          .split("\n")
        const wrong = lines.join("; ").replaceAll(noNumber, "a number")
        return new Misuse({ message: `The input does not fit '${start.tag}': ${wrong}.` })
      })
    )
    // An event, and not its fields: a schema of another library may change what it is given, and would change it twice.
    return start.fromJson(fields)
  })
