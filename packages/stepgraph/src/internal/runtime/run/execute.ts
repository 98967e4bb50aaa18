/**
 * A run as one Effect, or beside Effect for who waits for a promise.
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import * as LogLevel from "effect/LogLevel"
import type { AnyEvent } from "../../../Event.ts"
import { show } from "../../../Show.ts"
import type { StateValue } from "../../../State.ts"
import { Observer } from "../../../Trace.ts"
import type { CompiledGraph } from "../../graph/graph.ts"
import { runDefect } from "../flow/outcome.ts"
import { whenAborted } from "./aborts.ts"
import { ActiveRun } from "./composition.ts"

/** Runs a workflow's graph from its start event to its end, after passing the run to `prepare`. */
export const execute = (
  graph: CompiledGraph,
  start: AnyEvent,
  timeout: Duration.Input | undefined,
  prepare?: (active: ActiveRun) => void
): Effect.Effect<AnyEvent, unknown> =>
  Effect.withFiber((fiber) => {
    const made = make(graph, fiber)
    if (Exit.isFailure(made)) return Exit.failCause(made.cause)
    const active = made.value
    prepare?.(active)
    const ended = Effect.callback<void>((resume) => {
      const failed = whenBegun(active, start, timeout, () => resume(Effect.void))
      if (failed !== undefined) {
        resume(Effect.die(failed))
        return
      }
      // Effect does not let this be interrupted again: interrupting a run means waiting for its finalizers.
      return Effect.suspend(() => {
        interrupt(active, fiber.id)
        return Effect.andThen(finished(active), logged(active))
      })
    })
    // Outside the scope: a run that its signal has interrupted must not be interrupted again.
    return Effect.flatMap(ended, () => outcomeOf(active, fiber))
  })

/**
 * As `execute`, for a program without Effect: only a signal interrupts the run, so no fiber has to wait for it. Hot: 0.8 of
 * the time of a short run.
 */
export const executeAside = (
  graph: CompiledGraph,
  start: AnyEvent,
  timeout: Duration.Input | undefined,
  observe: Observer | undefined,
  prepare: ((active: ActiveRun) => void) | undefined,
  ended: (exit: Exit.Exit<AnyEvent, unknown>) => void
): void => {
  const making = Effect.withFiber((fiber) => Exit.map(make(graph, fiber), (active) => ({ active, fiber })))
  // It ends at once.
  const made = Effect.runFork(observed(making, observe)).pollUnsafe()!
  if (Exit.isFailure(made)) return ended(Exit.failCause(made.cause))
  const { active, fiber } = made.value
  prepare?.(active)
  const over = () => {
    const outcome = outcomeOf(active, fiber)
    if (Exit.isExit(outcome)) ended(outcome as Exit.Exit<AnyEvent, unknown>)
    else Effect.runForkWith(active.context)(outcome).addObserver(ended)
  }
  const failed = whenBegun(active, start, timeout, over)
  if (failed !== undefined) ended(Exit.die(failed))
}

const make = (graph: CompiledGraph, fiber: Fiber<unknown, unknown>): Exit.Exit<ActiveRun> => {
  try {
    return Exit.succeed(new ActiveRun(graph, fiber))
  } catch (error) {
    return Exit.die(runDefect(graph.name, "being made", error))
  }
}

/** Begins it; returns a defect if it cannot even be awaited. */
const whenBegun = (
  active: ActiveRun,
  start: AnyEvent,
  timeout: Duration.Input | undefined,
  ended: () => void
): Error | undefined => {
  try {
    active.outcome.whenFinished(ended)
  } catch (error) {
    return runDefect(active.workflow, "beginning", error)
  }
  try {
    active.begin(start, timeout)
  } catch (error) {
    active.collapse(error, "beginning")
  }
  return undefined
}

const interrupt = (active: ActiveRun, by?: number, reason?: unknown): void => {
  try {
    active.activate({ _tag: "interrupt", outcome: Exit.interrupt(by), reason })
  } catch (error) {
    active.collapse(error, "being interrupted")
  }
}

/** The run's exit, after logging the errors that it does not show. */
const outcomeOf = (active: ActiveRun, fiber: Fiber<unknown, unknown>): Effect.Effect<AnyEvent, unknown> => {
  const { exit, unseen } = active.outcome
  const outcome = unseen.length === 0 ? exit! : Effect.andThen(logged(active), exit!)
  return LogLevel.isLessThanOrEqualTo(fiber.cache.minimumLogLevel, "Debug")
    ? Effect.tap(outcome, () => logLeftOver(active))
    : outcome
}

/** Logged at `Debug` only: an intake may be left half full on purpose. */
const logLeftOver = (active: ActiveRun): Effect.Effect<void> => {
  const leftOver = active.leftOver()
  return leftOver === undefined ? Effect.void : Effect.logDebug(leftOver)
}

const finished = (active: ActiveRun): Effect.Effect<void> =>
  Effect.callback((resume) => active.outcome.whenFinished(() => resume(Effect.void)))

const logged = ({ outcome }: ActiveRun): Effect.Effect<void> =>
  Effect.suspend(() => Effect.forEach(outcome.unseen, (failure) => Effect.logError(failure), { discard: true }))

/** Ends a run as soon as a signal is aborted, even while it works in one long turn. A stop that came first stands. */
export const interruptOn = (signal: AbortSignal, active: ActiveRun): void => {
  const abort = () => interrupt(active, undefined, signal.reason)
  // The start event's own schema may have aborted it.
  if (signal.aborted) abort()
  else active.outcome.whenFinished(whenAborted(signal, abort))
}

/** Sets cells of a run's state before it begins. */
export const beginWith = (active: ActiveRun, values: ReadonlyArray<StateValue>): void => {
  if (!Array.isArray(values)) throw new TypeError("state must be a list of initial values, such as [seen.with(5)]")
  for (const given of values as ReadonlyArray<StateValue>) {
    if (typeof given?.state?.with !== "function") {
      throw new TypeError("state holds something that is not an initial value: give a list such as [seen.with(5)]")
    }
    // Check again, for values not made by `with`.
    const { state, value } = given.state.with(given.value)
    active.calls.state.set(state, value)
  }
}

/** Passes a run's entries to an observer that does not use Effect. */
export const observed = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  observe: Observer | undefined
): Effect.Effect<A, E, R> => {
  if (observe === undefined) return effect
  // Observer errors are swallowed, so reject a non-function here.
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
