/**
 * What a drawing reads of a workflow: its plain data, by whichever copy of `stepgraph` it was made.
 */
import * as Duration from "effect/Duration"

interface Def {
  readonly tag: string
}

export interface DrawnIntake {
  readonly kind: "join" | "collect" | "gather" | "race"
  readonly events: ReadonlyArray<Def>
  readonly count: number | undefined
  readonly single: boolean
  readonly per: Def | undefined
  readonly by: unknown
  /** In words. */
  readonly within: string | undefined
}

export interface DrawnStep {
  readonly accepts: unknown
  readonly emits: ReadonlyArray<Def>
  readonly workers: number | "unbounded"
  /** In words. */
  readonly timeout: string | undefined
  readonly retries: boolean
  readonly recovers: boolean
}

export interface AnyFlow {
  readonly name: string
  readonly start: Def
  readonly stop: Def | ReadonlyArray<Def>
  readonly inputs: ReadonlyArray<Def>
  readonly outputs: ReadonlyArray<Def>
  readonly steps: Readonly<Record<string, DrawnStep>>
}

/** Any workflow that can be drawn. */
export interface Drawable {
  readonly name: string
  readonly start: Def
  readonly stop: Def | ReadonlyArray<Def>
  readonly inputs: ReadonlyArray<Def>
  readonly outputs: ReadonlyArray<Def>
  readonly steps: Readonly<Record<string, object>>
}

const inWords = (duration: unknown): string | undefined =>
  duration === undefined ? undefined : Duration.format(Duration.fromInputUnsafe(duration as Duration.Input))

const isIntake = (accepts: unknown): accepts is DrawnIntake & { readonly within: unknown } =>
  typeof accepts === "object" && accepts !== null && !Array.isArray(accepts)

/** The plain data of a workflow; a `TypeError` for untyped callers where it is none. */
export const flowOf = (flow: Drawable): AnyFlow => {
  if (!isWorkflow(flow)) {
    throw new TypeError(
      `There is no workflow to draw in ${shown(flow)}: give what workflow() returned, or for a run timeline(trace)`
    )
  }
  return read(flow)
}

const isWorkflow = (flow: unknown): boolean => {
  if (typeof flow !== "object" || flow === null) return false
  const { name, start, stop, inputs, outputs, steps } = flow as Record<string, unknown>
  return (
    typeof name === "string" &&
    [start, stop, steps].every((part) => (typeof part === "object" || typeof part === "function") && part !== null) &&
    Array.isArray(inputs) &&
    Array.isArray(outputs)
  )
}

const shown = (value: unknown): string => {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === "object" && value !== null) {
    return Object.keys(value).length === 0 ? "{}" : `an object with ${Object.keys(value).slice(0, 6).join(", ")}`
  }
  return typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value)
}

const read = (flow: Drawable): AnyFlow => ({
  name: flow.name,
  start: flow.start,
  stop: flow.stop,
  inputs: flow.inputs,
  outputs: flow.outputs,
  steps: Object.fromEntries(
    Object.entries(flow.steps as Readonly<Record<string, any>>).map(([name, step]) => [
      name,
      {
        accepts: isIntake(step.accepts) ? { ...step.accepts, within: inWords(step.accepts.within) } : step.accepts,
        emits: step.emits,
        workers: step.workers,
        timeout: inWords(step.timeout),
        retries: step.retry !== undefined,
        recovers: step.recover !== undefined
      }
    ])
  )
})

export const intakeOf = ({ accepts }: DrawnStep): DrawnIntake | undefined => (isIntake(accepts) ? accepts : undefined)

export const acceptedBy = (step: DrawnStep): ReadonlyArray<Def> =>
  intakeOf(step)?.events ?? (step.accepts as ReadonlyArray<Def>)

export const stopsOf = ({ stop }: AnyFlow): ReadonlyArray<Def> => (Array.isArray(stop) ? stop : [stop as Def])

/** The names of the steps that accept an event, and of those that emit it, in the order of declaration. */
export interface Links {
  readonly accepting: (tag: string) => ReadonlyArray<string>
  readonly emitting: (tag: string) => ReadonlyArray<string>
}

export const linksOf = ({ steps }: AnyFlow): Links => {
  const accepting = new Map<string, Array<string>>()
  const emitting = new Map<string, Array<string>>()
  const add = (to: Map<string, Array<string>>, defs: ReadonlyArray<Def>, name: string) => {
    for (const tag of new Set(defs.map((def) => def.tag))) {
      const names = to.get(tag)
      if (names === undefined) to.set(tag, [name])
      else names.push(name)
    }
  }
  for (const [name, step] of Object.entries(steps)) {
    add(accepting, acceptedBy(step), name)
    add(emitting, step.emits, name)
  }
  return { accepting: (tag) => accepting.get(tag) ?? [], emitting: (tag) => emitting.get(tag) ?? [] }
}
