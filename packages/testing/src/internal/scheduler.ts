/**
 * A scheduler with one pool of ready tasks for all fibers of a run: nothing goes on until somebody says so.
 */
import type { Fiber } from "effect/Fiber"
import type { Scheduler, SchedulerDispatcher } from "effect/Scheduler"

export interface Task {
  readonly run: () => void
  readonly priority: number
  /** The fiber it belongs to, where that is known. */
  readonly fiber: Fiber<unknown, unknown> | undefined
  /** The invocation it belongs to, where it is no fiber's. */
  readonly invocation?: string | undefined
}

/** Decides whether a fiber is stopped in the middle, so that something else goes on before it. */
export type Preempts = (fiber: Fiber<unknown, unknown>) => boolean

export class Pool implements Scheduler {
  readonly executionMode = "async"
  /** What goes on at once. */
  readonly ready: Array<Task> = []
  /** What the world outside has woken: a promise that a fiber waited for, a callback. */
  readonly arrivals: Array<Task> = []
  /** What has been stopped in the middle. */
  readonly preempted: Array<Task> = []
  private controlled = false
  private preempting = false
  /** The fiber that ran last: whatever is scheduled now is most likely its own. */
  private current: Fiber<unknown, unknown> | undefined
  private readonly preempts: Preempts | undefined

  constructor(preempts: Preempts | undefined) {
    this.preempts = preempts
  }

  /** Runs something under control: whatever runs outside of this has been woken by nobody here. */
  inside(run: () => void): void {
    const outer = this.controlled
    this.controlled = true
    try {
      run()
    } finally {
      this.controlled = outer
    }
  }

  /** Has the next task that is scheduled wait until something else has gone on. */
  preemptNext(): void {
    this.preempting = true
  }

  shouldYield(fiber: Fiber<unknown, unknown>): boolean {
    // A fiber that was not woken from here is stopped at its first operation, and becomes a choice like any other.
    this.current = fiber
    return !this.controlled || fiber.currentOpCount >= fiber.cache.maxOpsBeforeYield || this.stopsInTheMiddle(fiber)
  }

  private stopsInTheMiddle(fiber: Fiber<unknown, unknown>): boolean {
    if (this.preempts?.(fiber) !== true) return false
    this.preempting = true
    return true
  }

  makeDispatcher(): SchedulerDispatcher {
    return { scheduleTask: (run, priority) => this.schedule(run, priority), flush: () => {} }
  }

  private schedule(run: () => void, priority: number): void {
    const task = { run, priority, fiber: this.current }
    if (!this.controlled) this.arrivals.push(task)
    else if (this.preempting) this.preempted.push(task)
    else {
      let place = this.ready.length
      while (place > 0 && this.ready[place - 1]!.priority > priority) place--
      this.ready.splice(place, 0, task)
    }
    this.preempting = false
  }
}
