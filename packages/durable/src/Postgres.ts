/**
 * Durable runs in Postgres: for many processes, on many machines. It needs `@effect/sql-pg`.
 *
 * @module postgres
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { SqlError, type SqlErrorReason } from "effect/sql/SqlError"
import type { NoRuns } from "./Errors.ts"
import { layerSql, type RunnerOptions, type Runs } from "./Runs.ts"

export interface PostgresOptions extends RunnerOptions {
  /** `postgres://user:password@host:5432/database` */
  readonly url: string
  /** Default: 10. */
  readonly maxConnections?: number | undefined
}

/** The address of a database, without the password. */
const placeOf = (url: string): string => {
  const { hostname, pathname, port, username } = new URL(url)
  const database = pathname.length > 1 ? `, database '${pathname.slice(1)}'` : ""
  const user = username === "" ? "" : `, as user '${username}'`
  return `${hostname || "localhost"}:${port || 5432}${database}${user}`
}

/** The client's own words say neither where the server is nor what went wrong. */
const inWords = (url: string, error: SqlError): SqlError => {
  const { cause, operation } = error.reason
  if (operation !== "connect") return error
  const Reason = error.reason.constructor as new (_: object) => SqlErrorReason
  const told = (message: string, cause: unknown) => new SqlError({ reason: new Reason({ cause, message, operation }) })
  // Its cause would show the url, and so the password.
  if (!URL.canParse(url)) {
    const form = "the url must be of the form postgres://user:password@host:5432/database"
    return told(`cannot connect to Postgres: ${form}`, new Error(form))
  }
  const why = cause instanceof Error && cause.message !== "" ? cause.message : error.reason.message
  return told(`cannot connect to Postgres at ${placeOf(url)}: ${why}`, cause)
}

/** Runs in the tables of a Postgres database. */
export const layerPostgres = ({
  maxConnections = 10,
  poll = 250,
  url,
  ...options
}: PostgresOptions): Layer.Layer<Runs, SqlError | NoRuns> =>
  Layer.provide(layerSql({ poll, ...options }), PgClient.layer({ url: Redacted.make(url), maxConnections })).pipe(
    Layer.catchTag("SqlError", (error) =>
      Layer.unwrap<Runs, never, never, SqlError, never>(Effect.fail(inWords(url, error)))
    )
  )
