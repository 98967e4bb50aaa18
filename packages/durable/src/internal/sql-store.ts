/**
 * A store in SQL tables, on any `SqlClient` for SQLite or Postgres.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { createdRun, type FlowKey, type Json, type StoreService, suspicious } from "../Store.ts"
import { Sends, sendAll, sendOne } from "./sql-sends.ts"
import { createTables, findTables, isPostgresClient, number, type Row, runOf } from "./sql-tables.ts"
import { Kind, retried, Writes } from "./sql-writes.ts"

/** Milliseconds after which a silent owner is forgotten. */
const longestSilence = 86_400_000

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
      (id, flow, version, fingerprint, state, input, created_at, owner, epoch, wake, messages, crashes, claimed)
     SELECT column1, column2, column3, column4, 'active', column5, column6, column7, 1,
       CASE WHEN column7 IS NULL THEN 0 END, 0, 0, -1 FROM`,
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
    "UPDATE stepgraph_runs SET owner = NULL, wake = column4, crashes = 0, trials = 0, alone = 0 FROM",
    ["TEXT", "INTEGER", "INTEGER", "BIGINT"],
    "WHERE id = column1 AND epoch = column2 AND owner IS NOT NULL AND messages <= column3 RETURNING id"
  )
  const ends = new Kind<readonly [string, number, string, string | null, number | null]>(
    `UPDATE stepgraph_runs SET owner = NULL, wake = NULL, state = column3, result = column4, ended_at = column5 FROM`,
    ["TEXT", "INTEGER", "TEXT", "TEXT", "BIGINT"],
    "WHERE id = column1 AND epoch = column2 AND owner IS NOT NULL RETURNING id"
  )
  const kinds: ReadonlyArray<Kind<any>> = [creations, appends, suspensions, ends]
  const writes = new Writes(sql, context, kinds, placeholder)
  const writing = writes.write.bind(writes)
  /** A file has one writer at a time, so what waits for a commit waits together. In Postgres each has its own connection. */
  const inTurn = <A>(work: Effect.Effect<A, SqlError>): Effect.Effect<A> =>
    isPostgres ? retried(sql.withTransaction(work)) : writes.together(work)

  // ---------------------------------------------------------------- everything else

  const get = (id: string) =>
    Effect.map(query("SELECT * FROM stepgraph_runs WHERE id = ?", [id]), (rows) => rows[0] && runOf(rows[0]))
  const isOf = (flows: ReadonlyArray<FlowKey>) =>
    `(${flows.map(() => "(flow = ? AND version = ? AND fingerprint = ?)").join(" OR ")})`
  const ofFlows = (flows: ReadonlyArray<FlowKey>) =>
    flows.flatMap(({ flow, version, fingerprint }) => [flow, version, fingerprint])
  const lock = isPostgres ? "FOR UPDATE SKIP LOCKED" : ""
  const length = "(SELECT coalesce(max(n), -1) FROM stepgraph_journal WHERE run = stepgraph_runs.id)"

  /** Gives back what dead owners had, and counts a crash for each run that was at work and has stored nothing since. */
  const bury = Effect.fnUntraced(function* (owner: string, time: number) {
    const found = yield* query<{ id: string }>("SELECT id FROM stepgraph_owners WHERE until <= ? AND id <> ?", [
      time,
      owner
    ])
    if (found.length === 0) return
    const dead = found.map(({ id }) => id)
    yield* query(
      `UPDATE stepgraph_runs SET owner = NULL, wake = 0, alone = 0,
         crashes = CASE WHEN ${length} > claimed THEN 1 ELSE crashes + 1 END,
         trials = CASE WHEN ${length} > claimed THEN 0 ELSE trials + alone END
       WHERE owner IN (${dead.map(() => "?").join(", ")})`,
      dead
    )
    // One that was only silent may come back and create a run before it says so, and then die.
    yield* query("DELETE FROM stepgraph_owners WHERE until <= 0 OR until <= ?", [time - longestSilence])
  })
  const sends = new Sends(inTurn, sendAll(query))
  const send = sendOne(query)
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
        const input = JSON.stringify(start)
        while (true) {
          const at = yield* Clock.currentTimeMillis
          const created = yield* writing(creations, [id, flow, version, fingerprint, input, at, owner ?? null])
          // The one that there was may be forgotten in between.
          const run = created ? createdRun(creation, owner, at) : yield* retried(get(id))
          if (run !== undefined) return { created, run }
        }
      }),
    keepGraph: (fingerprint, graph) =>
      retried(
        Effect.asVoid(
          query("INSERT INTO stepgraph_graphs (fingerprint, graph) VALUES (?, ?) ON CONFLICT DO NOTHING", [
            fingerprint,
            JSON.stringify(graph)
          ])
        )
      ),
    graph: (fingerprint) =>
      retried(
        Effect.map(
          query<{ graph: string }>("SELECT graph FROM stepgraph_graphs WHERE fingerprint = ?", [fingerprint]),
          (rows) => (rows[0] === undefined ? undefined : JSON.parse(rows[0].graph))
        )
      ),
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
    send: (id, key, message) => (isPostgres ? retried(send({ id, key, message })) : sends.add({ id, key, message })),
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
            `UPDATE stepgraph_runs SET state = 'active', result = NULL, wake = 0, crashes = 0,
               trials = 0, alone = 0
             WHERE id = ? AND state = 'stuck' RETURNING id`,
            [id]
          ),
          (rows) => rows.length > 0
        )
      ),
    abort: (id) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) =>
        retried(
          Effect.map(
            query(
              `UPDATE stepgraph_runs SET state = 'interrupted', result = NULL, wake = NULL, ended_at = ?
               WHERE id = ? AND state = 'stuck' RETURNING id`,
              [at, id]
            ),
            (rows) => rows.length > 0
          )
        )
      ),
    forget: (id) => Effect.map(forgetting("id = ?", [id]), (count) => count > 0),
    forgetEnded: ({ endedBefore, flow, limit, state }) =>
      forgetting(
        `id IN (SELECT id FROM stepgraph_runs WHERE ended_at < ? ${flow === undefined ? "" : "AND flow = ?"}
           ${state === undefined ? "" : "AND state = ?"} ORDER BY ended_at LIMIT ?)`,
        [endedBefore, ...(flow === undefined ? [] : [flow]), ...(state === undefined ? [] : [state]), limit]
      ),
    claim: (owner, flows, limit, suspects) => {
      if (flows.length === 0) return Effect.succeed([])
      const due = (which: string, some: number) => (time: number) =>
        query<{ id: string }>(
          `SELECT id FROM stepgraph_runs WHERE owner IS NULL AND wake IS NOT NULL AND wake <= ? AND state = 'active'
             AND ${which} AND ${isOf(flows)} ORDER BY wake LIMIT ? ${lock}`,
          [time, ...ofFlows(flows), some]
        )
      const free = due(`crashes < ${suspicious}`, limit)
      const suspect = due(`crashes >= ${suspicious}`, 1)
      return inTurn(
        Effect.gen(function* () {
          const time = yield* now
          yield* bury(owner, time)
          const found = [...(yield* free(time)), ...(suspects ? yield* suspect(time) : [])]
          if (found.length === 0) return []
          const ids = found.map(({ id }) => id)
          const rows = yield* query(
            `UPDATE stepgraph_runs SET owner = ?, epoch = epoch + 1, wake = NULL, claimed = ${length},
               alone = CASE WHEN crashes >= ${suspicious} THEN 1 ELSE 0 END
             WHERE id IN (${ids.map(() => "?").join(", ")}) RETURNING *`,
            [owner, ...ids]
          )
          return rows.map(runOf)
        })
      )
    },
    acquit: (id, epoch) =>
      retried(Effect.asVoid(query("UPDATE stepgraph_runs SET alone = 0 WHERE id = ? AND epoch = ?", [id, epoch]))),
    signalled: (owner) =>
      retried(
        query<{ id: string; messages: number }>(
          "SELECT id, messages FROM stepgraph_runs WHERE owner = ? AND wake = 0",
          [owner]
        )
      ),
    owned: (owner) =>
      retried(
        Effect.map(query<{ id: string }>("SELECT id FROM stepgraph_runs WHERE owner = ?", [owner]), (rows) =>
          rows.map(({ id }) => id)
        )
      ),
    nextWake: (flows, suspects) =>
      flows.length === 0
        ? Effect.succeed(undefined)
        : retried(
            Effect.map(
              query<{ first: number | string | null }>(
                `SELECT min(wake) AS first FROM stepgraph_runs
                 WHERE owner IS NULL AND wake IS NOT NULL AND state = 'active'
                 AND ${isOf(flows)} ${suspects ? "" : `AND crashes < ${suspicious}`}`,
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
            yield* query("UPDATE stepgraph_runs SET owner = NULL, wake = 0, alone = 0 WHERE owner = ?", [owner])
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
