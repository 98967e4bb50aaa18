/**
 * What a journal keeps of a run, as JSON: events, cells of state and failures, each by its schema.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { AST } from "effect/SchemaAST"
import type { AnyWorkflow, StateValue } from "stepgraph"
import * as Core from "stepgraph"
import type { Settlement, StoredValue } from "stepgraph/host"
import { NotStorable, StoredError } from "../Errors.ts"
import type { Json } from "../Store.ts"
import { type Blueprint, blueprintOf, fingerprintOf } from "./blueprint.ts"

type AnyEvent = { readonly _tag: string }
interface Def {
  readonly tag: string
  readonly schema: Schema.Codec<any, any>
  readonly fromJson: (json: unknown) => AnyEvent
}

/** A failure: an error by its schema, an error or a defect as its name and message, or an interruption. */
export type StoredReason =
  | { readonly s: string; readonly v: Json }
  | { readonly f: StoredThrown }
  | { readonly d: StoredThrown }
  | "interrupted"
interface StoredThrown {
  readonly name: string
  readonly message: string
  readonly tag?: string
  readonly json?: Json
}

/** A settlement, with short names: a journal has one for each call. */
export interface StoredSettlement {
  /** The events that it emitted. */
  readonly e?: ReadonlyArray<Json>
  /** The cells that it wrote, by name. */
  readonly w?: Readonly<Record<string, Json>>
  /** What it collected by hand. */
  readonly c?: ReadonlyArray<ReadonlyArray<string>>
  /** It may emit, and returned nothing. */
  readonly s?: 1
  /** What it failed with. */
  readonly x?: ReadonlyArray<StoredReason>
}

export interface Codec {
  readonly blueprint: Blueprint
  readonly fingerprint: string
  readonly event: (event: AnyEvent) => Json
  readonly eventFrom: (json: Json) => AnyEvent
  readonly settlement: (settlement: Settlement) => StoredSettlement
  readonly settlementFrom: (stored: StoredSettlement) => Settlement
  readonly cause: (cause: Cause.Cause<unknown>) => Json
  readonly causeFrom: (json: Json) => Cause.Cause<unknown>
}

// ---------------------------------------------------------------- what cannot be stored

const problemOf = (ast: AST, path: string, seen: Set<AST>): string | undefined => {
  if (seen.has(ast)) return undefined
  seen.add(ast)
  const encoded = ast.encoding?.at(-1)?.to
  if (encoded !== undefined) return problemOf(encoded, path, seen)
  switch (ast._tag) {
    case "Any":
    case "Unknown":
    case "ObjectKeyword":
      return `${path} may hold anything, so a Date in it would come back as text: give it a schema that describes its value`
    case "UniqueSymbol":
      return `${path} is a unique symbol, which another process does not have: use a string`
    case "Declaration": {
      const { annotations } = ast
      if (annotations?.toCodecJson === undefined && annotations?.toCodec === undefined) {
        return `${path} is an instance of a class, and nothing says how to store it: use a Schema.Class, or plain fields`
      }
      return firstOf(ast.typeParameters, (parameter) => problemOf(parameter, path, seen))
    }
    case "Objects":
      return (
        firstOf(ast.propertySignatures, ({ name, type }) => problemOf(type, `${path}.${String(name)}`, seen)) ??
        firstOf(ast.indexSignatures, ({ type }) => problemOf(type, `${path}[…]`, seen))
      )
    case "Arrays":
      return firstOf([...ast.elements, ...ast.rest], (element) => problemOf(element, `${path}[…]`, seen))
    case "Union":
      return firstOf(ast.types, (type) => problemOf(type, path, seen))
    case "Suspend":
      return problemOf(ast.thunk(), path, seen)
    default:
      return undefined
  }
}

const firstOf = <A>(all: ReadonlyArray<A>, problemOf: (one: A) => string | undefined): string | undefined => {
  for (const one of all) {
    const problem = problemOf(one)
    if (problem !== undefined) return problem
  }
  return undefined
}

const problemOfSchema = (schema: Schema.Constraint, name: string): string | undefined => {
  const problem = problemOf(schema.ast, "", new Set())
  if (problem !== undefined) {
    const [path, ...words] = problem.split(" ")
    return path === "" ? `${name} ${words.join(" ")}` : `field '${path!.slice(1)}' of ${name} ${words.join(" ")}`
  }
  try {
    Schema.toCodecJson(schema as Schema.Codec<unknown>)
    return undefined
  } catch (error) {
    return `${name} cannot be stored as JSON: ${(error as Error).message}`
  }
}

// ---------------------------------------------------------------- the codec of a workflow

/** The errors of the core, which are schemas of themselves. */
const coreErrors: ReadonlyArray<Schema.Constraint> = Object.values(Core).filter(
  (value): value is any => typeof value === "function" && value.prototype instanceof Error && Schema.isSchema(value)
)

const thrownOf = (error: unknown): StoredThrown => {
  try {
    if (error instanceof Error) {
      const tag = (error as { readonly _tag?: unknown })._tag
      return { name: error.name, message: error.message, ...(typeof tag === "string" ? { tag } : {}) }
    }
    const json = JSON.parse(JSON.stringify(error) ?? "null")
    return { name: "Error", message: String(error), json }
  } catch {
    return { name: "Error", message: "an error that cannot be read" }
  }
}

const thrownFrom = (stored: StoredThrown): unknown => ("json" in stored ? stored.json : new StoredError(stored))

const failureOf = (schema: Schema.Constraint) => {
  const json = Schema.toCodecJson(schema as Schema.Codec<unknown>)
  return {
    name: nameOfSchema(schema),
    is: Schema.is(schema as Schema.Codec<unknown>),
    encode: Schema.encodeUnknownSync(json) as (value: unknown) => Json,
    decode: Schema.decodeUnknownSync(json) as (json: Json) => unknown
  }
}

/** A stored error of the core, which can be read without its workflow; `undefined` where it is none. */
export const coreErrorFrom = (name: string, json: Json): Error | undefined => {
  const schema = coreErrors.find((schema) => nameOfSchema(schema) === name)
  try {
    return schema && (failureOf(schema).decode(json) as Error)
  } catch {
    return undefined
  }
}

export const codecOf = (flow: AnyWorkflow, errors: ReadonlyArray<Schema.Constraint>): Codec => {
  const defs = new Map<string, Def>()
  for (const def of [flow.start, ...[flow.stop].flat(), ...flow.inputs, ...flow.outputs]) defs.set(def.tag, def)
  for (const step of Object.values<any>(flow.steps)) {
    const accepted = Array.isArray(step.accepts) ? step.accepts : step.accepts.events
    for (const def of [...accepted, ...step.emits]) defs.set(def.tag, def)
  }
  const problems = [...defs.values()].flatMap(({ schema, tag }) => problemOfSchema(schema, `event '${tag}'`) ?? [])
  for (const error of errors) {
    const problem = problemOfSchema(error, `error '${nameOfSchema(error)}'`)
    if (problem !== undefined) problems.push(problem)
  }
  if (problems.length > 0) throw new NotStorable({ workflow: flow.name, problems })

  const encoders = new Map(
    [...defs].map(([tag, { schema }]) => [tag, Schema.encodeUnknownSync(Schema.toCodecJson(schema))] as const)
  )
  const cells = new Map<unknown, (value: unknown) => Json>()
  const failures = [...errors, ...coreErrors].map(failureOf)
  const byName = new Map(failures.map((failure) => [failure.name, failure]))

  const event = (event: AnyEvent): Json => {
    try {
      const { _tag, ...fields } = encoders.get(event._tag)!(event) as any
      return { _tag, ...fields }
    } catch (error) {
      // Only a value can show that a schema of another library does not read its own JSON.
      throw new NotStorable({ workflow: flow.name, problems: [`event '${event._tag}': ${(error as Error).message}`] })
    }
  }
  const eventFrom = (json: Json): AnyEvent => defs.get((json as any)._tag)!.fromJson(json)
  const write = (given: StateValue | StoredValue): readonly [string, Json] => {
    if (!("state" in given)) return [given.name, given.json as Json]
    const { state, value } = given
    let encode = cells.get(state)
    if (encode === undefined) {
      const problem = problemOfSchema(state.schema, `cell '${state.name}'`)
      if (problem !== undefined) throw new NotStorable({ workflow: flow.name, problems: [problem] })
      encode = Schema.encodeUnknownSync(Schema.toCodecJson(state.schema)) as (value: unknown) => Json
      cells.set(state, encode)
    }
    return [state.name, encode(value)]
  }
  const failure = (error: unknown): { readonly s: string; readonly v: Json } | undefined => {
    try {
      const known = failures.find(({ is }) => is(error))
      return known && { s: known.name, v: known.encode(error) }
    } catch {
      return undefined
    }
  }
  const reasons = (cause: Cause.Cause<unknown>): ReadonlyArray<StoredReason> =>
    cause.reasons.map((reason) => {
      if (Cause.isFailReason(reason)) return failure(reason.error) ?? { f: thrownOf(reason.error) }
      if (Cause.isDieReason(reason)) return { d: thrownOf(reason.defect) }
      return "interrupted"
    })
  /** Errors are no part of the graph, so their schemas may have changed since: then they are data, like those without one. */
  const errorFrom = ({ s: name, v }: { readonly s: string; readonly v: Json }): unknown => {
    try {
      const known = byName.get(name)
      if (known !== undefined) return known.decode(v)
    } catch {}
    const { _tag, message } = (typeof v === "object" && v !== null ? v : {}) as Readonly<Record<string, unknown>>
    const tag = typeof _tag === "string" ? _tag : undefined
    return new StoredError({ name, message: typeof message === "string" ? message : JSON.stringify(v), tag })
  }
  const reasonFrom = (reason: StoredReason): Cause.Reason<unknown> => {
    if (reason === "interrupted") return Cause.makeInterruptReason()
    if ("d" in reason) return Cause.makeDieReason(thrownFrom(reason.d))
    if ("f" in reason) return Cause.makeFailReason(thrownFrom(reason.f))
    return Cause.makeFailReason(errorFrom(reason))
  }
  const causeFrom = (stored: ReadonlyArray<StoredReason>): Cause.Cause<unknown> =>
    Cause.fromReasons(stored.map(reasonFrom))
  const blueprint = blueprintOf(flow, defs.values())
  return {
    blueprint,
    fingerprint: fingerprintOf(blueprint),
    event,
    eventFrom,
    settlement: ({ collected, events, exit, silent, writes }) => ({
      ...(events.length > 0 && Exit.isSuccess(exit) ? { e: events.map(event) } : {}),
      ...(writes.length > 0 ? { w: Object.fromEntries(writes.map(write)) } : {}),
      ...(collected.length > 0 ? { c: collected } : {}),
      ...(silent ? { s: 1 as const } : {}),
      ...(Exit.isFailure(exit) ? { x: reasons(exit.cause) } : {})
    }),
    settlementFrom: ({ c = [], e = [], s, w, x }) => ({
      exit: x === undefined ? Exit.void : Exit.failCause(causeFrom(x)),
      events: e.map(eventFrom),
      writes: w === undefined ? [] : Object.entries(w).map(([name, json]) => ({ name, json })),
      collected: c,
      silent: s === 1
    }),
    cause: (cause) => reasons(cause) as unknown as Json,
    causeFrom: (json) => causeFrom(json as unknown as ReadonlyArray<StoredReason>)
  }
}

const nameOfSchema = (schema: Schema.Constraint): string => {
  const { identifier } = schema as { readonly identifier?: unknown }
  const annotated = schema.ast.annotations?.identifier
  return String(identifier ?? annotated ?? "of no name")
}
