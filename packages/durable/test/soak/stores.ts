// The stores that the soak can run on.
import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Layer, Redacted } from "effect"
import { type DurableRuns, openDurable, Store } from "../../src/index.ts"
import { sqlStore } from "../../src/internal/sql-store.ts"
import { layerPostgres } from "../../src/Postgres.ts"
import * as SqliteClient from "../../src/SqliteClient.ts"

const options = { crashes: 1000, warm: 4 }

export const openStore = (place: string, durables: ReadonlyArray<any>): Promise<DurableRuns> =>
  openDurable(
    place.startsWith("postgres:")
      ? { layer: layerPostgres({ url: place, maxConnections: 4, lease: 1500, poll: 50, ...options }) }
      : { sqlite: place, ...options },
    durables as []
  )

/** The tokens of the writers of a run's journal, in its order. */
export const writersOf = (place: string, ids: ReadonlyArray<string>): Promise<ReadonlyArray<ReadonlyArray<number>>> => {
  const client = place.startsWith("postgres:")
    ? PgClient.layer({ url: Redacted.make(place) })
    : SqliteClient.layer({ filename: place })
  const epochs = Effect.flatMap(Store, (store) =>
    Effect.forEach(ids, (id) => Effect.map(store.load(id), (batches) => batches.map(({ epoch }) => epoch)))
  )
  return Effect.runPromise(Effect.provide(epochs, Layer.orDie(Layer.provide(Layer.effect(Store, sqlStore), client))))
}
