/**
 * The end of a run: once, with its first outcome, and only when none of its work is running.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import {
  FinalizerFailed,
  NoAnswer,
  RunDefect,
  StepDefect,
  StepRejected,
  StepTimedOut,
  WorkflowStalled,
  WorkflowTimedOut
} from "../../../Errors.ts"
import type { AnyEvent } from "../../../Event.ts"
import { ranIn } from "../../../TaggedError.ts"
import type { Delivery } from "../scope/delivery.ts"
import { aroseIn, behind, errorOf } from "./causes.ts"
import { aborted } from "./reasons.ts"

/** Whether a step failed with the error of a nested run. Its own rejection and timeout already name its input. */
const isOfNestedRun = (error: unknown, step: string, input: unknown): error is Error => {
  try {
    if (error instanceof WorkflowStalled || error instanceof WorkflowTimedOut) return true
    return (
      (error instanceof StepRejected || error instanceof StepTimedOut || error instanceof NoAnswer) &&
      (error.step !== step || error.input !== input)
    )
  } catch {
    // A proxy may throw on any access.
    return false
  }
}

/** The run that ends. */
export interface Ended {
  readonly workflow: string
  readonly context: Context.Context<never>
  /** Whether any of its work is still running. */
  readonly atWork: boolean
  /** Interrupts everything that runs, now or as soon as possible. */
  shutDown(): void
  /** Notifies observers. */
  recordEnd(outcome: Exit.Exit<AnyEvent, unknown>): void
}

/** Reading a defect may throw, or overflow the stack; the activity is named anyway. */
export const runDefect = (workflow: string, activity: string, cause: unknown): Error => {
  try {
    return new RunDefect({ workflow, activity, cause })
  } catch {
    return new Error(`workflow '${workflow}' broke while ${activity}`, { cause })
  }
}

export class Outcome {
  /** The exit that the run ends, or has ended, with. */
  exit: Exit.Exit<AnyEvent, unknown> | undefined
  /** The id of the stop event, if the run is recorded. */
  stopId: string | undefined
  /** Whether the run's own timeout has passed. */
  timedOut = false
  finished = false
  /** Errors after the outcome. They never change it. */
  private readonly late: Array<Cause.Reason<unknown>> = []
  private readonly run: Ended
  private abortReason: unknown
  private readonly onFinished: Array<() => void> = []
  private called = 0

  constructor(run: Ended) {
    this.run = run
  }

  /** Whether the run has an outcome, so that later emissions are dropped. */
  get reached(): boolean {
    return this.exit !== undefined
  }

  /** Whether that outcome is a failure. */
  get failed(): boolean {
    return this.exit?._tag === "Failure" && !Cause.hasInterruptsOnly(this.exit.cause)
  }

  /** The errors to log: those missing from the outcome, and every failure of a finalizer. */
  get unseen(): ReadonlyArray<unknown> {
    const { exit, failed } = this
    const typed = failed && Exit.isFailure(exit!) && Cause.hasFails(exit.cause)
    const seen = (reason: Cause.Reason<unknown>) => failed && (!typed || Cause.isFailReason(reason))
    return this.late.filter((reason) => !seen(reason) || errorOf(reason) instanceof FinalizerFailed).map(errorOf)
  }

  /** The abort reason for the steps that it interrupts. */
  get reason(): unknown {
    const { exit } = this
    if (this.abortReason === undefined && exit !== undefined) {
      const { workflow } = this.run
      this.abortReason = Exit.isSuccess(exit)
        ? aborted(`workflow '${workflow}' has stopped with '${exit.value._tag}'`)
        : this.failed
          ? aborted(`workflow '${workflow}' has failed`, Cause.squash(exit.cause))
          : aborted(`workflow '${workflow}' was interrupted`)
    }
    return this.abortReason
  }

  /**
   * Ends the run: drops queued events, interrupts running steps and waits for them. The first outcome stands, with its
   * own `reason` if it has one.
   */
  end(exit: Exit.Exit<AnyEvent, unknown>, reason?: unknown): void {
    if (this.exit === undefined) {
      this.exit = exit
      this.abortReason = reason
    }
    this.run.shutDown()
  }

  /** Ends it with a stop event. The invocation that `returned` the event ends first, then all others are interrupted. */
  stop(event: AnyEvent, id: string | undefined, returned: boolean): void {
    this.stopId = id
    this.exit = Exit.succeed(event)
    if (!returned) this.run.shutDown()
  }

  /** Ends it with the failure of a step. */
  fail(delivery: Delivery, cause: Cause.Cause<unknown>): void {
    this.end(this.failureOf(delivery, cause))
  }

  /** A step's failure as the run's own, with the step's name on its defects. */
  failureOf(delivery: Delivery, cause: Cause.Cause<unknown>): Exit.Exit<never, unknown> {
    return Exit.failCause(Cause.fromReasons(this.named(delivery, cause)))
  }

  private named({ node, input }: Delivery, cause: Cause.Cause<unknown>): ReadonlyArray<Cause.Reason<unknown>> {
    // Only if nothing else happened: errors behind a recovery's own error were retried and recovered from.
    const alone = cause.reasons.length === 1
    const unheeded = (["retry", "recover"] as const).filter((guard) => alone && node.step[guard] !== undefined)
    const { context, workflow } = this.run
    return cause.reasons.map((reason) => {
      if (Cause.isFailReason(reason) && isOfNestedRun(reason.error, node.name, input)) {
        ranIn(reason.error, node.name, workflow)
      }
      if (Cause.isFailReason(reason)) return aroseIn(reason, `step '${node.name}' of workflow '${workflow}'`, context)
      if (!Cause.isDieReason(reason)) return reason
      const defect = new StepDefect({ workflow, step: node.name, input, cause: reason.defect, unheeded })
      return Cause.makeDieReason(defect).annotate(Cause.reasonAnnotations(reason))
    })
  }

  /** A step fails in the same moment as another: its failure is appended. */
  failedToo(delivery: Delivery, cause: Cause.Cause<unknown>): void {
    this.late.push(...this.named(delivery, cause).filter((reason) => !Cause.isInterruptReason(reason)))
  }

  finalizerFailed({ node, input }: Delivery, cause: Cause.Cause<unknown>): void {
    const { workflow } = this.run
    const failure = { workflow, step: node.name, input, cause: Cause.squash(cause) }
    this.late.push(Cause.makeDieReason(new FinalizerFailed(failure)))
  }

  /** The runtime itself has failed, or a callback. */
  broke(defect: Error): void {
    if (this.exit === undefined) this.exit = Exit.die(defect)
    else this.late.push(Cause.makeDieReason(defect))
  }

  /** Ends the run if none of its work is running. If it throws, the next call continues with the rest. */
  finishIfDone(): void {
    if (this.exit === undefined || this.run.atWork) return
    if (!this.finished) {
      this.finished = true
      // An interrupted run ends as interrupted and nothing else; its other errors are logged, as after a stop.
      if (this.failed && this.late.length > 0 && Exit.isFailure(this.exit)) {
        this.exit = Exit.failCause(behind(this.exit.cause, this.late))
      }
      this.run.recordEnd(this.exit)
    }
    while (this.called < this.onFinished.length) this.onFinished[this.called++]!()
  }

  /** Calls back when none of the run's work is running. */
  whenFinished(then: () => void): void {
    if (this.finished) then()
    else this.onFinished.push(then)
  }
}
