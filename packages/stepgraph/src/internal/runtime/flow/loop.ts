/**
 * The only way into a run: each thing that happens to it runs in one piece, and continues until everything waits.
 *
 * It combines a list of runnable lanes, first in first out, with a flag that makes every nested call return to one
 * loop: no fiber is parked between two ready events, and the stack does not grow. Any exception in here ends the run,
 * completely: from a new stack if this one overflowed.
 */
import type { Scheduler, SchedulerDispatcher } from "effect/Scheduler"
import type { RunHost } from "../../../Host.ts"
import type { Ambient } from "./ambient.ts"
import type { Room } from "./back-pressure.ts"
import { Budget } from "./budget.ts"
import type { Lane } from "./lane.ts"
import type { Turns } from "./ready.ts"

/** The run that a loop drives. */
export interface Driven {
  /** Whether it has an outcome. */
  readonly over: boolean
  /** Lets one worker of a lane take its next entry. */
  work(lane: Lane): void
  /** Nothing is ready. */
  idle(): void
  /** A turn is over, and nothing is left to do before something happens to the run. */
  rested(): void
  /** Interrupts what still runs, and ends the run when nothing does. Where it throws, it is called again to go on. */
  finish(): void
  /** An exception outside a step's own code. */
  broke(error: unknown, place: string): void
}

export class Loop {
  /** Whether the run is in the middle of something, so it must not end or continue elsewhere. */
  inside = false
  private scheduled = false
  private readonly run: Driven
  private readonly turns: Turns
  private readonly room: Room
  private readonly choose: RunHost["next"]
  private readonly ambient: Ambient
  private readonly scheduler: SchedulerDispatcher
  private readonly budget: Budget

  constructor(
    run: Driven,
    turns: Turns,
    room: Room,
    choose: RunHost["next"],
    ambient: Ambient,
    scheduler: Scheduler,
    dispatcher: SchedulerDispatcher
  ) {
    this.run = run
    this.turns = turns
    this.room = room
    this.choose = choose
    this.ambient = ambient
    this.budget = Budget.of(scheduler)
    this.scheduler = this.budget.dispatcherOf(scheduler, dispatcher)
  }

  /** Runs something that happens to the run in one piece; `later` postpones the consequences to the next turn. */
  moment(place: string, work: () => void, later = false): void {
    const { inside } = this
    this.inside = true
    this.budget.depth++
    try {
      work()
    } catch (error) {
      this.run.broke(error, place)
    } finally {
      this.budget.depth--
      this.inside = inside
    }
    try {
      if (later) this.wake()
      else this.goOn()
    } catch (error) {
      this.collapse(error, place)
    }
  }

  /** An uncaught exception on the way in or out: it ends the run from a new stack. */
  collapse(error: unknown, place: string): void {
    this.run.broke(error, place)
    this.schedule()
  }

  /** Continues with ready work, and ends the run if it is over. */
  goOn(): void {
    if (this.inside || (this.scheduled && !this.run.over)) return
    if (this.budget.deep) this.schedule()
    else this.turn()
  }

  /** Continues in the next turn; a run that is over ends at once. */
  wake(): void {
    if (this.inside) return
    if (this.run.over) this.goOn()
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
      if (this.run.over) this.run.finish()
    } catch (error) {
      this.collapse(error, "going on")
    } finally {
      this.budget.depth--
      this.inside = false
    }
    if (!this.scheduled) this.run.rested()
  }

  private drain(): void {
    const { budget, choose, run, turns } = this
    // Hot: what is rare stands in functions of its own, so that the work itself is compiled into this loop.
    while (!run.over) {
      if ((budget.left === 0 || choose !== undefined) && !this.goesOn()) return
      const lane = turns.next()
      if (lane !== undefined) {
        budget.left--
        run.work(lane)
      } else if (!this.findsMore()) return
    }
  }

  /** Whether this turn takes one more event; a host may have everybody else take a turn first. */
  private goesOn(): boolean {
    const { budget, choose, turns } = this
    if (turns.empty || (budget.left > 0 && choose !== undefined && turns.chosen(choose))) return true
    this.schedule()
    return false
  }

  /** No lane can run: resume producers that wait for room. */
  private findsMore(): boolean {
    if (this.room.refill() || this.room.letThrough()) return true
    this.run.idle()
    return false
  }

  private schedule(): void {
    if (this.scheduled) return
    const round = this.budget.wait()
    const turn = () => {
      this.scheduled = false
      this.budget.renew(round)
      if (!this.inside) this.ambient.enter(() => this.turn())
    }
    const task = () => {
      try {
        turn()
      } catch (error) {
        this.collapse(error, "going on")
      }
    }
    this.scheduler.scheduleTask(task, 0)
    // Only now: a scheduler that throws has not taken it.
    this.scheduled = true
  }
}
