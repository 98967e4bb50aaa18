/**
 * Advice on the most common mistakes: emitting values that are not events, and writing to events.
 */
import { brief, fieldOf, isOf } from "./Look.ts"
import { nearest } from "./Options.ts"
import { show } from "./Show.ts"

/** Quotes tags for a message. */
export const quoted = (tags: ReadonlyArray<string>): string => tags.map((tag) => `'${tag}'`).join(", ")

/** Text that a value may use to name itself. */
const textIn = (value: unknown, type: "object" | "function", key: string): string | undefined => {
  if (typeof value !== type || value === null) return undefined
  try {
    const text = fieldOf(value as object, key)
    return typeof text === "string" ? brief(text, 80) : undefined
  } catch {
    return undefined
  }
}

/** Recognises kinds of values that are not events, each with a name and advice. The first match counts. */
const kinds: ReadonlyArray<readonly [key: PropertyKey, what: string, todo: string]> = [
  [Symbol.for("effect/Effect"), "an Effect of effect 3", "make it with effect 4, which stepgraph uses"],
  [Symbol.for("effect/Stream"), "a Stream of effect 3", "make it with effect 4, which stepgraph uses"],
  ["~effect/Fiber", "a Fiber", "return Fiber.join(fiber)"],
  [
    "~effect/Effect",
    "an Effect",
    "return it by itself, or Effect.all([…]) for a list of them; a generator that yields Effects goes into Effect.gen"
  ],
  [
    "~effect/Stream",
    "a Stream",
    'return it by itself, or Stream.mergeAll([…], { concurrency: "unbounded" }) for a list of them'
  ],
  ["~effect/Option", "an Option", "return Option.getOrUndefined(option), or Array.getSomes([…]) for a list of them"],
  ["~effect/Result", "a Result", "return Effect.fromResult(result), so that a failure fails the step"],
  ["~effect/Cause", "a Cause", "return Effect.failCause(cause)"]
]

/** The name of a value's kind and the advice, if the kind is known. */
const kindOf = (value: unknown): readonly [what: string, todo: string] | undefined => {
  try {
    if (value instanceof Promise) return ["a promise", "await it, or await Promise.all([…]) for a list of them"]
    if (Array.isArray(value)) return ["a list inside a list", "flatten it with list.flat()"]
    if (value instanceof Error)
      return [`the error ${show(value)}`, "throw it in an async function, or return Effect.fail(error)"]
    if (typeof value === "function") return ["a function", "call it, and emit the result"]
    if (typeof value !== "object" || value === null) return undefined
    const kind = kinds.find(([key]) => key in value)
    if (kind !== undefined) return [kind[1], kind[2]]
    // A generator object, a Set, …: allowed only as the whole result of a step.
    return Symbol.iterator in value || Symbol.asyncIterator in value
      ? ["an iterable", "return it by itself, or spread it into the list: [...events]"]
      : undefined
  } catch {
    return undefined
  }
}

/** The intended spelling of a literal's tag. Events made by a definition are frozen, so their tags are not misspelt. */
export const meant = (event: unknown, tags: ReadonlyArray<string>): string => {
  try {
    const tag = Object.isFrozen(event) ? undefined : textIn(event, "object", "_tag")
    const near = tag === undefined ? undefined : nearest(tag, tags)
    return near === undefined ? "" : `did you mean '${near}'?`
  } catch {
    return ""
  }
}

/** Explains why a step may not emit a value, and what to do instead. */
export const refusedEmission = (emitted: unknown, declared: ReadonlyArray<string>): string => {
  const may = declared.length === 0 ? "it declares no events" : `it may emit ${quoted(declared)}`
  const definition = textIn(emitted, "function", "tag")
  if (definition !== undefined) {
    return `it emitted the definition of '${definition}' itself: call it to make an event, ${definition}({ … })`
  }
  const kind = kindOf(emitted)
  if (kind !== undefined) return `it emitted ${kind[0]}, which is not an event: ${kind[1]} (${may})`
  const tag = textIn(emitted, "object", "_tag")
  if (tag === undefined) {
    return `it emitted ${show(emitted)}, which is not an event: make events with what defineEvent returns (${may})`
  }
  const near = meant(emitted, declared)
  const add = `add '${tag}' to its 'emits', or do not emit it`
  return `it emitted ${show(emitted)}, but ${may}: ${near === "" ? add : `${near} Otherwise ${add}`}`
}

/** The messages of V8 (Node, Deno), JavaScriptCore (Bun) and SpiderMonkey about writing to a frozen object. */
const written = [
  /^Cannot (?:assign to read only|redefine|delete) property '(.+?)'(?: of (?!.*Array).*)?$/s,
  /^Cannot add property (?!\d+,)(.+?), object is not extensible$/s,
  /^Attempted to assign to readonly property\.()$/,
  /^"(.+?)" is read-only$/s
]

const messageOf = (cause: unknown): string | undefined => {
  try {
    const message = isOf(TypeError, cause) ? fieldOf(cause, "message") : undefined
    return typeof message === "string" ? message : undefined
  } catch {
    return undefined
  }
}

const fieldWritten = (cause: unknown): string | undefined => {
  const message = messageOf(cause)
  if (message === undefined) return undefined
  for (const words of written) {
    const field = words.exec(message)?.[1]
    if (field !== undefined) return brief(field, 80)
  }
  return undefined
}

/** Advice for a step that tried to write to an event; `given` is one event, or the events of an intake. */
export const adviceOn = (cause: unknown, given: unknown): string => {
  try {
    const field = fieldWritten(cause)
    if (field === undefined) return ""
    const events: ReadonlyArray<unknown> = Array.isArray(given) ? given : [given]
    const had = events.find((event) => typeof event === "object" && event !== null && Object.hasOwn(event, field))
    const tag = textIn(had, "object", "_tag")
    return (
      `\nEvents are frozen: ${tag === undefined ? "if that was one, " : ""}make a changed copy, ` +
      `such as ${tag ?? "Answer"}({ ...event, ${field === "" ? "field" : field}: … })`
    )
  } catch {
    return ""
  }
}
