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

/** The run whose deadlines they are. */
export interface Timed {
  /** The clock itself does not work, or what was to happen then. */
  collapse(error: unknown, place: string): void
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
  private readonly run: Timed
  private timers: Set<Timer> | undefined

  constructor(context: Context.Context<never>, fiberId: number, run: Timed) {
    this.context = context
    this.fiberId = fiberId
    this.run = run
  }

  get none(): boolean {
    return this.timers === undefined || this.timers.size === 0
  }

  now(): number {
    return Context.get(this.context, Clock.Clock).currentTimeMillisUnsafe()
  }

  /** Calls `then` when the duration has passed, and `cancelled` when it never will. */
  start(duration: Duration.Input, then: () => void, cancelled?: () => void): Timer {
    this.timers ??= new Set()
    const { timers } = this
    const fiber = Effect.runForkWith(this.context)(lastOfTheInstant(Duration.toMillis(duration)))
    const timer: Timer = {
      cancel: () => {
        if (!timers.delete(timer)) return
        fiber.interruptUnsafe(this.fiberId)
        cancelled?.()
      }
    }
    timers.add(timer)
    fiber.addObserver((exit) => {
      if (!timers.delete(timer)) return
      try {
        if (Exit.isFailure(exit)) throw Cause.squash(exit.cause)
        then()
      } catch (error) {
        this.run.collapse(error, "waiting for a time")
      }
    })
    return timer
  }

  cancelAll(): void {
    for (const timer of [...(this.timers ?? [])]) timer.cancel()
  }
}
