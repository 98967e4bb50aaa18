/**
 * The loop of a run: handles each activation in one piece, then runs ready lanes until everything waits.
 *
 * It combines a list of runnable lanes, first in first out, with a flag that makes every nested call return to one
 * loop: no fiber is parked between two ready events, and the stack does not grow. Any exception in here ends the run,
 * completely: from a new stack if this one overflowed.
 */
import type { Scheduler, SchedulerDispatcher } from "effect/Scheduler"
import type { RunHost } from "../../../Host.ts"
import { type Activation, doing } from "./activation.ts"
import type { Ambient } from "./ambient.ts"
import type { BackPressure } from "./back-pressure.ts"
import { Budget } from "./budget.ts"
import type { Factory, Lane } from "./lane.ts"
import type { Outcome } from "./outcome.ts"
import type { Ready } from "./ready.ts"

/** The run that a loop drives. */
export interface Driven {
  readonly outcome: Outcome
  readonly ready: Ready
  readonly backPressure: BackPressure
  readonly ambient: Ambient
  readonly host: RunHost | undefined
  readonly calls: Factory
  /** Applies an activation and its immediate consequences; `nested` if the run is in the middle of another. */
  perform(activation: Activation, nested: boolean): void
  /** Nothing is ready. */
  idle(): void
  /** A turn is over, and the run waits for its next activation. */
  rested(): void
  /** Interrupts running work, and ends the run once none is left. If it throws, the next call continues. */
  finish(): void
  /** An exception outside a step's own code. */
  broke(error: unknown, activity: string): void
}

export class Loop {
  /** Whether the run is in the middle of something, so it must not end or continue elsewhere. */
  inside = false
  private scheduled = false
  private readonly run: Driven
  private readonly outcome: Outcome
  private readonly ready: Ready
  private readonly backPressure: BackPressure
  private readonly scheduler: SchedulerDispatcher
  private readonly budget: Budget

  constructor(run: Driven, scheduler: Scheduler, dispatcher: SchedulerDispatcher) {
    this.run = run
    this.outcome = run.outcome
    this.ready = run.ready
    this.backPressure = run.backPressure
    this.budget = Budget.of(scheduler)
    this.scheduler = this.budget.dispatcherOf(scheduler, dispatcher)
  }

  /** Handles an activation in one piece. Work that follows from an input or an output is left to the next turn. */
  enter(activation: Activation): void {
    const { inside } = this
    this.inside = true
    this.budget.depth++
    try {
      this.run.perform(activation, inside)
    } catch (error) {
      this.run.broke(error, doing(activation))
    } finally {
      this.budget.depth--
      this.inside = inside
    }
    try {
      if (activation._tag === "input" || activation._tag === "output-taken") this.wake()
      else this.goOn()
    } catch (error) {
      this.collapse(error, doing(activation))
    }
  }

  /** An uncaught exception on the way in or out: it ends the run from a new stack. */
  collapse(error: unknown, activity: string): void {
    this.run.broke(error, activity)
    this.schedule()
  }

  /** Continues with ready work, and ends the run if it is over. */
  goOn(): void {
    if (this.inside || (this.scheduled && !this.outcome.reached)) return
    if (this.budget.deep) this.schedule()
    else this.turn()
  }

  /** Continues in the next turn; a run that is over ends at once. */
  wake(): void {
    if (this.inside) return
    if (this.outcome.reached) this.goOn()
    else this.schedule()
  }

  /** Whether deeper nesting was moved to a new stack. */
  tooDeep(): boolean {
    if (!this.budget.deep) return false
    this.schedule()
    return true
  }

  private turn(): void {
    this.inside = true
    this.budget.depth++
    try {
      this.drain()
      if (this.outcome.reached) this.run.finish()
    } catch (error) {
      this.collapse(error, "going on")
    } finally {
      this.budget.depth--
      this.inside = false
    }
    this.run.rested()
  }

  /** Whether the run waits for its next activation. */
  get resting(): boolean {
    return !this.inside && !this.scheduled
  }

  private drain(): void {
    const { budget, outcome, ready } = this
    const choose = this.run.host?.next
    // Hot: rare cases are separate functions, so that the work itself is inlined into this loop.
    while (!outcome.reached) {
      if ((budget.left === 0 || choose !== undefined) && !this.goesOn()) return
      const lane = ready.next()
      if (lane !== undefined) {
        budget.left--
        this.work(lane)
      } else if (!this.findsMore()) return
    }
  }

  /** Gives the next delivery of a lane to a worker. */
  private work(lane: Lane): void {
    const delivery = lane.take(this.run.calls)
    if (delivery === undefined) return
    lane.busy++
    this.ready.add(lane)
    const hasRoom = this.backPressure.releases(lane)
    delivery.start()
    // Not before: a resumed producer may decide a race, which would cancel a delivery that was taken but has not begun.
    if (hasRoom) this.backPressure.refill()
  }

  /** Whether this turn takes one more event; a host may make it yield first. */
  private goesOn(): boolean {
    const { budget, ready } = this
    const choose = this.run.host?.next
    if (ready.empty || (budget.left > 0 && choose !== undefined && ready.chosen(choose))) return true
    this.schedule()
    return false
  }

  /** No lane can run, so resumes producers that wait for room. */
  private findsMore(): boolean {
    if (this.backPressure.refill() || this.backPressure.letThrough()) return true
    this.run.idle()
    return false
  }

  private schedule(): void {
    if (this.scheduled) return
    const round = this.budget.wait()
    const turn = () => {
      this.scheduled = false
      this.budget.renew(round)
      if (!this.inside) this.run.ambient.enter(() => this.turn())
    }
    const task = () => {
      try {
        turn()
      } catch (error) {
        this.collapse(error, "going on")
      }
    }
    this.scheduler.scheduleTask(task, 0)
    // Set last, because a scheduler that throws has not taken the task.
    this.scheduled = true
  }
}
