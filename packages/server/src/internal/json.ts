/**
 * Events, failures and other values of a run as JSON. Secrets stay hidden.
 */
import * as Cause from "effect/Cause"
import * as Schema from "effect/Schema"
import type { AnyWorkflow, RunStatus } from "stepgraph"
import { dataOf, secretOf } from "stepgraph/internal"
import type { Json, RunDetail, RunFailure } from "../Runs.ts"

export interface AnyEvent {
  readonly _tag: string
}
export interface Def {
  readonly tag: string
  readonly schema: Schema.Codec<any, any>
  readonly fromJson: (json: unknown) => AnyEvent
}

export const stopsOf = (flow: AnyWorkflow): ReadonlyArray<Def> => [flow.stop].flat() as ReadonlyArray<Def>

const encoders = new WeakMap<Def, (event: unknown) => Json>()

/** The whole event by its schema; without its secrets if it has any. */
const encoderOf = (def: Def): ((event: unknown) => Json) => {
  let encode = encoders.get(def)
  if (encode === undefined) {
    const shown = (event: unknown): Json => ({
      _tag: def.tag,
      ...(dataOf(def as any, event as AnyEvent) as Record<string, Json>)
    })
    encode = shown
    if (secretOf(def.schema) === undefined) {
      try {
        const whole = Schema.encodeUnknownSync(Schema.toCodecJson(def.schema)) as (event: unknown) => Json
        encode = (event) => {
          try {
            return whole(event)
          } catch {
            return shown(event)
          }
        }
      } catch {
        // It has no codec: show its values as they are.
      }
    }
    encoders.set(def, encode)
  }
  return encode
}

export const eventJson = (def: Def, event: AnyEvent): Json => encoderOf(def)(event)

/** An output or a stop event of a workflow. */
export const outputJson = (flow: AnyWorkflow, event: AnyEvent): Json => {
  const def = [...stopsOf(flow), ...(flow.outputs as ReadonlyArray<Def>)].find(({ tag }) => tag === event._tag)
  return def === undefined ? plain(event) : eventJson(def, event)
}

/** Any value as JSON; `Redacted` values say so themselves. */
export const plain = (value: unknown): Json => {
  try {
    return JSON.parse(JSON.stringify(value) ?? "null")
  } catch {
    return "a value that cannot be shown"
  }
}

/** What a run failed with. */
export const failureOf = (cause: Cause.Cause<unknown>): RunFailure => {
  const error = Cause.squash(cause)
  try {
    return failureJson(error)
  } catch {
    return { message: "an error that cannot be shown" }
  }
}

const failureJson = (error: unknown): RunFailure => {
  if (typeof error !== "object" || error === null) return { message: String(error) }
  const { _tag, name, message } = error as { readonly _tag?: unknown; readonly name?: unknown; message?: unknown }
  const said = {
    ...(typeof _tag === "string" ? { _tag } : undefined),
    ...(typeof name === "string" ? { name } : undefined),
    message: typeof message === "string" ? message : ""
  }
  // The fields of a defect are not part of what the workflow promises.
  if (typeof _tag !== "string") return said
  return { ...fieldsOf(error), ...said }
}

const fieldsOf = (error: object): Record<string, Json> => {
  const schema: unknown = error.constructor
  if (Schema.isSchema(schema)) {
    // What its schema hides, or cannot encode, is left out.
    if (secretOf(schema as Schema.Codec<unknown>) !== undefined) return {}
    try {
      return Schema.encodeUnknownSync(Schema.toCodecJson(schema as Schema.Codec<unknown>))(error) as any
    } catch {
      return {}
    }
  }
  const fields = plain({ ...error })
  return typeof fields === "object" && fields !== null && !Array.isArray(fields) ? (fields as any) : {}
}

/** The parts of a run's details that come from its status. */
export const statusJson = (
  status: RunStatus
): Pick<RunDetail, "state" | "inputs" | "steps" | "waiting" | "questions"> & { readonly idle: boolean } => ({
  state: status.state,
  inputs: status.inputs,
  steps: status.steps as RunDetail["steps"],
  waiting: status.waiting.map(({ per, key, ...rest }) => ({ ...rest, per: plain(per), key: plain(key) })),
  questions: status.questions.map(({ question, ...rest }) => ({ ...rest, question: plain(question) })),
  idle: status.state === "running" && Object.values(status.steps).every(({ queued, running }) => queued + running === 0)
})
