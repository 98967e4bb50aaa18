/**
 * Limits how much runs do before all other work gets a turn. All runs of one scheduler share the budget, because a
 * nested run works in the same turn and on the same stack.
 */
import type { Scheduler, SchedulerDispatcher } from "effect/Scheduler"

/** Number of events handled per turn. */
export const eventsInTurn = 2048

/** Number of runs nested on one stack: a level takes at least 1.2 kB, and V8 has 984 kB. */
const mostNested = 32

const budgets = new WeakMap<Scheduler, Budget>()
let latest: { readonly scheduler: Scheduler; readonly budget: Budget } | undefined

export class Budget {
  /** Events left in this turn. A loop of promises can be endless too, so only a new turn renews the budget. */
  left = eventsInTurn
  /** Number of runs nested on the current stack. */
  depth = 0
  /** Turns come in rounds: all runs that wait when a round begins share its events, so none starves. */
  private round = 0
  private waiting = 0
  private share = eventsInTurn
  private shared: SchedulerDispatcher | undefined

  /** Hot: once per run, and nearly always for the same scheduler. */
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

  /** Whether further work should start on a new stack. */
  get deep(): boolean {
    return this.depth >= mostNested
  }

  /** A synchronous program turns only its own fiber's dispatcher, never that of a nested run's fiber. */
  dispatcherOf({ executionMode }: Scheduler, own: SchedulerDispatcher): SchedulerDispatcher {
    if (executionMode === "async") return own
    this.shared ??= own
    return this.shared
  }

  /** A run waits for its next turn; returns the round that renews the budget. */
  wait(): number {
    this.waiting++
    return this.round
  }

  /** A waiting run gets its turn. */
  renew(round: number): void {
    if (round === this.round) {
      this.round++
      this.share = Math.max(1, Math.floor(eventsInTurn / this.waiting))
      this.waiting = 0
    }
    this.left = this.share
  }
}
