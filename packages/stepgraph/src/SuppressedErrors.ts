/**
 * Errors that came with a run's failure and are not among its typed errors.
 */
import * as Context from "effect/Context"

/**
 * An annotation of a cause: the errors that came with a typed failure, and must neither be caught in its place nor hide it.
 * These are a finalizer's failure, a defect of another step, and the error that a `recover` could not handle.
 *
 * @example
 * ```ts
 * import { Cause, Context, Effect } from "effect"
 * import { defineEvent, defineStep, run, SuppressedErrors, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const work = defineStep({
 *   accepts: Start, emits: Stop,
 *   run: () => Effect.fail("offline"),
 *   recover: (error) => Effect.fail("no copy either")
 * })
 * const flow = workflow({ name: "read", start: Start, stop: Stop, steps: { work } })
 *
 * const cause = await Effect.runPromise(Effect.flip(Effect.sandbox(run(flow))))
 * console.log(Cause.squash(cause)) // => no copy either
 * console.log(Context.getOrUndefined(Cause.annotations(cause), SuppressedErrors)) // => [ 'offline' ]
 * ```
 */
export class SuppressedErrors extends /*#__PURE__*/ Context.Service<SuppressedErrors, ReadonlyArray<unknown>>()(
  "stepgraph/SuppressedErrors"
) {}
