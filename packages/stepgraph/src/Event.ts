/**
 * Events: plain tagged values, made and checked by their definitions.
 */
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { AllFieldsOf, AllMadeOf, CheckDefinition, EventSchema, FieldsOf, MadeOf, OwnFields } from "./Definition.ts"
import { InvalidEvent } from "./Errors.ts"
import { noteMade } from "./Made.ts"
import { problemOfAnnotations } from "./Options.ts"
import { foreignInWords, isForeign } from "./OwnSchema.ts"
import { type PlainFields, plainFields } from "./PlainFields.ts"
import { reasonOf } from "./Reason.ts"
import { secretOf } from "./Secrets.ts"
import { show } from "./Show.ts"
import { adopted, adoptedEvent, isStandard, UnusableSchema } from "./Standard.ts"
import { isMade, prototypeOf } from "./TypeId.ts"
import { unread } from "./Unread.ts"

/** A plain, frozen, tagged value: `{ _tag: "Query", query: "…" }`. */
export type Event<Tag extends string, Fields> = { readonly _tag: Tag } & Readonly<Fields>

/**
 * The definition of an event. It is also the function that makes one.
 *
 * Throws {@link InvalidEvent} if the fields do not fit the schema. A field with a default
 * (`Schema.withConstructorDefault`) may be left out: `In` is the type of the argument, `Fields` the type of the event's
 * fields.
 */
export interface EventDef<
  Tag extends string,
  Fields,
  In = Fields,
  S extends Schema.Constraint = Schema.Codec<Event<Tag, Fields>, unknown>
> {
  (fields: {} extends In ? In | void : In): Event<Tag, Fields>
  /** The event's `_tag`. */
  readonly tag: Tag
  /**
   * The schema of the whole event: a `Schema.TaggedStruct` with its `fields`. Use it in an HTTP API or a JSON Schema,
   * which name it by the tag.
   */
  readonly schema: S
  /**
   * Makes an event from JSON, such as the body of a request. Each field is decoded by its schema, so a `Schema.Date`
   * takes a string. The `_tag` may be left out. Throws {@link InvalidEvent} if the JSON does not fit.
   */
  readonly fromJson: (json: unknown) => Event<Tag, Fields>
  /** Whether a value is an event of this definition, with valid fields. */
  readonly is: (value: unknown) => value is Event<Tag, Fields>
}

export type AnyDef = EventDef<any, any, any, any>
export type Defs = ReadonlyArray<AnyDef>
/**
 * The events of a definition.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, type EventOf } from "stepgraph"
 *
 * const Query = defineEvent("Query", { text: Schema.String })
 *
 * const question = (query: EventOf<typeof Query>) => `who asked for ${query.text}?`
 * console.log(question(Query({ text: "tea" }))) // => who asked for tea?
 * ```
 */
export type EventOf<D> = D extends EventDef<infer Tag, infer Fields, any, any> ? Event<Tag, Fields> : never
export type EventsOf<D> = D extends Defs ? EventOf<D[number]> : EventOf<D>
export type TagOf<D> = D extends { readonly tag: infer Tag extends string } ? Tag : never
export type TagsOf<D> = D extends Defs ? TagOf<D[number]> : TagOf<D>

/** Any event, as the runtime sees it. */
export type AnyEvent = { readonly _tag: string }

type Recognize = (value: object) => boolean

const recognizers = new WeakMap<AnyDef, Recognize>()
const recognizeNothing: Recognize = () => false

/**
 * Recognises the events of a definition, which need no check. A definition from another copy of stepgraph recognises
 * nothing, so its events are checked again.
 *
 * @internal
 */
export const recognizerOf = (def: AnyDef): Recognize => recognizers.get(def) ?? recognizeNothing

/**
 * Defines an event: a tag, and a schema for each field.
 *
 * Fields are checked when an event is made, at the place that makes it. The event is frozen (its own fields; what they
 * hold is read-only by type).
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent } from "stepgraph"
 *
 * const Start = defineEvent("Start")
 * const Query = defineEvent("Query", { query: Schema.String })
 *
 * console.log(Query({ query: "birds" })) // => { _tag: 'Query', query: 'birds' }
 * console.log(Query.is(Start())) // => false
 * ```
 */
export function defineEvent<const Tag extends string, const F extends OwnFields = {}>(
  tag: Tag,
  fields?: F & { readonly _tag?: never },
  annotations?: Annotations<Event<Tag, FieldsOf<F>>>
): EventDef<Tag, FieldsOf<F>, MadeOf<F>, Schema.TaggedStruct<Tag, F>>
/** Defines an event with schemas from other libraries, or with one schema for all its fields. */
export function defineEvent<const Tag extends string, const D extends object>(
  tag: Tag,
  fields: D & CheckDefinition<Tag, D>,
  annotations?: Annotations<Event<Tag, AllFieldsOf<D>>>
): EventDef<Tag, AllFieldsOf<D>, AllMadeOf<D>, EventSchema<Tag, D>>
export function defineEvent(tag: string, fields?: object, annotations?: object): AnyDef {
  const { schema, plain, adopts, named } = schemaOf(tag, fields, annotations)
  const fits = Schema.is(schema)
  const makePlain = plain?.make
  const finish = (event: object) => {
    if (plain === undefined) Mark.put(event, make)
    return Object.freeze(event)
  }
  const recognize: Recognize = plain?.fits ?? ((value) => Mark.of(value) === make)
  const isOwn = (value: unknown) => typeof value === "object" && value !== null && recognize(value)
  // A schema from another library declares only its input type, and its transforms may change it.
  const isUnchanged = (value: unknown) => {
    try {
      return Equal.equals(schema.make(value), value)
    } catch {
      return false
    }
  }
  const is = adopts ? (value: unknown) => isOwn(value) || isUnchanged(value) : fits
  const make = (input: any) => {
    try {
      const event = makePlain?.(input)
      if (event !== undefined) {
        noteMade(make, event)
        return event
      }
      // A schema that transforms its input would transform it again.
      if (adopts && isOwn(input)) return input
      // An event may be spread to take its fields over; its tag is not taken.
      const fields = input?._tag === undefined || input._tag === tag ? (input ?? {}) : { ...input, _tag: tag }
      return finish(schema.make(fields))
    } catch (error) {
      throw refused(tag, schema, input, error)
    }
  }
  let decode: ((json: unknown) => object) | undefined
  const fromJson = (json: unknown) => {
    try {
      decode ??= Schema.decodeUnknownSync(Schema.toCodecJson(schema)) as (json: unknown) => object
      const isObject = typeof json === "object" && json !== null && !Array.isArray(json)
      return finish(decode(isObject && !Object.hasOwn(json, "_tag") ? { _tag: tag, ...json } : json))
    } catch (error) {
      throw refused(tag, schema, json, error)
    }
  }
  Object.defineProperty(make, "name", { value: tag })
  // With a name, the schema would appear in errors only by that name: "Expected Query" says less than "Expected
  // object".
  const def = Object.assign(make, { tag, schema: schema.annotate(named), is, fromJson }) as any
  // A function has a prototype already, and shows only its own members.
  for (const key of Reflect.ownKeys(eventPrototype))
    Object.defineProperty(def, key, { value: Reflect.get(eventPrototype, key) })
  recognizers.set(def, recognize)
  return def
}

/** Whether a value is the definition of an event: what `defineEvent` returns. */
export const isEventDef = (value: unknown): value is AnyDef => isMade("EventDef", value)

const eventPrototype = /*#__PURE__*/ prototypeOf<AnyDef>("EventDef", ({ tag }) => `EventDef(${tag})`)

/** Annotations for generated documents, such as a `description`; the `identifier` is the event's tag. */
export type Annotations<A> = Schema.Annotations.Bottom<A, readonly []>

interface Defined {
  readonly schema: Schema.Codec<any, any>
  readonly plain: PlainFields | undefined
  /** Whether a schema contains one from another library. */
  readonly adopts: boolean
  /** The annotations of the schema, its identifier included. */
  readonly named: { readonly identifier: string }
}

const schemaOf = (tag: string, given: unknown = {}, annotations: object | undefined): Defined => {
  const mistaken = (words: string) => new TypeError(`defineEvent: ${words}`)
  if (typeof tag !== "string" || tag === "") {
    throw mistaken(`a tag must be a non-empty string, not ${tag === "" ? "an empty one" : show(tag)}`)
  }
  const problem = problemOfAnnotations(annotations)
  if (problem !== undefined) throw mistaken(`event '${tag}' ${problem}`)
  const named = { identifier: tag, ...annotations }
  try {
    if (!Schema.isSchema(given) && isStandard(given)) {
      return { schema: adoptedEvent(tag, given, named), plain: undefined, adopts: true, named }
    }
    const struct = Schema.isSchema(given) ? (given as Schema.Struct<Schema.Struct.Fields>) : undefined
    if (struct !== undefined && struct.ast._tag !== "Objects") {
      throw mistaken(
        `event '${tag}' is given a schema that is not a struct: give a Schema.Struct, or the fields by their names`
      )
    }
    const fields: unknown = struct === undefined ? given : struct.fields
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
      throw mistaken(
        `event '${tag}' takes its fields by their names, such as { query: Schema.String }, not ${show(fields)}`
      )
    }
    if (Object.hasOwn(fields, "_tag")) {
      throw mistaken(
        `event '${tag}' has a field named '_tag', which is reserved for the tag: give the field another name`
      )
    }
    const own: Record<string, Schema.Constraint> = { ...fields }
    let adopts = false
    for (const [name, field] of Object.entries(own) as Array<[string, unknown]>) {
      if (Schema.isSchema(field)) {
        if (isForeign(field)) throw mistaken(`field '${name}' of event '${tag}' ${foreignInWords}`)
      } else if (isStandard(field)) {
        adopts = true
        Object.defineProperty(own, name, { value: adopted(field) })
      } else {
        throw mistaken(`field '${name}' of event '${tag}' is not a schema: give one, such as Schema.String`)
      }
    }
    const tagged =
      struct === undefined
        ? Schema.TaggedStruct(tag, own)
        : struct.mapFields((fields) => ({ _tag: Schema.tag(tag), ...fields }), { unsafePreserveChecks: true })
    const plain = struct?.ast.checks === undefined ? plainFields(tag, own) : undefined
    return { schema: tagged as Schema.Codec<any, any>, plain, adopts, named }
  } catch (error) {
    throw error instanceof UnusableSchema ? mistaken(`event '${tag}' cannot be defined: ${error.message}`) : error
  }
}

class Existing {
  constructor(event: object) {
    // biome-ignore lint/correctness/noConstructorReturn: a private field of the derived class is added to what is returned.
    return event
  }
}

/**
 * Marks an event invisibly with its definition. It takes 0.07 µs: too much for a plain event, whose fields are checked
 * faster, but little for an event that goes through a schema.
 */
class Mark extends Existing {
  readonly #def: unknown

  private constructor(event: object, def: unknown) {
    super(event)
    this.#def = def
  }

  /** Marks an event before it is frozen. */
  static put(event: object, def: unknown): void {
    new Mark(event, def)
  }

  static of(event: object): unknown {
    return #def in event ? event.#def : undefined
  }
}

/** Turns an exception from a schema into the error that names the event. */
const refused = (event: string, schema: Schema.Constraint, input: unknown, error: unknown): Error => {
  unread(input)
  const secret = secretOf(schema)
  const reason = reasonOf(error, secret)
  return "unusable" in reason
    ? new TypeError(`event '${event}' cannot be made: ${reason.unusable}`)
    : new InvalidEvent({ tag: event, input, secret, ...reason })
}

/**
 * Makes an event from untrusted fields.
 *
 * @internal
 */
export const makeEvent = (def: AnyDef, fields: unknown): Exit.Exit<AnyEvent, InvalidEvent> => {
  try {
    return Exit.succeed(def(fields as any))
  } catch (error) {
    // Compare the tag: the definition may come from another copy of stepgraph.
    return Predicate.isTagged(error, "InvalidEvent") ? Exit.fail(error as InvalidEvent) : Exit.die(error)
  }
}
