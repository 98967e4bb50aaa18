/**
 * Everything that a journal depends on: the graph without its functions, and the schemas as documents. A run keeps to it.
 */
import * as Schema from "effect/Schema"
import type { AnyWorkflow } from "stepgraph"
import { type GraphStep, graphOf } from "stepgraph/graph"
import type { Json } from "../Store.ts"

interface Def {
  readonly tag: string
  readonly schema: Schema.Constraint
}
type Step = Omit<GraphStep, "inner">

export interface Blueprint {
  /** Changes whenever a new release would read an old journal as another run. */
  readonly journal: number
  readonly graph: Omit<ReturnType<typeof graphOf>, "steps">
  readonly steps: ReadonlyArray<Step>
  readonly schemas: ReadonlyArray<readonly [tag: string, document: Json]>
}

export const blueprintOf = (flow: AnyWorkflow, defs: Iterable<Def>): Blueprint => {
  const { steps, ...graph } = graphOf(flow as Parameters<typeof graphOf>[0])
  return {
    journal: 1,
    graph,
    steps: steps.map(({ inner, ...step }) => step),
    schemas: [...defs].map(({ schema, tag }) => [tag, documentOf(schema)])
  }
}

export const fingerprintOf = ({ graph, journal, schemas, steps }: Blueprint): string => {
  const text = JSON.stringify([journal, graph, steps, schemas])
  let [a, b] = [0x811c9dc5, 0x01000193]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x01000193)
    b = Math.imul(b ^ code, 0x811c9dc5) ^ (b >>> 13)
  }
  return `${(a >>> 0).toString(36)}${(b >>> 0).toString(36)}`
}

const documentOf = (schema: Schema.Constraint): Json => {
  try {
    return Schema.toJsonSchemaDocument(schema) as unknown as Json
  } catch {
    // It has none; a change in it is then found when its events are decoded.
    return null
  }
}

// ---------------------------------------------------------------- what has changed

const quoted = (names: ReadonlyArray<string>): string => names.map((name) => `'${name}'`).join(", ") || "nothing"
const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

/** What has changed from one to the other, each as a clause: "step 'ship' is new". */
export const changesOf = (before: Blueprint, now: Blueprint): ReadonlyArray<string> => {
  const changes: Array<string> = []
  const compare = <A>(
    what: string,
    olds: ReadonlyMap<string, A>,
    news: ReadonlyMap<string, A>,
    each: (name: string, old: A, now: A) => void
  ) => {
    for (const name of olds.keys()) if (!news.has(name)) changes.push(`${what} '${name}' is gone`)
    for (const [name, now] of news) {
      const old = olds.get(name)
      if (old === undefined) changes.push(`${what} '${name}' is new`)
      else if (!same(old, now)) each(name, old, now)
    }
  }
  if (before.journal !== now.journal) changes.push("this release of stepgraph reads its journal differently")
  for (const part of ["start", "stops", "inputs", "outputs"] as const) {
    const [old, current] = [before.graph[part], now.graph[part]]
    const named = part === "start" ? "start event" : part === "stops" ? "stop events" : part
    if (!same(old, current))
      changes.push(`its ${named} were ${quoted([old].flat())} and are ${quoted([current].flat())}`)
  }
  const stepsOf = ({ steps }: Blueprint) => new Map(steps.map((step) => [step.name, step]))
  compare("step", stepsOf(before), stepsOf(now), (name, old, now) => changes.push(...changesOfStep(name, old, now)))
  compare("event", new Map(before.schemas), new Map(now.schemas), (name, old, now) =>
    changes.push(`event '${name}' has another schema${fieldsThatChanged(old, now)}`)
  )
  return changes.length > 0 ? changes : ["its steps or events come in another order"]
}

const changesOfStep = (name: string, old: Step, now: Step): ReadonlyArray<string> => {
  const intakeOf = ({ accepts, intake }: Step) => intake?.text ?? accepts.join(" or ")
  const words: Array<string> = []
  if (intakeOf(old) !== intakeOf(now) || !same(old.intake, now.intake)) {
    const within = ({ intake }: Step) => (intake?.within == null ? "" : ` within ${intake.within}`)
    words.push(`takes ${intakeOf(now)}${within(now)}, not ${intakeOf(old)}${within(old)}`)
  }
  if (!same(old.emits, now.emits)) words.push(`emits ${quoted(now.emits)}, not ${quoted(old.emits)}`)
  for (const key of ["streams", "asks", "workers", "timeout", "retries", "recovers", "limits"] as const) {
    const shown = (value: unknown) => (Array.isArray(value) ? quoted(value) : String(value ?? "none"))
    if (!same(old[key], now[key])) words.push(`has ${key} ${shown(now[key])}, not ${shown(old[key])}`)
  }
  return words.length === 0 ? [`step '${name}' has changed`] : words.map((word) => `step '${name}' ${word}`)
}

/** The fields of two documents that are not the same. */
const fieldsThatChanged = (old: Json, now: Json): string => {
  const [before, after] = [fieldsOf(old), fieldsOf(now)]
  const names = [...new Set([...before.keys(), ...after.keys()])]
  const changed = names.filter((name) => !same(before.get(name), after.get(name)))
  return changed.length === 0 ? "" : `, in ${quoted(changed)}`
}

/** Those of the schema of a document, which may be among its definitions, and of the schemas that it refers to. */
const fieldsOf = (document: Json, fields = new Map<string, unknown>()): ReadonlyMap<string, unknown> => {
  if (typeof document !== "object" || document === null) return fields
  for (const [key, value] of Object.entries(document)) {
    if (key !== "properties") fieldsOf(value, fields)
    else for (const [name, field] of Object.entries(value as object)) fields.set(name, field)
  }
  return fields
}
