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
    // One turn more, so that what comes at the same instant comes before.
    const wait = Effect.andThen(Effect.sleep(Duration.fromInputUnsafe(duration)), Effect.yieldNow)
    const fiber = Effect.runForkWith(this.context)(wait)
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
