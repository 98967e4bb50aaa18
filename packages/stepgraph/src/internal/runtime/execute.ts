/**
 * A run as one Effect.
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { AnyEvent } from "../../Event.ts"
import type { Graph } from "../graph/graph.ts"
import { Dispatcher } from "./dispatcher.ts"

/** Runs a workflow's graph from its start event to its end; `prepare` is given the run before it begins. */
export const execute = (
  graph: Graph,
  start: AnyEvent,
  timeout: Duration.Input | undefined,
  prepare?: (dispatcher: Dispatcher) => void
): Effect.Effect<AnyEvent, unknown> =>
  Effect.withFiber((fiber) => {
    const dispatcher = new Dispatcher(graph, fiber)
    prepare?.(dispatcher)
    const finished: Effect.Effect<void> = Effect.callback((resume) => {
      dispatcher.whenFinished(() => resume(Effect.void))
    })
    const ended = Effect.callback<void>((resume) => {
      dispatcher.whenFinished(() => resume(Effect.void))
      dispatcher.begin(start, timeout)
      // Effect does not let this be interrupted again: whoever interrupts a run waits for its finalizers.
      return Effect.suspend(() => {
        dispatcher.end(Exit.interrupt(fiber.id))
        return finished
      })
    })
    return Effect.flatMap(ended, () => {
      const { exit, finalizerFailures } = dispatcher
      if (finalizerFailures.length === 0 || Exit.isFailure(exit)) return exit
      return Effect.andThen(
        Effect.forEach(finalizerFailures, (failure) => Effect.logError(failure)),
        exit
      )
    })
  })

/** The outcome of a run for programs without Effect: its stop event, or its error thrown. */
export const settle = <A>(workflow: string, exit: Exit.Exit<A, unknown>, signal: AbortSignal | undefined): A => {
  if (Exit.isSuccess(exit)) return exit.value
  if (!Cause.hasInterruptsOnly(exit.cause)) throw Cause.squash(exit.cause)
  throw signal?.aborted ? signal.reason : new DOMException(`workflow '${workflow}' was interrupted`, "AbortError")
}
