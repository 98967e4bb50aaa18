/**
 * What all runs of a process write in one turn goes in one transaction: a commit waits for the disk, and a hundred runs that
 * go on at once wait for it together. A write that fails because the database is away is tried again until it is back.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/** What is written together. */
type Write<Values extends ReadonlyArray<unknown>> = {
  readonly values: Values
  readonly done: (written: Exit.Exit<boolean>) => void
}
const mostRows = 500

/** Writes of one kind: the statement takes any number of rows, and returns the ids of those that were written. */
export class Kind<Values extends ReadonlyArray<unknown>> {
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

/** Something else that is done in the transaction of a turn. */
interface Job {
  readonly work: Effect.Effect<unknown, SqlError>
  readonly done: (exit: Exit.Exit<any>) => void
}

export class Writes {
  private readonly sql: SqlClient.SqlClient
  private readonly context: Context.Context<never>
  private readonly kinds: ReadonlyArray<Kind<any>>
  private readonly placeholder: (index: number) => string
  private readonly jobs: Array<Job> = []
  private flushing = false
  private scheduled = false

  constructor(
    sql: SqlClient.SqlClient,
    context: Context.Context<never>,
    kinds: ReadonlyArray<Kind<any>>,
    placeholder: (index: number) => string
  ) {
    this.sql = sql
    this.context = context
    this.kinds = kinds
    this.placeholder = placeholder
  }

  write<Values extends ReadonlyArray<unknown>>(kind: Kind<Values>, values: Values): Effect.Effect<boolean> {
    return Effect.callback((resume) => {
      kind.waiting.push({ values, done: resume })
      this.schedule()
    })
  }

  /** Does something in the transaction of this turn, after its writes. */
  together<A>(work: Effect.Effect<A, SqlError>): Effect.Effect<A> {
    return Effect.callback((resume) => {
      this.jobs.push({ work, done: resume })
      this.schedule()
    })
  }

  private schedule(): void {
    if (this.scheduled || this.flushing) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      this.flush()
    })
  }

  private flush(): void {
    const batches = this.kinds.flatMap((kind) => {
      const writes = kind.take()
      return writes.length === 0 ? [] : [{ kind, writes }]
    })
    const jobs = this.jobs.splice(0)
    if (batches.length + jobs.length === 0) return
    this.flushing = true
    const write = ({ kind, writes }: (typeof batches)[number]) =>
      this.sql.unsafe<{ readonly id: string }>(
        kind.text(writes.length, this.placeholder),
        writes.flatMap(({ values }) => values)
      )
    const all = Effect.zip(
      Effect.forEach(batches, write),
      Effect.forEach(jobs, ({ work }) => work)
    )
    const isOne = batches.length === 1 && jobs.length === 0
    const fiber = Effect.runForkWith(this.context)(retried(isOne ? all : this.sql.withTransaction(all)))
    fiber.addObserver((exit) => {
      this.flushing = false
      for (const [i, { writes }] of batches.entries()) {
        const written = Exit.map(exit, ([rows]) => new Set(rows[i]!.map(({ id }) => id)))
        for (const { values, done } of writes) done(Exit.map(written, (ids) => ids.has(values[0] as string)))
      }
      for (const [i, { done }] of jobs.entries()) done(Exit.map(exit, ([, results]) => results[i]))
      if (this.jobs.length > 0 || this.kinds.some(({ waiting }) => waiting.length > 0)) this.schedule()
    })
  }
}

/** Milliseconds between the first tries, and between the last. */
const [shortest, longest] = [20, 1000]

/** Tries again what fails because the database is away or busy, or its disk is full. Says so when that lasts. */
export const retried = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, never, R> => {
  const again = (wait: number): Effect.Effect<A, never, R> =>
    Effect.catch(effect, (error) => {
      if (!isPassing(error)) return Effect.die(error)
      const lasts = wait < longest && wait * 2 >= longest
      const said = lasts
        ? Effect.logWarning(`The database of durable runs failed, and will be tried again: ${textOf(error)}`)
        : Effect.void
      return said.pipe(Effect.andThen(Effect.sleep(wait)), Effect.andThen(again(Math.min(longest, wait * 2))))
    })
  return again(shortest)
}

/** SQLite's codes for a disk that fails or is full. */
const diskErrors = [10, 13]
/** Postgres's: it has not the means, cannot do it now, or only reads, while another server takes over. */
const passingState = /^(08|53|57P|58|25006)/

interface Failure {
  readonly reason?: { readonly isRetryable?: boolean; readonly cause?: unknown }
  readonly cause?: unknown
}

const textOf = (error: unknown): string => {
  const { cause, reason } = error as Failure
  return String((reason?.cause as Error | undefined)?.message ?? (cause as Error | undefined)?.message ?? error)
}

/** Whether the database is away, or busy with another process, so that the same may succeed later. */
const isPassing = (error: unknown): boolean => {
  const { reason } = error as Failure
  if (reason?.isRetryable === true) return true
  const { code, errcode } = (reason?.cause ?? {}) as { readonly code?: unknown; readonly errcode?: unknown }
  if (typeof errcode === "number" && diskErrors.includes(errcode & 0xff)) return true
  if (typeof code === "string" && passingState.test(code)) return true
  return /terminat|ECONN|EPIPE|closed|timeout|starting up|shutting down|recovery mode/i.test(textOf(error))
}
