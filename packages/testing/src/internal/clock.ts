/**
 * A clock that stands still until somebody says which of its sleepers wakes.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Fiber } from "effect/Fiber"

export interface Sleeper {
  readonly deadline: number
  /** How long it wanted to sleep. */
  readonly millis: number
  /** Whose it is: a fiber's, or an invocation's that has set a timer. */
  readonly fiber: Fiber<unknown, unknown> | undefined
  readonly invocation: string | undefined
  readonly wake: () => void
}

/** What a timer's callback threw: in production it ends the process. */
export interface Uncaught {
  readonly error: unknown
  /** Which invocation set the timer, if one did. */
  readonly invocation: string | undefined
}

const nanosPerMilli = 1_000_000

export class ControlledClock implements Clock.Clock {
  private millis = 0
  /** In the order of their deadlines, and those of one deadline in the order in which they fell asleep. */
  readonly sleepers: Array<Sleeper> = []
  /** The first exception that nothing caught. */
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

  /** Adds a sleeper, and returns what takes it away again. */
  add(
    millis: number,
    { fiber, invocation }: Partial<Pick<Sleeper, "fiber" | "invocation">>,
    wake: () => void
  ): () => void {
    const sleeper = { deadline: this.millis + millis, millis, fiber, invocation, wake }
    let place = this.sleepers.length
    while (place > 0 && this.sleepers[place - 1]!.deadline > sleeper.deadline) place--
    this.sleepers.splice(place, 0, sleeper)
    return () => this.remove(sleeper)
  }

  /** Wakes one; whoever wakes later than he wanted to finds that more time has passed. */
  wake(sleeper: Sleeper): void {
    this.remove(sleeper)
    this.millis = Math.max(this.millis, sleeper.deadline)
    sleeper.wake()
  }

  private remove(sleeper: Sleeper): void {
    const place = this.sleepers.indexOf(sleeper)
    if (place >= 0) this.sleepers.splice(place, 1)
  }
}
