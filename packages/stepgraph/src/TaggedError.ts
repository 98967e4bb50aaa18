/**
 * The base of all public errors: `Data.TaggedError` with a message that is built when it is first read. An attempt that
 * is retried or recovered from pays nothing for a message that nobody reads.
 */
import type { YieldableError } from "effect/Cause"
import * as Data from "effect/Data"
import { NodeInspectSymbol } from "effect/Inspectable"
import type { Json } from "effect/Schema"
import { describe, smallJsonOf } from "./Show.ts"

/** Maximum number of nested runs to name: there may be thousands. */
const mostOfWay = 8
const ways = new WeakMap<object, Array<string>>()

/**
 * Records the step in which the failed run was started. The innermost step comes first, and its message names them all.
 *
 * @internal
 */
export const ranIn = (error: object, step: string, workflow: string): void => {
  const way = ways.get(error)
  const words = `in step '${step}' of workflow '${workflow}'`
  if (way === undefined) ways.set(error, [words])
  else way.push(words)
}

const wayOf = (error: object): string => {
  const way = ways.get(error)
  if (way === undefined) return ""
  const more = way.length - mostOfWay
  const rest = more > 0 ? `, and so on: ${way.length} runs, one inside the other` : ""
  return `\nIt ran ${way.slice(0, mostOfWay).join(", which ran ")}${rest}`
}

type TaggedErrorClass<Tag extends string> = new <Fields extends Record<string, any> = {}>(
  fields: Partial<Fields>,
  behind: Partial<Fields>,
  words: () => string
) => YieldableError & { readonly _tag: Tag; readonly message: string } & Readonly<Fields>

const withheld = new WeakSet<object>()

/** Leaves an error's `behind` out of its encoding, because it may hold a secret that nothing else hides. @internal */
export const withhold = (error: object): void => void withheld.add(error)
export const isWithheld = (error: object): boolean => withheld.has(error)

const kept = (value: unknown) => ({ value, writable: true, configurable: true, enumerable: false })

/**
 * An error class with these fields. Foreign values are in `behind`: they can be read, but the console and JSON leave them
 * out, because they may be large or private, and the message contains what matters.
 *
 * `words` is called once, when the message or the stack is first read.
 */
class LazyError extends Data.Error {
  #words: () => string

  constructor(fields: object, behind: Record<string, unknown>, words: () => string) {
    super()
    this.#words = words
    Object.assign(this, fields)
    for (const key in behind) Object.defineProperty(this, key, kept(behind[key]))
  }

  /** The text of an error; an object that only inherits from an error has none. */
  static messageOf(error: object): string {
    if (!(#words in error)) return ""
    let message: string
    try {
      message = error.#words() + wayOf(error)
    } catch {
      message = "what happened cannot be put into words"
    }
    LazyError.keep(error, message)
    return message
  }

  /** From now on, the message is an ordinary property. */
  static keep(error: object, message: unknown): void {
    if (Object.isExtensible(error)) Object.defineProperty(error, "message", kept(message))
  }

  override toJSON(): Record<string, Json> {
    const json: Record<string, Json> = { _tag: (this as { readonly _tag?: string })._tag ?? "", message: this.message }
    for (const key of Object.keys(this)) json[key] ??= smallJsonOf(Reflect.get(this, key))
    const { cause } = this
    return cause === undefined ? json : { ...json, cause: smallJsonOf(cause) }
  }
}

type Inspect = (value: unknown, options: unknown) => string

/** Prints like other errors on the console, with message, stack and cause; Effect's errors print as objects. */
function inspected(this: LazyError, _depth: unknown, options: unknown, inspect: Inspect | undefined): string {
  if (inspect === undefined) return String(this)
  const shown = Object.assign(new Error(this.message), this)
  const stand = (key: string, value: unknown) => Object.defineProperty(shown, key, kept(value))
  stand("name", this.name)
  stand("stack", this.stack)
  if (this.cause !== undefined) stand("cause", this.cause)
  try {
    return inspect(shown, options)
  } catch {
    // The console cannot print every cause.
    stand("cause", describe(this.cause))
    return inspect(shown, options)
  }
}

Object.defineProperties(LazyError.prototype, {
  message: {
    get(this: object) {
      return LazyError.messageOf(this)
    },
    set(this: object, message: unknown) {
      LazyError.keep(this, message)
    },
    configurable: true
  },
  [NodeInspectSymbol]: kept(inspected)
})

export const TaggedError = <Tag extends string>(tag: Tag): TaggedErrorClass<Tag> => {
  class Tagged extends LazyError {
    readonly _tag = tag
  }
  Object.defineProperty(Tagged.prototype, "name", { value: tag, writable: true, configurable: true })
  return Tagged as unknown as TaggedErrorClass<Tag>
}
