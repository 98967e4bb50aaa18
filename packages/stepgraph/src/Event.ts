/**
 * Events: plain tagged values, made and checked by the function that `defineEvent` returns.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { InvalidEvent } from "./Errors.ts"
import { foreignInWords, isForeign } from "./OwnSchema.ts"
import { issueInWords, secretOf } from "./Secrets.ts"
import { nameAndMessage, show } from "./Show.ts"
import { unread } from "./Unread.ts"

/** A plain, frozen, tagged value: `{ _tag: "Query", query: "…" }`. */
export type Event<Tag extends string, Fields> = { readonly _tag: Tag } & Readonly<Fields>

/**
 * The definition of an event, which is also the function that makes one.
 *
 * Calling it throws {@link InvalidEvent} when the fields do not fit the schema. A field with a default
 * (`Schema.withConstructorDefault`) may be left out: `In` is what the event is made of, `Fields` is what it has.
 */
export interface EventDef<Tag extends string, Fields, In = Fields> {
  (fields: {} extends In ? In | void : In): Event<Tag, Fields>
  /** The event's `_tag`. */
  readonly tag: Tag
  /** The schema of the whole event, `_tag` included: a schema like any other, for an HTTP API or a JSON Schema. */
  readonly schema: Schema.Codec<Event<Tag, Fields>, unknown>
  /**
   * The event that JSON from outside stands for, such as the body of a request: its fields are decoded by their schemas, so a
   * `Schema.Date` is made of its text. The `_tag` may be left out. Throws {@link InvalidEvent} where it does not fit.
   */
  readonly fromJson: (json: unknown) => Event<Tag, Fields>
  /** Whether a value is an event of this definition, its fields checked. */
  readonly is: (value: unknown) => value is Event<Tag, Fields>
}

export type AnyDef = EventDef<any, any, any>
export type Defs = ReadonlyArray<AnyDef>
export type EventOf<D> = D extends EventDef<infer Tag, infer Fields, any> ? Event<Tag, Fields> : never
export type EventsOf<D> = D extends Defs ? EventOf<D[number]> : EventOf<D>
export type TagOf<D> = D extends { readonly tag: infer Tag extends string } ? Tag : never
export type TagsOf<D> = D extends Defs ? TagOf<D[number]> : TagOf<D>

// Most events have fields that are neither optional, nor mutable, nor have a default, which one look at all of them shows.
// Asking `Schema.Struct` for their types costs the compiler a fifth of what a step costs it.
type PlainField = {
  readonly "~type.optionality": "required"
  readonly "~type.mutability": "readonly"
  readonly "~type.constructor.default": "no-default"
}
/** The fields of an event. */
type FieldsOf<F extends Schema.Struct.Fields> = F[keyof F] extends PlainField
  ? { readonly [K in keyof F]: F[K]["Type"] }
  : Schema.Struct.Type<F>
/** What an event is made of. */
type MadeOf<F extends Schema.Struct.Fields> = F[keyof F] extends PlainField
  ? { readonly [K in keyof F]: F[K]["~type.make"] }
  : Schema.Struct.MakeIn<F>

/** Any event, as the runtime sees it. */
export type AnyEvent = { readonly _tag: string }

type Recognize = (value: object) => boolean

const recognizers = new WeakMap<AnyDef, Recognize>()
const recognizeNothing: Recognize = () => false

/**
 * A function that tells a definition's own events, which need no check, from all else. A definition of another copy of
 * stepgraph recognizes nothing, so that its events are checked again.
 *
 * @internal
 */
export const recognizerOf = (def: AnyDef): Recognize => recognizers.get(def) ?? recognizeNothing

/**
 * The plain event made last, and its definition. Most events are emitted before the next is made.
 *
 * Hot: one that is found here costs 0.003 µs, and one whose fields are looked at again 0.03.
 */
let latest: unknown
let latestDef: unknown

/**
 * Whether an event is the one made last, and made by this definition.
 *
 * @internal
 */
export const isLatest = (def: AnyDef, value: unknown): boolean => {
  if (value !== latest || def !== latestDef) return false
  latest = undefined
  return true
}

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
export function defineEvent<const Tag extends string, const F extends Schema.Struct.Fields = {}>(
  tag: Tag,
  fields?: F & { readonly _tag?: never },
  ...more: ReadonlyArray<never>
): EventDef<Tag, FieldsOf<F>, MadeOf<F>> {
  if (typeof tag !== "string" || tag === "") {
    throw new TypeError(
      `defineEvent: a tag is a string of at least one character, not ${tag === "" ? "an empty one" : show(tag)}`
    )
  }
  if (more.length > 0) {
    throw new TypeError(
      `defineEvent: event '${tag}' takes a tag and its fields, and no third argument: there are no options`
    )
  }
  if (fields !== undefined && Object.hasOwn(fields, "_tag")) {
    throw new TypeError(
      `defineEvent: event '${tag}' has a field named '_tag', which is the tag's own place: give the field another name`
    )
  }
  for (const [name, field] of Object.entries(fields ?? {})) {
    if (Schema.isSchema(field)) {
      if (isForeign(field)) throw new TypeError(`defineEvent: field '${name}' of event '${tag}' ${foreignInWords}`)
      continue
    }
    throw new TypeError(
      `defineEvent: field '${name}' of event '${tag}' is not a schema: give one, such as Schema.String`
    )
  }
  const schema = Schema.Struct({ _tag: Schema.tag(tag), ...fields })
  const is = Schema.is(schema)
  const plain = plainFields(tag, fields ?? {})
  const makePlain = plain?.make
  const finish = (event: object) => {
    if (plain === undefined) Mark.put(event, make)
    return Object.freeze(event)
  }
  const recognize: Recognize = plain?.fits ?? ((value) => Mark.of(value) === make)
  const make = (input: any) => {
    try {
      const event = makePlain?.(input)
      if (event !== undefined) {
        latest = event
        latestDef = make
        return event
      }
      // Fields may be taken over from another event by spreading it; its tag is not.
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
  const def = Object.assign(make, { tag, schema, is, fromJson }) as any
  recognizers.set(def, recognize)
  return def
}

class Existing {
  constructor(event: object) {
    // biome-ignore lint/correctness/noConstructorReturn: a private field of the derived class is added to what is returned.
    return event
  }
}

/**
 * Marks an event with its definition, out of everybody's sight. It takes 0.07 µs: much for a plain event, whose fields are
 * looked at in less, and little for one that has a schema to go through.
 */
class Mark extends Existing {
  readonly #def: unknown

  private constructor(event: object, def: unknown) {
    super(event)
    this.#def = def
  }

  /** Marks an event that is not frozen yet. */
  static put(event: object, def: unknown): void {
    new Mark(event, def)
  }

  static of(event: object): unknown {
    return #def in event ? event.#def : undefined
  }
}

/** What a schema threw, as the error that names the event. */
const refused = (event: string, schema: Schema.Top, input: unknown, error: unknown): InvalidEvent => {
  unread(input)
  const secret = secretOf(schema)
  return new InvalidEvent({ event, input, secret, ...reasonOf(error, secret) })
}

const reasonOf = (
  error: unknown,
  secret: ReturnType<typeof secretOf>
): { readonly issue?: SchemaIssue.Issue; readonly problem: string } => {
  try {
    const reason = error instanceof Error && !Schema.isSchemaError(error) ? error.cause : error
    const issue = Schema.isSchemaError(reason) ? reason.issue : SchemaIssue.isIssue(reason) ? reason : undefined
    if (issue !== undefined) return { issue, problem: issueInWords(issue, secret) }
    // What the schema's own code throws, such as a check, stands in the error's cause.
    const thrown = Cause.isCause(reason) ? Cause.squash(reason) : error
    return { problem: secret === undefined ? nameAndMessage(thrown) : "its schema threw" }
  } catch {
    // A getter, a proxy or an error without text: whatever throws here, the event is refused.
    return { problem: "it cannot be read" }
  }
}

type PlainType = "string" | "number" | "boolean"

const typeOf = /*#__PURE__*/ new Map<unknown, PlainType>([
  [Schema.String, "string"],
  [Schema.Number, "number"],
  [Schema.Boolean, "boolean"]
])

/** Written out, as a `typeof` that is compared with a literal is known to the machine: 0.003 µs a field less. */
const isOf = (value: unknown, type: PlainType): boolean =>
  type === "string"
    ? typeof value === "string"
    : type === "number"
      ? typeof value === "number"
      : typeof value === "boolean"

interface Plain {
  /** `undefined` if the input has anything but the fields, or has them in another order: the schema decides then. */
  readonly make: (input: any) => AnyEvent | undefined
  /** Whether a value that has the tag is as good as what `make` makes. */
  readonly fits: (value: object) => boolean
}

/**
 * For events whose fields are strings, numbers and booleans, of which a schema asks nothing but their type.
 *
 * Hot: 0.05 µs an event with its freeze, where the schema takes 0.12 (0.05 with Effect's compiled validators). Spreading
 * makes objects of 50 bytes, and setting field after field of 82. A symbol among the keys is not looked for: that would take
 * as long as all the rest.
 */
const plainFields = (tag: string, fields: Schema.Struct.Fields): Plain | undefined => {
  const names = ["_tag", ...Object.keys(fields)]
  const types = ["string" as const, ...Object.values(fields).map((field) => typeOf.get(field))]
  if (Reflect.ownKeys(fields).length >= names.length || types.includes(undefined) || names.includes("__proto__")) return
  const hasFields = (event: any): boolean => {
    let at = 0
    for (const name in event) {
      if (name !== names[at] || !isOf(event[name], types[at]!)) return false
      at++
    }
    return at === names.length
  }
  return {
    make: (input = {}) => {
      if (typeof input !== "object" || input === null || Array.isArray(input)) return
      const event = { _tag: tag, ...input }
      return event._tag === tag && hasFields(event) ? Object.freeze(event) : undefined
    },
    fits: (value) => hasFields(value) && Object.isFrozen(value)
  }
}

/**
 * An event made of fields that come from outside.
 *
 * @internal
 */
export const makeEvent = (def: AnyDef, fields: unknown): Exit.Exit<AnyEvent, InvalidEvent> => {
  try {
    return Exit.succeed(def(fields as any))
  } catch (error) {
    // By its tag: the definition may be of another copy of stepgraph.
    return Predicate.isTagged(error, "InvalidEvent") ? Exit.fail(error as InvalidEvent) : Exit.die(error)
  }
}
