/**
 * What an event or a cell of state is defined by, schemas of other libraries included, and the types that follow from it.
 */
import type * as Schema from "effect/Schema"
import type { Declaration } from "effect/SchemaAST"
import type { StandardSchemaV1 } from "effect/StandardSchema"

/** A mistake that the compiler reports in the words of its parameter. */
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
 * A schema of another library as a schema of Effect: it is decoded and made by that library's own code. It is encoded as
 * it is, where the library takes back what it has made.
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

/** A field's schema as Effect's, of which ever library it is. */
export type SchemaOf<S> = S extends Schema.Constraint
  ? S
  : S extends Standard
    ? Adopted<InputOf<S>, OutputOf<S>>
    : never

/** Fields of Effect's own schemas, which need no services to be decoded. */
export type OwnFields = { readonly [name: PropertyKey]: Schema.Constraint & { readonly DecodingServices: never } }

// Most events have fields of Effect's own that are neither optional, nor mutable, nor have a default, which one look at
// all of them shows. Asking `Schema.Struct` for their types costs the compiler a fifth of what a step costs it.
type PlainField = {
  readonly "~type.optionality": "required"
  readonly "~type.mutability": "readonly"
  readonly "~type.constructor.default": "no-default"
}

type Struct = Schema.Struct<Schema.Struct.Fields>

/** Fields of Effect's schemas alone. */
type Own<F> = F extends Schema.Struct.Fields ? F : { readonly [K in keyof F]: SchemaOf<F[K]> }

/** What an event with such fields has beside its tag. */
export type FieldsOf<F extends Schema.Struct.Fields> = F[keyof F] extends PlainField
  ? { readonly [K in keyof F]: F[K]["Type"] }
  : Schema.Struct.Type<F>

/** What an event with such fields is made of. */
export type MadeOf<F extends Schema.Struct.Fields> = F[keyof F] extends PlainField
  ? { readonly [K in keyof F]: F[K]["~type.make"] }
  : Schema.Struct.MakeIn<F>

/** What an event of any definition has beside its tag. */
export type AllFieldsOf<D> = D extends Struct
  ? D["Type"]
  : D extends Standard
    ? OutputOf<D>
    : Schema.Struct.Type<Own<D>>

/** What an event of any definition is made of. */
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

/** Whether a schema needs no services to be decoded, or its type does not say. */
type IsFree<S extends Schema.Constraint> = unknown extends S["DecodingServices"]
  ? true
  : [S["DecodingServices"]] extends [never]
    ? true
    : false

type Reserved<Tag extends string> =
  Problem<`event '${Tag}' has a field named '_tag', which is the tag's own place: give the field another name`>

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

/** `unknown` where a definition can be used, and the problem at the field that has it where it cannot. */
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

/** What a cell of state holds. */
export type StateOf<S> = S extends Schema.Constraint ? S["Type"] : S extends Standard ? OutputOf<S> : never

/** `unknown` where a schema can be a cell's, and the problem where it cannot. */
export type CheckState<Name extends string, S> = S extends Schema.Constraint
  ? IsFree<S> extends true
    ? unknown
    : Problem<`cell '${Name}' needs services to be decoded, and it is given its value without any`>
  : S extends Standard
    ? [OutputOf<S>] extends [InputOf<S>]
      ? unknown
      : Problem<`cell '${Name}' has a schema that changes what it is given: give one that takes what the cell holds`>
    : Problem<`cell '${Name}' has no schema: give one, such as Schema.Number`>
