// A `SqlClient` over Node's built-in SQLite. It is independent of this service, so you can copy it, and delete it once
// npm has such a client: the existing ones are for Effect 3 or for betas of Effect 4 whose modules have moved.
import type { DatabaseSync, StatementSync } from "node:sqlite"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlConnection from "effect/sql/SqlConnection"
import * as SqlError from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"

export interface SqliteConfig {
  /** A path, or ":memory:" for a database that lasts as long as the client. */
  readonly filename: string
  readonly readOnly?: boolean | undefined
  /** Whether to switch the database to a write-ahead log, which it then keeps. Default: true, unless it is read only. */
  readonly wal?: boolean | undefined
  /**
   * Milliseconds to wait for another process that writes. Default: 5,000. SQLite is synchronous, so the thread waits.
   */
  readonly busyTimeout?: number | undefined
}

/** Number of prepared statements to keep. */
const mostStatements = 200
/** Number of rows that a stream reads at a time. */
const pageSize = 128

// `classifySqliteError` expects SQLite's error code in `errno`, but Node stores it in `errcode`.
const failed = (operation: string, message: string) => (cause: unknown) => {
  const errno = (cause as { readonly errcode?: unknown } | null)?.errcode
  const known = typeof errno === "number" && cause instanceof Error ? Object.assign(cause, { errno }) : cause
  return new SqlError.SqlError({ reason: SqlError.classifySqliteError(known, { operation, message }) })
}

interface SqliteConnection extends SqlConnection.Connection {
  readonly isTransaction: boolean
}

// Loaded when a database is opened, so that a program without one also runs where Node has no SQLite.
const open = (filename: string, options: { readonly readOnly: boolean; readonly timeout: number }): DatabaseSync => {
  const sqlite = process.getBuiltinModule?.("node:sqlite")
  if (sqlite === undefined) throw new Error(`SQLite is part of Node from 22.13: this is Node ${process.versions.node}`)
  return new sqlite.DatabaseSync(filename, options)
}

const connect = ({ busyTimeout = 5_000, filename, readOnly = false, wal = !readOnly }: SqliteConfig) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        const db = open(filename, { readOnly, timeout: busyTimeout })
        try {
          if (wal) db.exec("PRAGMA journal_mode = WAL")
          return db
        } catch (error) {
          db.close()
          throw error
        }
      },
      catch: (error) => failed("connect", `cannot open ${filename}: ${(error as Error).message}`)(error)
    }),
    (db) => Effect.sync(() => db.close())
  )

const connectionOf = (db: DatabaseSync): SqliteConnection => {
  // The most recently used statement comes last.
  const kept = new Map<string, StatementSync>()
  const prepared = (sql: string): StatementSync => {
    const statement = kept.get(sql) ?? db.prepare(sql)
    kept.delete(sql)
    kept.set(sql, statement)
    if (kept.size > mostStatements) kept.delete(kept.keys().next().value!)
    return statement
  }

  type Params = ReadonlyArray<any>
  const using = <A>(operation: string, body: (bigints: boolean) => A): Effect.Effect<A, SqlError.SqlError> =>
    Effect.flatMap(SqlClient.SafeIntegers, (bigints) =>
      Effect.try({ try: () => body(bigints), catch: failed(operation, "cannot execute the statement") })
    )
  const rows = (statement: StatementSync, params: Params, bigints: boolean) => {
    statement.setReadBigInts(bigints)
    return statement.all(...params)
  }
  // The flag belongs to the statement, and statements are reused.
  const values = (statement: StatementSync, params: Params, bigints: boolean) => {
    statement.setReturnArrays(true)
    try {
      return rows(statement, params, bigints) as unknown as ReadonlyArray<ReadonlyArray<unknown>>
    } finally {
      statement.setReturnArrays(false)
    }
  }

  return {
    get isTransaction() {
      return db.isTransaction
    },
    execute: (sql, params, transform) => {
      const all = using("execute", (bigints) => rows(prepared(sql), params, bigints))
      return transform === undefined ? all : Effect.map(all, transform)
    },
    executeRaw: (sql, params) =>
      using("executeRaw", (bigints) => {
        const statement = prepared(sql)
        if (statement.columns().length > 0) return rows(statement, params, bigints)
        statement.setReadBigInts(bigints)
        return statement.run(...(params as Array<any>))
      }),
    executeValues: (sql, params) => using("executeValues", (bigints) => values(prepared(sql), params, bigints)),
    executeValuesUnprepared: (sql, params) =>
      using("executeValuesUnprepared", (bigints) => values(db.prepare(sql), params, bigints)),
    executeUnprepared: (sql, params, transform) => {
      const all = using("executeUnprepared", (bigints) => rows(db.prepare(sql), params, bigints))
      return transform === undefined ? all : Effect.map(all, transform)
    },
    // A separate statement: running a shared one again would end any other stream that still reads it.
    executeStream: (sql, params, transform) =>
      Stream.unwrap(
        Effect.map(
          Effect.acquireRelease(
            using("executeStream", (bigints) => {
              const statement = db.prepare(sql)
              statement.setReadBigInts(bigints)
              return statement.iterate(...(params as Array<any>))
            }),
            (reader) => Effect.sync(() => reader.return?.())
          ),
          (reader) =>
            Stream.paginate(reader, (reader) =>
              using("executeStream", () => {
                const page: Array<object> = []
                for (let row = reader.next(); !row.done; row = reader.next()) {
                  if (page.push(row.value) === pageSize) break
                }
                const next = page.length < pageSize ? Option.none() : Option.some(reader)
                return [transform === undefined ? page : transform(page), next] as const
              })
            )
        )
      )
  }
}

export const make = Effect.fnUntraced(function* (config: SqliteConfig) {
  const connection = connectionOf(yield* connect(config))
  return yield* SqlClient.make({
    // SQLite has one writer, so there is one connection, and a transaction makes other statements wait.
    ...SqlClient.makeSqliteAcquirers({
      connection: Effect.succeed(connection),
      semaphore: yield* Semaphore.make(1),
      isTransaction: ({ isTransaction }) => isTransaction
    }),
    compiler: Statement.makeCompilerSqlite(),
    driver: "sqlite-node",
    prepareTransactionControls: true,
    // With a plain BEGIN, a later write fails at once, whatever the timeout, if another process has written in the
    // meantime.
    beginTransaction: config.readOnly ? "BEGIN" : "BEGIN IMMEDIATE",
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
    spanAttributes: [["db.system.name", "sqlite"]]
  })
})

export const layer = (config: SqliteConfig): Layer.Layer<SqlClient.SqlClient, SqlError.SqlError> =>
  Layer.effect(SqlClient.SqlClient, make(config)).pipe(Layer.provide(Reactivity.layer))
