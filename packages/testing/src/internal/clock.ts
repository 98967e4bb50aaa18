/**
 * A clock that stands still until the exploration chooses a sleeper to wake.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Fiber } from "effect/Fiber"
import type { Scheduler } from "effect/Scheduler"

export interface Sleeper {
  readonly deadline: number
  /** The requested duration. */
  readonly millis: number
  /** Its owner: a fiber, or the invocation that set a timer. */
  readonly fiber: Fiber<unknown, unknown> | undefined
  readonly invocation: string | undefined
  readonly wake: () => void
  /** Set for the `timeout` of a step or of a run, and for the `grace` of a step: a limit, not work. */
  readonly limit?: "step" | "run" | "grace" | undefined
}

/** The exception from a timer's callback, which would end the process in production. */
export interface Uncaught {
  readonly error: unknown
  /** The invocation that set the timer, if any. */
  readonly invocation: string | undefined
}

const nanosPerMilli = 1_000_000

export class ControlledClock implements Clock.Clock {
  private millis = 0
  /** Ordered by deadline, then by the time of falling asleep. */
  readonly sleepers: Array<Sleeper> = []
  /** The limits, in the same order. */
  readonly limits: Array<Sleeper> = []
  /** The first uncaught exception. */
  uncaught: Uncaught | undefined

  currentTimeMillisUnsafe(): number {
    return this.millis
  }
  currentTimeNanosUnsafe(): bigint {
    return BigInt(Math.round(this.millis * nanosPerMilli))
  }
  monotonicTimeNanosUnsafe(): bigint {
    return this.currentTimeNanosUnsafe()
  }
  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Duration.toMillis(duration)
    if (millis <= 0) return Effect.yieldNow
    if (!Number.isFinite(millis)) return Effect.never
    return Effect.withFiber((fiber) =>
      Effect.callback((resume) => Effect.sync(this.add(millis, { fiber }, () => resume(Effect.void))))
    )
  }

  /** Adds a sleeper and returns a function that removes it. */
  add(
    millis: number,
    { fiber, invocation, limit }: Partial<Pick<Sleeper, "fiber" | "invocation" | "limit">>,
    wake: () => void
  ): () => void {
    const sleeper: Sleeper = { deadline: this.millis + millis, millis, fiber, invocation, wake, limit }
    const sleepers = limit === undefined ? this.sleepers : this.limits
    let place = sleepers.length
    while (place > 0 && sleepers[place - 1]!.deadline > sleeper.deadline) place--
    sleepers.splice(place, 0, sleeper)
    return () => this.remove(sleeper)
  }

  /** Wakes a sleeper. Waking one late moves the time forward. */
  wake(sleeper: Sleeper): void {
    this.remove(sleeper)
    this.millis = Math.max(this.millis, sleeper.deadline)
    sleeper.wake()
  }

  /** The same time, as another clock: what is kept for a clock, such as the lines of a limit, is another's. */
  view(): Clock.Clock {
    return {
      currentTimeMillisUnsafe: () => this.currentTimeMillisUnsafe(),
      currentTimeNanosUnsafe: () => this.currentTimeNanosUnsafe(),
      monotonicTimeNanosUnsafe: () => this.monotonicTimeNanosUnsafe(),
      currentTimeMillis: this.currentTimeMillis,
      currentTimeNanos: this.currentTimeNanos,
      monotonicTimeNanos: this.monotonicTimeNanos,
      sleep: (duration) => this.sleep(duration)
    }
  }

  /** Lets time pass that nothing sleeps for. */
  pass(millis: number): void {
    this.millis += millis
  }

  /** Drops the sleepers of a process: those of its fibers, and all that no fiber waits for. */
  bury(scheduler: Scheduler): void {
    for (const sleepers of [this.sleepers, this.limits]) {
      const left = sleepers.filter(({ fiber }) => fiber !== undefined && fiber.cache.scheduler !== scheduler)
      sleepers.splice(0, sleepers.length, ...left)
    }
  }

  private remove(sleeper: Sleeper): void {
    const sleepers = sleeper.limit === undefined ? this.sleepers : this.limits
    const place = sleepers.indexOf(sleeper)
    if (place >= 0) sleepers.splice(place, 1)
  }
}
