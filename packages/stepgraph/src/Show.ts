/**
 * Formats foreign values as text for messages, and as JSON for traces. Neither ever throws, shows a secret, or costs
 * more than it shows.
 *
 * Longer than other modules: one bounded walk serves text and JSON alike.
 */
import { encode } from "effect/encoding/Base64"
import type { Json } from "effect/Schema"
import {
  atomText,
  beginning,
  bigintText,
  brief,
  errorText,
  escaped,
  fieldOf,
  hidden,
  isOf,
  redacted,
  type Secret,
  shapeOf,
  unreadable
} from "./Look.ts"

export interface Bounds {
  /** Maximum depth of nested objects. */
  readonly depth: number
  /** Maximum number of items per list, and of fields per object. */
  readonly items: number
  /** Maximum number of characters per string. */
  readonly string: number
  /** Maximum total number of characters, and of values visited. */
  readonly text: number
  readonly values: number
  /** The separator of list items. */
  readonly separator: string
}

const inMessages: Bounds = { depth: 3, items: 8, string: 80, text: 200, values: 100, separator: ", " }
const inErrors: Bounds = { depth: 4, items: 8, string: 2_000, text: 8_000, values: 100, separator: ", " }
const inTraces: Bounds = { depth: 32, items: 1_000, string: 100_000, text: 1_000_000, values: 10_000, separator: ", " }

/** The remaining budget of one look, and the objects it is inside. */
class Look {
  readonly bounds: Bounds
  text: number
  values: number
  /** Whether something was left out, hidden or unreadable. */
  partial = false
  private readonly around: Array<object> = []

  constructor(bounds: Bounds) {
    this.bounds = bounds
    this.text = bounds.text
    this.values = bounds.values
  }

  /** Whether to show more of an object after this many parts. */
  hasRoom(shown: number): boolean {
    const has = shown < this.bounds.items && this.values > 0 && this.text > 0
    if (!has) this.partial = true
    return has
  }

  /** Charges a string to the budget. */
  take(text: string): number {
    const most = Math.max(0, Math.min(text.length, this.bounds.string, this.text))
    this.text -= most
    if (most < text.length) this.partial = true
    return most
  }

  /** Notes that a mark replaced a value. */
  instead(text: string): string {
    this.partial = true
    return text
  }

  /** Enters an object, unless it is already inside it. */
  into<A>(value: object, show: (value: object) => A): A | string {
    const { around } = this
    const depth = around.length
    try {
      if (around.includes(value)) return this.instead("[Circular]")
      if (depth === this.bounds.depth) return this.instead(Array.isArray(value) ? "[…]" : "{…}")
      around.push(value)
      return show(value)
    } catch {
      return this.instead(unreadable)
    } finally {
      around.length = depth
    }
  }
}

/** A container of a secret is secret itself if it has another kind than its schema expects. */
const isSecret = (value: unknown, secret: Secret): boolean =>
  value !== undefined && value !== null && (secret.whole || typeof value !== "object")

const write = (look: Look, value: unknown, secret: Secret | undefined): string => {
  look.values--
  if (secret !== undefined && isSecret(value, secret)) return hidden
  if (typeof value === "string") return quoted(value, look.take(value))
  if (typeof value !== "object" || value === null) return atomText(value)
  return look.into(value, (value) => {
    if (Array.isArray(value)) return `[${itemsInWords(look, value, value.length, secret)}]`
    if (value instanceof Error) return errorInWords(look, value)
    const shape = shapeOf(value)
    if (typeof shape === "string") return textOf(look, shape)
    if ("items" in shape) return `${shape.name}([${itemsInWords(look, shape.items, shape.size, secret)}])`
    const fields = fieldsInWords(look, shape.fields, secret)
    // The tag is enough of a name.
    return shape.name === "" || !fields.startsWith("{") ? fields : `${shape.name}(${fields})`
  })
}

const textOf = (look: Look, text: string): string => {
  const shown = cut(text, look.take(text))
  return text.startsWith(redacted) ? look.instead(shown) : shown
}

const quoted = (text: string, most: number): string =>
  escaped(JSON.stringify(most < text.length ? `${beginning(text, most)}…` : text))

const itemsInWords = (look: Look, items: Iterable<unknown>, size: number, secret: Secret | undefined): string => {
  const shown: Array<string> = []
  if (size > 0) {
    for (const item of items) {
      if (!look.hasRoom(shown.length)) break
      shown.push(write(look, item, secret?.at("0")))
    }
  }
  if (shown.length < size) shown.push(`… ${size} in all`)
  return shown.join(look.bounds.separator)
}

const fieldsInWords = (look: Look, value: object, secret: Secret | undefined): string => {
  const own = fieldOf(value, "_tag")
  const tag = typeof own === "string" ? brief(own, look.bounds.string) : undefined
  const keys = Object.keys(value)
  const body = bodyInWords(look, value, tag === undefined ? keys : keys.filter((key) => key !== "_tag"), secret)
  return tag === undefined ? body : body === "{}" ? tag : `${tag} ${body}`
}

const bodyInWords = (look: Look, value: object, keys: ReadonlyArray<string>, secret: Secret | undefined): string => {
  const shown: Array<string> = []
  for (const key of keys) {
    if (!look.hasRoom(shown.length)) {
      shown.push("…")
      break
    }
    shown.push(`${quoted(key, look.take(key))}:${write(look, fieldOf(value, key), secret?.at(key))}`)
  }
  return `{${shown.join(",")}}`
}

const notFields = ["_tag", "name", "message", "stack", "cause"]

/** An error with its message; without one, its fields say what happened. */
const errorInWords = (look: Look, error: Error): string => {
  const [name, message] = [errorText(error, "name"), errorText(error, "message")]
  const text = message === "" ? name : `${name}: ${message}`
  const cause = fieldOf(error, "cause")
  const headline = beginning(text, look.take(text))
  const keys = message === "" ? Object.keys(error).filter((key) => !notFields.includes(key)) : []
  const said = keys.length === 0 ? headline : `${headline} ${bodyInWords(look, error, keys, undefined)}`
  return cause === undefined ? said : `${said} (cause: ${write(look, cause, undefined)})`
}

const inJson = (look: Look, value: unknown): Json => {
  look.values--
  switch (typeof value) {
    case "string":
      return cut(value, look.take(value))
    case "boolean":
      return value
    case "number":
      // JSON cannot represent -0.
      return Number.isFinite(value) ? value + 0 : String(value)
    case "bigint":
      return bigintText(value)
    case "undefined":
      return null
    case "object":
      return value === null ? null : look.into(value, (value) => objectInJson(look, value))
  }
  return atomText(value)
}

/** Reports the full length of truncated text. */
const cut = (text: string, most: number): string =>
  most < text.length ? `${beginning(text, most)}… ${text.length} characters in all` : text

const objectInJson = (look: Look, value: object): Json => {
  if (Array.isArray(value)) return itemsInJson(look, value)
  if (value instanceof Error) return errorInJson(look, value)
  if (value instanceof Uint8Array) return bytesInJson(look, value)
  const shape = shapeOf(value)
  if (typeof shape === "string") return textOf(look, shape)
  if (!("items" in shape)) return fieldsInJson(look, shape.fields)
  // JSON has no such lists, so they appear as text.
  const words = `${shape.name}([${itemsInWords(look, shape.items, shape.size, undefined)}])`
  return cut(words, look.take(words))
}

const itemsInJson = (look: Look, items: ReadonlyArray<unknown>): Json => {
  const shown: Array<Json> = []
  while (shown.length < items.length && look.hasRoom(shown.length)) {
    shown.push(inJson(look, items[shown.length]))
  }
  if (shown.length < items.length) shown.push(`… ${items.length} in all`)
  return shown
}

const fieldsInJson = (look: Look, value: object, encoders?: Encoders): Record<string, Json> => {
  const shown: Record<string, Json> = {}
  const keys = Object.keys(value)
  let fields = 0
  for (const key of keys) {
    const field = encoders !== undefined && key === "_tag" ? undefined : fieldOf(value, key)
    if (field === undefined) continue
    if (!look.hasRoom(fields++)) {
      shown["…"] = `${keys.length} in all`
      break
    }
    const encode = encoders?.get(key)
    const json = encode === undefined ? inJson(look, field) : encoded(look, field, encode)
    set(shown, cut(key, look.take(key)), json)
  }
  return shown
}

const set = (fields: Record<string, Json>, key: string, value: Json): void => {
  if (key === "__proto__") {
    Object.defineProperty(fields, key, { value, enumerable: true, configurable: true, writable: true })
  } else fields[key] = value
}

const errorInJson = (look: Look, error: Error): Json => {
  const shown: Record<string, Json> = { name: errorText(error, "name"), message: errorText(error, "message") }
  for (const key of ["cause", "errors"]) {
    const field = fieldOf(error, key)
    if (field !== undefined) shown[key] = inJson(look, field)
  }
  return shown
}

/** Bytes become base64, as their schema encodes them. */
const bytesInJson = (look: Look, bytes: Uint8Array): string => {
  const most = Math.max(0, Math.floor(Math.min(look.bounds.string, look.text) / 4) * 3)
  const text = encode(bytes.subarray(0, most))
  look.text -= text.length
  return bytes.length <= most ? text : look.instead(`${text}… ${bytes.length} bytes in all`)
}

/** A value as text, an event as `Tag {…}`, within the bounds. */
export const wordsOf = (value: unknown, bounds: Bounds, secret?: Secret): string => {
  const text = write(new Look(bounds), value, secret)
  return text.length > bounds.text ? `${beginning(text, bounds.text)}…` : text
}

/** A value as a message shows it. */
export const show = (value: unknown, secret?: Secret): string => wordsOf(value, inMessages, secret)

/** An event's fields as the trace contains them. */
export const jsonOf = (event: object, encoders: Encoders): Json => {
  const look = new Look(inTraces)
  return look.into(event, (event) => fieldsInJson(look, event, encoders))
}

/** Encoders by field name, from the schema. */
export type Encoders = ReadonlyMap<string, (value: unknown) => unknown>

/** A field encoded by its schema, if all of it could be shown without. */
const encoded = (look: Look, value: unknown, encode: (value: unknown) => unknown): Json => {
  look.partial = false
  const shown = inJson(look, value)
  if (look.partial) return shown
  try {
    return inJson(look, encode(value))
  } catch {
    return shown
  }
}

/** An error's field as JSON: kept small, because it goes to logs. */
export const smallJsonOf = (value: unknown): Json => inJson(new Look(inErrors), value)

/** A cause as text. A tagged error's message already says what it is. */
export const describe = (cause: unknown): string => {
  if (!isError(cause)) return show(cause)
  const [name, message] = [errorText(cause, "name"), errorText(cause, "message")]
  if (message === "") return show(cause)
  return name === "Error" || isTagged(cause) ? message : `${name}: ${message}`
}

/** An error with its name, for traces and stories. Thrown text is shown as it is. */
export const nameAndMessage = (error: unknown): string => {
  if (typeof error === "string") return brief(error, inErrors.string)
  if (!isError(error)) return show(error)
  const message = errorText(error, "message")
  return message === "" ? show(error) : `${errorText(error, "name")}: ${message}`
}

const isError = (value: unknown): value is Error => isOf(Error, value)

const isTagged = (error: object): boolean => {
  try {
    return "_tag" in error
  } catch {
    return false
  }
}
