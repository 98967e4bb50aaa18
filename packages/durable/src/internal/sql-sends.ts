/**
 * Sends messages to runs: each is numbered in its run, once for each key.
 *
 * On SQLite a commit is what takes time, so what is sent in one turn is written together, in the order in which it was sent.
 * On Postgres it is the round trip, so each message takes one.
 */
import * as Effect from "effect/Effect"
import type { SqlError } from "effect/sql/SqlError"
import type { Message } from "../Store.ts"

interface Sent {
  readonly id: string
  readonly key: string
  readonly message: Message
}
type Place = number | undefined
type Query = <A extends object>(
  text: string,
  params: ReadonlyArray<unknown>
) => Effect.Effect<ReadonlyArray<A>, SqlError>

/** What is sent at once. */
const most = 500

type Waiting = { readonly sent: Sent; readonly done: (place: Effect.Effect<Place>) => void }

export class Sends {
  private waiting: Array<Waiting> = []
  private readonly inTurn: <A>(work: Effect.Effect<A, SqlError>) => Effect.Effect<A>
  private readonly sendAll: (sent: ReadonlyArray<Sent>) => Effect.Effect<ReadonlyArray<Place>, SqlError>

  constructor(inTurn: Sends["inTurn"], sendAll: Sends["sendAll"]) {
    this.inTurn = inTurn
    this.sendAll = sendAll
  }

  /** Gives the place of the message; `undefined` where it cannot be sent any more. */
  add(sent: Sent): Effect.Effect<Place> {
    return Effect.callback((resume) => {
      this.waiting.push({ sent, done: resume })
      if (this.waiting.length === 1) this.schedule()
    })
  }

  /** Sends what is waiting when its turn has come, not only what is waiting now. */
  private schedule(): void {
    let taken: ReadonlyArray<Waiting> | undefined
    const sending = Effect.suspend(() => {
      // Where the transaction is tried again, it is for the same.
      taken ??= this.take()
      return this.sendAll(taken.map(({ sent }) => sent))
    })
    Effect.runFork(this.inTurn(sending)).addObserver((exit) => {
      for (const [i, { done }] of (taken ?? []).entries()) done(Effect.map(exit, (places) => places[i]))
    })
  }

  private take(): ReadonlyArray<Waiting> {
    const taken = this.waiting.splice(0, most)
    if (this.waiting.length > 0) this.schedule()
    return taken
  }
}

interface Receiver {
  readonly id: string
  messages: number
  closed: number
  readonly ended_at: number | string | null
  changed?: boolean
}

/** Sends messages in one transaction. */
export const sendAll = (query: Query) => {
  const text = (n: number, row: string) => Array.from({ length: n }, () => row).join(", ")
  return Effect.fnUntraced(function* (sent: ReadonlyArray<Sent>) {
    const ids = [...new Set(sent.map(({ id }) => id))]
    const found = yield* query<Receiver>(
      `SELECT id, messages, closed, ended_at FROM stepgraph_runs WHERE id IN (${text(ids.length, "?")})`,
      ids
    )
    const before = yield* query<{ readonly run: string; readonly sender_key: string; readonly n: number }>(
      `SELECT m.run, m.sender_key, m.n FROM (VALUES ${text(sent.length, "(?, ?)")}) AS v
       JOIN stepgraph_messages m ON m.run = v.column1 AND m.sender_key = v.column2`,
      sent.flatMap(({ id, key }) => [id, key])
    )
    const receivers = new Map(found.map((receiver) => [receiver.id, { ...receiver }]))
    const keyOf = (id: string, key: string) => JSON.stringify([id, key])
    const known = new Map(before.map(({ n, run, sender_key }) => [keyOf(run, sender_key), n]))
    const rows: Array<ReadonlyArray<unknown>> = []
    const places = sent.map(({ id, key, message }): Place => {
      const place = known.get(keyOf(id, key))
      if (place !== undefined) return place
      const run = receivers.get(id)
      if (run === undefined || run.ended_at !== null || (run.closed === 1 && message._tag === "event")) return undefined
      if (message._tag === "close") run.closed = 1
      run.changed = true
      run.messages++
      known.set(keyOf(id, key), run.messages)
      rows.push([id, run.messages, key, JSON.stringify(message)])
      return run.messages
    })
    const changed = [...receivers.values()].filter(({ changed }) => changed)
    if (rows.length === 0) return places
    yield* query(
      `INSERT INTO stepgraph_messages (run, n, sender_key, message) VALUES ${text(rows.length, "(?, ?, ?, ?)")}`,
      rows.flat()
    )
    yield* query(
      `UPDATE stepgraph_runs SET messages = column2, closed = column3, wake = 0
       FROM (VALUES ${text(changed.length, "(?, ?, ?)")}) AS v
       WHERE id = column1`,
      changed.flatMap(({ closed, id, messages }) => [id, messages, closed])
    )
    return places
  })
}

/** Sends one message in one round trip. */
export const sendOne =
  (query: Query) =>
  ({ id, key, message }: Sent): Effect.Effect<Place, SqlError> => {
    const known = Effect.map(
      query<{ n: number }>("SELECT n FROM stepgraph_messages WHERE run = ? AND sender_key = ?", [id, key]),
      (rows) => rows[0]?.n
    )
    const { _tag } = message
    const send = Effect.flatMap(
      query<{ n: number }>(
        `WITH numbered AS (
           UPDATE stepgraph_runs SET messages = messages + 1, wake = 0, closed = CASE WHEN ? = 'close' THEN 1 ELSE closed END
           WHERE id = ? AND ended_at IS NULL AND NOT (closed = 1 AND ? = 'event')
             AND NOT EXISTS (SELECT 1 FROM stepgraph_messages WHERE run = ? AND sender_key = ?) RETURNING id, messages)
         INSERT INTO stepgraph_messages (run, n, sender_key, message) SELECT id, messages, ?, ? FROM numbered RETURNING n`,
        [_tag, id, _tag, id, key, key, JSON.stringify(message)]
      ),
      ([row]) => (row === undefined ? known : Effect.succeed(row.n))
    )
    // Somebody else has sent the same at the same moment.
    return Effect.catch(send, (error) => (isUnique(error) ? known : Effect.fail(error)))
  }

const isUnique = (error: unknown): boolean =>
  (error as { readonly reason?: { readonly _tag?: string } }).reason?._tag === "UniqueViolation"
