/**
 * Durable runs in Postgres: for many processes, on many machines. It needs `@effect/sql-pg`.
 *
 * @module postgres
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { SqlError } from "effect/sql/SqlError"
import type { NoRuns } from "./Errors.ts"
import { layerSql, type RunnerOptions, type Runs } from "./Runs.ts"

export interface PostgresOptions extends RunnerOptions {
  /** `postgres://user:password@host:5432/database` */
  readonly url: string
  /** Default: 10. */
  readonly maxConnections?: number | undefined
}

/** Runs in the tables of a Postgres database. */
export const layerPostgres = ({
  maxConnections = 10,
  poll = 250,
  url,
  ...options
}: PostgresOptions): Layer.Layer<Runs, SqlError | NoRuns> =>
  Layer.provide(layerSql({ poll, ...options }), PgClient.layer({ url: Redacted.make(url), maxConnections }))
