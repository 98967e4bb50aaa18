/**
 * Calls that wait in line for a limit, which all runs of the process share.
 *
 * A line belongs to a limit, a key and a `Clock`: each virtual clock has separate lines, so that one test or exploration never
 * waits for another.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import type { RateLimitExceeded, RateLimiter, RateLimiterError } from "effect/persistence/RateLimiter"
import { show } from "../../../Show.ts"
import type { AttemptOf, Guarded } from "./guards.ts"

export interface Limited {
  readonly name: string
  readonly concurrent: number
  /** Number of calls that may start within any period as long as the window. */
  readonly rate: { readonly times: number; readonly window: Duration.Duration } | undefined
  readonly by: ((input: any) => unknown) | undefined
  /** Counts the rate for several processes. */
  readonly limiter: RateLimiter | undefined
}

/** Effect's service by name: importing it would pull its Redis client into every program with a limit. */
const Limiter = /*#__PURE__*/ Context.Service<RateLimiter>("~effect/persistence/RateLimiter")

export const limiting = (limit: Limited): ((attempt: AttemptOf) => AttemptOf) => {
  const lines = new Lines(limit)
  return (attempt) => (on, number, recovers, direct) =>
    Effect.withFiber((fiber) =>
      Effect.uninterruptibleMask((restore) => {
        const limited = attempt(on, number, recovers, direct)
        // A call that the host has recorded is not made, so it needs no turn.
        if (on.run.host?.skips?.(on.callOf(number, recovers))) return restore(limited)
        const key = keyOf(limit, on)
        const line = lines.of(fiber.context, key)
        const call = new Call(limit, line, on, number, fiber, key)
        return Effect.flatMap(
          Effect.onExit(restore(call.wait), (exit) => Effect.sync(() => call.waited(exit))),
          () => Effect.onExit(restore(limited), () => Effect.sync(() => line.release(fiber)))
        )
      })
    )
}

const keyOf = ({ name, by }: Limited, { input, run }: Guarded): unknown => {
  if (by === undefined) return undefined
  const key = run.inContext(() => by(input))
  if ((typeof key === "object" && key !== null) || typeof key === "function") {
    throw new TypeError(`the \`by\` of limit '${name}' gave ${show(key)}: give a string or a number`)
  }
  return key
}

const isExceeded = (reason: unknown): reason is RateLimitExceeded => Predicate.isTagged(reason, "RateLimitExceeded")

/** The lines of a limit. */
class Lines {
  private readonly limit: Limited
  private readonly all = new WeakMap<Clock.Clock, Map<unknown, Line>>()

  constructor(limit: Limited) {
    this.limit = limit
  }

  of(context: Context.Context<never>, key: unknown): Line {
    const clock = Context.get(context, Clock.Clock)
    let lines = this.all.get(clock)
    if (lines === undefined) {
      lines = new Map()
      this.all.set(clock, lines)
    }
    const line = lines.get(key) ?? new Line(this.limit, clock)
    // The most recent is last, so the first ones may no longer be needed.
    lines.delete(key)
    this.forget(lines)
    lines.set(key, line)
    return line
  }

  /** Forgets up to two idle lines, because a key may never come again. A line in use moves behind those not yet examined. */
  private forget(lines: Map<unknown, Line>): void {
    let left = Math.min(2, lines.size)
    for (const [key, line] of lines) {
      if (left-- === 0) return
      lines.delete(key)
      if (!line.isFresh) lines.set(key, line)
    }
  }
}

/** The calls that wait for one key of a limit, and the times when the latest calls started. */
class Line {
  readonly clock: Clock.Clock
  private readonly limit: Limited
  private readonly waiting = new Set<Call>()
  /** In nanoseconds of a clock that nobody sets: the time of day may step back. */
  private readonly starts: Array<bigint> = []
  private running = 0
  private waking = false

  constructor(limit: Limited, clock: Clock.Clock) {
    this.limit = limit
    this.clock = clock
  }

  /** Whether it equals a new line. */
  get isFresh(): boolean {
    return this.running === 0 && this.waiting.size === 0 && this.millisLeft(1) <= 0
  }

  join(call: Call): void {
    this.waiting.add(call)
  }

  leave(call: Call, fiber: Fiber<unknown, unknown>): void {
    if (this.waiting.delete(call)) this.wakeNext(fiber)
  }

  isFirst(call: Call): boolean {
    for (const first of this.waiting) return first === call
    return false
  }

  get isFull(): boolean {
    return this.running >= this.limit.concurrent
  }

  /** Time until the rate allows a call to start. */
  get tooSoon(): number {
    return this.limit.rate === undefined ? 0 : this.millisLeft(this.limit.rate.times)
  }

  /** Time until the last call but `count - 1` leaves the window. */
  private millisLeft(count: number): number {
    const { rate } = this.limit
    const start = this.starts.at(-count)
    if (rate === undefined || start === undefined) return 0
    const nanos = start + Duration.toNanosUnsafe(rate.window) - this.clock.monotonicTimeNanosUnsafe()
    // In whole microseconds: a virtual clock rounds its nanoseconds.
    return Number(nanos / 1_000n) / 1_000
  }

  enter(): void {
    this.running++
    const { rate } = this.limit
    if (rate === undefined) return
    this.starts.push(this.clock.monotonicTimeNanosUnsafe())
    if (this.starts.length > 2 * rate.times) this.starts.splice(0, this.starts.length - rate.times)
  }

  release(fiber: Fiber<unknown, unknown>): void {
    this.running--
    this.wakeNext(fiber)
  }

  /** In a new turn: the call that has just entered begins before the next one, and the stack does not grow. */
  private wakeNext({ currentDispatcher }: Fiber<unknown, unknown>): void {
    if (this.waking || this.waiting.size === 0) return
    this.waking = true
    const wake = () => {
      this.waking = false
      for (const first of this.waiting) {
        first.wake()
        return
      }
    }
    currentDispatcher.scheduleTask(wake, 0)
  }
}

/** One call, until the limit lets it through. */
class Call {
  private readonly limit: Limited
  private readonly line: Line
  private readonly on: Guarded
  private readonly attempt: number
  private readonly fiber: Fiber<unknown, unknown>
  private readonly key: unknown
  private entered = false
  private reported = false
  private resume: (() => void) | undefined

  constructor(limit: Limited, line: Line, on: Guarded, attempt: number, fiber: Fiber<unknown, unknown>, key: unknown) {
    this.limit = limit
    this.line = line
    this.on = on
    this.attempt = attempt
    this.fiber = fiber
    this.key = key
    line.join(this)
  }

  /** Completes when the call has entered. */
  get wait(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { line } = this
      if (!line.isFirst(this) || line.isFull) return this.waitsFor(this.sleep)
      const millis = line.tooSoon
      if (millis > 0) return this.waitsFor(Effect.sleep(millis))
      const limiter = this.limit.rate === undefined ? undefined : this.limiter
      if (limiter === undefined) return this.enter
      return Effect.flatMap(this.ask(limiter), (millis) =>
        millis > 0 ? this.waitsFor(Effect.sleep(millis)) : this.enter
      )
    })
  }

  private waitsFor(something: Effect.Effect<void>): Effect.Effect<void> {
    if (!this.reported) this.report(true)
    return Effect.flatMap(something, () => this.wait)
  }

  private get sleep(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      this.resume = () => resume(Effect.void)
      return Effect.sync(() => {
        this.resume = undefined
      })
    })
  }

  wake(): void {
    const { resume } = this
    this.resume = undefined
    // The call that made room may belong to another request.
    if (resume !== undefined) this.on.run.inContext(resume)
  }

  private get enter(): Effect.Effect<void> {
    return Effect.sync(() => {
      this.entered = true
      this.line.enter()
    })
  }

  private get limiter(): RateLimiter | undefined {
    const { limit, fiber } = this
    if (limit.limiter !== undefined) return limit.limiter
    const provided = Context.getOption(fiber.context, Limiter)
    return provided._tag === "Some" ? provided.value : undefined
  }

  /** The wait that the limiter asks for. If the limiter fails, the program goes on: the process keeps the rate by itself. */
  private ask(limiter: RateLimiter): Effect.Effect<number> {
    const { name, rate } = this.limit
    const key = this.key === undefined ? name : `${name}/${String(this.key)}`
    const consumed = Effect.suspend(() =>
      limiter.consume({ key, limit: rate!.times, window: rate!.window, onExceeded: "fail" })
    )
    return Effect.matchCauseEffect(consumed, {
      onSuccess: () => Effect.succeed(0),
      onFailure: (cause: Cause.Cause<RateLimiterError>) => {
        if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
        const error = Cause.squash(cause)
        const reason = (error as RateLimiterError | undefined)?.reason ?? error
        return isExceeded(reason)
          ? Effect.succeed(Math.max(1, Duration.toMillis(reason.retryAfter)))
          : Effect.as(
              Effect.logWarning(`limit '${name}' counts in this process alone, for its store failed`, reason),
              0
            )
      }
    })
  }

  /** It has entered, or has been interrupted. */
  waited(exit: Exit.Exit<void>): void {
    if (this.reported) this.report(false)
    this.line.leave(this, this.fiber)
    if (this.entered && Exit.isFailure(exit)) this.line.release(this.fiber)
  }

  /** Lets the run's status and trace know that it waits, or no longer does. */
  private report(waits: boolean): void {
    this.reported = waits
    const { attempt, limit, key, on } = this
    on.run.limited(on.node, limit.name, waits ? 1 : -1)
    if (on.run.host?.settle !== undefined) {
      // A host does not wait for it: it may be the host that lets the call before it end.
      if (waits) on.rests()
      else on.moves()
    }
    if (waits) on.run.recorder?.limitReached(attempt, on, limit.name, key)
    else if (this.entered) on.run.recorder?.limitPassed(attempt, on, limit.name, key)
  }
}
