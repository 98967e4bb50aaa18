/**
 * The deadlines of a run, on Effect's `Clock`.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { RunHost, Sleep } from "../../../Host.ts"

export interface Timer {
  cancel(): void
}

/** The run whose deadlines they are. */
export interface Timed {
  /** The clock, or a callback, threw. */
  collapse(error: unknown, place: string): void
}

const lastPart = 0.5

/**
 * Sleeps until everything else at the same instant has happened. A clock wakes the sleepers of one instant in the order
 * in which they fell asleep, so the last part of the sleep begins just before its end.
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
  private readonly host: RunHost | undefined
  private timers: Set<Timer> | undefined

  constructor(context: Context.Context<never>, fiberId: number, host: RunHost | undefined, run: Timed) {
    this.context = context
    this.fiberId = fiberId
    this.host = host
    this.run = run
  }

  get none(): boolean {
    return this.timers === undefined || this.timers.size === 0
  }

  now(): number {
    return Context.get(this.context, Clock.Clock).currentTimeMillisUnsafe()
  }

  /** A sleep of a step. `id` is asked for by a host only. */
  sleep(why: Sleep["why"], id: () => string, duration: Duration.Duration): Effect.Effect<void> {
    const { host } = this
    if (host?.sleep === undefined) return Effect.sleep(duration)
    const millis = Duration.toMillis(duration)
    if (!Number.isFinite(millis)) return Effect.never
    return Effect.callback((resume) => Effect.sync(host.sleep!({ why, id: id(), millis }, () => resume(Effect.void))))
  }

  /** Calls `then` when the time has passed, and `cancelled` when it never will. */
  start(sleep: Sleep, then: () => void, cancelled?: () => void): Timer {
    this.timers ??= new Set()
    const { timers } = this
    const timer: Timer = {
      cancel: () => {
        if (!timers.delete(timer)) return
        stop()
        cancelled?.()
      }
    }
    timers.add(timer)
    const stop = this.begin(sleep, (exit) => {
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

  private begin(sleep: Sleep, over: (exit: Exit.Exit<void>) => void): () => void {
    const { host } = this
    if (host?.sleep !== undefined) {
      return Number.isFinite(sleep.millis) ? host.sleep(sleep, () => over(Exit.void)) : () => {}
    }
    const fiber = Effect.runForkWith(this.context)(lastOfTheInstant(sleep.millis))
    fiber.addObserver(over)
    return () => fiber.interruptUnsafe(this.fiberId)
  }

  cancelAll(): void {
    for (const timer of [...(this.timers ?? [])]) timer.cancel()
  }
}
