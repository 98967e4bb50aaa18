/**
 * Retries a step by its `retry` option.
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { AnySchedule, AnyStep } from "../../../Step.ts"
import type { Sleeper } from "../flow/timers.ts"
import { isOwnNoAnswer } from "./receiving.ts"
import type { Run, Working } from "./run.ts"

type Retry = NonNullable<AnyStep["retry"]>

/** An invocation of a step that is retried. */
export interface Retried extends Working, Sleeper {
  readonly run: Run
}

export const retrying =
  <On extends Retried>(attempt: (on: On) => Effect.Effect<void, unknown>, retry: Retry) =>
  (on: On): Effect.Effect<void, unknown> => {
    const { run } = on
    const conditions = inContext(retry, run)
    const recorded = recording(attempt(on), on)
    return on.node.asks.length === 0 ? again(recorded, conditions, on) : unlessNoAnswer(recorded, conditions, on)
  }

type Conditions = Effect.Retry.Options<unknown>

/** Once the inputs are closed, no further attempt can be answered. */
const unlessNoAnswer = (attempt: Effect.Effect<void, unknown>, conditions: Conditions, on: Retried) => {
  const given = Effect.catch(Effect.asVoid(attempt), (error) =>
    isOwnNoAnswer(error, on.node, on.input) ? Effect.succeed(error) : Effect.fail(error)
  )
  return Effect.flatMap(again(given, conditions, on), (unanswered) =>
    unanswered === undefined ? Effect.void : Effect.fail(unanswered)
  )
}

const again = <A>(
  attempt: Effect.Effect<A, unknown>,
  conditions: Conditions,
  on: Retried
): Effect.Effect<A, unknown> => {
  const { run } = on
  if (run.host?.sleep === undefined) return Effect.retry(attempt, conditions)
  // The host controls the pauses, but not the sleeps inside an attempt.
  return Effect.clockWith((clock) =>
    Effect.provideService(
      Effect.retry(Effect.provideService(attempt, Clock.Clock, clock), conditions),
      Clock.Clock,
      pausing(clock, on)
    )
  )
}

const pausing = (clock: Clock.Clock, on: Retried): Clock.Clock => {
  const { id, run } = on
  let pauses = 0
  const now = () => run.now()
  return Object.assign(Object.create(clock) as Clock.Clock, {
    // For a schedule that looks at it.
    currentTimeMillisUnsafe: now,
    currentTimeMillis: Effect.sync(now),
    sleep: (duration: Parameters<Clock.Clock["sleep"]>[0]) =>
      run.sleep("retry", () => `${id}/${++pauses}`, duration, on)
  })
}

/** The pauses of a retry that does not bring a schedule. */
const pausesOf = ({ delay, factor = 1, max, jitter }: Exclude<Retry, AnySchedule>): AnySchedule | undefined => {
  if (delay === undefined) return undefined
  const growing: AnySchedule = Schedule.exponential(delay, factor)
  const longest = max === undefined ? undefined : Duration.fromInputUnsafe(max)
  const bounded: AnySchedule =
    longest === undefined
      ? growing
      : Schedule.modifyDelay(growing, ({ duration }) => Effect.succeed(Duration.min(duration, longest)))
  return jitter === true ? Schedule.jittered(bounded) : bounded
}

/** The conditions of a retry are the step's own code, like its function. */
const inContext = (retry: Retry, run: Run): Effect.Retry.Options<unknown> => {
  if (Schedule.isSchedule(retry)) return retry as Effect.Retry.Options<unknown>
  const { delay: _, factor: __, max: ___, jitter: ____, ...given } = retry
  const options: Record<string, unknown> = { ...given }
  const pauses = pausesOf(retry)
  if (pauses !== undefined) options.schedule = pauses
  for (const name of ["while", "until"]) {
    const condition = options[name]
    if (typeof condition === "function") options[name] = (error: unknown) => run.inContext(() => condition(error))
  }
  return options
}

/** Whether an attempt is retried is known only when the next begins, and recorded then. */
const recording = (attempt: Effect.Effect<void, unknown>, on: Retried): Effect.Effect<void, unknown> => {
  const { recorder } = on.run
  if (recorder === undefined) return attempt
  let failed: { readonly cause: Cause.Cause<unknown>; readonly at: number } | undefined
  return Effect.suspend(() => {
    if (failed !== undefined) recorder.retried(on.attempts, on, failed.cause, failed.at)
    return Effect.tapCause(attempt, (cause) =>
      Effect.sync(() => {
        failed = { cause, at: recorder.now() }
      })
    )
  })
}
