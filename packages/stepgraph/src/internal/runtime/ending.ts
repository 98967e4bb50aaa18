/**
 * How a run ends: once, with its first outcome, and only when nothing of it is left running.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { FinalizerFailed, StepDefect } from "../../Errors.ts"
import type { AnyEvent } from "../../Event.ts"
import type { Delivery } from "./delivery.ts"
import { behind } from "./invocation.ts"

/** What ends. */
export interface Ended {
  readonly workflow: string
  /** Whether something of it is still running, or it is in the middle of something. */
  readonly atWork: boolean
  /** Interrupts all that runs. */
  interruptAll(): void
  /** Tells whoever observes it. */
  tellEnd(outcome: Exit.Exit<AnyEvent, unknown>): void
}

export class Ending {
  /** What the run ends, or has ended, with. */
  outcome: Exit.Exit<AnyEvent, unknown> | undefined
  finished = false
  readonly finalizerFailures: Array<FinalizerFailed> = []
  private readonly run: Ended
  private shuttingDown = false
  private readonly onFinished: Array<() => void> = []

  constructor(run: Ended) {
    this.run = run
  }

  /** Whether it is an end by a failure. */
  get failed(): boolean {
    return this.outcome?._tag === "Failure" && !Cause.hasInterruptsOnly(this.outcome.cause)
  }

  /** Ends the run: what is queued is dropped, what runs is interrupted and waited for. The first outcome stands. */
  end(outcome: Exit.Exit<AnyEvent, unknown>): void {
    this.outcome ??= outcome
    this.shutDown()
  }

  /** Ends it by the failure of a step, whose defects are given its name. */
  fail({ node, input }: Delivery, cause: Cause.Cause<unknown>): void {
    const named = cause.reasons.map((reason) => {
      if (!Cause.isDieReason(reason)) return reason
      const { workflow } = this.run
      const defect = new StepDefect({ workflow, step: node.name, event: input, cause: reason.defect })
      return Cause.makeDieReason(defect).annotate(Cause.reasonAnnotations(reason))
    })
    this.end(Exit.failCause(Cause.fromReasons(named)))
  }

  finalizerFailed({ node, input }: Delivery, cause: Cause.Cause<unknown>): void {
    const { workflow } = this.run
    const failure = { workflow, step: node.name, event: input, cause: Cause.squash(cause) }
    this.finalizerFailures.push(new FinalizerFailed(failure))
  }

  shutDown(): void {
    if (!this.shuttingDown) {
      this.shuttingDown = true
      this.run.interruptAll()
    }
    this.finishIfDone()
  }

  finishIfDone(): void {
    if (this.finished || this.outcome === undefined || this.run.atWork) return
    this.finished = true
    // A run that was interrupted ends as that and nothing else; there they are logged, as they are after a stop.
    if (this.failed && this.finalizerFailures.length > 0 && Exit.isFailure(this.outcome)) {
      this.outcome = Exit.failCause(behind(this.outcome.cause, this.finalizerFailures))
    }
    this.run.tellEnd(this.outcome)
    for (const then of this.onFinished) then()
  }

  /** Calls back when nothing of the run is left running. */
  whenFinished(then: () => void): void {
    if (this.finished) then()
    else this.onFinished.push(then)
  }
}
