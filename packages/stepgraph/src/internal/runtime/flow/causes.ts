/**
 * Causes of several errors, put together in the order in which they are to be seen.
 */
import * as Cause from "effect/Cause"

const errorOf = (reason: Cause.Reason<unknown>): unknown =>
  Cause.isFailReason(reason) ? reason.error : Cause.isDieReason(reason) ? reason.defect : undefined

/**
 * A cause with more errors behind it, which hide neither a typed error nor a defect. Not `Cause.combine`, which compares
 * errors by all that they hold: their payloads may be huge, run code when they are read, or throw.
 */
export const behind = (cause: Cause.Cause<unknown>, errors: ReadonlyArray<unknown>): Cause.Cause<unknown> => {
  // Effect lets a defect hide a typed error beside it, and a promise is rejected with a failure before a defect.
  const reason = Cause.hasFails(cause) ? Cause.makeFailReason : Cause.makeDieReason
  const before = cause.reasons.map(errorOf)
  const others = errors.filter((error) => !before.includes(error))
  return others.length === 0 ? cause : Cause.fromReasons([...cause.reasons, ...others.map((error) => reason(error))])
}
