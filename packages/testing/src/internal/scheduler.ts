/**
 * A scheduler with one pool of ready tasks for all fibers of a run: nothing goes on until the exploration chooses it.
 */
import type { Fiber } from "effect/Fiber"
import type { Scheduler, SchedulerDispatcher } from "effect/Scheduler"

export interface Task {
  readonly run: () => void
  readonly priority: number
  /** The task's fiber, if known. */
  readonly fiber: Fiber<unknown, unknown> | undefined
  /** The task's invocation, if it is not a fiber's. */
  readonly invocation?: string | undefined
  /** The process that it belongs to, if that may die. */
  readonly process?: Process | undefined
}

/** Decides whether to hold up a fiber in the middle. */
export type Preempts = (fiber: Fiber<unknown, unknown>) => boolean

export class Pool implements Scheduler {
  readonly executionMode = "async"
  /** Tasks that are ready. */
  readonly ready: Array<Task> = []
  /** Tasks that the outside world woke: a promise that a fiber waited for, a callback. */
  readonly arrivals: Array<Task> = []
  /** Tasks held up in the middle. */
  readonly preempted: Array<Task> = []
  private controlled = false
  private preempting = false
  /** The fiber that ran last: new tasks most likely belong to it. */
  private current: Fiber<unknown, unknown> | undefined
  private readonly preempts: Preempts | undefined

  constructor(preempts: Preempts | undefined) {
    this.preempts = preempts
  }

  /** Runs something under control: anything outside this was woken from elsewhere. */
  inside(run: () => void): void {
    const outer = this.controlled
    this.controlled = true
    try {
      run()
    } finally {
      this.controlled = outer
    }
  }

  /** Drops what is left of a process: its tasks, and all results that its steps wait for. */
  bury(process: Process): void {
    for (const tasks of [this.ready, this.arrivals, this.preempted]) {
      const left = tasks.filter((task) => task.process !== process && task.fiber !== undefined)
      tasks.splice(0, tasks.length, ...left)
    }
  }

  /** Holds up the next scheduled task until something else has gone on. */
  preemptNext(): void {
    this.preempting = true
  }

  shouldYield(fiber: Fiber<unknown, unknown>): boolean {
    // A fiber woken from elsewhere is stopped at its first operation and becomes an ordinary choice.
    this.current = fiber
    return !this.controlled || fiber.currentOpCount >= fiber.cache.maxOpsBeforeYield || this.stopsInTheMiddle(fiber)
  }

  private stopsInTheMiddle(fiber: Fiber<unknown, unknown>): boolean {
    if (this.preempts?.(fiber) !== true) return false
    this.preempting = true
    return true
  }

  makeDispatcher(): SchedulerDispatcher {
    return { scheduleTask: (run, priority) => this.schedule(run, priority, undefined), flush: () => {} }
  }

  schedule(run: () => void, priority: number, process: Process | undefined): void {
    const task = { run, priority, fiber: this.current, process }
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

/** The scheduler of a process that may die: its fibers then stop where they are, and none of their finalizers runs. */
export class Process implements Scheduler {
  readonly executionMode = "async"
  dead = false
  private readonly pool: Pool

  constructor(pool: Pool) {
    this.pool = pool
  }

  shouldYield(fiber: Fiber<unknown, unknown>): boolean {
    return this.dead || this.pool.shouldYield(fiber)
  }

  makeDispatcher(): SchedulerDispatcher {
    const scheduleTask = (run: () => void, priority: number) => {
      if (!this.dead) this.pool.schedule(run, priority, this)
    }
    return { scheduleTask, flush: () => {} }
  }
}
