/**
 * Errors of a run as a whole: it stalls, takes too long, or breaks between its steps.
 */
import * as Schema from "effect/Schema"
import { quoted } from "./Advice.ts"
import { Payload, PublicError, Thrown } from "./PublicError.ts"
import { describe } from "./Show.ts"
import { listed, type OpenQuestion, questionInWords, shown, type Waiting, waitingInWords } from "./Waiting.ts"

const Counts = /*#__PURE__*/ Schema.Record(Schema.String, Schema.Number)
const Strings = /*#__PURE__*/ Schema.Array(Schema.String)
const Waitings = /*#__PURE__*/ Schema.Array(
  /*#__PURE__*/ Schema.Struct({
    step: Schema.String,
    intake: Schema.String,
    per: Payload,
    key: Payload,
    has: Counts,
    needs: Counts
  }) as Schema.Codec<Waiting, Schema.Json>
)

const Questions = /*#__PURE__*/ Schema.Array(
  /*#__PURE__*/ Schema.Struct({
    step: Schema.String,
    question: Payload,
    awaits: Strings
  }) as Schema.Codec<OpenQuestion, Schema.Json>
)

/**
 * A run broke outside its steps: a service such as a clock or a scheduler threw, or the stack overflowed. It reaches an Effect
 * program as a defect, and a promise as its rejection.
 */
export class RunDefect extends PublicError<RunDefect>()(
  "RunDefect",
  {
    workflow: Schema.String,
    /** The run's activity when it broke. */
    activity: Schema.String
  },
  {
    cause: Thrown
  }
) {
  constructor(props: { workflow: string; activity: string; cause: unknown }) {
    const { workflow, activity, cause } = props
    super({ workflow, activity }, { cause }, () => `workflow '${workflow}' broke while ${activity}: ${describe(cause)}`)
  }
}

const silentInWords = (steps: ReadonlyArray<string>): string => {
  if (steps.length === 0) return ""
  const more = steps.length > shown ? ` and ${steps.length - shown} more` : ""
  const named = `${steps.length === 1 ? "Step" : "Steps"} ${quoted(steps.slice(0, shown))}${more}`
  return `\n${named} returned nothing, although ${steps.length === 1 ? "it" : "they"} may emit: a missing return?`
}

/** Nothing is left to do and no stop event came. */
export class WorkflowStalled extends PublicError<WorkflowStalled>()(
  "WorkflowStalled",
  {
    workflow: Schema.String
  },
  {
    /** Which intakes are waiting, with what they have and what they still need. */
    waiting: Waitings,
    /** The steps that returned nothing and emitted nothing, at least once, although they may emit events. */
    silent: Strings,
    /** The last questions still unanswered when the inputs were closed. */
    unanswered: Questions
  }
) {
  constructor(props: {
    workflow: string
    stops: ReadonlyArray<string>
    /** The workflow's input events, if nothing can be sent to the run. */
    unsent: ReadonlyArray<string>
    waiting: ReadonlyArray<Waiting>
    silent: ReadonlyArray<string>
    /** Number of further races that can no longer be won. */
    more: number
    unanswered?: ReadonlyArray<OpenQuestion>
  }) {
    const { workflow, stops, unsent, waiting, silent, more, unanswered = [] } = props
    super(
      { workflow },
      { waiting, silent, unanswered },
      () =>
        `workflow '${workflow}' stalled: nothing is queued or running, and no stop event (${quoted(stops)}) came. ` +
        (waiting.length === 0
          ? "No step is waiting either: the last steps emitted nothing"
          : `What is waiting:${listed(waiting, waitingInWords, more)}`) +
        silentInWords(silent) +
        (unanswered.length === 0
          ? ""
          : `\nNobody answered before the inputs were closed:${listed(unanswered, questionInWords)}`) +
        (unsent.length === 0
          ? ""
          : `\nTo send ${quoted(unsent)} while it runs, start it with launch or launchPromise instead of run or runPromise`)
    )
  }
}

/** The whole run took longer than the workflow's `timeout`. */
export class WorkflowTimedOut extends PublicError<WorkflowTimedOut>()(
  "WorkflowTimedOut",
  {
    workflow: Schema.String,
    /** The workflow's `timeout`, in words. */
    after: Schema.String
  },
  {
    /** How many invocations of each step were running. */
    running: Counts,
    /** How many events were queued for each step. */
    queued: Counts,
    waiting: Waitings,
    /** The questions still open. */
    questions: Questions
  },
  { httpApiStatus: 504 }
) {
  constructor(props: {
    workflow: string
    after: string
    running: Readonly<Record<string, number>>
    queued: Readonly<Record<string, number>>
    waiting: ReadonlyArray<Waiting>
    questions?: ReadonlyArray<OpenQuestion>
    /** The stop events, if no running work could lead to one. */
    unreachable?: ReadonlyArray<string>
  }) {
    const { workflow, after, running, queued, waiting, questions = [], unreachable = [] } = props
    super({ workflow, after }, { running, queued, waiting, questions }, () => {
      const count = (of: Readonly<Record<string, number>>, step: string) => (Object.hasOwn(of, step) ? of[step] : 0)
      const doing = [...Object.keys({ ...running, ...queued }), ...questions, ...waiting]
      return (
        `workflow '${workflow}' took longer than its timeout of ${after}. What it was doing:` +
        listed(doing, (one) =>
          typeof one === "string"
            ? `step '${one}': ${count(running, one)} running, ${count(queued, one)} queued`
            : "question" in one
              ? questionInWords(one)
              : waitingInWords(one)
        ) +
        (unreachable.length === 0
          ? ""
          : `\nNothing there can lead to ${unreachable.length > 1 ? "a stop event" : "the stop event"} ` +
            `${quoted(unreachable)}: let one of these steps emit it, or an event that leads to it.`)
      )
    })
  }
}
