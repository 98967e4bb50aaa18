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
import type { RunOptions } from "../../../State.ts"
import { type AnyWorkflow, compiledOf } from "../../../Workflow.ts"
import type { ActiveRun } from "./composition.ts"
import { checkOptions, checkPlaces, type Door } from "./doors.ts"
import { beginWith, execute } from "./execute.ts"

/** A run that has begun. */
export interface Begun {
  readonly active: ActiveRun
  readonly fiber: Fiber.Fiber<AnyEvent, unknown>
}

/** Begins a run, after passing it to `prepare`; calls `ended` when it ends, however it ends. */
export const begin = (
  door: Door,
  flow: AnyWorkflow,
  input: unknown,
  options: RunOptions | undefined,
  prepare: (active: ActiveRun) => void,
  ended: () => void
): Effect.Effect<Begun, InvalidEvent, Scope.Scope> =>
  Effect.gen(function* () {
    checkOptions(door, options)
    const graph = compiledOf(flow)
    const start = yield* makeEvent(flow.start, input)
    checkPlaces(door, start, input, options)
    const scope = yield* Effect.scope
    const started = yield* Deferred.make<ActiveRun, never>()
    const running = execute(graph, start, flow.timeout, (active) => {
      if (options?.state !== undefined) beginWith(active, options.state)
      prepare(active)
      Deferred.doneUnsafe(started, Exit.succeed(active))
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
    return { active: yield* Deferred.await(started), fiber }
  })

/** The run's own end, which a late interruption does not change. */
export const resultOf = ({ active, fiber }: Begun): Effect.Effect<AnyEvent, unknown> =>
  Effect.flatMap(Fiber.await(fiber), () => active.outcome.exit!)
