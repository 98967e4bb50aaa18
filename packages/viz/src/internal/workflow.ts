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

export const flowOf = (flow: Drawable): AnyFlow => ({
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
