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
import type { Node } from "../../graph/graph.ts"
import type { Timer } from "../intake/dispatch.ts"
import type { Arrival } from "../scope/arrival.ts"
import type { Flight } from "../scope/scope.ts"
import type { Scopes } from "../scope/scopes.ts"
import type { Activation } from "./activation.ts"
import { deadline } from "./deadline.ts"
import type { Outcome } from "./outcome.ts"

/** The run whose deadlines they are. */
export interface Timed {
  readonly context: Context.Context<never>
  readonly fiberId: number
  readonly host: RunHost | undefined
  readonly outcome: Outcome
  readonly scopes: Scopes
  activate(activation: Activation): void
  /** The clock has failed, or a timer's callback. */
  collapse(error: unknown, activity: string): void
}

/** An invocation between two calls. */
export interface Sleeper {
  /** The next call is about to begin, and the host waits for it. */
  moves(): void
  /** It pauses. */
  rests(): void
}

export class Timers {
  private readonly run: Timed
  private timers: Set<Timer> | undefined
  /** Number of timers that a step waits for. */
  private awaited = 0

  constructor(run: Timed) {
    this.run = run
  }

  /** Whether no step waits for a timer. */
  get noneAwaited(): boolean {
    return this.awaited === 0
  }

  get none(): boolean {
    return this.timers === undefined || this.timers.size === 0
  }

  /** The time of what happens now. */
  now(): number {
    return this.run.host?.now?.() ?? Context.get(this.run.context, Clock.Clock).currentTimeMillisUnsafe()
  }

  /** Sleeps for a step, possibly between two of its calls. `id` is only called for a host. */
  sleep(why: Sleep["why"], id: () => string, duration: Duration.Duration, of?: Sleeper): Effect.Effect<void> {
    const { host } = this.run
    if (host?.sleep === undefined) return Effect.sleep(duration)
    const millis = Duration.toMillis(duration)
    return Effect.callback((resume) => {
      const over = () => {
        of?.moves()
        resume(Effect.void)
      }
      const stop = Number.isFinite(millis) ? host.sleep!({ why, id: id(), millis }, over) : () => {}
      of?.rests()
      if (stop !== undefined) return Effect.sync(stop)
      const clock = Context.get(this.run.context, Clock.Clock)
      resume(Effect.map(clock.sleep(duration), () => of?.moves()))
      return undefined
    })
  }

  /** Calls `then` when the time has passed, or `cancelled` if the timer is cancelled. */
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
    const { context, fiberId, host } = this.run
    if (host?.sleep !== undefined) {
      if (!Number.isFinite(sleep.millis)) return () => {}
      const stop = host.sleep(sleep, () => over(Exit.void))
      if (stop !== undefined) return stop
    }
    const fiber = Effect.runForkWith(context)(deadline(sleep.millis))
    fiber.addObserver(over)
    return () => fiber.interruptUnsafe(fiberId)
  }

  /** See `Dispatch`. */
  after(
    node: Node,
    { id, scope }: Arrival,
    millis: number,
    then: () => void,
    cancelled: () => void,
    unwanted: () => boolean
  ): Timer {
    const { run } = this
    const flight: Flight = { node, scope, underWay: false, cancel: () => void (unwanted() && timer.cancel()) }
    const fired = (then: () => void) => () => {
      this.awaited--
      run.activate({ _tag: "fired", flight, then })
    }
    const timer = this.start({ why: "within", id: `${node.name}/${id}`, millis }, fired(then), fired(cancelled))
    this.awaited++
    run.scopes.enter(flight)
    // An observer may have ended the run meanwhile.
    if (run.outcome.reached) timer.cancel()
    return timer
  }

  cancelAll(): void {
    for (const timer of [...(this.timers ?? [])]) timer.cancel()
  }
}
