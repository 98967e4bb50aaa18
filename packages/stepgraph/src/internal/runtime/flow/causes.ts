/**
 * Causes of several errors, in display order, and where each arose.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import { CurrentStackFrame, type StackFrame } from "effect/References"
import { SuppressedErrors } from "../../../SuppressedErrors.ts"

type Reason = Cause.Reason<unknown>

/** The error of a failure or a defect. */
export const errorOf = (reason: Reason): unknown =>
  Cause.isFailReason(reason) ? reason.error : Cause.isDieReason(reason) ? reason.defect : undefined

/**
 * Appends reasons to a cause without hiding a typed error or a defect. Not `Cause.combine`, which compares errors by all
 * their fields: payloads may be huge, run code when read, or throw.
 *
 * In Effect, a defect hides a typed error beside it, and a promise rejects with a failure before a defect. So after a typed
 * error, everything but the run's typed errors goes into an annotation, and after a defect all become defects.
 */
export const behind = (cause: Cause.Cause<unknown>, others: ReadonlyArray<Reason>): Cause.Cause<unknown> => {
  const before = cause.reasons.map(errorOf)
  const added = others.filter((reason) => !before.includes(errorOf(reason)))
  if (added.length === 0) return cause
  const first = cause.reasons.findIndex(Cause.isFailReason)
  if (first < 0) {
    return Cause.fromReasons([...cause.reasons, ...added.map((reason) => Cause.makeDieReason(errorOf(reason)))])
  }
  const reasons = [...cause.reasons, ...added.filter(Cause.isFailReason)]
  const suppressed = added.filter((reason) => !Cause.isFailReason(reason)).map(errorOf)
  if (suppressed.length > 0) {
    const earlier = cause.reasons.flatMap(
      (reason) => Context.getOrUndefined(Cause.reasonAnnotations(reason), SuppressedErrors) ?? []
    )
    const annotations = Context.make(SuppressedErrors, [...earlier, ...suppressed])
    reasons[first] = reasons[first]!.annotate(annotations, { overwrite: true })
  }
  return Cause.fromReasons(reasons)
}

/** `Cause.pretty` shows the innermost ten. */
const mostFrames = 8
const noStack = () => undefined

/** Notes the step in which a typed error arose, as its spans do: between the step's own spans and those of its run. */
export const aroseIn = (reason: Reason, place: string, context: Context.Context<never>): Reason => {
  const outer = Context.get(context, CurrentStackFrame)
  const inside: Array<StackFrame> = []
  let frame = Context.getOrUndefined(Cause.reasonAnnotations(reason), Cause.StackTrace)
  for (; frame !== undefined && frame !== outer && inside.length < mostFrames; frame = frame.parent) inside.push(frame)
  const step: StackFrame = { name: place, stack: noStack, parent: outer }
  const whole = inside.reduceRight<StackFrame>((parent, { name, stack }) => ({ name, stack, parent }), step)
  return reason.annotate(Context.make(Cause.StackTrace, whole), { overwrite: true })
}
