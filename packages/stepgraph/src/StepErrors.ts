/**
 * Errors in steps. Each names the step and its input.
 */
import * as Schema from "effect/Schema"
import { adviceOn, quoted, refusedEmission } from "./Advice.ts"
import { brief, isOf } from "./Look.ts"
import { Payload, PublicError, Thrown } from "./PublicError.ts"
import { describe, show } from "./Show.ts"

/** A step's input as part of a message; a step with a `gather` may have received nothing at all. */
const given = (input: unknown): string => (input === undefined ? "" : `, given ${show(input)}`)

const longestReason = 200
/** The short text of what was thrown: text as it is. */
const reasonOf = (cause: unknown): string => (typeof cause === "string" ? brief(cause, longestReason) : describe(cause))

/**
 * A promise or an async iterable that a step returned has rejected. With a `retry` or a `recover`, a plain function or a
 * generator that throws rejects, too.
 */
export class StepRejected extends PublicError<StepRejected>()(
  "StepRejected",
  {
    workflow: Schema.String,
    step: Schema.String
  },
  {
    /** The step's input: one event, or the events of its intake. */
    input: Payload,
    /** The rejection of the promise. */
    cause: Thrown
  }
) {
  constructor(props: { workflow: string; step: string; input: unknown; cause: unknown }) {
    const { workflow, step, input, cause } = props
    super(
      { workflow, step },
      { input, cause },
      () =>
        `step '${step}' of workflow '${workflow}' rejected${given(input)}: ${describe(cause)}${adviceOn(cause, input)}`
    )
  }

  /** The rejection, as a short text. */
  get reason(): string {
    return reasonOf(this.cause)
  }
}

/** A step asks a question with `ctx.ask`, and no answer can come any more: the inputs of the run are closed. */
export class NoAnswer extends PublicError<NoAnswer>()(
  "NoAnswer",
  {
    workflow: Schema.String,
    step: Schema.String,
    /** The types of the answers that it waits for. */
    awaits: Schema.Array(Schema.String)
  },
  {
    /** The step's input: one event, or the events of its intake. */
    input: Payload,
    question: Payload
  }
) {
  /** `sendable`: whether events could be sent to the run at all. */
  constructor(props: {
    workflow: string
    step: string
    input: unknown
    question: unknown
    awaits: ReadonlyArray<string>
    sendable: boolean
  }) {
    const { workflow, step, input, question, awaits, sendable } = props
    super({ workflow, step, awaits }, { input, question }, () => {
      const why = sendable
        ? "the inputs were closed before one came"
        : "nothing can be sent to this run: start it with launch or launchPromise"
      return (
        `step '${step}' of workflow '${workflow}' asked ${show(question)}${given(input)}, ` +
        `but gets no ${awaits.map((tag) => quoted([tag])).join(" or ")}: ${why}`
      )
    })
  }
}

/** A step took longer than its `timeout`. */
export class StepTimedOut extends PublicError<StepTimedOut>()(
  "StepTimedOut",
  {
    workflow: Schema.String,
    step: Schema.String,
    /** The step's `timeout`, in words. */
    after: Schema.String
  },
  {
    input: Payload
  },
  { httpApiStatus: 504 }
) {
  constructor(props: { workflow: string; step: string; input: unknown; after: string }) {
    const { workflow, step, input, after } = props
    super(
      { workflow, step, after },
      { input },
      () => `step '${step}' of workflow '${workflow}' took longer than its timeout of ${after}${given(input)}`
    )
  }
}

/**
 * A step failed without a typed error: it threw, its Effect died, or it emitted an invalid value.
 * It reaches an Effect program as a defect, and a promise as its rejection.
 */
export class StepDefect extends PublicError<StepDefect>()(
  "StepDefect",
  {
    workflow: Schema.String,
    step: Schema.String
  },
  {
    input: Payload,
    cause: Thrown
  }
) {
  /** `unheeded`: the step's `retry` and `recover`, which do not act on it. */
  constructor(props: {
    workflow: string
    step: string
    input: unknown
    cause: unknown
    unheeded?: ReadonlyArray<"retry" | "recover"> | undefined
  }) {
    const { workflow, step, input, cause, unheeded = [] } = props
    super(
      { workflow, step },
      { input, cause },
      () =>
        `step '${step}' of workflow '${workflow}' failed${given(input)}: ${describe(cause)}${adviceOn(cause, input)}` +
        (unheeded.length === 0 || isOf(InvalidEmission, cause) || isOf(StepEnded, cause)
          ? ""
          : `\n\`${unheeded.join("` and `")}\` ${unheeded.length > 1 ? "do" : "does"} not act on a defect of an Effect, ` +
            "only on its errors: fail with Effect.fail or Effect.try")
    )
  }

  /** The thrown value, as a short text. */
  get reason(): string {
    return reasonOf(this.cause)
  }
}

/** Why a step's emission was refused; it is the cause of a {@link StepDefect}. */
export class InvalidEmission extends PublicError<InvalidEmission>()(
  "InvalidEmission",
  {},
  {
    /** The refused emission. */
    emitted: Payload
  }
) {
  constructor(props: { emitted: unknown; declared: ReadonlyArray<string> }) {
    const { emitted, declared } = props
    super({}, { emitted }, () => refusedEmission(emitted, declared))
  }
}

/** `ctx.send` was called when its step had already ended, so nobody would see the event. */
export class StepEnded extends PublicError<StepEnded>()(
  "StepEnded",
  {
    workflow: Schema.String,
    step: Schema.String
  },
  {
    event: Payload
  }
) {
  constructor(props: { workflow: string; step: string; event: unknown }) {
    const { workflow, step, event } = props
    super(
      { workflow, step },
      { event },
      () =>
        `step '${step}' of workflow '${workflow}' sent ${show(event)} after it had ended: ` +
        "await or return all remaining work, and stop when ctx.signal is aborted"
    )
  }
}

/**
 * An event came to an intake from outside the scope that its `per` names. If a step emitted it, this is the cause of a
 * {@link StepDefect}; if it came from outside the run, this is the run's own error.
 */
export class OutsideScope extends PublicError<OutsideScope>()(
  "OutsideScope",
  {
    intake: Schema.String,
    per: Schema.String
  },
  {
    event: Payload
  },
  { httpApiStatus: 422 }
) {
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

/**
 * A step failed while it was shut down, in a finalizer or in a part that cannot be interrupted. It never changes the
 * outcome: after a failure it stands behind the run's own error, after a stop it is logged.
 */
export class FinalizerFailed extends PublicError<FinalizerFailed>()(
  "FinalizerFailed",
  {
    workflow: Schema.String,
    step: Schema.String
  },
  {
    input: Payload,
    cause: Thrown
  }
) {
  constructor(props: { workflow: string; step: string; input: unknown; cause: unknown }) {
    const { workflow, step, input, cause } = props
    super(
      { workflow, step },
      { input, cause },
      () => `step '${step}' of workflow '${workflow}' failed while it was shut down${given(input)}: ${describe(cause)}`
    )
  }
}
