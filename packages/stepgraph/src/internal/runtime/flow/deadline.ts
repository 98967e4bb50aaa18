/**
 * How a run sleeps.
 */
import * as Effect from "effect/Effect"
import type { Sleep } from "../../../Host.ts"

const lastPart = 0.5

/**
 * Sleeps until everything else at the same instant has happened. A clock wakes the sleepers of one instant in the order
 * in which they fell asleep, so the last part of the sleep begins just before its end.
 */
export const deadline = (millis: number): Effect.Effect<void> =>
  Effect.sleep(Math.max(0, millis - lastPart)).pipe(
    Effect.andThen(Effect.sleep(Math.min(lastPart, millis))),
    Effect.andThen(Effect.yieldNow)
  )

/** Sleeps as a run does without a host. */
export const sleepOf = ({ millis, why }: Pick<Sleep, "millis" | "why">): Effect.Effect<void> =>
  why === "run" || why === "within" ? deadline(millis) : Effect.sleep(millis)
