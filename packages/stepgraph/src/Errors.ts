/**
 * Every error a person can meet, with its message: what happened, where, with which values, what to do.
 */
import * as Data from "effect/Data"
import { format } from "effect/Formatter"
import type { Issue } from "effect/SchemaIssue"

const longest = 200
const longestString = 80
const mostItems = 8

const isPlain = (value: unknown): value is object => {
  if (typeof value !== "object" || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return Array.isArray(value) || prototype === Object.prototype || prototype === null
}

/** A value in a few words: never more of it is looked at than is shown, as an event may carry a million passages. */
const preview = (value: unknown, depth: number): string => {
  if (typeof value === "string") {
    return JSON.stringify(value.length > longestString ? `${value.slice(0, longestString)}…` : value)
  }
  if (!isPlain(value)) return format(value)
  if (depth === 0) return Array.isArray(value) ? "[…]" : "{…}"
  if (Array.isArray(value)) {
    const items = value.slice(0, mostItems).map((item) => preview(item, depth - 1))
    return `[${items.join(", ")}${value.length > mostItems ? `, … ${value.length} in all` : ""}]`
  }
  const tag = "_tag" in value && typeof value._tag === "string" ? value._tag : undefined
  const keys = Object.keys(value).filter((key) => key !== "_tag" || tag === undefined)
  const fields = keys
    .slice(0, mostItems)
    .map((key) => `${JSON.stringify(key)}:${preview((value as Record<string, unknown>)[key], depth - 1)}`)
  if (keys.length > mostItems) fields.push("…")
  const body = `{${fields.join(",")}}`
  return tag === undefined ? body : keys.length === 0 ? tag : `${tag} ${body}`
}

/** A value as a message shows it: an event as `Tag {…}`. */
const show = (value: unknown): string => {
  try {
    const text = preview(value, 3)
    return text.length > longest ? `${text.slice(0, longest)}…` : text
  } catch {
    return "a value that cannot be shown"
  }
}

/** A cause in words. A tagged error's message says by itself what it is. */
const describe = (cause: unknown): string => {
  if (!(cause instanceof Error)) return show(cause)
  if (cause.message === "") return cause.name
  return cause.name === "Error" || "_tag" in cause ? cause.message : `${cause.name}: ${cause.message}`
}

const quoted = (tags: ReadonlyArray<string>): string => tags.map((tag) => `'${tag}'`).join(", ")

interface Refused {
  readonly input: unknown
  readonly issue?: Issue | undefined
  readonly problem: string
}

/** What a refused value's error is made of. The schema's issue can be read of it, and is too long to be printed with it. */
const refusal = <P extends Refused>(what: string, props: P) => {
  const { issue: _, ...shown } = props
  const problem = props.problem.replace(/\s*\n\s*/g, " ")
  const message = `${what} does not fit its schema: ${problem} (given ${show(props.input)})`
  return { ...shown, message } as Omit<P, "issue"> & { readonly issue: Issue | undefined; readonly message: string }
}

const keepIssue = (error: Error, { issue }: Refused): void => {
  Object.defineProperty(error, "issue", { value: issue, enumerable: false })
}

/** What a step was given, in the words of a message; a step behind a `gather` may have been given nothing at all. */
const given = (event: unknown): string => (event === undefined ? "" : `, given ${show(event)}`)

/** The fields of an event do not fit its schema. */
export class InvalidEvent extends Data.TaggedError("InvalidEvent")<{
  /** The event's tag. */
  readonly event: string
  /** What was given. */
  readonly input: unknown
  /** The schema's own account of what is wrong, where the schema was asked. */
  readonly issue: Issue | undefined
  /** The same in words. */
  readonly problem: string
  readonly message: string
}> {
  constructor(props: { event: string; input: unknown; issue?: Issue | undefined; problem: string }) {
    super(refusal(`event '${props.event}'`, props))
    keepIssue(this, props)
  }
}

/** A value that a run's state was to begin with does not fit the cell's schema. */
export class InvalidState extends Data.TaggedError("InvalidState")<{
  /** The cell's name. */
  readonly state: string
  /** What was given. */
  readonly input: unknown
  readonly issue: Issue | undefined
  /** The same in words. */
  readonly problem: string
  readonly message: string
}> {
  constructor(props: { state: string; input: unknown; issue?: Issue | undefined; problem: string }) {
    super(refusal(`state '${props.state}'`, props))
    keepIssue(this, props)
  }
}

/** A promise or an async iterable that a step returned has rejected. */
export class StepRejected extends Data.TaggedError("StepRejected")<{
  readonly workflow: string
  readonly step: string
  /** What the step was given: one event, or the events of its intake. */
  readonly event: unknown
  /** What the promise was rejected with. */
  readonly cause: unknown
  readonly message: string
}> {
  constructor(props: { workflow: string; step: string; event: unknown; cause: unknown }) {
    super({
      ...props,
      message: `step '${props.step}' of workflow '${props.workflow}' rejected${given(props.event)}: ${describe(props.cause)}`
    })
  }
}

/** A step took longer than its `timeout`. */
export class StepTimedOut extends Data.TaggedError("StepTimedOut")<{
  readonly workflow: string
  readonly step: string
  readonly event: unknown
  /** The step's `timeout`, in words. */
  readonly after: string
  readonly message: string
}> {
  constructor(props: { workflow: string; step: string; event: unknown; after: string }) {
    super({
      ...props,
      message:
        `step '${props.step}' of workflow '${props.workflow}' took longer than its timeout of ${props.after}` +
        given(props.event)
    })
  }
}

/**
 * What went wrong inside a step that is no typed error: it threw, its Effect died, or it emitted what it may not emit.
 * It reaches an Effect program as a defect, and a promise as its rejection.
 */
export class StepDefect extends Data.TaggedError("StepDefect")<{
  readonly workflow: string
  readonly step: string
  readonly event: unknown
  readonly cause: unknown
  readonly message: string
}> {
  constructor(props: { workflow: string; step: string; event: unknown; cause: unknown }) {
    super({
      ...props,
      message: `step '${props.step}' of workflow '${props.workflow}' failed${given(props.event)}: ${describe(props.cause)}`
    })
  }
}

/** Why a step's emission was refused; it is the cause of a {@link StepDefect}. */
export class InvalidEmission extends Data.TaggedError("InvalidEmission")<{
  /** What the step emitted. */
  readonly emitted: unknown
  readonly message: string
}> {
  constructor(props: { emitted: unknown; declared: ReadonlyArray<string> }) {
    const { emitted, declared } = props
    const may = declared.length === 0 ? "it declares no events" : `it may emit ${quoted(declared)}`
    const isEvent =
      typeof emitted === "object" && emitted !== null && "_tag" in emitted && typeof emitted._tag === "string"
    const definition = typeof emitted === "function" && "tag" in emitted ? emitted.tag : undefined
    super({
      emitted,
      message: isEvent
        ? `it emitted ${show(emitted)}, but ${may}: add '${emitted._tag}' to its 'emits', or do not emit it`
        : definition !== undefined
          ? `it emitted the definition of '${definition}' itself: call it to make an event, ${definition}({ … })`
          : `it emitted ${show(emitted)}, which is no event: make events with what defineEvent returns (${may})`
    })
  }
}

/** `ctx.send` was called when its step had already ended, so nobody would see the event. */
export class StepEnded extends Data.TaggedError("StepEnded")<{
  readonly workflow: string
  readonly step: string
  readonly event: unknown
  readonly message: string
}> {
  constructor(props: { workflow: string; step: string; event: unknown }) {
    super({
      ...props,
      message:
        `step '${props.step}' of workflow '${props.workflow}' sent ${show(props.event)} after it had ended: ` +
        "await or return what the step still does, and stop when ctx.signal is aborted"
    })
  }
}

/**
 * An event came to an intake from outside the scope that its `per` names. It is the cause of a {@link StepDefect} where a
 * step emitted it, and stands for itself where the event came from outside the run.
 */
export class OutsideScope extends Data.TaggedError("OutsideScope")<{
  readonly event: unknown
  readonly intake: string
  readonly per: string
  readonly message: string
}> {
  constructor(props: { event: unknown; intake: string; per: string; workflow?: string }) {
    const { event, intake, per, workflow } = props
    const whence = workflow === undefined ? `it emitted ${show(event)}` : `workflow '${workflow}': ${show(event)} came`
    super({
      event,
      intake,
      per,
      message:
        `${whence} to step '${intake}', which keeps one intake for each '${per}', ` +
        `but no '${per}' led to this event`
    })
  }
}

/** What one step's intake holds and lacks while it waits. */
export interface Waiting {
  readonly step: string
  /** The intake in the words of its definition, such as `join([A, B])`. */
  readonly intake: string
  /** The scope it waits in: the event that opened it, where the intake has a `per`. */
  readonly per: unknown
  /** The key it waits for, where the intake has a `by`. */
  readonly key: unknown
  /** How many events of each type it has. */
  readonly has: Readonly<Record<string, number>>
  /** How many events of each type it still needs; of several types together, the key is `A or B`. */
  readonly needs: Readonly<Record<string, number>>
}

const counts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of)
    .map(([tag, n]) => `${n} ${tag}`)
    .join(" and ") || "nothing"

const waitingInWords = (waiting: Waiting): string =>
  `step '${waiting.step}' waits for ${waiting.intake}` +
  (waiting.per === undefined ? "" : ` of ${show(waiting.per)}`) +
  (waiting.key === undefined ? "" : ` with the key ${show(waiting.key)}`) +
  `: has ${counts(waiting.has)}, ` +
  (Object.keys(waiting.needs).length === 0 ? "and runs when nothing more can come" : `needs ${counts(waiting.needs)}`)

const shown = 5
const listed = (lines: ReadonlyArray<string>): string =>
  lines
    .slice(0, shown)
    .map((line) => `\n  - ${line}`)
    .join("") + (lines.length > shown ? `\n  - and ${lines.length - shown} more` : "")

/** Nothing is left to do and no stop event came. */
export class WorkflowStalled extends Data.TaggedError("WorkflowStalled")<{
  readonly workflow: string
  /** Which intakes are waiting, with what they have and what they still need. */
  readonly waiting: ReadonlyArray<Waiting>
  readonly message: string
}> {
  constructor(props: {
    workflow: string
    stops: ReadonlyArray<string>
    /** The input events of a run that nothing can be sent to. */
    unsent: ReadonlyArray<string>
    waiting: ReadonlyArray<Waiting>
  }) {
    const { workflow, stops, unsent, waiting } = props
    super({
      workflow,
      waiting,
      message:
        `workflow '${workflow}' stalled: nothing is queued or running, and no stop event (${quoted(stops)}) came. ` +
        (waiting.length === 0
          ? "No step is waiting either: the last steps emitted nothing"
          : `What is waiting:${listed(waiting.map(waitingInWords))}`) +
        (unsent.length === 0
          ? ""
          : `\nTo send ${quoted(unsent)} while it runs, start it with launch or launchPromise instead of run or runPromise`)
    })
  }
}

/** The whole run took longer than the workflow's `timeout`. */
export class WorkflowTimedOut extends Data.TaggedError("WorkflowTimedOut")<{
  readonly workflow: string
  /** The workflow's `timeout`, in words. */
  readonly after: string
  /** How many invocations of each step were running. */
  readonly running: Readonly<Record<string, number>>
  /** How many events were queued for each step. */
  readonly queued: Readonly<Record<string, number>>
  readonly waiting: ReadonlyArray<Waiting>
  readonly message: string
}> {
  constructor(props: {
    workflow: string
    after: string
    running: Readonly<Record<string, number>>
    queued: Readonly<Record<string, number>>
    waiting: ReadonlyArray<Waiting>
  }) {
    const { workflow, after, running, queued, waiting } = props
    const count = (of: Readonly<Record<string, number>>, step: string) => (Object.hasOwn(of, step) ? of[step] : 0)
    const steps = Object.keys({ ...running, ...queued }).map(
      (step) => `step '${step}': ${count(running, step)} running, ${count(queued, step)} queued`
    )
    super({
      ...props,
      message:
        `workflow '${workflow}' took longer than its timeout of ${after}. What it was doing:` +
        listed([...steps, ...waiting.map(waitingInWords)])
    })
  }
}

/**
 * A step failed while it was shut down, in a finalizer or in a part that cannot be interrupted. It never changes the
 * outcome: after a failure it stands behind the run's own error, after a stop it is logged.
 */
export class FinalizerFailed extends Data.TaggedError("FinalizerFailed")<{
  readonly workflow: string
  readonly step: string
  readonly event: unknown
  readonly cause: unknown
  readonly message: string
}> {
  constructor(props: { workflow: string; step: string; event: unknown; cause: unknown }) {
    super({
      ...props,
      message:
        `step '${props.step}' of workflow '${props.workflow}' failed while it was shut down` +
        `${given(props.event)}: ${describe(props.cause)}`
    })
  }
}

/** An event was sent to a run that has ended, or whose inputs have been closed. */
export class RunEnded extends Data.TaggedError("RunEnded")<{
  readonly workflow: string
  readonly event: unknown
  readonly message: string
}> {
  constructor(props: { workflow: string; event: unknown }) {
    super({
      ...props,
      message: `${show(props.event)} was sent to a run of workflow '${props.workflow}' that has ended or whose inputs are closed`
    })
  }
}

/** A workflow cannot work as it is declared. Thrown by `workflow()`, with every problem it has. */
export class InvalidWorkflow extends Data.TaggedError("InvalidWorkflow")<{
  readonly workflow: string
  readonly problems: ReadonlyArray<string>
  readonly message: string
}> {
  constructor(props: { workflow: string; problems: ReadonlyArray<string> }) {
    const { workflow, problems } = props
    super({
      ...props,
      message:
        `workflow '${workflow}' has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:` +
        problems.map((problem) => `\n  - ${problem}`).join("")
    })
  }
}
