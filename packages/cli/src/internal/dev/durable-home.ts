/**
 * A home of durable runs for a server whose workflows change: they go on with the new code, as after a restart.
 */
import type { AnyDurable } from "@stepgraph/durable"
import type { Runs } from "@stepgraph/server"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { cannotOpen, load, optionsOf, type Place } from "../durable.ts"
import type { Misuse } from "../errors.ts"

type Home = Runs & { readonly close: () => Promise<void> }

const opened = (place: Place, durables: ReadonlyArray<AnyDurable>): Effect.Effect<Home, Misuse> =>
  Effect.gen(function* () {
    // It says in a sentence what is missing, where the import below would not.
    yield* load("@stepgraph/durable", place.files)
    const options = yield* optionsOf(place, true)
    return yield* Effect.tryPromise({
      try: async () => {
        const { openDurableRuns } = await import("@stepgraph/server/durable")
        return openDurableRuns(options, durables as [])
      },
      catch: (error) => cannotOpen(place.place, error)
    })
  })

export interface DurableHome {
  readonly runs: Runs
  /** Goes on with the workflows as they are now. */
  readonly reopen: Effect.Effect<void, Misuse>
}

export const durableHome = (
  place: Place,
  durables: () => ReadonlyArray<AnyDurable>
): Effect.Effect<DurableHome, Misuse, Scope.Scope> =>
  Effect.gen(function* () {
    let home = yield* opened(place, durables())
    yield* Effect.addFinalizer(() => Effect.promise(() => home.close()))
    return {
      runs: {
        start: (flow, starting) => home.start(flow, starting),
        get: (id) => home.get(id),
        list: (query) => home.list(query)
      },
      reopen: Effect.uninterruptible(
        Effect.flatMap(
          Effect.suspend(() => opened(place, durables())),
          (next) => {
            const before = home
            home = next
            return Effect.promise(() => before.close())
          }
        )
      )
    }
  })
