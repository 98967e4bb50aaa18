/**
 * Attempts under a host that settles calls: all effects of one enter the run together, when the host says so.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Fiber } from "effect/Fiber"
import type { Call, Settlement } from "../../../Host.ts"
import type { Kept } from "./outbox.ts"
import type { Run } from "./run.ts"

/** An invocation whose attempts a host settles. */
interface Settled {
  readonly run: Run
  readonly kept: Kept
  readonly silent: boolean
  /** Whether its effects are no longer wanted. */
  readonly unwanted: boolean
  callOf(attempt: number, recovers: boolean): Call
  /** Keeps all effects of the next attempt. */
  keepAll(): void
  /** Lets all effects of an attempt take place, and ends the invocation if it was its last. */
  enter(settlement: Settlement): void
  /** Letting them take place threw. */
  lose(error: unknown): void
  /** The attempt now waits for the host. */
  rests(): void
}

type Attempting<On, Direct> = (
  on: On,
  number: number,
  recovers: boolean,
  direct: Direct
) => Effect.Effect<void, unknown>

/** An attempt, repeated if the host asks for it. The host decides when it ends. */
export const settling =
  <On extends Settled, Direct>(attempt: Attempting<On, Direct>): Attempting<On, Direct> =>
  (on, number, recovers, direct) =>
    Effect.uninterruptibleMask((restore) => {
      const once: Effect.Effect<void, unknown> = Effect.suspend(() => {
        // An attempt that is interrupted before it begins has none, rather than those of the one before.
        on.keepAll()
        return Effect.flatMap(inOwnFiber(on, attempt(on, number, recovers, direct), restore), (exit) =>
          settled(on, on.callOf(number, recovers), exit, once)
        )
      })
      return once
    })

/** Performs an attempt in a fiber of its own: the fibers that it has forked end before it, and not with its invocation. */
const inOwnFiber = (
  { run }: Settled,
  attempt: Effect.Effect<void, unknown>,
  restore: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
): Effect.Effect<Exit.Exit<void, unknown>> =>
  Effect.contextWith((context: Context.Context<never>) => {
    let fiber: Fiber<void, unknown> | undefined
    const ended = restore(
      Effect.callback<Exit.Exit<void, unknown>>((resume) => {
        const own = Effect.runForkWith(context)(attempt)
        fiber = own
        own.addObserver((exit) => resume(Effect.succeed(exit)))
        return Effect.callback<void>((resume) => {
          own.addObserver(() => resume(Effect.void))
          own.interruptUnsafe(run.fiberId)
        })
      })
    )
    return Effect.map(Effect.exit(ended), (exit) => (Exit.isSuccess(exit) ? exit.value : (fiber?.pollUnsafe() ?? exit)))
  })

/** The attempt's exit, once the host has let it enter, which happens before its fiber continues. */
const settled = (
  on: Settled,
  call: Call,
  exit: Exit.Exit<void, unknown>,
  again: Effect.Effect<void, unknown>
): Effect.Effect<void, unknown> =>
  Effect.callback((resume) => {
    const { kept } = on
    on.run.host!.settle!(call, kept.settled(exit, on.silent), {
      enter: (settlement) => {
        try {
          on.enter(settlement)
        } catch (error) {
          // The host is not to know: the run itself is broken, and ends.
          on.lose(error)
        } finally {
          resume(settlement.exit)
        }
      },
      again: () => resume(again),
      // An unwanted attempt is interrupted, not repeated.
      stale: () => !on.unwanted && kept.stale
    })
    on.rests()
  })
