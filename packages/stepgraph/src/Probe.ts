/**
 * The one seam for tests: whoever stands here takes the choices of a run, and sees how it stands. `@stepgraph/testing`
 * does; it is no way to change what a workflow does in production.
 */
import * as Context from "effect/Context"
import type { Waiting } from "./Errors.ts"

/** One call of a step's function. */
export interface Call {
  readonly step: string
  /** The event, or the batch of its intake, that the function is given. */
  readonly input: unknown
  /** 1 at first, then one more each time the step is retried. */
  readonly attempt: number
  /** The ids that stand for it and for its input in the trace, where the run is observed. */
  readonly invocation: string | undefined
}

/** How a run stands: what is queued, what is busy, and what is parked in intakes. */
export interface Marking {
  readonly state: "running" | "ending" | "ended"
  readonly steps: Readonly<Record<string, { readonly queued: number; readonly running: number }>>
  readonly waiting: ReadonlyArray<Waiting>
}

export interface Probe {
  /** A run has been made. It may ask at any moment how the run stands. */
  readonly began: (workflow: string, marking: () => Marking) => void
  /** The id of one more run, asked for when somebody first needs it. */
  readonly runId: () => string
  /**
   * Which of the steps that have work and a free worker is next: its place in the list, which stands in the order of
   * production. `undefined` gives everybody else a turn first.
   */
  readonly next: (steps: ReadonlyArray<string>) => number | undefined
  /** Calls a step's function, or does something else in its place; what it gives is taken as what the function returned. */
  readonly call: (call: Call, run: () => unknown) => unknown
  /** Waits for a promise that a step returned, and calls one of the two, now or later. */
  readonly wait: (
    call: Pick<Call, "step" | "invocation">,
    promise: PromiseLike<unknown>,
    fulfilled: (value: any) => void,
    rejected: (cause: unknown) => void
  ) => void
}

/** The probe of every run that is started with it. There is none by default. It is read once a run. */
export const Probe = /*#__PURE__*/ Context.Reference<Probe | undefined>("stepgraph/Probe", {
  defaultValue: () => undefined
})
