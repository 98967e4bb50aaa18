// The SQLite client behaves like Effect's own clients.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it, layer } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { layer as sqlite } from "../src/SqliteClient.ts"

const inMemory = sqlite({ filename: ":memory:" })

/** A temporary folder for one test. */
const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sqlite-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const withNumbers = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`DROP TABLE IF EXISTS numbers`
  yield* sql`CREATE TABLE numbers (n INTEGER PRIMARY KEY)`
  return sql
})

layer(inMemory)("a client", (it) => {
  it.effect("writes and reads rows, values and statement results", () =>
    Effect.gen(function* () {
      const sql = yield* withNumbers
      expect(yield* sql`INSERT INTO numbers ${sql.insert([{ n: 1 }, { n: 2 }])} RETURNING n`).toEqual([
        { n: 1 },
        { n: 2 }
      ])
      expect(yield* sql`SELECT n, n * 2 AS twice FROM numbers WHERE n IN ${sql.in([2, 3])}`.values).toEqual([[2, 4]])
      // The same statement again, this time as rows.
      expect(yield* sql`SELECT n, n * 2 AS twice FROM numbers WHERE n IN ${sql.in([2, 3])}`).toEqual([
        { n: 2, twice: 4 }
      ])
      expect(yield* sql`DELETE FROM numbers`.raw).toMatchObject({ changes: 2 })
    })
  )

  it.effect("reads large integers exactly on request", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const large = sql`SELECT 9007199254740993 AS n`
      expect(yield* large.pipe(Effect.provideService(SqlClient.SafeIntegers, true))).toEqual([{ n: 9007199254740993n }])
      expect((yield* Effect.flip(large)).reason.message).toBe("cannot execute the statement")
    })
  )

  it.effect("streams while other statements run in the same transaction", () =>
    Effect.gen(function* () {
      const sql = yield* withNumbers
      yield* sql`WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 1000) INSERT INTO numbers SELECT n FROM up`
      const numbers = sql<{ readonly n: number }>`SELECT n FROM numbers ORDER BY n`
      expect((yield* Stream.runCollect(numbers.stream)).length).toBe(1000)
      const seen = yield* sql.withTransaction(
        numbers.stream.pipe(
          Stream.take(300),
          Stream.mapEffect(({ n }) => Effect.map(numbers, (all) => all[n - 1]!.n)),
          Stream.runCollect
        )
      )
      expect(seen.at(-1)).toBe(300)
      expect((yield* numbers).length).toBe(1000)
    })
  )

  it.effect("rolls back a failed transaction, and a nested one alone", () =>
    Effect.gen(function* () {
      const sql = yield* withNumbers
      const insert = (n: number) => sql`INSERT INTO numbers ${sql.insert({ n })}`
      const inner = sql.withTransaction(Effect.andThen(insert(2), Effect.fail("no" as const)))
      yield* sql.withTransaction(Effect.andThen(insert(1), Effect.ignore(inner)))
      expect(yield* sql`SELECT n FROM numbers`).toEqual([{ n: 1 }])
      yield* Effect.exit(sql.withTransaction(Effect.andThen(insert(3), inner)))
      expect(yield* sql`SELECT n FROM numbers`).toEqual([{ n: 1 }])
    })
  )

  it.effect("makes other statements wait for a transaction, and rolls it back on interruption", () =>
    Effect.gen(function* () {
      const sql = yield* withNumbers
      const holding = yield* Effect.forkChild(
        sql.withTransaction(Effect.andThen(sql`INSERT INTO numbers ${sql.insert({ n: 1 })}`, Effect.never)),
        { startImmediately: true }
      )
      const reading = yield* Effect.forkChild(sql`SELECT n FROM numbers`, { startImmediately: true })
      yield* Effect.yieldNow
      expect(reading.pollUnsafe()).toBeUndefined()
      yield* Fiber.interrupt(holding)
      expect(yield* Fiber.join(reading)).toEqual([])
    })
  )

  it.effect("classifies errors", () =>
    Effect.gen(function* () {
      const sql = yield* withNumbers
      const one = sql`INSERT INTO numbers ${sql.insert({ n: 1 })}`
      yield* one
      expect((yield* Effect.flip(one)).reason).toMatchObject({ _tag: "ConstraintError", operation: "execute" })
      yield* sql`CREATE TABLE names (name TEXT UNIQUE)`
      const ada = sql`INSERT INTO names ${sql.insert({ name: "Ada" })}`
      yield* ada
      expect((yield* Effect.flip(ada)).reason).toMatchObject({ _tag: "UniqueViolation", constraint: "names.name" })
      expect((yield* Effect.flip(sql`SELECT price FROM numbers`)).reason.cause).toMatchObject({
        message: "no such column: price"
      })
    })
  )
})

describe("a file", () => {
  it.effect("keeps its data in a file, and closes it at the end", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporary, "shop.db")
      yield* withNumbers.pipe(
        Effect.andThen((sql) => sql`INSERT INTO numbers ${sql.insert({ n: 1 })}`),
        Effect.provide(sqlite({ filename }))
      )
      const read = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT n FROM numbers`)
      expect(yield* Effect.provide(read, sqlite({ filename, readOnly: true }))).toEqual([{ n: 1 }])
    })
  )

  it.effect("fails with a typed error if it cannot be opened", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporary, "nowhere", "shop.db")
      const opened = yield* Effect.exit(Effect.provide(withNumbers, sqlite({ filename })))
      const error = Exit.isFailure(opened) ? opened.cause.reasons[0] : undefined
      expect(error).toMatchObject({
        error: { reason: { _tag: "ConnectionError", message: `cannot open ${filename}: unable to open database file` } }
      })
    })
  )
})
