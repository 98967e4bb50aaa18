/**
 * Attempts that enter their run when its host says so: all that one did, together.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Call, Settlement } from "../../../Host.ts"
import type { Kept } from "./outbox.ts"
import type { Run } from "./run.ts"

/** An invocation whose attempts a host settles. */
interface Settled {
  readonly run: Run
  readonly kept: Kept
  readonly silent: boolean
  /** Whether nothing that it does is wanted any more. */
  readonly unwanted: boolean
  callOf(attempt: number, recovers: boolean): Call
  /** Lets all that an attempt did take effect, and ends the invocation where it was its last. */
  enter(settlement: Settlement): void
  /** The attempt is in the hands of the host. */
  rests(): void
}

type Attempting<On, Direct> = (
  on: On,
  number: number,
  recovers: boolean,
  direct: Direct
) => Effect.Effect<void, unknown>

/** An attempt, and another in its place where the host has it made again. Its end waits for the host, whatever it is. */
export const settling =
  <On extends Settled, Direct>(attempt: Attempting<On, Direct>): Attempting<On, Direct> =>
  (on, number, recovers, direct) =>
    Effect.uninterruptibleMask((restore) => {
      const once: Effect.Effect<void, unknown> = Effect.flatMap(
        Effect.exit(restore(attempt(on, number, recovers, direct))),
        (exit) => settled(on, on.callOf(number, recovers), exit, once)
      )
      return once
    })

/** What the attempt ends with, once the host has let it enter. That is done before its fiber goes on. */
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
        on.enter(settlement)
        resume(settlement.exit)
      },
      again: () => resume(again),
      // What is not wanted any more is interrupted before it is made again.
      stale: () => !on.unwanted && kept.stale
    })
    on.rests()
  })
