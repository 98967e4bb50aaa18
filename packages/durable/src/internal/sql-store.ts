/**
 * A store in SQL tables, on any `SqlClient` for SQLite or Postgres.
 *
 * What all runs of a process write in one turn goes in one transaction: a commit waits for the disk, and a hundred runs that
 * go on at once wait for it together. A write that fails because the database is away is tried again until it is back.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { NoRuns } from "../Errors.ts"
import {
  createdRun,
  type FlowKey,
  type Json,
  type Message,
  type RunState,
  type StoredRun,
  type StoreService
} from "../Store.ts"

interface Row {
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
}

const parsed = (text: string | null): Json | undefined => (text === null ? undefined : JSON.parse(text))
/** Postgres gives a BIGINT as text. */
const number = (value: number | string | null): number | undefined => (value === null ? undefined : Number(value))

const runOf = (row: Row): StoredRun => ({
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
  crashes: row.crashes
})

const tables = (rowless: string) => [
  `CREATE TABLE IF NOT EXISTS stepgraph_runs (
    id TEXT PRIMARY KEY, flow TEXT NOT NULL, version TEXT NOT NULL, fingerprint TEXT NOT NULL, state TEXT NOT NULL,
    input TEXT NOT NULL, result TEXT, created_at BIGINT NOT NULL, ended_at BIGINT, owner TEXT, epoch INTEGER NOT NULL,
    wake BIGINT, messages INTEGER NOT NULL, crashes INTEGER NOT NULL, claimed INTEGER NOT NULL, closed INTEGER NOT NULL)`,
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
  "CREATE TABLE IF NOT EXISTS stepgraph_owners (id TEXT PRIMARY KEY, until BIGINT NOT NULL)"
]

/** What is written together. */
type Write<Values extends ReadonlyArray<unknown>> = {
  readonly values: Values
  readonly done: (written: boolean) => void
}
const mostRows = 500

/** Writes of one kind: the statement takes any number of rows, and returns the ids of those that were written. */
class Kind<Values extends ReadonlyArray<unknown>> {
  readonly waiting: Array<Write<Values>> = []
  private readonly before: string
  private readonly types: ReadonlyArray<string>
  private readonly after: string
  private readonly texts = new Map<number, string>()

  constructor(before: string, types: ReadonlyArray<string>, after: string) {
    this.before = before
    this.types = types
    this.after = after
  }

  /** Takes what is written next: of each run one, as the answer names runs. */
  take(): ReadonlyArray<Write<Values>> {
    const taken = new Map<unknown, Write<Values>>()
    const left = this.waiting.splice(0).filter((write) => {
      const [id] = write.values
      if (taken.size === mostRows || taken.has(id)) return true
      taken.set(id, write)
      return false
    })
    this.waiting.push(...left)
    return [...taken.values()]
  }

  text(rows: number, placeholder: (index: number) => string): string {
    let text = this.texts.get(rows)
    if (text === undefined) {
      let index = 0
      // The types of the first row are those of all.
      const row = (types: boolean) =>
        `(${this.types.map((type) => (types ? `CAST(${placeholder(++index)} AS ${type})` : placeholder(++index))).join(", ")})`
      const values = Array.from({ length: rows }, (_, n) => row(n === 0)).join(", ")
      text = `${this.before} (VALUES ${values}) AS v ${this.after}`
      this.texts.set(rows, text)
    }
    return text
  }
}

const isPostgresClient = (sql: SqlClient.SqlClient): boolean =>
  sql.onDialectOrElse({ pg: () => true, orElse: () => false })

const createTables = (sql: SqlClient.SqlClient) => {
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

const findTables = (sql: SqlClient.SqlClient, place: string): Effect.Effect<void, SqlError | NoRuns> => {
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

/** A store in tables that it creates where they are missing. */
export const sqlStore = Effect.suspend(() => storeAfter(createTables))

/** The same in tables that there are: it leaves a database that has none as it is. */
export const existingSqlStore = (place: string) => storeAfter((sql) => findTables(sql, place))

const storeAfter = Effect.fnUntraced(function* <E>(prepare: (sql: SqlClient.SqlClient) => Effect.Effect<unknown, E>) {
  const sql = yield* SqlClient.SqlClient
  const context = yield* Effect.context<never>()
  const isPostgres = isPostgresClient(sql)
  const placeholder = isPostgres ? (index: number) => `$${index}` : () => "?"
  const query = <A extends object = Row>(text: string, params: ReadonlyArray<unknown> = []) => {
    let index = 0
    return sql.unsafe<A>(isPostgres ? text.replace(/\?/g, () => `$${++index}`) : text, params)
  }
  // Leases are compared by many machines, so in Postgres the time is the database's. A file has one machine.
  const now: Effect.Effect<number, SqlError> = isPostgres
    ? Effect.map(
        query<{ now: string }>("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now"),
        (rows) => Number(rows[0]!.now)
      )
    : Clock.currentTimeMillis

  yield* prepare(sql)

  // ---------------------------------------------------------------- writes of one turn

  const creations = new Kind<readonly [string, string, string, string, string, number, string | null]>(
    `INSERT INTO stepgraph_runs
      (id, flow, version, fingerprint, state, input, created_at, owner, epoch, wake, messages, crashes, claimed, closed)
     SELECT column1, column2, column3, column4, 'active', column5, column6, column7, 1,
       CASE WHEN column7 IS NULL THEN 0 END, 0, 0, -1, 0 FROM`,
    ["TEXT", "TEXT", "TEXT", "TEXT", "TEXT", "BIGINT", "TEXT"],
    "WHERE true ON CONFLICT DO NOTHING RETURNING id"
  )
  const appends = new Kind<readonly [string, number, number, number, number, string]>(
    `INSERT INTO stepgraph_journal (run, n, at, epoch, size, entries)
     SELECT column1, column3, column4, column2, column5, column6 FROM`,
    ["TEXT", "INTEGER", "INTEGER", "BIGINT", "INTEGER", "TEXT"],
    `JOIN stepgraph_runs r ON r.id = column1 AND r.epoch = column2 AND r.owner IS NOT NULL
     WHERE column3 = coalesce((SELECT n + size FROM stepgraph_journal WHERE run = column1 ORDER BY n DESC LIMIT 1), 0)
     ON CONFLICT DO NOTHING RETURNING run AS id`
  )
  const suspensions = new Kind<readonly [string, number, number, number | null]>(
    "UPDATE stepgraph_runs SET owner = NULL, wake = column4, crashes = 0 FROM",
    ["TEXT", "INTEGER", "INTEGER", "BIGINT"],
    "WHERE id = column1 AND epoch = column2 AND owner IS NOT NULL AND messages <= column3 RETURNING id"
  )
  const ends = new Kind<readonly [string, number, string, string | null, number | null]>(
    `UPDATE stepgraph_runs SET owner = NULL, wake = NULL, state = column3, result = column4, ended_at = column5 FROM`,
    ["TEXT", "INTEGER", "TEXT", "TEXT", "BIGINT"],
    "WHERE id = column1 AND epoch = column2 AND owner IS NOT NULL RETURNING id"
  )
  const kinds: ReadonlyArray<Kind<any>> = [creations, appends, suspensions, ends]
  let flushing = false
  let scheduled = false

  const schedule = () => {
    if (scheduled || flushing) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      flush()
    })
  }
  const flush = () => {
    const batches = kinds.flatMap((kind) => {
      const writes = kind.take()
      return writes.length === 0 ? [] : [{ kind, writes }]
    })
    if (batches.length === 0) return
    flushing = true
    const write = ({ kind, writes }: (typeof batches)[number]) =>
      query2(
        kind.text(writes.length, placeholder),
        writes.flatMap(({ values }) => values)
      )
    const all =
      batches.length === 1
        ? Effect.map(write(batches[0]!), (rows) => [rows])
        : sql.withTransaction(Effect.forEach(batches, write))
    const fiber = Effect.runForkWith(context)(retried(all))
    fiber.addObserver((exit) => {
      flushing = false
      if (Exit.isSuccess(exit)) {
        for (const [i, { writes }] of batches.entries()) {
          const written = new Set(exit.value[i]!.map(({ id }) => id))
          for (const { values, done } of writes) done(written.has(values[0] as string))
        }
      }
      if (kinds.some(({ waiting }) => waiting.length > 0)) schedule()
    })
  }
  const query2 = (text: string, params: ReadonlyArray<unknown>) => sql.unsafe<{ readonly id: string }>(text, params)
  const writing = <Values extends ReadonlyArray<unknown>>(kind: Kind<Values>, values: Values): Effect.Effect<boolean> =>
    Effect.callback((resume) => {
      kind.waiting.push({ values, done: (written) => resume(Effect.succeed(written)) })
      schedule()
    })

  // ---------------------------------------------------------------- everything else

  const retried = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, never, R> => {
    const again = (wait: number): Effect.Effect<A, never, R> =>
      Effect.catch(effect, (error) =>
        isPassing(error) ? Effect.andThen(Effect.sleep(wait), again(Math.min(1000, wait * 2))) : Effect.die(error)
      )
    return again(20)
  }
  const get = (id: string) =>
    Effect.map(query("SELECT * FROM stepgraph_runs WHERE id = ?", [id]), (rows) => rows[0] && runOf(rows[0]))
  const isOf = (flows: ReadonlyArray<FlowKey>) =>
    `(${flows.map(() => "(flow = ? AND version = ? AND fingerprint = ?)").join(" OR ")})`
  const ofFlows = (flows: ReadonlyArray<FlowKey>) =>
    flows.flatMap(({ flow, version, fingerprint }) => [flow, version, fingerprint])
  const lock = isPostgres ? "FOR UPDATE SKIP LOCKED" : ""
  const length = "(SELECT coalesce(max(n), -1) FROM stepgraph_journal WHERE run = stepgraph_runs.id)"

  const forgetting = (where: string, params: ReadonlyArray<unknown>): Effect.Effect<number> =>
    retried(
      sql.withTransaction(
        Effect.gen(function* () {
          const rows = yield* query<{ readonly id: string }>(
            `DELETE FROM stepgraph_runs WHERE ${where} AND ended_at IS NOT NULL RETURNING id`,
            params
          )
          const ids = rows.map(({ id }) => id)
          if (ids.length === 0) return 0
          const list = ids.map(() => "?").join(", ")
          yield* query(`DELETE FROM stepgraph_journal WHERE run IN (${list})`, ids)
          yield* query(`DELETE FROM stepgraph_messages WHERE run IN (${list})`, ids)
          return ids.length
        })
      )
    )

  return {
    synchronous: false,
    create: (creation, owner) =>
      Effect.gen(function* () {
        const { fingerprint, flow, id, start, version } = creation
        const at = yield* Clock.currentTimeMillis
        const input = JSON.stringify(start)
        const created = yield* writing(creations, [id, flow, version, fingerprint, input, at, owner ?? null])
        const run = created ? createdRun(creation, owner, at) : (yield* retried(get(id)))!
        return { created, run }
      }),
    get: (id) => retried(get(id)),
    list: ({ after, flow, limit, state }) => {
      const wheres = [
        "true",
        ...(after === undefined ? [] : ["(created_at, id) < (?, ?)"]),
        ...(flow === undefined ? [] : ["flow = ?"]),
        ...(state === undefined ? [] : ["state = ?"])
      ]
      const params = [
        ...(after === undefined ? [] : [after.createdAt, after.id]),
        ...(flow === undefined ? [] : [flow]),
        ...(state === undefined ? [] : [state]),
        limit
      ]
      const where = wheres.join(" AND ")
      const rows = query(
        `SELECT * FROM stepgraph_runs WHERE ${where} ORDER BY created_at DESC, id DESC LIMIT ?`,
        params
      )
      return retried(Effect.map(rows, (rows) => rows.map(runOf)))
    },
    load: (id, from = 0) =>
      retried(
        Effect.map(
          query<{ n: number; at: number | string; epoch: number; entries: string }>(
            `SELECT n, at, epoch, entries FROM stepgraph_journal WHERE run = ? AND n >=
              (SELECT coalesce(max(n), 0) FROM stepgraph_journal WHERE run = ? AND n <= ?) ORDER BY n`,
            [id, id, from]
          ),
          (rows) =>
            rows.flatMap(({ n, at, epoch, entries }) => {
              const all = JSON.parse(entries) as ReadonlyArray<Json>
              const left = all.slice(Math.max(0, from - n))
              return left.length === 0 ? [] : [{ from: Math.max(n, from), at: Number(at), epoch, entries: left }]
            })
        )
      ),
    append: (id, epoch, from, entries) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) =>
        writing(appends, [id, epoch, from, at, entries.length, JSON.stringify(entries)])
      ),
    send: (id, key, message: Message) => {
      const known = Effect.map(
        query<{ n: number }>("SELECT n FROM stepgraph_messages WHERE run = ? AND sender_key = ?", [id, key]),
        (rows) => rows[0]?.n
      )
      const numbered = `UPDATE stepgraph_runs SET messages = messages + 1, wake = 0,
          closed = CASE WHEN ? = 'close' THEN 1 ELSE closed END
        WHERE id = ? AND ended_at IS NULL AND NOT (closed = 1 AND ? = 'event')`
      const numbering = [message._tag, id, message._tag]
      const text = JSON.stringify(message)
      const insert = "INSERT INTO stepgraph_messages (run, n, sender_key, message)"
      const inTransaction = sql.withTransaction(
        Effect.gen(function* () {
          const before = yield* known
          if (before !== undefined) return before
          const [row] = yield* query<{ messages: number }>(`${numbered} RETURNING messages`, numbering)
          if (row === undefined) return undefined
          yield* query(`${insert} VALUES (?, ?, ?, ?)`, [id, row.messages, key, text])
          return row.messages
        })
      )
      // In one round trip instead of five. SQLite has none, and does not know this.
      const inOne = Effect.flatMap(
        query<{ n: number }>(
          `WITH numbered AS (${numbered} AND NOT EXISTS (
             SELECT 1 FROM stepgraph_messages WHERE run = ? AND sender_key = ?) RETURNING id, messages)
           ${insert} SELECT id, messages, ?, ? FROM numbered RETURNING n`,
          [...numbering, id, key, key, text]
        ),
        ([row]) => (row === undefined ? known : Effect.succeed(row.n))
      )
      const send = isPostgres ? inOne : inTransaction
      // Somebody else has sent the same at the same moment.
      return retried(Effect.catch(send, (error) => (isUnique(error) ? known : Effect.fail(error))))
    },
    messages: (id, after) =>
      retried(
        Effect.map(
          query<{ n: number; sender_key: string; message: string }>(
            "SELECT n, sender_key, message FROM stepgraph_messages WHERE run = ? AND n > ? ORDER BY n",
            [id, after]
          ),
          (rows) =>
            rows.map(({ message, n, sender_key }) => ({ number: n, key: sender_key, message: JSON.parse(message) }))
        )
      ),
    suspend: (id, epoch, seen, wake) => writing(suspensions, [id, epoch, seen, wake ?? null]),
    end: (id, epoch, state, result) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) =>
        writing(ends, [
          id,
          epoch,
          state,
          result === undefined ? null : JSON.stringify(result),
          state === "stuck" ? null : at
        ])
      ),
    resume: (id) =>
      retried(
        Effect.map(
          query(
            `UPDATE stepgraph_runs SET state = 'active', result = NULL, wake = 0, crashes = 0
             WHERE id = ? AND state = 'stuck' RETURNING id`,
            [id]
          ),
          (rows) => rows.length > 0
        )
      ),
    forget: (id) => Effect.map(forgetting("id = ?", [id]), (count) => count > 0),
    forgetEnded: ({ endedBefore, flow, limit, state }) =>
      forgetting(
        `id IN (SELECT id FROM stepgraph_runs WHERE ended_at < ? ${flow === undefined ? "" : "AND flow = ?"}
           ${state === undefined ? "" : "AND state = ?"} ORDER BY ended_at LIMIT ?)`,
        [endedBefore, ...(flow === undefined ? [] : [flow]), ...(state === undefined ? [] : [state]), limit]
      ),
    claim: (owner, flows, limit) => {
      if (flows.length === 0) return Effect.succeed([])
      const claim = (where: string, order: string, crashes: string) => (params: ReadonlyArray<unknown>) =>
        query(
          `UPDATE stepgraph_runs SET owner = ?, epoch = epoch + 1, wake = NULL, crashes = ${crashes}, claimed = ${length}
           WHERE id IN (SELECT id FROM stepgraph_runs WHERE state = 'active' AND ${where} AND ${isOf(flows)}
             ORDER BY ${order} LIMIT ? ${lock}) RETURNING *`,
          [owner, ...params, ...ofFlows(flows), limit]
        )
      const due = claim("owner IS NULL AND wake IS NOT NULL AND wake <= ?", "wake", "crashes")
      const dead = (owners: number) =>
        claim(
          `owner IN (${Array.from({ length: owners }, () => "?").join(", ")})`,
          "id",
          `CASE WHEN ${length} > claimed THEN 1 ELSE crashes + 1 END`
        )
      return retried(
        Effect.gen(function* () {
          const time = yield* now
          const found = yield* query<{ id: string }>("SELECT id FROM stepgraph_owners WHERE until <= ?", [time])
          const owners = found.map(({ id }) => id).filter((id) => id !== owner)
          const ofDead = owners.length === 0 ? [] : yield* dead(owners.length)(owners)
          if (owners.length > 0 && ofDead.length < limit) {
            const left = "SELECT 1 FROM stepgraph_runs WHERE owner = stepgraph_owners.id"
            yield* query(`DELETE FROM stepgraph_owners WHERE until <= ? AND NOT EXISTS (${left})`, [time])
          }
          const ofNobody = yield* due([time])
          return [...ofDead, ...ofNobody].map(runOf)
        })
      )
    },
    signalled: (owner) =>
      retried(
        query<{ id: string; messages: number }>(
          "SELECT id, messages FROM stepgraph_runs WHERE owner = ? AND wake = 0",
          [owner]
        )
      ),
    nextWake: (flows) =>
      flows.length === 0
        ? Effect.succeed(undefined)
        : retried(
            Effect.map(
              query<{ first: number | string | null }>(
                `SELECT min(wake) AS first FROM stepgraph_runs
                 WHERE owner IS NULL AND wake IS NOT NULL AND state = 'active' AND ${isOf(flows)}`,
                ofFlows(flows)
              ),
              (rows) => number(rows[0]!.first)
            )
          ),
    beat: (owner, lease) =>
      retried(
        Effect.flatMap(now, (now) =>
          Effect.asVoid(
            query(
              "INSERT INTO stepgraph_owners (id, until) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET until = excluded.until",
              [owner, now + lease]
            )
          )
        )
      ),
    owners: retried(
      Effect.map(query<{ id: string }>("SELECT id FROM stepgraph_owners"), (rows) => rows.map(({ id }) => id))
    ),
    release: (owner) =>
      retried(
        sql.withTransaction(
          Effect.gen(function* () {
            yield* query("UPDATE stepgraph_runs SET owner = NULL, wake = 0 WHERE owner = ?", [owner])
            yield* query("DELETE FROM stepgraph_owners WHERE id = ?", [owner])
          })
        )
      ),
    bury: (owner) => retried(Effect.asVoid(query("UPDATE stepgraph_owners SET until = 0 WHERE id = ?", [owner]))),
    changes: isPostgres
      ? Effect.succeed(undefined)
      : retried(Effect.map(query<{ data_version: number }>("PRAGMA data_version"), (rows) => rows[0]!.data_version))
  } satisfies StoreService
})

/** Whether the database is away, or busy with another process, so that the same may succeed later. */
const isPassing = (error: unknown): boolean => {
  const { cause, reason } = error as {
    readonly reason?: { readonly isRetryable?: boolean; readonly cause?: unknown }
    readonly cause?: unknown
  }
  if (reason?.isRetryable === true) return true
  const text = String((reason?.cause as Error | undefined)?.message ?? (cause as Error | undefined)?.message ?? error)
  return /terminat|ECONN|EPIPE|closed|timeout|starting up|shutting down|recovery mode/i.test(text)
}

const isUnique = (error: unknown): boolean =>
  (error as { readonly reason?: { readonly _tag?: string } }).reason?._tag === "UniqueViolation"
