/**
 * What must hold in every schedule: the built-in invariants, and what an own one is given.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { isPromiseLike } from "effect/Predicate"
import type { TraceEntry } from "stepgraph"
import type { Graph } from "stepgraph/graph"
import { nameAndMessage } from "stepgraph/internal"
import type { Executed } from "./internal/executed.ts"
import { identify, show } from "./internal/show.ts"

/** How a run ended. */
export interface Outcome {
  readonly kind: "stopped" | "failed" | "interrupted" | "hung"
  /** The stop event, where there is one. */
  readonly result: unknown
  /** What it failed with. */
  readonly error: unknown
  /** In words. */
  readonly text: string
}

/** One run, as an invariant sees it. */
export interface Seen<Result = unknown> {
  readonly trace: ReadonlyArray<TraceEntry>
  readonly outcome: Outcome
  /** The stop event; `undefined` where the run did not come to one. */
  readonly result: Result | undefined
  /** How the same input ends in the usual order. */
  readonly usual: Outcome
  /** Whether `explore` interrupted this run, and how many faults it put in. */
  readonly cancelled: boolean
  readonly faults: number
}

/**
 * An invariant of your own: says what is wrong, or nothing. What it throws is what is wrong, too, so that a test's `expect`
 * works here.
 */
export type Check<Result = unknown> = (
  trace: ReadonlyArray<TraceEntry>,
  seen: Seen<Result>
) => string | boolean | undefined | void

/** Which invariants are looked at; those that are left out are as their comment says. */
export interface Invariants<Result = unknown> {
  /**
   * Every schedule ends as the usual order does. On. Given a function, what it makes of the stop event is compared: give
   * it where a difference is meant, such as the order of a list; turn it off for a race.
   */
  readonly sameResult?: boolean | ((result: Result) => unknown) | undefined
  /** No schedule stalls or hangs. On. */
  readonly neverStalls?: boolean | undefined
  /** No schedule fails by itself, without a fault that `explore` has put in. On: turn it off for a workflow that is meant to. */
  readonly neverFails?: boolean | undefined
  /** No step has more invocations at once than it has workers. On. */
  readonly withinWorkers?: boolean | undefined
  /** When the run ends, every invocation has ended, every finalizer has run without failing, and nothing goes on. On. */
  readonly finalizersRun?: boolean | undefined
  /** No event is left over in an intake, or still queued when the run stops. Off: a run may well stop early. */
  readonly eachConsumed?: boolean | undefined
}

/** A rule that a run has broken. */
export interface Broken {
  readonly invariant: string
  readonly problem: string
}

export const outcomeOf = ({ exit, endless, marking, trace, uncaught }: Executed): Outcome => {
  if (uncaught !== undefined) {
    const { error, by } = uncaught
    return { kind: "failed", result: undefined, error, text: `ends its process: ${by} throws ${inWords(error)}` }
  }
  if (endless) {
    const text = `goes on and on: given up after ${trace.length.toLocaleString("en")} entries of its trace`
    return { kind: "hung", result: undefined, error: undefined, text }
  }
  if (exit === undefined) {
    const running = Object.entries(marking?.steps ?? {}).filter(([, { running }]) => running > 0)
    const who = running.map(([step, { running }]) => `${running > 1 ? `${running} of ` : ""}step '${step}'`).join(", ")
    const text = `hangs: ${who === "" ? "nothing can go on" : `${who} never ended`}`
    return { kind: "hung", result: undefined, error: undefined, text }
  }
  if (Exit.isSuccess(exit)) {
    return { kind: "stopped", result: exit.value, error: undefined, text: show(exit.value) }
  }
  const error = Cause.squash(exit.cause)
  if (Cause.hasInterruptsOnly(exit.cause)) {
    return { kind: "interrupted", result: undefined, error, text: "is interrupted" }
  }
  return { kind: "failed", result: undefined, error, text: `fails with ${inWords(error)}` }
}

const inWords = (error: unknown): string => (isError(error) ? nameAndMessage(error) : show(error))

/** Unlike for every two ways in which runs end: two errors may say the same and hold something else. */
export const keyOf = ({ kind, result, error, text }: Outcome): string => {
  if (kind === "stopped") return identify(result)
  return kind === "failed" ? `${text} ${identify(fieldsOf(error))}` : text
}

/** What an error holds beside its words, whether it shows it or not. */
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

/** The words of what an invariant throws, which may have the colours of a test's `expect`. */
const reason = (error: unknown): string => {
  try {
    if (error instanceof Error && typeof error.message === "string") return error.message
  } catch {}
  return typeof error === "string" ? error : nameAndMessage(error)
}

const sameResult = (seen: Seen<any>, by: boolean | ((result: any) => unknown)): string | undefined => {
  const { outcome, usual } = seen
  if (seen.cancelled && outcome.kind === "interrupted") return undefined
  const project = typeof by === "function" ? by : (result: unknown) => result
  try {
    const same =
      outcome.kind === "stopped" && usual.kind === "stopped"
        ? identify(project(outcome.result)) === identify(project(usual.result))
        : keyOf(outcome) === keyOf(usual)
    return same ? undefined : "it ends in another way than in the usual order"
  } catch (error) {
    return `the function given for it throws: ${reason(error)}`
  }
}

const neverStalls = ({ outcome }: Seen): string | undefined => {
  if (outcome.kind === "hung")
    return outcome.text.startsWith("hangs") ? "it waits for what does not come" : "it never ends"
  const stalled = outcome.kind === "failed" && (outcome.error as { _tag?: unknown } | undefined)?._tag
  return stalled === "WorkflowStalled" ? "it stalls" : undefined
}

/** Nothing makes up for an ended process, so no option turns this off. */
const neverCrashes = ({ outcome }: Seen): string | undefined =>
  outcome.text.startsWith("ends its process")
    ? "it ends its process: nothing can catch what a timer's callback throws"
    : undefined

const neverFails = ({ outcome, faults }: Seen): string | undefined => {
  if (faults > 0 || outcome.kind !== "failed") return undefined
  return (outcome.error as { _tag?: unknown } | undefined)?._tag === "WorkflowStalled" ? undefined : "it fails"
}

const withinWorkers = ({ model }: Executed, graph: Graph): string | undefined => {
  for (const { workflow, steps } of model.runs.values()) {
    if (workflow !== undefined && workflow !== graph.name) continue
    for (const { name, workers } of graph.steps) {
      const most = steps.get(name)?.most ?? 0
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
        "left over": `it was left over${where}`,
        late: "the attempt that sent it was over",
        ended: `the run ended while it was queued${where}`
      }
      return `${event} was never used: ${why[reason]}`
    }
  }
  return undefined
}

const finalizersRun = ({ model, left }: Executed, { outcome }: Seen): string | undefined => {
  // A program may have several runs at once.
  for (const { finalizerFailures, unfinished } of model.runs.values()) {
    const [failure] = finalizerFailures
    if (failure !== undefined) return `a finalizer of step '${failure.step}' failed: ${failure.error}`
    if (unfinished.length > 0) return `step '${unfinished[0]!.step}' had not ended when the run ended`
  }
  if (outcome.kind !== "hung" && left.length > 0) return `something of it goes on after its end: ${left[0]}`
  return undefined
}

/** The first rule that a run breaks: the more telling ones first. */
export const firstBroken = (
  graph: Graph,
  seen: Seen<any>,
  executed: Executed,
  invariants: Invariants<any>,
  checks: Readonly<Record<string, Check<any>>>
): Broken | undefined => {
  const found = (invariant: string, problem: string | undefined): Broken | undefined =>
    problem === undefined ? undefined : { invariant, problem }
  for (const [invariant, check] of Object.entries(checks)) {
    try {
      const said = check(seen.trace, seen)
      if (isPromiseLike(said)) return { invariant, problem: "it returned a promise: a rule is a plain function" }
      if (said === false) return { invariant, problem: "it does not hold" }
      if (typeof said === "string") return { invariant, problem: said }
    } catch (error) {
      return { invariant, problem: reason(error) }
    }
  }
  return (
    found("neverFails", neverCrashes(seen)) ??
    (invariants.neverStalls === false ? undefined : found("neverStalls", neverStalls(seen))) ??
    (invariants.neverFails === false ? undefined : found("neverFails", neverFails(seen))) ??
    (invariants.withinWorkers === false ? undefined : found("withinWorkers", withinWorkers(executed, graph))) ??
    (invariants.finalizersRun === false ? undefined : found("finalizersRun", finalizersRun(executed, seen))) ??
    (invariants.eachConsumed === true ? found("eachConsumed", eachConsumed(executed)) : undefined) ??
    (invariants.sameResult === false ? undefined : found("sameResult", sameResult(seen, invariants.sameResult ?? true)))
  )
}
