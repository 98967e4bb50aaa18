/**
 * The deadlines of a run, on Effect's `Clock`.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

export interface Timer {
  cancel(): void
}

const lastPart = 0.5

/**
 * Sleeps until everything else that was to happen at the same instant has happened: a clock wakes the sleepers of one instant
 * in the order in which they began to sleep, so the last part of the sleep begins just before its end.
 */
const lastOfTheInstant = (millis: number): Effect.Effect<void> =>
  Effect.sleep(Math.max(0, millis - lastPart)).pipe(
    Effect.andThen(Effect.sleep(Math.min(lastPart, millis))),
    Effect.andThen(Effect.yieldNow)
  )

export class Timers {
  private readonly context: Context.Context<never>
  private readonly fiberId: number
  private readonly timers = new Set<Timer>()

  constructor(context: Context.Context<never>, fiberId: number) {
    this.context = context
    this.fiberId = fiberId
  }

  now(): number {
    return Context.get(this.context, Clock.Clock).currentTimeMillisUnsafe()
  }

  /** Calls `then` when the duration has passed, and `cancelled` when it never will. */
  start(duration: Duration.Input, then: () => void, cancelled?: () => void): Timer {
    const fiber = Effect.runForkWith(this.context)(lastOfTheInstant(Duration.toMillis(duration)))
    const timer: Timer = {
      cancel: () => {
        if (!this.timers.delete(timer)) return
        fiber.interruptUnsafe(this.fiberId)
        cancelled?.()
      }
    }
    this.timers.add(timer)
    fiber.addObserver(() => {
      if (this.timers.delete(timer)) then()
    })
    return timer
  }

  cancelAll(): void {
    for (const timer of [...this.timers]) timer.cancel()
  }
}
