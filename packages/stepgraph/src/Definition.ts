/**
 * The schemas that define an event or a cell of state, including those of other libraries, and the types derived from them.
 */
import type * as Schema from "effect/Schema"
import type { Declaration } from "effect/SchemaAST"
import type { StandardSchemaV1 } from "effect/StandardSchema"

/** A mistake; the compiler shows the message. */
export interface Problem<Message extends string> {
  readonly problem: Message
}

/** A schema of a library that follows Standard Schema, such as zod, valibot or arktype. */
export type Standard = StandardSchemaV1<any, any>

type InputOf<S extends Standard> = StandardSchemaV1.InferInput<S>
type OutputOf<S extends Standard> = StandardSchemaV1.InferOutput<S>

/** Whether a field that takes such a value may be left out. */
type Leave<T> = unknown extends T ? "required" : undefined extends T ? "optional" : "required"

/**
 * A schema of another library as a schema of Effect. The library's own code decodes and creates its values. A value is
 * encoded unchanged if the library accepts it back.
 */
export interface Adopted<In, Out>
  extends Schema.Bottom<
    Out,
    In,
    never,
    never,
    Declaration,
    Adopted<In, Out>,
    In,
    Out,
    readonly [],
    In,
    "readonly",
    Leave<Out>,
    Leave<In> extends Leave<Out> ? "no-default" : Leave<In> extends "optional" ? "with-default" : "no-default",
    "readonly",
    Leave<In>
  > {}

/** A field's schema as a schema of Effect, from any library. */
export type SchemaOf<S> = S extends Schema.Constraint
  ? S
  : S extends Standard
    ? Adopted<InputOf<S>, OutputOf<S>>
    : never

/** Fields with schemas of Effect that need no services to decode. */
export type OwnFields = { readonly [name: PropertyKey]: Schema.Constraint & { readonly DecodingServices: never } }

// Most events have plain fields: not optional, not mutable, and without a default. One check shows that for all of them, and
// saves the types of `Schema.Struct`, which cost the compiler a fifth of a whole step.
type PlainField = {
  readonly "~type.optionality": "required"
  readonly "~type.mutability": "readonly"
  readonly "~type.constructor.default": "no-default"
}

type Struct = Schema.Struct<Schema.Struct.Fields>

/** The fields, each as a schema of Effect. */
type Own<F> = F extends Schema.Struct.Fields ? F : { readonly [K in keyof F]: SchemaOf<F[K]> }

/** The fields of an event with these schemas. */
export type FieldsOf<F extends Schema.Struct.Fields> = F[keyof F] extends PlainField
  ? { readonly [K in keyof F]: F[K]["Type"] }
  : Schema.Struct.Type<F>

/** The argument that creates an event with these schemas. */
export type MadeOf<F extends Schema.Struct.Fields> = F[keyof F] extends PlainField
  ? { readonly [K in keyof F]: F[K]["~type.make"] }
  : Schema.Struct.MakeIn<F>

/** The fields of an event of any definition. */
export type AllFieldsOf<D> = D extends Struct
  ? D["Type"]
  : D extends Standard
    ? OutputOf<D>
    : Schema.Struct.Type<Own<D>>

/** The argument that creates an event of any definition. */
export type AllMadeOf<D> = D extends Struct
  ? D["~type.make.in"]
  : D extends Standard
    ? InputOf<D>
    : Schema.Struct.MakeIn<Own<D>>

/** The schema of the whole event. */
export type EventSchema<Tag extends string, D> =
  D extends Schema.Struct<infer F>
    ? Schema.TaggedStruct<Tag, F>
    : D extends Standard
      ? Schema.Codec<{ readonly _tag: Tag } & Readonly<OutputOf<D>>, { readonly _tag: Tag } & Readonly<InputOf<D>>>
      : Schema.TaggedStruct<Tag, Own<D>>

/** Whether a schema needs no services to decode, or its type does not say. */
type IsFree<S extends Schema.Constraint> = unknown extends S["DecodingServices"]
  ? true
  : [S["DecodingServices"]] extends [never]
    ? true
    : false

type Reserved<Tag extends string> =
  Problem<`event '${Tag}' has a field named '_tag', which is reserved for the tag: give the field another name`>

type NoObject<Tag extends string> =
  Problem<`event '${Tag}' is given a schema of something else than an object: give one that has the fields`>

type CheckField<Tag extends string, Name, S> = Name extends "_tag"
  ? Reserved<Tag>
  : S extends Schema.Constraint
    ? IsFree<S> extends true
      ? unknown
      : Problem<`field '${Name & string}' of event '${Tag}' ${Unserved}`>
    : S extends Standard
      ? unknown
      : Problem<`field '${Name & string}' of event '${Tag}' is not a schema: give one, such as Schema.String`>

type CheckAll<Tag extends string, F> = { readonly [K in keyof F]: CheckField<Tag, K, F[K]> }

type Unserved = "needs services to be decoded, and an event is made without any: decode it in a step"

/** `unknown` for a valid definition; otherwise the problem, at the field that has it. */
export type CheckDefinition<Tag extends string, D> = D extends Struct
  ? D["fields"] extends { readonly _tag: unknown }
    ? Reserved<Tag>
    : IsFree<D> extends true
      ? unknown
      : Problem<`the schema of event '${Tag}' ${Unserved}`>
  : D extends Schema.Constraint
    ? Problem<`event '${Tag}' is given a schema that is not a struct: give a Schema.Struct, or the fields by their names`>
    : D extends Standard
      ? OutputOf<D> extends ReadonlyArray<unknown>
        ? NoObject<Tag>
        : OutputOf<D> extends object
          ? OutputOf<D> extends { readonly _tag: unknown }
            ? Reserved<Tag>
            : unknown
          : NoObject<Tag>
      : CheckAll<Tag, D>

/** The value of a cell of state. */
export type StateOf<S> = S extends Schema.Constraint ? S["Type"] : S extends Standard ? OutputOf<S> : never

/** `unknown` for a valid schema of a cell; otherwise the problem. */
export type CheckState<Name extends string, S> = S extends Schema.Constraint
  ? IsFree<S> extends true
    ? unknown
    : Problem<`cell '${Name}' needs services to be decoded, and it is given its value without any`>
  : S extends Standard
    ? [OutputOf<S>] extends [InputOf<S>]
      ? unknown
      : Problem<`cell '${Name}' has a schema that changes what it is given: give one that takes what the cell holds`>
    : Problem<`cell '${Name}' has no schema: give one, such as Schema.Number`>
