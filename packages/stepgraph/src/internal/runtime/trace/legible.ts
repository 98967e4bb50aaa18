/**
 * Makes an exit safe for tracers.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { nameAndMessage } from "../../../Show.ts"

/**
 * An exit that tracers can read: they convert every part of an error to text, whatever the cost, and lose the span if
 * that throws. So anything but an ordinary error is replaced by its text.
 */
export const legible = (exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> => {
  if (Exit.isSuccess(exit)) return exit
  const { reasons } = exit.cause
  const errorOf = (reason: Cause.Reason<unknown>) =>
    Cause.isFailReason(reason) ? reason.error : Cause.isDieReason(reason) ? reason.defect : undefined
  if (reasons.every((reason) => isLegible(errorOf(reason), 8))) return exit
  const legibleReason = (reason: Cause.Reason<unknown>): Cause.Reason<unknown> => {
    const error = errorOf(reason)
    if (isLegible(error, 8)) return reason
    const words = new Error(nameAndMessage(error))
    return Cause.isDieReason(reason) ? Cause.makeDieReason(words) : Cause.makeFailReason(words)
  }
  return Exit.failCause(Cause.fromReasons(reasons.map(legibleReason)))
}

const isLegible = (error: unknown, causes: number): boolean => {
  if (typeof error !== "object" || error === null) return typeof error !== "bigint" && typeof error !== "function"
  try {
    if (!(error instanceof Error) || causes === 0) return false
    const { name, message, stack, cause } = error
    const texts = [name, message, stack ?? ""].every((text) => typeof text === "string")
    return texts && (cause === undefined || isLegible(cause, causes - 1))
  } catch {
    return false
  }
}
