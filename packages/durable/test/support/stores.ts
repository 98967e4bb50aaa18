// The three places that runs can be kept in. Each call gives a new one, and each layer of it is another process of its own.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join as path } from "node:path"
import * as PgClient from "@effect/sql-pg/PgClient"
import { hasPostgres, startPostgres } from "@stepgraph/conformance/support/postgres"
import { Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { layerStore, openDurable, Store, type StoreService } from "../../src/index.ts"
import { memoryStore } from "../../src/internal/memory-store.ts"
import { sqlStore } from "../../src/internal/sql-store.ts"
import * as SqliteClient from "../../src/SqliteClient.ts"

/** Each test file has its own: files that share a process would end each other's. */
export const makeStores = async () => {
  const folder = mkdtempSync(path(tmpdir(), "durable-"))
  const postgres = hasPostgres ? await startPostgres() : undefined
  let files = 0
  const inSchema = ({ url }: { readonly url: string }) => {
    const schema = `s${++files}`
    const made = Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(`CREATE SCHEMA IF NOT EXISTS ${schema}`))
    const client = (url: string) => PgClient.layer({ url: Redacted.make(url), maxConnections: 4 })
    const inside = client(`${url}?options=-c%20search_path%3D${schema}`)
    return Layer.unwrap(Effect.as(Effect.provide(made, client(url)), inside))
  }
  const stores: Readonly<Record<string, () => Layer.Layer<Store>>> = {
    memory: () => {
      const store = memoryStore()
      return Layer.sync(Store, () => store)
    },
    sqlite: () => {
      const filename = path(folder, `${++files}.db`)
      return Layer.orDie(Layer.provide(Layer.effect(Store, sqlStore), SqliteClient.layer({ filename })))
    },
    ...(postgres && {
      postgres: () => Layer.orDie(Layer.provide(Layer.effect(Store, sqlStore), inSchema(postgres)))
    })
  }
  const remove = () => {
    rmSync(folder, { recursive: true })
    postgres?.stop()
  }
  return { stores, remove }
}

export const opened = (store: Layer.Layer<Store>, durables: ReadonlyArray<any>, options: object = {}) =>
  openDurable({ layer: Layer.provide(layerStore({ poll: 5, ...options }), store) }, durables as [])
export const inStore = <A>(store: Layer.Layer<Store>, use: (store: StoreService) => Effect.Effect<A>): Promise<A> =>
  Effect.runPromise(Effect.provide(Effect.flatMap(Store, use), store))
