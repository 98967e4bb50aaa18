/**
 * How much runs may do before everybody else gets a turn: counted for all runs of one scheduler together, as a run inside
 * another one works in the same turn, and on the same stack.
 */
import type { Scheduler, SchedulerDispatcher } from "effect/Scheduler"

/** How many events are handled in one turn. */
export const eventsInTurn = 2048

/** How many runs may be at work inside one another on one stack: a level takes at least 1.2 kB of it, and V8 has 984 kB. */
const mostNested = 32

const budgets = new WeakMap<Scheduler, Budget>()
let latest: { readonly scheduler: Scheduler; readonly budget: Budget } | undefined

export class Budget {
  /** How many more events this turn takes: a loop of promises is as endless as any other, so nothing but a turn renews it. */
  left = eventsInTurn
  /** How many runs are at work inside one another. */
  depth = 0
  /** Turns come in rounds: all runs that wait when one begins share its events, so that none of them starves. */
  private round = 0
  private waiting = 0
  private share = eventsInTurn
  private shared: SchedulerDispatcher | undefined

  /** Hot: once a run, and nearly always of the same scheduler. */
  static of(scheduler: Scheduler): Budget {
    if (scheduler !== latest?.scheduler) latest = { scheduler, budget: Budget.find(scheduler) }
    return latest.budget
  }

  private static find(scheduler: Scheduler): Budget {
    let budget = budgets.get(scheduler)
    if (budget === undefined) {
      budget = new Budget()
      budgets.set(scheduler, budget)
    }
    return budget
  }

  /** Whether what comes next should begin on a new stack. */
  get deep(): boolean {
    return this.depth >= mostNested
  }

  /** A synchronous program turns only its own fiber's dispatcher, and never that of a fiber in which a nested run works. */
  dispatcherOf({ executionMode }: Scheduler, own: SchedulerDispatcher): SchedulerDispatcher {
    if (executionMode === "async") return own
    this.shared ??= own
    return this.shared
  }

  /** A run waits for its next turn; gives the round to renew the budget with. */
  wait(): number {
    this.waiting++
    return this.round
  }

  /** A run that waited has its turn. */
  renew(round: number): void {
    if (round === this.round) {
      this.round++
      this.share = Math.max(1, Math.floor(eventsInTurn / this.waiting))
      this.waiting = 0
    }
    this.left = this.share
  }
}
