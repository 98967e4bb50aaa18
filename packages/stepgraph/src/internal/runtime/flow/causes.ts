/**
 * Causes of several errors, in display order.
 */
import * as Cause from "effect/Cause"

const errorOf = (reason: Cause.Reason<unknown>): unknown =>
  Cause.isFailReason(reason) ? reason.error : Cause.isDieReason(reason) ? reason.defect : undefined

/**
 * Appends errors to a cause without hiding a typed error or a defect. Not `Cause.combine`, which compares errors by all
 * their fields: payloads may be huge, run code when read, or throw.
 */
export const behind = (cause: Cause.Cause<unknown>, errors: ReadonlyArray<unknown>): Cause.Cause<unknown> => {
  // In Effect, a defect hides a typed error beside it, and a promise rejects with a failure before a defect.
  const reason = Cause.hasFails(cause) ? Cause.makeFailReason : Cause.makeDieReason
  const before = cause.reasons.map(errorOf)
  const others = errors.filter((error) => !before.includes(error))
  return others.length === 0 ? cause : Cause.fromReasons([...cause.reasons, ...others.map((error) => reason(error))])
}
