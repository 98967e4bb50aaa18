/**
 * The deadlines of a run, on Effect's `Clock`.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

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
  private readonly broke: (error: unknown) => void
  private readonly timers = new Set<Timer>()

  /** `broke` is called where the clock itself fails. */
  constructor(context: Context.Context<never>, fiberId: number, broke: (error: unknown) => void) {
    this.context = context
    this.fiberId = fiberId
    this.broke = broke
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
    fiber.addObserver((exit) => {
      if (!this.timers.delete(timer)) return
      if (Exit.isSuccess(exit)) then()
      else this.broke(Cause.squash(exit.cause))
    })
    return timer
  }

  cancelAll(): void {
    for (const timer of [...this.timers]) timer.cancel()
  }
}
