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
  callOf(attempt: number, recovers: boolean): Call
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
        (exit) => Effect.flatMap(settlementOf(on, on.callOf(number, recovers), exit), enter)
      )
      const enter = (settlement: Settlement | undefined): Effect.Effect<void, unknown> => {
        if (settlement === undefined) return once
        on.kept.enter(settlement)
        return settlement.exit
      }
      return once
    })

/** What it enters with, once the host lets it; `undefined` where it is to be made again. */
const settlementOf = (
  { kept, run }: Settled,
  call: Call,
  exit: Exit.Exit<void, unknown>
): Effect.Effect<Settlement | undefined> =>
  kept.recorded !== undefined
    ? Effect.succeed(kept.recorded)
    : Effect.callback((resume) =>
        run.host!.settle!(call, kept.settled(exit), {
          enter: (settlement) => resume(Effect.succeed(settlement)),
          again: () => resume(Effect.succeed(undefined)),
          stale: () => kept.stale
        })
      )
