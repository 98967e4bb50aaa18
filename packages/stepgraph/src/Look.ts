/**
 * Inspects foreign values without changing them: runs no getter, starts no iterator that cannot restart, and opens
 * nothing `Redacted`. It may throw, because a proxy may throw on any access.
 */
import { isDate, isRegExp } from "effect/Predicate"

/** Parts of a value that its schema knows to be secret although they are not `Redacted`. */
export interface Secret {
  readonly whole: boolean
  readonly at: (key: string) => Secret | undefined
}

/** Every mark for a secret begins with this. */
export const redacted = "<redacted"
export const hidden = `${redacted}>`

/** Stands for a part that throws when it is read. */
export const unreadable = "[cannot be read]"

/** Control characters, lone surrogates and characters that change the text direction, except tabs and line ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern searches for them.
const control = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu

/** Whether a foreign value is an instance of a class. A proxy may throw when asked for its prototype. */
export const isOf = <A>(type: abstract new (...args: never) => A, value: unknown): value is A => {
  try {
    return value instanceof type
  } catch {
    return false
  }
}

/** Foreign text, made safe for a message or a terminal. */
export const escaped = (text: string): string =>
  text.replace(control, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** The beginning of a text, without a lone surrogate at its end. */
export const beginning = (text: string, most: number): string => {
  const last = text.charCodeAt(most - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most)
}

/** Foreign text, truncated. */
export const brief = (text: string, most: number): string =>
  escaped(text.length > most ? `${beginning(text, most)}…` : text)

/** Stands for a getter: running it may have effects, such as a database query. */
const getter = Symbol("[Getter]")

/** The value of an object's own field. */
export const fieldOf = (value: object, key: string): unknown => {
  const property = Object.getOwnPropertyDescriptor(value, key)
  return property?.get === undefined && property?.set === undefined ? property?.value : getter
}

/** How to show an object: as text, as a list, or by its fields. */
export type Shape =
  | string
  | { readonly name: string; readonly items: Iterable<unknown>; readonly size: number }
  | { readonly name: string; readonly fields: object }

const longestText = 2_000

const nameOf = (value: object): string => {
  const name: unknown = value.constructor?.name
  return typeof name === "string" ? brief(name, 80) : ""
}

const redactable = Symbol.for("~effect/Redactable")

/** Effect's own collections, which can be iterated repeatedly. */
const collections = ["~effect/Chunk", "~effect/HashMap", "~effect/HashSet"]
/** Those whose `toJSON` visits everything inside. */
const containers = ["~effect/Option", "~effect/Result", "~effect/Effect"]

/** The visible content of an object that is neither a list nor an error. */
export const shapeOf = (value: object): Shape => {
  if ("~effect/Redacted" in value) {
    const label = fieldOf(value, "label")
    return typeof label === "string" ? `<redacted:${brief(label, 80)}>` : hidden
  }
  if (redactable in value) return hidden
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return { name: "", fields: value }
  if (isDate(value)) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString()
  if (isRegExp(value)) return brief(String(value), longestText)
  const name = nameOf(value)
  if (value instanceof Map) return { name, items: Map.prototype.entries.call(value), size: value.size }
  if (value instanceof Set) return { name, items: Set.prototype.values.call(value), size: value.size }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const items = value as unknown as ArrayLike<unknown> & Iterable<unknown>
    return { name, items, size: items.length }
  }
  if (collections.some((id) => id in value)) {
    const items = value as Iterable<unknown> & { readonly size?: number; readonly length?: number }
    return { name, items, size: items.size ?? items.length ?? 0 }
  }
  if (containers.some((id) => id in value)) {
    const tag: unknown = Reflect.get(value, "_tag")
    return { name: "", fields: typeof tag === "string" ? { _tag: tag, ...value } : value }
  }
  const { toJSON } = value as { readonly toJSON?: unknown }
  if (typeof toJSON === "function") {
    const json: unknown = toJSON.call(value)
    return typeof json === "object" && json !== null ? { name, fields: json } : brief(String(json), longestText)
  }
  const opaque = Object.keys(value).length === 0 && value.toString !== Object.prototype.toString
  return opaque ? brief(String(value), longestText) : { name, fields: value }
}

/** The content of an error. `name` and `message` may be getters: errors build their messages in them. */
export const errorText = (error: object, key: "name" | "message"): string => {
  try {
    const text: unknown = Reflect.get(error, key)
    if (typeof text === "string") return brief(text, longestText)
    return text === undefined ? "" : brief(String(text), longestText)
  } catch {
    return unreadable
  }
}

const most = 2n ** 256n

/** A huge one would take forever as a decimal number. */
export const bigintText = (value: bigint): string =>
  value < most && value > -most ? String(value) : `0x${brief(value.toString(16), 40)}`

/** Text for a value that is not an object; functions and symbols appear without their source. */
export const atomText = (value: unknown): string => {
  if (value === getter) return "[Getter]"
  if (typeof value === "symbol") return brief(String(value), 80)
  if (typeof value === "bigint") return `${bigintText(value)}n`
  if (typeof value !== "function") return String(value)
  try {
    const name = fieldOf(value, "name")
    return typeof name === "string" && name !== "" ? `[Function ${brief(name, 80)}]` : "[Function]"
  } catch {
    return unreadable
  }
}
