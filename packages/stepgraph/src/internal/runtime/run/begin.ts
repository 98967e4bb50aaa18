/**
 * Starts a run beside its caller, in a fiber of the caller's scope.
 */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { InvalidEvent } from "../../../Errors.ts"
import { type AnyEvent, makeEvent } from "../../../Event.ts"
import type { StateOptions } from "../../../State.ts"
import { type AnyWorkflow, graphOf } from "../../../Workflow.ts"
import type { Dispatcher } from "./dispatcher.ts"
import { beginWith, execute } from "./execute.ts"
import { checkOptions, checkPlaces, type Door } from "./options.ts"

/** A run that has begun. */
export interface Begun {
  readonly dispatcher: Dispatcher
  readonly fiber: Fiber.Fiber<AnyEvent, unknown>
}

/** Begins a run, after passing it to `prepare`; calls `ended` when it ends, however it ends. */
export const begin = (
  door: Door,
  flow: AnyWorkflow,
  input: unknown,
  options: StateOptions | undefined,
  prepare: (dispatcher: Dispatcher) => void,
  ended: () => void
): Effect.Effect<Begun, InvalidEvent, Scope.Scope> =>
  Effect.gen(function* () {
    checkOptions(door, options)
    const graph = graphOf(flow)
    const start = yield* makeEvent(flow.start, input)
    checkPlaces(door, start, input, options)
    const scope = yield* Effect.scope
    const started = yield* Deferred.make<Dispatcher, never>()
    const running = execute(graph, start, flow.timeout, (dispatcher) => {
      if (options?.state !== undefined) beginWith(dispatcher, options.state)
      prepare(dispatcher)
      Deferred.doneUnsafe(started, Exit.succeed(dispatcher))
    })
    const fiber = yield* Effect.forkIn(
      Effect.onExit(running, () => Effect.sync(ended)),
      scope,
      {
        startImmediately: true
      }
    )
    // In a scope that is already closed, it ends without starting.
    fiber.addObserver((exit) => {
      if (Exit.isFailure(exit)) Deferred.doneUnsafe(started, Exit.failCause(exit.cause as Cause.Cause<never>))
    })
    return { dispatcher: yield* Deferred.await(started), fiber }
  })

/** The run's own end: interrupting a run that is ending does not change its outcome. */
export const resultOf = ({ dispatcher, fiber }: Begun): Effect.Effect<AnyEvent, unknown> =>
  Effect.flatMap(Fiber.await(fiber), () => dispatcher.ending.outcome!)
