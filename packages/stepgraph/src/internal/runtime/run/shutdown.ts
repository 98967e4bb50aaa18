/**
 * Shuts a run down once it has an outcome: cancels timers, interrupts running steps and waits for them, and drops queued and
 * held events.
 */

import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { AnyEvent } from "../../../Event.ts"
import type { Calls } from "../call/calls.ts"
import type { Questions } from "../call/questions.ts"
import type { Ambient } from "../flow/ambient.ts"
import type { Lane } from "../flow/lane.ts"
import type { Loop } from "../flow/loop.ts"
import { type Ended, type Outcome, runDefect } from "../flow/outcome.ts"
import type { Timers } from "../flow/timers.ts"
import type { Intakes } from "../intake/intakes.ts"
import type { Recorder } from "../trace/recorder.ts"
import type { Inputs } from "./inputs.ts"

/** The run that is shut down. */
export interface Running {
  readonly workflow: string
  readonly context: Context.Context<never>
  readonly recorder: Recorder | undefined
  readonly ambient: Ambient
  readonly outcome: Outcome
  readonly timers: Timers
  readonly calls: Calls
  readonly loop: Loop
  readonly lanes: ReadonlyArray<Lane>
  readonly intakes: Intakes
  readonly questions: Questions | undefined
  readonly inputs: Inputs | undefined
}

export class Shutdown implements Ended {
  private readonly run: Running
  private begun = false
  /** Whether the runtime itself has failed, so that its counts may be wrong. */
  broken = false

  constructor(run: Running) {
    this.run = run
  }

  get workflow(): string {
    return this.run.workflow
  }

  get context(): Context.Context<never> {
    return this.run.context
  }

  get atWork(): boolean {
    const { calls, recorder } = this.run
    if (this.broken) calls.forgetEnded()
    // If an observer ended the run in the middle of an operation, that is recorded to its end first.
    return !calls.none || recorder?.observing === true
  }

  shutDown(): void {
    const { ambient, calls, loop, timers } = this.run
    if (this.begun || loop.tooDeep()) return
    if (calls.none && timers.none) {
      this.begun = true
      loop.goOn()
    } else ambient.enter(() => this.interruptAll())
  }

  private interruptAll(): void {
    const { calls, loop, timers } = this.run
    const { inside } = loop
    loop.inside = true
    try {
      this.begun = true
      try {
        timers.cancelAll()
      } catch (error) {
        this.notInterrupted(error, "cancelling its timers")
      }
      calls.interruptAll()
    } catch (error) {
      this.notInterrupted(error, "interrupting what runs")
    } finally {
      loop.inside = inside
    }
    loop.goOn()
  }

  /** Interrupts the others all the same, and then tries this one again. */
  notInterrupted(error: unknown, activity: string): void {
    if (!this.broken) this.begun = false
    this.run.loop.collapse(error, activity)
  }

  /** The runtime itself has thrown. */
  broke(error: unknown, activity: string): void {
    this.broken = true
    const { outcome } = this.run
    const defect = runDefect(this.workflow, activity, error)
    if (outcome.finished) this.log(defect)
    else outcome.broke(defect)
  }

  log(defect: Error): void {
    Effect.runForkWith(this.run.context)(Effect.logError(defect))
  }

  recordEnd(exit: Exit.Exit<AnyEvent, unknown>): void {
    const { calls, inputs, intakes, lanes, outcome, questions, recorder } = this.run
    if (recorder === undefined) return
    inputs?.takeInAll()
    for (const lane of lanes) {
      for (let left = lane.take(calls); left !== undefined; left = lane.take(calls)) recorder.dropped(left, "ended")
    }
    for (const left of intakes.left()) recorder.dropped(left, "leftover")
    for (const { id } of questions?.left ?? []) recorder.droppedAtOnce(id!, "leftover")
    recorder.finished(exit, outcome.stopId)
  }
}
