/**
 * The tables of a SQL store, and a run as a row.
 */
import * as Effect from "effect/Effect"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { NoRuns } from "../Errors.ts"
import type { Json, RunState, StoredRun } from "../Store.ts"

export interface Row {
  readonly id: string
  readonly flow: string
  readonly version: string
  readonly fingerprint: string
  readonly state: RunState
  readonly input: string
  readonly result: string | null
  readonly created_at: number | string
  readonly ended_at: number | string | null
  readonly owner: string | null
  readonly epoch: number
  readonly wake: number | string | null
  readonly messages: number
  readonly crashes: number
  readonly trials: number
}

const parsed = (text: string | null): Json | undefined => (text === null ? undefined : JSON.parse(text))
/** Postgres gives a BIGINT as text. */
export const number = (value: number | string | null): number | undefined =>
  value === null ? undefined : Number(value)

export const runOf = (row: Row): StoredRun => ({
  id: row.id,
  flow: row.flow,
  version: row.version,
  fingerprint: row.fingerprint,
  state: row.state,
  start: JSON.parse(row.input),
  result: parsed(row.result),
  createdAt: number(row.created_at)!,
  endedAt: number(row.ended_at),
  owner: row.owner ?? undefined,
  epoch: row.epoch,
  wake: number(row.wake),
  messages: row.messages,
  crashes: row.crashes,
  trials: row.trials
})

const tables = (rowless: string) => [
  `CREATE TABLE IF NOT EXISTS stepgraph_runs (
    id TEXT PRIMARY KEY, flow TEXT NOT NULL, version TEXT NOT NULL, fingerprint TEXT NOT NULL, state TEXT NOT NULL,
    input TEXT NOT NULL, result TEXT, created_at BIGINT NOT NULL, ended_at BIGINT, owner TEXT, epoch INTEGER NOT NULL,
    wake BIGINT, messages INTEGER NOT NULL, crashes INTEGER NOT NULL, claimed INTEGER NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0, trials INTEGER NOT NULL DEFAULT 0, alone INTEGER NOT NULL DEFAULT 0)`,
  "CREATE INDEX IF NOT EXISTS stepgraph_due ON stepgraph_runs (wake) WHERE owner IS NULL AND wake IS NOT NULL",
  "CREATE INDEX IF NOT EXISTS stepgraph_listed ON stepgraph_runs (created_at, id)",
  "CREATE INDEX IF NOT EXISTS stepgraph_ended ON stepgraph_runs (ended_at) WHERE ended_at IS NOT NULL",
  "CREATE INDEX IF NOT EXISTS stepgraph_owned ON stepgraph_runs (owner) WHERE owner IS NOT NULL",
  `CREATE TABLE IF NOT EXISTS stepgraph_journal (
    run TEXT NOT NULL, n INTEGER NOT NULL, at BIGINT NOT NULL, epoch INTEGER NOT NULL, size INTEGER NOT NULL,
    entries TEXT NOT NULL, PRIMARY KEY (run, n))${rowless}`,
  `CREATE TABLE IF NOT EXISTS stepgraph_messages (
    run TEXT NOT NULL, n INTEGER NOT NULL, sender_key TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (run, n),
    UNIQUE (run, sender_key))${rowless}`,
  "CREATE TABLE IF NOT EXISTS stepgraph_graphs (fingerprint TEXT PRIMARY KEY, graph TEXT NOT NULL)",
  "CREATE TABLE IF NOT EXISTS stepgraph_owners (id TEXT PRIMARY KEY, until BIGINT NOT NULL)"
]

export const isPostgresClient = (sql: SqlClient.SqlClient): boolean =>
  sql.onDialectOrElse({ pg: () => true, orElse: () => false })

export const createTables = (sql: SqlClient.SqlClient) => {
  const isPostgres = isPostgresClient(sql)
  const create = Effect.gen(function* () {
    // Two processes that create the same table at once would fail.
    if (isPostgres) yield* sql.unsafe("SELECT pg_advisory_xact_lock(7239481)")
    for (const table of tables(isPostgres ? "" : " WITHOUT ROWID")) yield* sql.unsafe(table)
  })
  return sql.withTransaction(create)
}

/** SQLite's code for a file that is not a database: it is read no earlier than the first statement. */
const notADatabase = 26

export const findTables = (sql: SqlClient.SqlClient, place: string): Effect.Effect<void, SqlError | NoRuns> => {
  const names = isPostgresClient(sql)
    ? sql.unsafe("SELECT 1 FROM (SELECT to_regclass('stepgraph_runs') AS name) AS t WHERE name IS NOT NULL")
    : sql.unsafe("SELECT 1 FROM sqlite_master WHERE name = 'stepgraph_runs'")
  return names.pipe(
    Effect.mapError((error) => {
      const { errcode } = error.reason.cause as { readonly errcode?: number }
      return errcode === notADatabase ? new NoRuns({ place, why: "not a database" }) : error
    }),
    Effect.flatMap((rows) => (rows.length > 0 ? Effect.void : Effect.fail(new NoRuns({ place, why: "no tables" }))))
  )
}
