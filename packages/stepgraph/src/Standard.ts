/**
 * Turns a schema of another library, such as zod, valibot or arktype, into a schema of Effect. It uses Standard Schema: one
 * function that validates and, in some libraries, one that returns a JSON Schema.
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type { JsonSchema } from "effect/JsonSchema"
import * as Option from "effect/Option"
import { hasProperty, isPromiseLike } from "effect/Predicate"
import * as Schema from "effect/Schema"
import { Declaration } from "effect/SchemaAST"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "effect/StandardSchema"
import type { Adopted, Standard } from "./Definition.ts"
import { brief } from "./Look.ts"
import { unread } from "./Unread.ts"

/** A schema that cannot be used here at all, for any value. */
export class UnusableSchema extends TypeError {}

export const isStandard = (value: unknown): value is Standard =>
  hasProperty(value, "~standard") && hasProperty(value["~standard"], "validate")

type Parse = (input: unknown) => Effect.Effect<unknown, SchemaIssue.Issue>

const invalid = (message: string) => new SchemaIssue.InvalidValue({ message })

/** The library's issues, each with its path. */
const issueOf = (issues: ReadonlyArray<StandardSchemaV1.Issue>): SchemaIssue.Issue => {
  const [first, ...more] = issues.map(({ message, path = [] }) => {
    // A path may be any iterable.
    const keys = Array.from(path, (part) => (typeof part === "object" ? part.key : part))
    const issue = invalid(brief(message, 2_000))
    return keys.length === 0 ? issue : new SchemaIssue.Pointer(keys, issue)
  })
  if (first === undefined) return invalid("it was refused without a reason")
  return more.length === 0 ? first : new SchemaIssue.Composite(Schema.Unknown.ast, [first, ...more])
}

const vendorOf = (schema: Standard): string => brief(String(schema["~standard"].vendor), 80)

/** Validates with the library, synchronously. */
const validate = (schema: Standard, input: unknown): StandardSchemaV1.Result<unknown> => {
  const result = schema["~standard"].validate(input)
  if (!isPromiseLike(result)) return result
  unread(result)
  throw new UnusableSchema(
    `its ${vendorOf(schema)} schema validates asynchronously (or one of its checks threw), but events and state are checked synchronously: do slow work in a step`
  )
}

const parserOf =
  (schema: Standard): Parse =>
  (input) => {
    const result = validate(schema, input)
    return result.issues === undefined ? Effect.succeed(result.value) : Effect.fail(issueOf(result.issues))
  }

/** The value as JSON. */
const jsonOf = (value: unknown): unknown => (Schema.is(Schema.Json)(value) ? value : JSON.parse(JSON.stringify(value)))

interface Codec {
  readonly vendor: string
  readonly parse: Parse
  readonly jsonSchema: () => JsonSchema | undefined
  /** The value for a missing key, if the key may be missing. */
  readonly nothing?: { readonly value: unknown } | undefined
  /** Annotations for generated documents. */
  readonly annotations?: object | undefined
}

/**
 * A value of such a schema can be encoded if the schema accepts it back unchanged. A transformed value cannot, because
 * Standard Schema has no way to reverse a transform.
 */
const codecOf = ({ vendor, parse, jsonSchema, nothing, annotations }: Codec): Adopted<any, any> => {
  const changed = `it cannot be encoded: its ${vendor} schema does not take it back as it is`
  const same = (input: unknown, value: unknown): Effect.Effect<unknown, SchemaIssue.Issue> =>
    Effect.matchEffect(parse(input), {
      onFailure: () => Effect.fail(invalid(changed)),
      onSuccess: (parsed) => (Equal.equals(parsed, value) ? Effect.succeed(input) : Effect.fail(invalid(changed)))
    })
  const described = Schema.Json.check(
    Schema.makeFilter(() => true, { toJsonSchema: () => jsonSchema() ?? {}, ...annotations })
  )
  const toCodecJson = () =>
    Schema.link<unknown>()(described, {
      decode: SchemaGetter.passthrough<unknown, any>({ strict: false }),
      encode: SchemaGetter.transformEffect((value: unknown) => {
        const json = jsonOf(value)
        return (json === value ? Effect.succeed(json) : same(json, value)) as Effect.Effect<any, SchemaIssue.Issue>
      })
    })
  const given = Schema.declare((_): _ is unknown => true, { toCodecJson })
  const made = Schema.make<Adopted<any, any>>(
    new Declaration(
      [],
      () => (input) => parse(input),
      { [vendorKey]: vendor },
      undefined,
      undefined,
      undefined,
      undefined,
      () => (value) => same(value, value)
    )
  )
  if (nothing === undefined) {
    return given.pipe(Schema.decodeTo(made, { decode: SchemaGetter.passthrough(), encode: SchemaGetter.passthrough() }))
  }
  const codec: Schema.Constraint = Schema.optionalKey(given).pipe(
    Schema.decodeTo(made, {
      // If the schema leaves a missing key undefined, keep it missing.
      decode: SchemaGetter.transformOptional((value) =>
        nothing.value === undefined ? value : Option.orElseSome(value, () => undefined)
      ),
      encode: SchemaGetter.transformOptional(Option.filter((value) => value !== undefined))
    })
  )
  return codec as Adopted<any, any>
}

const vendorKey = "~stepgraph/vendor"

/** Whether a schema came from another library. @internal */
export const isAdopted = ({ ast }: Schema.Constraint): boolean => ast.annotations?.[vendorKey] !== undefined

/** The schema's value for a missing key; `undefined` if it rejects one. */
const ofNothing = (schema: Standard): { readonly value: unknown } | undefined => {
  try {
    const result = validate(schema, undefined)
    return result.issues === undefined ? result : undefined
  } catch (error) {
    if (error instanceof UnusableSchema) throw error
    // The schema is not fully defined yet, or its own code cannot handle `undefined`.
    return undefined
  }
}

/** The schema of a field, or of a cell's value. */
export const adopted = (schema: Standard): Schema.Constraint => {
  const nothing = ofNothing(schema)
  const codec = codecOf({
    vendor: vendorOf(schema),
    parse: parserOf(schema),
    jsonSchema: () => jsonSchemaOf(schema),
    nothing
  })
  if (nothing === undefined) return codec
  return nothing.value === undefined
    ? Schema.optionalKey(codec)
    : codec.pipe(Schema.withConstructorDefault(Effect.succeed(undefined)))
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The schema of an event, from one schema for all its fields. */
export const adoptedEvent = (tag: string, schema: Standard, annotations: object): Schema.Codec<any> => {
  ofNothing(schema)
  const vendor = vendorOf(schema)
  const parse = parserOf(schema)
  return codecOf({
    vendor,
    annotations,
    jsonSchema: () => taggedJsonSchema(tag, jsonSchemaOf(schema)),
    parse: (input) => {
      if (!isObject(input)) return parse(input)
      const { _tag = tag, ...fields } = input as { readonly _tag?: unknown }
      if (_tag !== tag) {
        return Effect.fail(new SchemaIssue.Pointer(["_tag"], invalid(`Expected ${JSON.stringify(tag)}`)))
      }
      return Effect.flatMap(parse(fields), (value) =>
        isObject(value)
          ? Effect.succeed(Object.assign({ _tag: tag }, value, { _tag: tag }))
          : Effect.fail(invalid(`its ${vendor} schema makes something else than an object of it`))
      )
    }
  })
}

/** The library's JSON Schema, if it provides one. */
export const jsonSchemaOf = (schema: Standard): JsonSchema | undefined => {
  try {
    const { jsonSchema } = schema["~standard"] as Partial<StandardJSONSchemaV1.Props>
    const root = jsonSchema?.input({
      target: "draft-2020-12",
      // Asks zod and valibot to describe types that JSON lacks as "anything".
      libraryOptions: { unrepresentable: "any", errorMode: "ignore" }
    })
    return root === undefined ? undefined : (inlined(root, root, []) as JsonSchema)
  } catch {
    // Some schemas, such as a bigint, have no JSON Schema.
    return undefined
  }
}

/**
 * Inlines references, because they would not resolve inside another document. A recursive part becomes "anything".
 */
const inlined = (root: JsonSchema, part: unknown, around: ReadonlyArray<unknown>): unknown => {
  if (Array.isArray(part)) return part.map((part) => inlined(root, part, around))
  if (!isObject(part)) return part
  const { $ref, $defs, $schema, ...rest } = part as JsonSchema
  const here = Object.fromEntries(Object.entries(rest).map(([key, part]) => [key, inlined(root, part, around)]))
  if (typeof $ref !== "string") return here
  if (around.includes($ref)) return here
  const target = $ref
    .split("/")
    .slice(1)
    .reduce<any>((at, key) => at?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], root)
  return { ...(inlined(root, target, [...around, $ref]) as object), ...here }
}

const taggedJsonSchema = (tag: string, fields: JsonSchema | undefined): JsonSchema => {
  const _tag = { type: "string", enum: [tag] }
  if (fields?.type !== "object") {
    const tagged = { type: "object", properties: { _tag }, required: ["_tag"] }
    return fields === undefined ? tagged : { allOf: [tagged, fields] }
  }
  return {
    ...fields,
    properties: { _tag, ...(fields.properties as object | undefined) },
    required: ["_tag", ...((fields.required as ReadonlyArray<string> | undefined) ?? [])]
  }
}
