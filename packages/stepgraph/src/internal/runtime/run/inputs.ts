/**
 * Events from outside the run, in order of arrival.
 */
import type { SchedulerDispatcher } from "effect/Scheduler"
import type { AnyEvent } from "../../../Event.ts"
import type { Route } from "../../graph/graph.ts"
import type { Activation } from "../flow/activation.ts"
import type { Outcome } from "../flow/outcome.ts"
import type { Recorder } from "../trace/recorder.ts"

/** The run that receives them. */
export interface Receiving {
  readonly outcome: Outcome
  readonly recorder: Recorder | undefined
  readonly scheduler: SchedulerDispatcher
  activate(activation: Activation): void
  collapse(error: unknown, activity: string): void
}

export class Inputs {
  /** Whether inputs are still open. */
  open = true
  /** Number of events received. */
  count = 0
  private readonly run: Receiving
  private readonly held: Array<Activation> = []

  constructor(run: Receiving) {
    this.run = run
  }

  /** Whether none is pending. */
  get none(): boolean {
    return this.held.length === 0
  }

  /** Takes in an event; `false` if it comes too late. */
  send(route: Route, event: AnyEvent): boolean {
    if (!this.open || this.run.outcome.reached) return false
    this.betweenEntries({ _tag: "input", route, event })
    return true
  }

  close(): void {
    if (!this.open || this.run.outcome.reached) return
    this.open = false
    this.betweenEntries({ _tag: "inputs-closed" })
  }

  /**
   * An observer is called in the middle of the run's work, so an event that it sends waits for the next turn, and so does
   * every event after it.
   */
  private betweenEntries(activation: Activation): void {
    const { run } = this
    if (!run.recorder?.observing && this.none) {
      run.activate(activation)
      return
    }
    this.held.push(activation)
    const next = () => {
      try {
        this.takeIn()
      } catch (error) {
        run.collapse(error, "taking in what an observer sent")
      }
    }
    run.scheduler.scheduleTask(next, 0)
  }

  private takeIn(): void {
    const activation = this.held.shift()
    if (activation !== undefined) this.run.activate(activation)
  }

  /** Takes in the pending events. */
  takeInAll(): void {
    while (!this.none) this.takeIn()
  }
}
