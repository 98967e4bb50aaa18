/**
 * Performs the durable runs of one process: takes up those that are due or left behind by a dead process, keeps those that are
 * at work in memory, and gives back those that wait.
 *
 * A process that was only asleep when others took its runs finds its writes refused, and lets go of what it had.
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { forgotten } from "../RunList.ts"
import type { Json, Message, StoredRun, StoreService } from "../Store.ts"
import { ActiveRuns } from "./active-runs.ts"
import { Answers } from "./answers.ts"
import { Claims } from "./claims.ts"
import { type Definition, Definitions } from "./definitions.ts"
import { Listeners } from "./listeners.ts"
import { Process } from "./process.ts"

export interface RunnerOptions {
  /** Milliseconds after which a silent process counts as dead. Default: 10,000. */
  readonly lease?: number | undefined
  /** Milliseconds between two looks at what other processes have done. Default: 50 for a file, 250 for Postgres. */
  readonly poll?: number | undefined
  /** How many runs that wait are kept in memory, so that they go on without reading their journal. Default: 64. */
  readonly warm?: number | undefined
  /**
   * How often the process of a run may die in a row before anything of the run is stored. A run is stopped only after it was the
   * only suspect twice. Default: 5.
   */
  readonly crashes?: number | undefined
  /**
   * Whether this process performs runs. One that does not can start them, talk to them and look at them: others perform them.
   * It creates no file and no tables. Default: true.
   */
  readonly performs?: boolean | undefined
  /** How long a run is kept after it has ended, such as "30 days". Default: for ever. */
  readonly retention?: Duration.Input | undefined
}

const longestBreak = 3_600_000

const millisOf = (retention: Duration.Input): number => {
  const millis = Option.match(Duration.fromInput(retention), { onNone: () => Number.NaN, onSome: Duration.toMillis })
  if (millis > 0) return millis
  throw new RangeError(`retention is ${JSON.stringify(retention)}: give a time such as "30 days", or leave it out`)
}

export class Runner {
  readonly store: StoreService
  readonly active: ActiveRuns
  readonly answers: Answers
  private readonly process: Process
  private readonly definitions = new Definitions()
  private readonly listeners = new Listeners()
  private readonly claims: Claims
  private readonly poll: number
  private readonly retention: number

  constructor(store: StoreService, options: RunnerOptions, context: Context.Context<never>) {
    const { crashes = 5, lease = 10_000, performs = true, poll = 50, warm = 64 } = options
    const { definitions, listeners } = this
    this.store = store
    this.poll = poll
    this.retention = options.retention === undefined ? Number.POSITIVE_INFINITY : millisOf(options.retention)
    this.process = new Process(store, context, lease, performs)
    const due = (at: number) => this.claims.wakeAt(at)
    this.active = new ActiveRuns(this.process, definitions, listeners, { crashes, warm }, due)
    this.claims = new Claims(this.process, definitions, this.active, listeners)
    this.answers = new Answers(this.process, definitions, this.active, listeners)
  }

  /** Says that it is alive, and begins to look for work. */
  get open(): Effect.Effect<void> {
    return Effect.andThen(
      // A death changes nothing that another process would have written, so nothing else says that there is something to claim.
      this.process.open(this.claims.claim),
      Effect.sync(() => {
        const { process, retention } = this
        process.repeat(this.poll, this.claims.look)
        if (process.performs) process.repeat(process.lease, this.claims.takeStrays)
        if (!process.performs || retention === Number.POSITIVE_INFINITY) return
        const forget = Effect.suspend(() => forgotten(this.store, { endedBefore: new Date(process.now() - retention) }))
        process.repeat(Math.min(longestBreak, Math.max(100, retention / 10)), Effect.asVoid(forget))
      })
    )
  }

  /** Gives everything back: another process, or this one when it comes back, goes on with it. */
  get close(): Effect.Effect<void> {
    return Effect.andThen(
      this.process.close(Effect.andThen(this.claims.close, this.active.abandonAll)),
      Effect.sync(() => this.listeners.tellAll())
    )
  }

  /** Registers a workflow: from now on, its runs are taken up here. */
  register(definition: Definition, context: Context.Context<any>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.definitions.add(definition, context)
      if (!this.process.performs) return Effect.void
      const { blueprint, fingerprint } = definition.codec
      return Effect.andThen(this.store.keepGraph(fingerprint, blueprint as unknown as Json), this.claims.claim)
    })
  }

  start(definition: Definition, id: string, start: Json): Effect.Effect<StoredRun> {
    const { process } = this
    const owner = process.performs && !process.closed ? process.owner : undefined
    const creation = { id, start, ...definition.key }
    return process.wholly(
      Effect.flatMap(this.store.create(creation, owner), ({ created, run }) => {
        // Where the answer of the store was lost, it has created the run already.
        const begins = owner !== undefined && run.owner === owner && !this.active.has(id)
        return begins ? Effect.as(this.active.begin(run, created), run) : Effect.succeed(run)
      })
    )
  }

  resume(id: string): Effect.Effect<boolean> {
    return Effect.tap(this.store.resume(id), () => this.claims.claim)
  }

  send(id: string, key: string, message: Message): Effect.Effect<number | undefined> {
    const sent = Effect.tap(this.store.send(id, key, message), (number) =>
      number === undefined
        ? Effect.void
        : Effect.flatMap(this.active.receive(id, { number, key, message }), (received) =>
            Effect.sync(() => {
              if (!received) this.claims.soon()
            })
          )
    )
    if (message._tag !== "interrupt") return this.process.wholly(sent)
    // One that is stuck would never come to the message.
    const aborted = Effect.tap(this.store.abort(id), () => Effect.sync(() => this.listeners.tell(id)))
    return this.process.wholly(Effect.flatMap(aborted, (aborted) => (aborted ? Effect.succeed(0) : sent)))
  }
}
