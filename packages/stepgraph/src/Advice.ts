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

const inGenerator = "write `run: Effect.fn(function* …)` for a generator with yield*"
const makeEvents = "make events with what defineEvent returns"

/** Advice for Effect's own values that are not events, by the name in their type id. The first match counts. */
const kinds: Readonly<Record<string, string>> = {
  "Context/Service": inGenerator,
  Fiber: "return Fiber.join(fiber)",
  Effect: `${inGenerator}; return an Effect by itself, or Effect.all([…]) for a list of them`,
  Stream: 'return it by itself, or Stream.mergeAll([…], { concurrency: "unbounded" }) for a list of them',
  Option: "return Option.getOrUndefined(option), or Array.getSomes([…]) for a list of them",
  Result: "return Effect.fromResult(result), so that a failure fails the step",
  Cause: "return Effect.failCause(cause)",
  Deferred: "return Deferred.await(deferred)",
  "Queue/Dequeue": "return Queue.take(queue), or Stream.fromQueue(queue) for all it takes",
  PubSub: "return Stream.fromPubSub(pubsub)",
  SubscriptionRef: "return SubscriptionRef.get(ref), or SubscriptionRef.changes(ref)",
  SynchronizedRef: "return SynchronizedRef.get(ref)",
  TxRef: "return TxRef.get(ref)",
  Ref: "return Ref.get(ref)",
  Channel: "return Stream.fromChannel(channel)",
  Sink: "return Stream.run(stream, sink)",
  Layer: "provide it to the run: Effect.provide(run(flow, input), layer)"
}
/** Effect's values that a message shows by their contents. */
const shown = ["Equal", "Hash", "Redacted", "Duration", "DateTime", "BigDecimal", "Chunk", "HashMap", "HashSet"]

const nameOf = (value: object): string | undefined => {
  const known = Object.keys(kinds).find((name) => `~effect/${name}` in value)
  if (known !== undefined) return known
  let keys = 0
  for (const key in value) {
    const name = /^~effect\/(\w+)/.exec(key)?.[1]
    if (name !== undefined && !shown.includes(name)) return name
    if (++keys > 20) break
  }
  return undefined
}

/** The kind of an Effect value, and the advice for it. */
const ofEffect = (value: object): readonly [what: string, todo: string] | undefined => {
  for (const name of ["Effect", "Stream"]) {
    if (Symbol.for(`effect/${name}`) in value) {
      return [`${withArticle(name)} of effect 3`, "make it with effect 4, which stepgraph uses"]
    }
  }
  const name = nameOf(value)
  if (name === undefined) return undefined
  const what = name === "Queue/Dequeue" ? "Queue" : name === "Context/Service" ? "service" : name
  return [withArticle(what), kinds[name] ?? makeEvents]
}

const withArticle = (name: string): string => `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`

/** The name of a value's kind and the advice, if the kind is known. */
const kindOf = (value: unknown): readonly [what: string, todo: string] | undefined => {
  try {
    if (value instanceof Promise) return ["a promise", "await it, or await Promise.all([…]) for a list of them"]
    if (Array.isArray(value)) return ["a list inside a list", "flatten it with list.flat()"]
    if (value instanceof Error)
      return [`the error ${show(value)}`, "throw it in an async function, or return Effect.fail(error)"]
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined
    const kind = ofEffect(value)
    if (kind !== undefined) return kind
    if (typeof value === "function") return ["a function", "call it, an Effect.fn too, and return what it gives"]
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
    return `it emitted ${show(emitted)}, which is not an event: ${makeEvents} (${may})`
  }
  const near = meant(emitted, declared)
  const add = `add '${tag}' to its 'emits', or do not emit it`
  return `it emitted ${show(emitted)}, but ${may}: ${near === "" ? add : `${near} Otherwise ${add}`}`
}

/** Explains why a generator, which emits what it yields, may not return a value. */
export const refusedReturn = (returned: unknown): string => {
  const where = "at the end of what it emits one by one, where only what it yields is emitted"
  const isObject = (typeof returned === "object" || typeof returned === "function") && returned !== null
  try {
    const kind = isObject ? ofEffect(returned) : undefined
    if (kind !== undefined) return `it returned ${kind[0]} ${where}: ${inGenerator}`
  } catch {
    // A getter of it throws.
  }
  return `it returned ${show(returned)} ${where}: yield it`
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
