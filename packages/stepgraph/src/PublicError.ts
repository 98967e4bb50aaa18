/**
 * Errors that are their own schemas, like those of `Schema.TaggedError`, for an HTTP API or RPC. Creating one checks nothing,
 * and its message is built only when read. Encoding one never fails and costs no more than its message: foreign values are
 * truncated, and secrets are left out.
 */
import type { YieldableError } from "effect/Cause"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { AST, Declaration } from "effect/SchemaAST"
import * as SchemaGetter from "effect/SchemaGetter"
import { fieldOf, isOf } from "./Look.ts"
import { smallJsonOf } from "./Show.ts"
import { isWithheld, TaggedError } from "./TaggedError.ts"

type Fields = Schema.Struct.Fields
type Struct<Tag extends string, F extends Fields> = Schema.TaggedStruct<Tag, { readonly message: Schema.String } & F>

/** An error class that is also the schema of its errors. */
export interface PublicErrorClass<Self, Tag extends string, F extends Fields>
  extends Schema.BottomLazyWithoutNew<
    Declaration,
    Schema.decodeTo<Schema.declare<Self>, Struct<Tag, F>>,
    readonly [Struct<Tag, F>]
  > {
  readonly Type: Self
  readonly Encoded: Struct<Tag, F>["Encoded"]
  readonly DecodingServices: never
  readonly EncodingServices: never
  readonly "~type.make.in": Self
  readonly "~type.make": Self
  readonly Iso: Self
  readonly identifier: Tag
  readonly fields: Struct<Tag, F>["fields"]
  new (
    said: Partial<Schema.Struct.Type<F>>,
    behind: Partial<Schema.Struct.Type<F>>,
    words: () => string
  ): YieldableError & { readonly _tag: Tag; readonly message: string } & Readonly<Schema.Struct.Type<F>>
}

/** A foreign value: encoded as JSON, truncated if necessary, and decoded to that JSON. */
export interface Outside<T>
  extends Schema.Bottom<
    T,
    Schema.Json,
    never,
    never,
    AST,
    Outside<T>,
    T,
    T,
    readonly [],
    T,
    "readonly",
    "required",
    "no-default",
    "readonly",
    "optional"
  > {}

const outside = <T>(encode: (value: unknown) => Option.Option<Schema.Json>, decode: (json: Schema.Json) => unknown) =>
  Schema.optionalKey(Schema.Json).pipe(
    Schema.decodeTo(Schema.optionalKey(Schema.Unknown), {
      decode: SchemaGetter.transformOptional(Option.map(decode)),
      encode: SchemaGetter.transformOptional(Option.flatMap(encode))
    })
  ) as unknown as Outside<T>

const small = (value: unknown) => (value === undefined ? Option.none() : Option.some(smallJsonOf(value)))

/** A step's input, or another foreign value. */
export const Payload = /*#__PURE__*/ outside<unknown>(small, (json) => json)

/** A value that is never encoded. */
export const Unsent = /*#__PURE__*/ outside<unknown>(Option.none, () => undefined)
export type Unsent<T> = Outside<T>

/** A thrown value. An error is decoded to an error, with its name, message and cause. */
export const Thrown = /*#__PURE__*/ outside<unknown>(small, (json) => thrown(json))

const thrown = (json: unknown): unknown => {
  if (typeof json !== "object" || json === null) return json
  const { name, message, cause } = json as { readonly name?: unknown; readonly message?: unknown; cause?: unknown }
  if (typeof name !== "string" || typeof message !== "string") return json
  const error = cause === undefined ? new Error(message) : new Error(message, { cause: thrown(cause) })
  return Object.defineProperty(error, "name", { value: name, configurable: true, writable: true })
}

const members = [
  "ast",
  "annotate",
  "annotateKey",
  "check",
  "rebuild",
  "pipe",
  "make",
  "makeOption",
  "makeEffect"
] as const
const schemaId = "~effect/Schema/Schema"

/**
 * An error class with these fields. Fields in `behind` can be read, but the console and `toJSON` leave them out, because they
 * may be large or private. They are encoded, unless the error withholds them.
 */
export const PublicError =
  <Self>() =>
  <const Tag extends string, const Said extends Fields, const Behind extends Fields>(
    tag: Tag,
    said: Said,
    behind: Behind,
    annotations?: object
  ): PublicErrorClass<Self, Tag, Said & Behind> => {
    const base = TaggedError(tag)
    const fields = { message: Schema.String, ...said, ...behind }
    let made: Schema.Top | undefined
    const schemaOf = (self: Function): Schema.Top => {
      const struct = Schema.TaggedStruct(tag, fields).annotate({ identifier: tag })
      const isError = (value: unknown): value is any =>
        isOf(self as any, value) || (isOf(Error, value) && fieldOf(value, "_tag") === tag)
      return struct.pipe(
        Schema.decodeTo(Schema.declare(isError, { identifier: tag, ...annotations }), {
          decode: SchemaGetter.transform((given: any) => {
            const of = (keys: object) => Object.fromEntries(Object.keys(keys).map((key) => [key, given[key]]))
            return Reflect.construct(base, [of(said), of(behind), () => given.message], self)
          }),
          encode: SchemaGetter.transform((error: any) => {
            const kept = Object.keys(isWithheld(error) ? said : { ...said, ...behind })
            return Object.fromEntries([
              ["_tag", tag],
              ["message", error.message],
              ...kept.map((key) => [key, error[key]])
            ])
          })
        })
      )
    }
    for (const key of members) {
      Object.defineProperty(base, key, {
        configurable: true,
        get(this: Function) {
          made ??= schemaOf(this)
          const member: unknown = made[key]
          return typeof member === "function" ? member.bind(made) : member
        }
      })
    }
    return Object.assign(base, {
      [schemaId]: schemaId,
      identifier: tag,
      fields: { _tag: Schema.tag(tag), ...fields }
    }) as any
  }
