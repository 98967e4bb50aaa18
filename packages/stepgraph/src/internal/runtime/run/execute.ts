/**
 * A run as one Effect.
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as LogLevel from "effect/LogLevel"
import type { AnyEvent } from "../../../Event.ts"
import { show } from "../../../Show.ts"
import type { StateValue } from "../../../State.ts"
import { Observer } from "../../../Trace.ts"
import type { Graph } from "../../graph/graph.ts"
import { runDefect } from "../flow/outcome.ts"
import { whenAborted } from "./aborts.ts"
import { Dispatcher } from "./dispatcher.ts"

/** Runs a workflow's graph from its start event to its end, after passing the run to `prepare`. */
export const execute = (
  graph: Graph,
  start: AnyEvent,
  timeout: Duration.Input | undefined,
  prepare?: (dispatcher: Dispatcher) => void
): Effect.Effect<AnyEvent, unknown> =>
  Effect.withFiber((fiber) => {
    let dispatcher: Dispatcher
    try {
      dispatcher = new Dispatcher(graph, fiber)
    } catch (error) {
      return Effect.die(runDefect(graph.name, "being made", error))
    }
    prepare?.(dispatcher)
    const ended = Effect.callback<void>((resume) => {
      const failed = whenBegun(dispatcher, start, timeout, () => resume(Effect.void))
      if (failed !== undefined) {
        resume(Effect.die(failed))
        return
      }
      // Effect does not let this be interrupted again: interrupting a run means waiting for its finalizers.
      return Effect.suspend(() => {
        interrupt(dispatcher, fiber.id)
        return Effect.andThen(finished(dispatcher), logged(dispatcher))
      })
    })
    // After it, not inside it: a run interrupted by a signal must not be interrupted again.
    const outcome = Effect.flatMap(ended, () => outcomeOf(dispatcher))
    return LogLevel.isLessThanOrEqualTo(fiber.cache.minimumLogLevel, "Debug")
      ? Effect.tap(outcome, () => logLeftOver(dispatcher))
      : outcome
  })

/** Begins it; returns a defect if it cannot even be awaited. */
const whenBegun = (
  dispatcher: Dispatcher,
  start: AnyEvent,
  timeout: Duration.Input | undefined,
  ended: () => void
): Error | undefined => {
  try {
    dispatcher.ending.whenFinished(ended)
  } catch (error) {
    return runDefect(dispatcher.workflow, "beginning", error)
  }
  try {
    dispatcher.begin(start, timeout)
  } catch (error) {
    dispatcher.collapse(error, "beginning")
  }
  return undefined
}

const interrupt = (dispatcher: Dispatcher, by?: number, reason?: unknown): void => {
  try {
    dispatcher.ending.end(Exit.interrupt(by), reason)
  } catch (error) {
    dispatcher.collapse(error, "being interrupted")
  }
}

const outcomeOf = (dispatcher: Dispatcher): Effect.Effect<AnyEvent, unknown> => {
  const { outcome, late, failed } = dispatcher.ending
  // After a failure, they are in its cause.
  return late.length === 0 || failed ? outcome! : Effect.andThen(logged(dispatcher), outcome!)
}

/** Logged at `Debug` only: an intake may be half full on purpose. */
const logLeftOver = (dispatcher: Dispatcher): Effect.Effect<void> => {
  const leftOver = dispatcher.leftOver()
  return leftOver === undefined ? Effect.void : Effect.logDebug(leftOver)
}

const finished = (dispatcher: Dispatcher): Effect.Effect<void> =>
  Effect.callback((resume) => dispatcher.ending.whenFinished(() => resume(Effect.void)))

const logged = ({ ending }: Dispatcher): Effect.Effect<void> =>
  Effect.suspend(() => Effect.forEach(ending.late, (failure) => Effect.logError(failure), { discard: true }))

/** Ends a run as soon as a signal is aborted, even during one long turn. An earlier stop stands. */
export const interruptOn = (signal: AbortSignal, dispatcher: Dispatcher): void => {
  const abort = () => interrupt(dispatcher, undefined, signal.reason)
  // The start event's own schema may have aborted it.
  if (signal.aborted) abort()
  else dispatcher.ending.whenFinished(whenAborted(signal, abort))
}

/** Sets initial cells before the run begins. */
export const beginWith = (dispatcher: Dispatcher, values: ReadonlyArray<StateValue>): void => {
  if (!Array.isArray(values)) throw new TypeError("state must be a list of initial values, such as [seen.with(5)]")
  for (const given of values as ReadonlyArray<StateValue>) {
    if (typeof given?.state?.with !== "function") {
      throw new TypeError("state holds something that is not an initial value: give a list such as [seen.with(5)]")
    }
    // Check again, for values not made by `with`.
    const { state, value } = given.state.with(given.value)
    dispatcher.state.set(state, value)
  }
}

/** Passes a run's entries to an observer that does not use Effect. */
export const observed = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  observe: Observer | undefined
): Effect.Effect<A, E, R> => {
  if (observe === undefined) return effect
  // What an observer throws is ignored, and so would be that it is none.
  if (typeof observe !== "function") throw new TypeError(`observe must be a function, not ${show(observe)}`)
  return Effect.provideService(effect, Observer, observe)
}

/** The outcome of a run for programs without Effect: returns its stop event, or throws its error. */
export const settle = <A>(
  flow: { readonly name: string },
  exit: Exit.Exit<A, unknown>,
  signal: AbortSignal | undefined
): A => {
  if (Exit.isSuccess(exit)) return exit.value
  if (!Cause.hasInterruptsOnly(exit.cause)) throw Cause.squash(exit.cause)
  throw signal?.aborted ? signal.reason : new DOMException(`workflow '${flow.name}' was interrupted`, "AbortError")
}
