/**
 * The durable runs of one process, and where they are kept.
 */
import { statSync } from "node:fs"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { NoRuns } from "./Errors.ts"
import { memoryStore } from "./internal/memory-store.ts"
import { Runner, type RunnerOptions } from "./internal/runner.ts"
import { existingSqlStore, sqlStore } from "./internal/sql-store.ts"
import * as SqliteClient from "./SqliteClient.ts"
import { Store, type StoreService } from "./Store.ts"

export type { RunnerOptions }

/** Performs the durable runs of this process. The layers of this module provide it. */
export class Runs extends Context.Service<Runs, Runner>()("stepgraph/durable/Runs") {}

/** Runs in a store of your own. */
export const layerStore = (options: RunnerOptions = {}): Layer.Layer<Runs, never, Store> =>
  Layer.effect(
    Runs,
    Effect.gen(function* () {
      const store = yield* Store
      const context = yield* Effect.context<never>()
      const runner = new Runner(store, options, context)
      yield* Effect.acquireRelease(runner.open, () => runner.close)
      return runner
    })
  )

/** Runs in the memory of this process, for tests: they are lost when it ends. */
export const layerMemory = (options: RunnerOptions = {}): Layer.Layer<Runs> =>
  Layer.provide(
    layerStore(options),
    Layer.sync(Store, () => memoryStore())
  )

const layerIn = (options: RunnerOptions, place: string): Layer.Layer<Runs, SqlError | NoRuns, SqlClient> =>
  Layer.provide(
    layerStore(options),
    Layer.effect(
      Store,
      Effect.suspend((): Effect.Effect<StoreService, SqlError | NoRuns, SqlClient> => {
        return options.performs === false ? existingSqlStore(place) : sqlStore
      })
    )
  )

/** Runs in the tables of any `SqlClient` for SQLite or Postgres. */
export const layerSql = (options: RunnerOptions = {}): Layer.Layer<Runs, SqlError | NoRuns, SqlClient> =>
  layerIn(options, "this database")

/** Runs in one SQLite file. */
export const layerSqlite = ({
  filename,
  ...options
}: { readonly filename: string } & RunnerOptions): Layer.Layer<Runs, SqlError | NoRuns> =>
  Layer.suspend(() => {
    if (options.performs !== false) return Layer.provide(layerIn(options, filename), SqliteClient.layer({ filename }))
    const file = statSync(filename, { throwIfNoEntry: false })
    if (file?.isFile() !== true) {
      const why = file === undefined ? ("missing" as const) : ("not a database" as const)
      return Layer.effect(Runs, Effect.fail(new NoRuns({ place: filename, why })))
    }
    // What belongs to another program stays as it is.
    return Layer.provide(layerIn(options, filename), SqliteClient.layer({ filename, wal: false }))
  })
