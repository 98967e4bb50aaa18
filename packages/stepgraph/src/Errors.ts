/**
 * Every error a person can meet, with its message: what happened, where, with which values, what to do.
 */
import type { Issue } from "effect/SchemaIssue"
import { adviceOn, quoted, refusedEmission } from "./Advice.ts"
import { brief, isOf, type Secret } from "./Look.ts"
import { describe, show } from "./Show.ts"
import { TaggedError } from "./TaggedError.ts"
import { listed, shown, type Waiting, waitingInWords } from "./Waiting.ts"

export type { Waiting }

interface Refused {
  readonly input: unknown
  readonly issue?: Issue | undefined
  readonly problem: string
}

const refusal = (what: string, { problem, input }: Refused, secret?: Secret): string =>
  `${what} does not fit its schema: ${brief(problem.replace(/\s*\n\s*/g, " "), 2_000)} (given ${show(input, secret)})`

/** What a step was given, in the words of a message; a step behind a `gather` may have been given nothing at all. */
const given = (event: unknown): string => (event === undefined ? "" : `, given ${show(event)}`)

/** The fields of an event do not fit its schema. */
export class InvalidEvent extends TaggedError("InvalidEvent")<{
  /** The event's tag. */
  readonly event: string
  /** What was given. */
  readonly input: unknown
  /** The schema's own account of what is wrong, where the schema was asked. */
  readonly issue: Issue | undefined
  /** The same in words. */
  readonly problem: string
}> {
  /** `secret` says what of the input may not be shown. */
  constructor(props: {
    event: string
    input: unknown
    issue?: Issue | undefined
    problem: string
    secret?: Secret | undefined
  }) {
    const { event, input, issue, problem, secret } = props
    super({ event, problem }, { input, issue }, () => refusal(`event '${event}'`, props, secret))
  }
}

/** A value that a run's state was to begin with does not fit the cell's schema. */
export class InvalidState extends TaggedError("InvalidState")<{
  /** The cell's name. */
  readonly state: string
  /** What was given. */
  readonly input: unknown
  readonly issue: Issue | undefined
  /** The same in words. */
  readonly problem: string
}> {
  /** `secret` says what of the input may not be shown. */
  constructor(props: {
    state: string
    input: unknown
    issue?: Issue | undefined
    problem: string
    secret?: Secret | undefined
  }) {
    const { state, input, issue, problem, secret } = props
    super({ state, problem }, { input, issue }, () => refusal(`state '${state}'`, props, secret))
  }
}

/** A promise or an async iterable that a step returned has rejected. */
export class StepRejected extends TaggedError("StepRejected")<{
  readonly workflow: string
  readonly step: string
  /** What the step was given: one event, or the events of its intake. */
  readonly event: unknown
  /** What the promise was rejected with. */
  readonly cause: unknown
}> {
  constructor(props: { workflow: string; step: string; event: unknown; cause: unknown }) {
    const { workflow, step, event, cause } = props
    super(
      { workflow, step },
      { event, cause },
      () =>
        `step '${step}' of workflow '${workflow}' rejected${given(event)}: ${describe(cause)}${adviceOn(cause, event)}`
    )
  }
}

/** A step took longer than its `timeout`. */
export class StepTimedOut extends TaggedError("StepTimedOut")<{
  readonly workflow: string
  readonly step: string
  readonly event: unknown
  /** The step's `timeout`, in words. */
  readonly after: string
}> {
  constructor(props: { workflow: string; step: string; event: unknown; after: string }) {
    const { workflow, step, event, after } = props
    super(
      { workflow, step, after },
      { event },
      () => `step '${step}' of workflow '${workflow}' took longer than its timeout of ${after}${given(event)}`
    )
  }
}

/**
 * What went wrong inside a step that is no typed error: it threw, its Effect died, or it emitted what it may not emit.
 * It reaches an Effect program as a defect, and a promise as its rejection.
 */
export class StepDefect extends TaggedError("StepDefect")<{
  readonly workflow: string
  readonly step: string
  readonly event: unknown
  readonly cause: unknown
}> {
  /** `unheeded`: the step's `retry` and `recover`, which do not act on it. */
  constructor(props: {
    workflow: string
    step: string
    event: unknown
    cause: unknown
    unheeded?: ReadonlyArray<"retry" | "recover"> | undefined
  }) {
    const { workflow, step, event, cause, unheeded = [] } = props
    super(
      { workflow, step },
      { event, cause },
      () =>
        `step '${step}' of workflow '${workflow}' failed${given(event)}: ${describe(cause)}${adviceOn(cause, event)}` +
        (unheeded.length === 0 || isOf(InvalidEmission, cause) || isOf(StepEnded, cause)
          ? ""
          : `\n\`${unheeded.join("` and `")}\` ${unheeded.length > 1 ? "do" : "does"} not act on what is thrown here, ` +
            "only on rejections and typed errors: make `run` an async function, or return Effect.fail or Effect.try")
    )
  }
}

/**
 * A run broke between its steps: something threw that is none of their code, such as a service that the run was given (a
 * clock, a scheduler), or the stack was at its end. It reaches an Effect program as a defect, and a promise as its rejection.
 */
export class RunDefect extends TaggedError("RunDefect")<{
  readonly workflow: string
  /** What the run was doing. */
  readonly place: string
  readonly cause: unknown
}> {
  constructor(props: { workflow: string; place: string; cause: unknown }) {
    const { workflow, place, cause } = props
    super({ workflow, place }, { cause }, () => `workflow '${workflow}' broke while ${place}: ${describe(cause)}`)
  }
}

/** Why a step's emission was refused; it is the cause of a {@link StepDefect}. */
export class InvalidEmission extends TaggedError("InvalidEmission")<{
  /** What the step emitted. */
  readonly emitted: unknown
}> {
  constructor(props: { emitted: unknown; declared: ReadonlyArray<string> }) {
    const { emitted, declared } = props
    super({}, { emitted }, () => refusedEmission(emitted, declared))
  }
}

/** `ctx.send` was called when its step had already ended, so nobody would see the event. */
export class StepEnded extends TaggedError("StepEnded")<{
  readonly workflow: string
  readonly step: string
  readonly event: unknown
}> {
  constructor(props: { workflow: string; step: string; event: unknown }) {
    const { workflow, step, event } = props
    super(
      { workflow, step },
      { event },
      () =>
        `step '${step}' of workflow '${workflow}' sent ${show(event)} after it had ended: ` +
        "await or return what the step still does, and stop when ctx.signal is aborted"
    )
  }
}

/**
 * An event came to an intake from outside the scope that its `per` names. It is the cause of a {@link StepDefect} where a
 * step emitted it, and stands for itself where the event came from outside the run.
 */
export class OutsideScope extends TaggedError("OutsideScope")<{
  readonly event: unknown
  readonly intake: string
  readonly per: string
}> {
  constructor(props: { event: unknown; intake: string; per: string; workflow?: string }) {
    const { event, intake, per, workflow } = props
    super({ intake, per }, { event }, () => {
      const whence =
        workflow === undefined ? `it emitted ${show(event)}` : `workflow '${workflow}': ${show(event)} came`
      return (
        `${whence} to step '${intake}', which keeps one intake for each '${per}', ` +
        `but no '${per}' led to this event`
      )
    })
  }
}

const silentInWords = (steps: ReadonlyArray<string>): string => {
  if (steps.length === 0) return ""
  const more = steps.length > shown ? ` and ${steps.length - shown} more` : ""
  const named = `${steps.length === 1 ? "Step" : "Steps"} ${quoted(steps.slice(0, shown))}${more}`
  return `\n${named} returned nothing, although ${steps.length === 1 ? "it" : "they"} may emit: a missing return?`
}

/** Nothing is left to do and no stop event came. */
export class WorkflowStalled extends TaggedError("WorkflowStalled")<{
  readonly workflow: string
  /** Which intakes are waiting, with what they have and what they still need. */
  readonly waiting: ReadonlyArray<Waiting>
  /** The steps that returned nothing and emitted nothing, at least once, although they may emit events. */
  readonly silent: ReadonlyArray<string>
}> {
  constructor(props: {
    workflow: string
    stops: ReadonlyArray<string>
    /** The input events of a run that nothing can be sent to. */
    unsent: ReadonlyArray<string>
    waiting: ReadonlyArray<Waiting>
    silent: ReadonlyArray<string>
    /** How many more races nobody can win any more. */
    more: number
  }) {
    const { workflow, stops, unsent, waiting, silent, more } = props
    super(
      { workflow },
      { waiting, silent },
      () =>
        `workflow '${workflow}' stalled: nothing is queued or running, and no stop event (${quoted(stops)}) came. ` +
        (waiting.length === 0
          ? "No step is waiting either: the last steps emitted nothing"
          : `What is waiting:${listed(waiting, waitingInWords, more)}`) +
        silentInWords(silent) +
        (unsent.length === 0
          ? ""
          : `\nTo send ${quoted(unsent)} while it runs, start it with launch or launchPromise instead of run or runPromise`)
    )
  }
}

/** The whole run took longer than the workflow's `timeout`. */
export class WorkflowTimedOut extends TaggedError("WorkflowTimedOut")<{
  readonly workflow: string
  /** The workflow's `timeout`, in words. */
  readonly after: string
  /** How many invocations of each step were running. */
  readonly running: Readonly<Record<string, number>>
  /** How many events were queued for each step. */
  readonly queued: Readonly<Record<string, number>>
  readonly waiting: ReadonlyArray<Waiting>
}> {
  constructor(props: {
    workflow: string
    after: string
    running: Readonly<Record<string, number>>
    queued: Readonly<Record<string, number>>
    waiting: ReadonlyArray<Waiting>
    /** The stop events, if none can come of what it was doing. */
    unreachable?: ReadonlyArray<string>
  }) {
    const { workflow, after, running, queued, waiting, unreachable = [] } = props
    super({ workflow, after }, { running, queued, waiting }, () => {
      const count = (of: Readonly<Record<string, number>>, step: string) => (Object.hasOwn(of, step) ? of[step] : 0)
      const doing = [...Object.keys({ ...running, ...queued }), ...waiting]
      return (
        `workflow '${workflow}' took longer than its timeout of ${after}. What it was doing:` +
        listed(doing, (one) =>
          typeof one === "string"
            ? `step '${one}': ${count(running, one)} running, ${count(queued, one)} queued`
            : waitingInWords(one)
        ) +
        (unreachable.length === 0
          ? ""
          : `\nNo way leads from there to ${unreachable.length > 1 ? "a stop event" : "the stop event"} ` +
            `${quoted(unreachable)}: let one of these steps emit it, or an event that leads to it.`)
      )
    })
  }
}

/**
 * A step failed while it was shut down, in a finalizer or in a part that cannot be interrupted. It never changes the
 * outcome: after a failure it stands behind the run's own error, after a stop it is logged.
 */
export class FinalizerFailed extends TaggedError("FinalizerFailed")<{
  readonly workflow: string
  readonly step: string
  readonly event: unknown
  readonly cause: unknown
}> {
  constructor(props: { workflow: string; step: string; event: unknown; cause: unknown }) {
    const { workflow, step, event, cause } = props
    super(
      { workflow, step },
      { event, cause },
      () => `step '${step}' of workflow '${workflow}' failed while it was shut down${given(event)}: ${describe(cause)}`
    )
  }
}

/** An event was sent to a run that has ended, or whose inputs have been closed. */
export class RunEnded extends TaggedError("RunEnded")<{
  readonly workflow: string
  readonly event: unknown
}> {
  constructor(props: { workflow: string; event: unknown }) {
    const { workflow, event } = props
    super(
      { workflow },
      { event },
      () => `${show(event)} was sent to a run of workflow '${workflow}' that has ended or whose inputs are closed`
    )
  }
}

/** A workflow cannot work as it is declared. Thrown by `workflow()`, with every problem it has. */
export class InvalidWorkflow extends TaggedError("InvalidWorkflow")<{
  readonly workflow: string
  readonly problems: ReadonlyArray<string>
}> {
  constructor(props: { workflow: string; problems: ReadonlyArray<string> }) {
    const { workflow, problems } = props
    super(
      props,
      {},
      () =>
        `workflow '${workflow}' has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:` +
        problems.map((problem) => `\n  - ${problem}`).join("")
    )
  }
}
