/**
 * The runs that this process performs: those at work, and the last few of those that wait. What becomes of each is decided here.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { HistoryDiverged } from "../Errors.ts"
import { type Json, type RunState, type StoredMessage, type StoredRun, suspicious } from "../Store.ts"
import type { Definition, Definitions } from "./definitions.ts"
import { Driver } from "./driver.ts"
import type { Listeners } from "./listeners.ts"
import type { Process } from "./process.ts"

export interface ActiveOptions {
  readonly warm: number
  readonly crashes: number
}

interface Active {
  readonly driver: Driver
  readonly definition: Definition
  readonly run: StoredRun
  suspending: boolean
}

/** Runs that wait no longer than this are not given back. */
const shortest = 1000
/** Milliseconds until a run is performed again whose journal could not be written. */
const afterFailure = 1000
/** A suspect must have been alone in so many crashes before it is stopped. */
const fewestTrials = 2
/** The trial of a suspect lasts longer with each crash, until it is longer than what the guilty one takes to end its process. */
const trialOf = (crashes: number): number => Math.min(600_000, 250 * 2 ** crashes)

export class ActiveRuns {
  /** Number of calls that were made again, because they had read a cell that was written meanwhile. */
  conflicts = 0
  private readonly process: Process
  private readonly definitions: Definitions
  private readonly listeners: Listeners
  private readonly options: ActiveOptions
  /** Told when there is something to claim: a run that was given back, or the next suspect. */
  private readonly due: (at: number) => void
  private readonly all = new Map<string, Active>()
  /** Those whose journal is being read, and the number of the last message sent to each. */
  private readonly beginning = new Map<string, number>()
  /** Those that wait, the last one last. */
  private readonly resting = new Map<string, Active>()
  /** The suspect that is on trial, and until when. */
  private trial: { readonly id: string; readonly epoch: number; over: Fiber.Fiber<unknown> | undefined } | undefined

  constructor(
    process: Process,
    definitions: Definitions,
    listeners: Listeners,
    options: ActiveOptions,
    due: (at: number) => void
  ) {
    this.process = process
    this.definitions = definitions
    this.listeners = listeners
    this.options = options
    this.due = due
  }

  driverOf(id: string): Driver | undefined {
    return this.all.get(id)?.driver
  }

  get size(): number {
    return this.all.size
  }

  /** Whether a suspect may be taken up. */
  get tries(): boolean {
    return this.trial === undefined
  }

  get abandonAll(): Effect.Effect<void> {
    return Effect.suspend(() =>
      Effect.forEach([...this.all.values()], ({ driver }) => driver.abandon(), {
        discard: true,
        concurrency: "unbounded"
      })
    )
  }

  /** Whether a run is at work here, or will be at once. */
  has(id: string): boolean {
    return this.all.has(id) || this.beginning.has(id)
  }

  beginAll(runs: ReadonlyArray<StoredRun>): Effect.Effect<void> {
    // What is sent to one of them while others are read is for it.
    for (const run of runs) this.reads(run)
    return Effect.forEach(runs, (run) => this.begin(run), { discard: true, concurrency: 8 })
  }

  private reads({ id, messages }: StoredRun): void {
    this.beginning.set(id, Math.max(messages, this.beginning.get(id) ?? 0))
  }

  /** Performs a run that this process owns now. */
  begin(run: StoredRun, created = false): Effect.Effect<void> {
    const registered = this.definitions.of(run)
    if (registered === undefined || this.process.closed) {
      this.beginning.delete(run.id)
      return Effect.void
    }
    const { store } = this.process
    const { context, definition } = registered
    const poisoned = run.crashes > this.options.crashes && run.trials >= fewestTrials
    if (run.crashes >= suspicious) this.try(run)
    this.reads(run)
    // This process may have been taken for dead, and have the run back before it knows.
    const before = this.all.get(run.id)
    const loaded = created ? Effect.succeed([]) : this.process.insists(store.load(run.id))
    return Effect.flatMap(before === undefined ? loaded : Effect.andThen(this.forget(before), loaded), (history) =>
      Effect.suspend(() => {
        const messages = this.beginning.get(run.id) ?? run.messages
        this.beginning.delete(run.id)
        if (this.process.closed) return Effect.void
        const other = this.all.get(run.id)
        if (other !== undefined) {
          return other.run.epoch >= run.epoch ? Effect.void : Effect.andThen(this.forget(other), this.begin(run))
        }
        const { codec, flow } = definition
        const { createdAt, epoch, id, start } = run
        const driver: Driver = new Driver(
          { id, epoch, flow, codec, store, start, createdAt, context, history, dry: poisoned },
          {
            ended: (exit) => this.ended(active, exit),
            rests: () => (poisoned ? this.poisoned(active) : this.rests(active)),
            lost: (failed) => this.lost(active, failed),
            diverged: (error) => this.stuck(active, error),
            stored: () => {
              this.resting.delete(id)
              this.acquit(run)
              this.listeners.tell(id, "stored")
            }
          }
        )
        const active: Active = { driver, definition, run, suspending: false }
        this.all.set(id, active)
        driver.begin()
        return messages > driver.seen ? this.fetch(id) : Effect.void
      })
    )
  }

  /** Gives a run at work here what has just been sent to it; `false` where none is. */
  receive(id: string, message: StoredMessage): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const known = this.beginning.get(id)
      if (known !== undefined) {
        this.beginning.set(id, Math.max(known, message.number))
        return Effect.succeed(true)
      }
      const driver = this.driverOf(id)
      if (driver === undefined) return Effect.succeed(false)
      if (message.number <= driver.seen) return Effect.succeed(true)
      // There is one in between, from elsewhere.
      if (message.number > driver.seen + 1) return Effect.as(this.fetch(id), true)
      this.resting.delete(id)
      driver.receive([message])
      return Effect.succeed(true)
    })
  }

  /** Reads what has been sent to a run that is at work here. */
  fetch(id: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      const driver = this.driverOf(id)
      if (driver === undefined) return Effect.void
      return Effect.map(this.process.insists(this.process.store.messages(id, driver.seen)), (messages) => {
        this.resting.delete(id)
        driver.receive(messages)
      })
    })
  }

  private try({ crashes, epoch, id }: StoredRun): void {
    const trial: NonNullable<typeof this.trial> = { id, epoch, over: undefined }
    this.trial = trial
    const { store } = this.process
    const survived = Effect.andThen(
      this.process.insists(store.acquit(id, epoch)),
      Effect.sync(() => this.acquit(trial))
    )
    trial.over = this.process.fork(Effect.andThen(Effect.sleep(trialOf(crashes)), survived))
  }

  /** Its trial is over, and the next may come. */
  private acquit({ epoch, id }: { readonly id: string; readonly epoch: number }): void {
    const { trial } = this
    if (trial?.id !== id || trial.epoch !== epoch) return
    this.trial = undefined
    trial.over?.interruptUnsafe()
    this.due(0)
  }

  private forget(active: Active): Effect.Effect<void> {
    const { driver, run } = active
    if (this.all.get(run.id) === active) {
      this.all.delete(run.id)
      this.resting.delete(run.id)
      this.conflicts += driver.conflicts
    }
    this.acquit(run)
    return driver.abandon()
  }

  private ended(active: Active, exit: Exit.Exit<{ readonly _tag: string }, unknown>): void {
    const { codec } = active.definition
    const result: Json = Exit.isSuccess(exit) ? { stop: codec.event(exit.value) } : { cause: codec.cause(exit.cause) }
    this.end(active, stateOf(exit), result)
  }

  private stuck(active: Active, error: HistoryDiverged): void {
    const { entry, instead, what } = error
    this.end(active, "stuck", { diverged: { entry, what, ...(instead === undefined ? {} : { instead }) } })
  }

  /** Its process keeps dying: only while it performs steps can that be its fault. */
  private poisoned(active: Active): void {
    if (active.driver.performing.length === 0) {
      this.process.fork(Effect.andThen(this.forget(active), this.begin({ ...active.run, crashes: 0, trials: 0 })))
      return
    }
    this.end(active, "stuck", { crashes: active.run.crashes, steps: [...active.driver.performing] })
  }

  private end(active: Active, state: RunState, result: Json): void {
    const { epoch, id } = active.run
    const { process } = this
    const ending = Effect.andThen(process.insists(process.store.end(id, epoch, state, result)), this.forget(active))
    process.fork(
      Effect.andThen(
        ending,
        Effect.sync(() => this.listeners.tell(id))
      )
    )
  }

  /** Somebody else has written, or this process does not know what it has written itself. */
  private lost(active: Active, failed = false): void {
    const { epoch, id } = active.run
    const { owner, store } = this.process
    const again = Effect.flatMap(this.process.insists(store.get(id)), (run) =>
      run !== undefined && run.state === "active" && run.owner === owner && run.epoch === epoch
        ? this.begin(run)
        : Effect.sync(() => this.listeners.tell(id))
    )
    // Where the store fails, it would fail again at once, and each time after the calls have been made again.
    const later = failed ? Effect.andThen(Effect.sleep(afterFailure), again) : again
    this.process.fork(Effect.andThen(this.forget(active), later))
  }

  /** A run that waits is given back, unless it is one of the last few. */
  private rests(active: Active): void {
    const { id } = active.run
    this.acquit(active.run)
    this.resting.delete(id)
    this.resting.set(id, active)
    while (this.resting.size > this.options.warm) {
      const [oldest, first] = this.resting.entries().next().value!
      this.resting.delete(oldest)
      if (first.driver.resting) this.suspend(first)
    }
  }

  private suspend(active: Active): void {
    const { driver, run } = active
    const { due, seen } = driver
    if (active.suspending || (due !== undefined && due - this.process.now() < shortest)) return
    active.suspending = true
    driver.freeze()
    const suspended = Effect.flatMap(
      this.process.insists(this.process.store.suspend(run.id, run.epoch, seen, due)),
      (suspended) => {
        active.suspending = false
        if (suspended) {
          if (due !== undefined) this.due(due)
          return this.forget(active)
        }
        // A message has come meanwhile; without one, the run is not ours any more.
        return Effect.map(this.fetch(run.id), () => {
          if (driver.seen === seen) this.lost(active)
          else driver.thaw()
        })
      }
    )
    this.process.fork(suspended)
  }
}

const stateOf = (exit: Exit.Exit<unknown, unknown>): RunState =>
  Exit.isSuccess(exit)
    ? "succeeded"
    : Exit.hasInterrupts(exit) && !Exit.hasFails(exit) && !Exit.hasDies(exit)
      ? "interrupted"
      : "failed"
