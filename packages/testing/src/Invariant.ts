/**
 * The built-in invariants, and the input of custom ones.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import { isPromiseLike } from "effect/Predicate"
import { SuppressedErrors, type TraceEntry } from "stepgraph"
import type { Graph } from "stepgraph/graph"
import { nameAndMessage } from "stepgraph/internal"
import type { Executed } from "./internal/executed.ts"
import { identify, show } from "./internal/show.ts"

/** The outcome of a run. */
export interface Outcome {
  readonly state: "stopped" | "failed" | "interrupted" | "hung"
  /** The stop event, if any. */
  readonly result: unknown
  /** The error it failed with. */
  readonly error: unknown
  /** The outcome as text. */
  readonly text: string
  /** Further errors: those in its cause, and those it suppresses. */
  readonly also: ReadonlyArray<unknown>
}

/** One run, as an invariant sees it. */
export interface Seen<Result = unknown> {
  readonly trace: ReadonlyArray<TraceEntry>
  readonly outcome: Outcome
  /** The stop event; `undefined` if there is none. */
  readonly result: Result | undefined
  /** The outcome of the usual order for the same input. */
  readonly usual: Outcome
  /** Whether `explore` interrupted this run, and how many faults it injected. */
  readonly cancelled: boolean
  readonly faults: number
  /** Whether the process of this run died, and another went on with it. The trace is that of the other. */
  readonly crashed: boolean
}

/**
 * A custom invariant: returns a description of the problem or `false`, or throws, so a test's `expect` works here.
 */
export type Check<Result = unknown> = (
  trace: ReadonlyArray<TraceEntry>,
  seen: Seen<Result>
) => string | boolean | undefined | void

/** Switches the invariants on and off. */
export interface Invariants<Result = unknown> {
  /**
   * Every schedule ends like the usual order. Default: on. With a function, only its result for the stop event is
   * compared; use that if a part may differ, such as the order of a list. Turn it off for a race.
   */
  readonly sameResult?: boolean | ((result: Result) => unknown) | undefined
  /** No schedule stalls or hangs. Default: on. */
  readonly neverStalls?: boolean | undefined
  /** No schedule fails without an injected fault. Default: on. Turn it off if the workflow is meant to fail. */
  readonly neverFails?: boolean | undefined
  /** No step has more invocations at work at once than workers. Default: on. */
  readonly withinWorkers?: boolean | undefined
  /** When the run ends, every invocation has ended, every finalizer has succeeded, and nothing goes on. Default: on. */
  readonly finalizersRun?: boolean | undefined
  /**
   * No event is left over in an intake or still queued when the run stops. Default: off, as a run may stop early on
   * purpose.
   */
  readonly eachConsumed?: boolean | undefined
}

/** A rule that a run broke. */
export interface Broken {
  readonly invariant: string
  readonly problem: string
}

export const outcomeOf = ({ crash, exit, endless, status, trace, uncaught }: Executed): Outcome => {
  if (crash?.diverged !== undefined) {
    const text = `cannot go on: ${crash.diverged.how}`
    return { state: "failed", result: undefined, error: undefined, text, also: [] }
  }
  if (uncaught !== undefined) {
    const { error, by } = uncaught
    return {
      state: "failed",
      result: undefined,
      error,
      text: `ends its process: ${by} throws ${errorText(error)}`,
      also: []
    }
  }
  if (endless) {
    const text = `goes on and on: given up after ${trace.length.toLocaleString("en")} entries of its trace`
    return { state: "hung", result: undefined, error: undefined, text, also: [] }
  }
  if (exit === undefined) {
    const running = Object.entries(status?.steps ?? {}).filter(([, { running }]) => running > 0)
    const who = running.map(([step, { running }]) => `${running > 1 ? `${running} of ` : ""}step '${step}'`).join(", ")
    const text = `hangs: ${who === "" ? "nothing can go on" : `${who} never ended`}`
    return { state: "hung", result: undefined, error: undefined, text, also: [] }
  }
  if (Exit.isSuccess(exit)) {
    return { state: "stopped", result: exit.value, error: undefined, text: show(exit.value), also: [] }
  }
  const { error, also } = errorsOf(exit.cause)
  if (Cause.hasInterruptsOnly(exit.cause)) {
    return { state: "interrupted", result: undefined, error, text: "is interrupted", also }
  }
  return { state: "failed", result: undefined, error, text: `fails with ${errorText(error)}`, also }
}

/** The error of a cause, and what came with it. */
const errorsOf = (cause: Cause.Cause<unknown>): { readonly error: unknown; readonly also: ReadonlyArray<unknown> } => {
  const error = Cause.squash(cause)
  const errors = cause.reasons.flatMap((reason) =>
    Cause.isFailReason(reason) ? [reason.error] : Cause.isDieReason(reason) ? [reason.defect] : []
  )
  const suppressed = Context.getOrUndefined(Cause.annotations(cause), SuppressedErrors) ?? []
  return { error, also: [...errors, ...suppressed].filter((other) => other !== error) }
}

export const errorText = (error: unknown): string => (isError(error) ? nameAndMessage(error) : show(error))

/** A key that differs for every two different outcomes: two errors may have the same message and different fields. */
export const keyOf = ({ state, result, error, text }: Outcome): string => {
  if (state === "stopped") return identify(result)
  return state === "failed" ? `${text} ${identify(fieldsOf(error))}` : text
}

/** The fields of an error besides its message, enumerable or not. */
const fieldsOf = (error: unknown): unknown => {
  if (typeof error !== "object" || error === null) return undefined
  try {
    const { stack: _, message: __, ...fields } = Object.getOwnPropertyDescriptors(error) as PropertyDescriptorMap
    return Object.defineProperties({}, mapValues(fields))
  } catch {
    return undefined
  }
}

const mapValues = (fields: PropertyDescriptorMap): PropertyDescriptorMap =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, { ...field, enumerable: true }]))

const isError = (error: unknown): error is Error => {
  try {
    return error instanceof Error
  } catch {
    return false
  }
}

/** The message of a thrown value, without the colours of a test's `expect`. */
const reason = (error: unknown): string => {
  try {
    if (error instanceof Error && typeof error.message === "string") return error.message
  } catch {}
  return typeof error === "string" ? error : nameAndMessage(error)
}

const sameResult = (seen: Seen<any>, by: boolean | ((result: any) => unknown)): string | undefined => {
  const { outcome, usual } = seen
  if (seen.cancelled && outcome.state === "interrupted") return undefined
  const project = typeof by === "function" ? by : (result: unknown) => result
  try {
    const same =
      outcome.state === "stopped" && usual.state === "stopped"
        ? identify(project(outcome.result)) === identify(project(usual.result))
        : keyOf(outcome) === keyOf(usual)
    return same ? undefined : "its outcome differs from the usual one"
  } catch (error) {
    return `its function throws: ${reason(error)}`
  }
}

const neverStalls = ({ outcome }: Seen): string | undefined => {
  if (outcome.state === "hung")
    return outcome.text.startsWith("hangs") ? "it waits for something that never comes" : "it never ends"
  const stalled = outcome.state === "failed" && (outcome.error as { _tag?: unknown } | undefined)?._tag
  return stalled === "WorkflowStalled" ? "it stalls" : undefined
}

/** Nothing can compensate for an ended process, so no option turns this off. */
const neverCrashes = ({ outcome }: Seen): string | undefined =>
  outcome.text.startsWith("ends its process")
    ? "it ends its process: nothing can catch an exception in a timer's callback"
    : undefined

/** No option turns this off either: a durable run would be stranded. */
const neverDiverges = ({ crash }: Executed): string | undefined => crash?.diverged?.why

const neverFails = ({ outcome, faults }: Seen): string | undefined => {
  if (faults > 0 || outcome.state !== "failed") return undefined
  return (outcome.error as { _tag?: unknown } | undefined)?._tag === "WorkflowStalled" ? undefined : "it fails"
}

const withinWorkers = ({ model }: Executed, graph: Graph): string | undefined => {
  for (const { workflow, steps } of model.runs.values()) {
    if (workflow !== undefined && workflow !== graph.name) continue
    for (const { name, workers } of graph.steps) {
      const most = steps.get(name)?.busiest ?? 0
      if (workers !== "unbounded" && most > workers) {
        return `step '${name}' has ${most} invocations at once and ${workers} workers`
      }
    }
  }
  return undefined
}

const eachConsumed = ({ model }: Executed): string | undefined => {
  for (const { drops, events } of model.runs.values()) {
    for (const { event: id, step, reason } of drops) {
      if (reason === "raced") continue
      const emitted = events.get(id)
      const event = emitted === undefined ? id : show({ _tag: emitted.tag, ...(emitted.data as object) })
      const where = step === null ? "" : ` for step '${step}'`
      const why = {
        leftover: `it was left over${where}`,
        late: "the attempt that sent it was over",
        ended: `the run ended while it was queued${where}`
      }
      return `${event} was never used: ${why[reason]}`
    }
  }
  return undefined
}

const finalizersRun = ({ failed, model, left }: Executed, { outcome }: Seen): string | undefined => {
  // A program may have several runs at once.
  for (const { finalizerFailures, unfinished } of model.runs.values()) {
    const failure = finalizerFailures.find(({ invocation }) => failed?.has(invocation) !== true)
    if (failure !== undefined) return `a finalizer of step '${failure.step}' failed: ${failure.error}`
    if (unfinished.length > 0) return `step '${unfinished[0]!.step}' had not ended when the run ended`
  }
  if (outcome.state !== "hung" && left.length > 0) return `work goes on after its end: ${left[0]}`
  return undefined
}

/** The first rule that a run breaks, most informative rule first. */
export const firstBroken = (
  graph: Graph,
  seen: Seen<any>,
  executed: Executed,
  invariants: Invariants<any>,
  checks: Readonly<Record<string, Check<any>>>
): Broken | undefined => {
  const found = (invariant: string, problem: string | undefined): Broken | undefined =>
    problem === undefined ? undefined : { invariant, problem }
  // Its trace is not that of a whole run.
  const whole = executed.crash?.diverged === undefined
  for (const [invariant, check] of Object.entries(whole ? checks : {})) {
    try {
      const said = check(seen.trace, seen)
      if (isPromiseLike(said)) return { invariant, problem: "it returned a promise, but a rule must be synchronous" }
      if (said === false) return { invariant, problem: "it does not hold" }
      if (typeof said === "string") return { invariant, problem: said }
    } catch (error) {
      return { invariant, problem: reason(error) }
    }
  }
  return (
    found("safeToCrash", neverDiverges(executed)) ??
    found("neverFails", neverCrashes(seen)) ??
    (invariants.neverStalls === false ? undefined : found("neverStalls", neverStalls(seen))) ??
    (invariants.neverFails === false ? undefined : found("neverFails", neverFails(seen))) ??
    (invariants.withinWorkers === false ? undefined : found("withinWorkers", withinWorkers(executed, graph))) ??
    (invariants.finalizersRun === false ? undefined : found("finalizersRun", finalizersRun(executed, seen))) ??
    (invariants.eachConsumed === true ? found("eachConsumed", eachConsumed(executed)) : undefined) ??
    (invariants.sameResult === false
      ? undefined
      : found(seen.crashed ? "safeToCrash" : "sameResult", sameResult(seen, invariants.sameResult ?? true)))
  )
}
