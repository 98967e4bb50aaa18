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

/** Runs a workflow's graph from its start event to its end; `prepare` is given the run before it begins. */
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
      // Effect does not let this be interrupted again: whoever interrupts a run waits for its finalizers.
      return Effect.suspend(() => {
        interrupt(dispatcher, fiber.id)
        return Effect.andThen(finished(dispatcher), logged(dispatcher))
      })
    })
    // After it, and not in it: a run that was interrupted by a signal is not interrupted once more.
    const outcome = Effect.flatMap(ended, () => outcomeOf(dispatcher))
    return LogLevel.isLessThanOrEqualTo(fiber.cache.minimumLogLevel, "Debug")
      ? Effect.tap(outcome, () => logLeftOver(dispatcher))
      : outcome
  })

/** Begins it; gives a defect where it cannot even be waited for. */
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
  // Behind a failure they stand in its cause.
  return late.length === 0 || failed ? outcome! : Effect.andThen(logged(dispatcher), outcome!)
}

/** Logged at `Debug` only: an intake may be left half full on purpose. */
const logLeftOver = (dispatcher: Dispatcher): Effect.Effect<void> => {
  const leftOver = dispatcher.leftOver()
  return leftOver === undefined ? Effect.void : Effect.logDebug(leftOver)
}

const finished = (dispatcher: Dispatcher): Effect.Effect<void> =>
  Effect.callback((resume) => dispatcher.ending.whenFinished(() => resume(Effect.void)))

const logged = ({ ending }: Dispatcher): Effect.Effect<void> =>
  Effect.suspend(() => Effect.forEach(ending.late, (failure) => Effect.logError(failure), { discard: true }))

/** Ends a run as soon as a signal is aborted, even while it works in one long turn. A stop that came first stands. */
export const interruptOn = (signal: AbortSignal, dispatcher: Dispatcher): void => {
  const abort = () => interrupt(dispatcher, undefined, signal.reason)
  // The start event's own schema may have aborted it.
  if (signal.aborted) abort()
  else dispatcher.ending.whenFinished(whenAborted(signal, abort))
}

/** Sets cells of a run's state before it begins. */
export const beginWith = (dispatcher: Dispatcher, values: ReadonlyArray<StateValue>): void => {
  if (!Array.isArray(values)) throw new TypeError("state must be a list of initial values, such as [seen.with(5)]")
  for (const given of values as ReadonlyArray<StateValue>) {
    if (typeof given?.state?.with !== "function") {
      throw new TypeError("state holds something that is not an initial value: give a list such as [seen.with(5)]")
    }
    // Once more, for who has made it without `with`.
    const { state, value } = given.state.with(given.value)
    dispatcher.state.set(state, value)
  }
}

/** Lets whoever observes a run from a program without Effect be told. */
export const observed = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  observe: Observer | undefined
): Effect.Effect<A, E, R> => {
  if (observe === undefined) return effect
  // What an observer throws is ignored, and so would be that it is none.
  if (typeof observe !== "function") throw new TypeError(`observe must be a function, not ${show(observe)}`)
  return Effect.provideService(effect, Observer, observe)
}

/** The outcome of a run for programs without Effect: its stop event, or its error thrown. */
export const settle = <A>(
  flow: { readonly name: string },
  exit: Exit.Exit<A, unknown>,
  signal: AbortSignal | undefined
): A => {
  if (Exit.isSuccess(exit)) return exit.value
  if (!Cause.hasInterruptsOnly(exit.cause)) throw Cause.squash(exit.cause)
  throw signal?.aborted ? signal.reason : new DOMException(`workflow '${flow.name}' was interrupted`, "AbortError")
}
