/**
 * Performs the durable runs of one process: takes up those that are due or left behind by a dead process, keeps those that are
 * at work in memory, and gives back those that wait.
 *
 * A process says every now and then that it is alive. If it does not for the time of a lease, or is known to be dead, its runs
 * are taken by others. One that was only asleep finds its writes refused, and lets go of what it had.
 */
import { hostname } from "node:os"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { type AnyWorkflow, Observer, type RunStatus, type TraceEntry } from "stepgraph"
import { GraphChanged, HistoryDiverged, RunInterrupted, RunKeepsCrashing, UnknownRun } from "../Errors.ts"
import type { FlowKey, Json, Message, RunState, StoredMessage, StoredRun, StoreService } from "../Store.ts"
import type { Codec } from "./codec.ts"
import { Driver, type Entry, outputTags } from "./driver.ts"
import { type RunRecord, recordOf } from "./record.ts"

export interface Definition {
  readonly flow: AnyWorkflow
  readonly key: FlowKey
  readonly codec: Codec
}

export interface RunnerOptions {
  /** Milliseconds after which a silent process counts as dead. Default: 10,000. */
  readonly lease?: number | undefined
  /** Milliseconds between two looks at what other processes have done. Default: 50 for a file, 250 for Postgres. */
  readonly poll?: number | undefined
  /** How many runs that wait are kept in memory, so that they go on without reading their journal. Default: 64. */
  readonly warm?: number | undefined
  /** How often a run's process may die in a row without storing anything. Default: 5. */
  readonly crashes?: number | undefined
  /**
   * Whether this process performs runs. One that does not can start them, talk to them and look at them: others perform them.
   * It creates no file and no tables. Default: true.
   */
  readonly performs?: boolean | undefined
}

interface Active {
  readonly driver: Driver
  readonly definition: Definition
  readonly run: StoredRun
  suspending: boolean
}

/** Something of it has been stored, or it may have ended. Whoever waits for its end is not woken by each entry. */
type News = "stored" | "ended"
interface Listener {
  readonly by: News
  readonly tell: () => void
}

/** Of this process: a pid alone does not tell which of two stores in it is alive. */
const alive = new Set<string>()

const isDead = (owner: string): boolean => {
  const [host, pid, token] = owner.split("/")
  if (host !== hostname() || token === undefined) return false
  if (Number(pid) === process.pid) return !alive.has(owner)
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as { readonly code?: string }).code === "ESRCH"
  }
}

/** Runs that wait no longer than this are not given back. */
const shortest = 1000
/** What is claimed at once. */
const most = 100
const longestSleep = 3_600_000

export class Runner {
  readonly owner = `${hostname()}/${process.pid}/${crypto.randomUUID().slice(0, 8)}`
  readonly store: StoreService
  readonly active = new Map<string, Active>()
  conflicts = 0
  private readonly definitions = new Map<
    string,
    { readonly definition: Definition; readonly context: Context.Context<any> }
  >()
  private readonly options: Required<{ readonly [K in Exclude<keyof RunnerOptions, "performs">]: number }>
  private readonly performs: boolean
  private readonly context: Context.Context<never>
  private readonly resting = new Map<string, Active>()
  private readonly listeners = new Map<string, Set<Listener>>()
  private readonly fibers: Array<Fiber.Fiber<unknown>> = []
  private wake: { readonly at: number; readonly fiber: Fiber.Fiber<unknown> } | undefined
  private changes: number | undefined
  private claiming = false
  private claimAgain = false
  private closed = false

  constructor(store: StoreService, options: RunnerOptions, context: Context.Context<never>) {
    this.store = store
    this.context = context
    const { crashes = 5, lease = 10_000, performs = true, poll = 50, warm = 64 } = options
    this.performs = performs
    this.options = { crashes, lease, poll, warm }
  }

  // ---------------------------------------------------------------- from the first to the last

  /** Says that it is alive, and begins to look for work. */
  get open(): Effect.Effect<void> {
    const { lease, poll } = this.options
    const beat = this.store.beat(this.owner, lease)
    const buryDead = Effect.flatMap(this.store.owners, (owners) =>
      Effect.forEach(owners.filter(isDead), (owner) => this.store.bury(owner), { discard: true })
    )
    const lives = Effect.forever(
      Effect.andThen(Effect.sleep(Math.min(1000, lease / 4)), Effect.andThen(beat, buryDead))
    )
    const looks = Effect.forever(Effect.andThen(Effect.sleep(poll), this.look))
    return Effect.suspend(() => {
      if (!this.performs) {
        this.fibers.push(this.fork(looks))
        return Effect.void
      }
      alive.add(this.owner)
      return Effect.andThen(
        Effect.andThen(beat, buryDead),
        Effect.sync(() => {
          this.fibers.push(this.fork(lives), this.fork(looks))
        })
      )
    })
  }

  /** Gives everything back: another process, or this one when it comes back, goes on with it. */
  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.closed) return Effect.void
      this.closed = true
      const { wake } = this
      const fibers = wake === undefined ? this.fibers : [...this.fibers, wake.fiber]
      const abandoned = Effect.forEach([...this.active.values()], ({ driver }) => driver.abandon(), {
        discard: true,
        concurrency: "unbounded"
      })
      return Fiber.interruptAll(fibers).pipe(
        Effect.andThen(abandoned),
        Effect.andThen(this.performs ? this.store.release(this.owner) : Effect.void),
        Effect.andThen(
          Effect.sync(() => {
            alive.delete(this.owner)
            for (const id of [...this.listeners.keys()]) this.tell(id)
          })
        )
      )
    })
  }

  /** Registers a workflow: from now on, its runs are taken up here. */
  register(definition: Definition, context: Context.Context<any>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.definitions.set(nameOf(definition.key), { definition, context })
      return this.claim
    })
  }

  private now(): number {
    return Context.get(this.context, Clock.Clock).currentTimeMillisUnsafe()
  }

  private fork<A, E>(effect: Effect.Effect<A, E>): Fiber.Fiber<A, E> {
    return Effect.runForkWith(this.context)(effect)
  }

  private get keys(): ReadonlyArray<FlowKey> {
    return [...this.definitions.values()].map(({ definition }) => definition.key)
  }

  // ---------------------------------------------------------------- what there is to do

  /** Looks at what other processes have done. */
  private get look(): Effect.Effect<void> {
    return Effect.flatMap(this.store.changes, (changes) => {
      if (changes !== undefined && changes === this.changes) return Effect.void
      this.changes = changes
      const signalled = Effect.flatMap(this.store.signalled(this.owner), (runs) =>
        Effect.forEach(
          runs.filter(({ id, messages }) => messages > (this.active.get(id)?.driver.seen ?? messages)),
          ({ id }) => this.fetch(id),
          { discard: true }
        )
      )
      return Effect.andThen(
        signalled,
        Effect.andThen(
          this.claim,
          Effect.sync(() => {
            for (const id of [...this.listeners.keys()]) if (!this.active.has(id)) this.tell(id)
          })
        )
      )
    })
  }

  /** Takes up what is due. */
  private get claim(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (!this.performs) return Effect.void
      if (this.claiming) {
        this.claimAgain = true
        return Effect.void
      }
      this.claiming = true
      this.claimAgain = false
      const { keys } = this
      const once: Effect.Effect<void> = Effect.flatMap(this.store.claim(this.owner, keys, most), (runs) =>
        Effect.andThen(
          Effect.forEach(runs, (run) => this.begin(run), { discard: true }),
          runs.length === 0 ? Effect.void : once
        )
      )
      return Effect.andThen(
        once,
        Effect.flatMap(this.store.nextWake(keys), (next) => {
          this.claiming = false
          if (next !== undefined) this.wakeAt(next)
          return this.claimAgain ? this.claim : Effect.void
        })
      )
    })
  }

  private wakeAt(at: number): void {
    if (this.closed || (this.wake !== undefined && this.wake.at <= at)) return
    this.wake?.fiber.interruptUnsafe()
    const sleep = Effect.sleep(Math.min(longestSleep, Math.max(0, at - this.now())))
    const claim = Effect.suspend(() => {
      this.wake = undefined
      this.fork(this.claim)
      return Effect.void
    })
    this.wake = { at, fiber: this.fork(Effect.andThen(sleep, claim)) }
  }

  /** Performs a run that this process owns now. */
  private begin(run: StoredRun, created = false): Effect.Effect<void> {
    const registered = this.definitions.get(nameOf(run))
    if (registered === undefined || this.closed) return Effect.void
    const { context, definition } = registered
    const poisoned = run.crashes > this.options.crashes
    return Effect.flatMap(created ? Effect.succeed([]) : this.store.load(run.id), (history) =>
      Effect.suspend(() => {
        const { codec, flow } = definition
        const { epoch, id, start } = run
        const driver: Driver = new Driver(
          { id, epoch, flow, codec, store: this.store, start, context, history, dry: poisoned },
          {
            ended: (exit) => this.ended(active, exit),
            rests: () => (poisoned ? this.poisoned(active) : this.rests(active)),
            lost: () => this.lost(active),
            diverged: (error) => this.stuck(active, error),
            stored: () => {
              this.resting.delete(id)
              this.tell(id, "stored")
            }
          }
        )
        const active: Active = { driver, definition, run, suspending: false }
        this.active.set(id, active)
        driver.begin()
        return run.messages > driver.seen ? this.fetch(id) : Effect.void
      })
    )
  }

  /** Reads what has been sent to a run that is at work here. */
  private fetch(id: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      const active = this.active.get(id)
      if (active === undefined) return Effect.void
      return Effect.map(this.store.messages(id, active.driver.seen), (messages) => {
        this.resting.delete(id)
        active.driver.receive(messages)
      })
    })
  }

  // ---------------------------------------------------------------- what becomes of a run

  private forget(active: Active): Effect.Effect<void> {
    const { driver, run } = active
    if (this.active.get(run.id) === active) {
      this.active.delete(run.id)
      this.resting.delete(run.id)
      this.conflicts += driver.conflicts
    }
    return driver.abandon()
  }

  private ended(active: Active, exit: Exit.Exit<{ readonly _tag: string }, unknown>): void {
    const { codec } = active.definition
    const state: RunState = Exit.isSuccess(exit)
      ? "succeeded"
      : Exit.hasInterrupts(exit) && !Exit.hasFails(exit) && !Exit.hasDies(exit)
        ? "interrupted"
        : "failed"
    const result: Json = Exit.isSuccess(exit) ? { stop: codec.event(exit.value) } : { cause: codec.cause(exit.cause) }
    this.end(active, state, result)
  }

  private stuck(active: Active, error: HistoryDiverged): void {
    const { entry, what } = error
    this.end(active, "stuck", { diverged: { entry, what } })
  }

  /** Its process keeps dying: only while it performs steps can that be its fault. */
  private poisoned(active: Active): void {
    if (active.driver.performing.length === 0) {
      this.fork(Effect.andThen(this.forget(active), this.begin({ ...active.run, crashes: 0 })))
      return
    }
    this.end(active, "stuck", { crashes: active.run.crashes, steps: [...active.driver.performing] })
  }

  private end(active: Active, state: RunState, result: Json): void {
    const { epoch, id } = active.run
    const ending = Effect.andThen(this.store.end(id, epoch, state, result), this.forget(active))
    this.fork(
      Effect.andThen(
        ending,
        Effect.sync(() => this.tell(id))
      )
    )
  }

  /** Somebody else has written, or this process does not know what it has written itself. */
  private lost(active: Active): void {
    const { epoch, id } = active.run
    const again = Effect.flatMap(this.store.get(id), (run) =>
      run !== undefined && run.state === "active" && run.owner === this.owner && run.epoch === epoch
        ? this.begin(run)
        : Effect.void
    )
    this.fork(Effect.andThen(this.forget(active), again))
  }

  /** A run that waits is given back, unless it is one of the last few. */
  private rests(active: Active): void {
    const { id } = active.run
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
    if (active.suspending || (due !== undefined && due - this.now() < shortest)) return
    active.suspending = true
    driver.freeze()
    const suspended = Effect.flatMap(this.store.suspend(run.id, run.epoch, seen, due), (suspended) => {
      active.suspending = false
      if (suspended) {
        if (due !== undefined) this.wakeAt(due)
        return this.forget(active)
      }
      // A message has come meanwhile; without one, the run is not ours any more.
      return Effect.map(this.fetch(run.id), () => {
        if (driver.seen === seen) this.lost(active)
        else driver.thaw()
      })
    })
    this.fork(suspended)
  }

  // ---------------------------------------------------------------- for whoever asks

  start(definition: Definition, id: string, start: Json): Effect.Effect<StoredRun> {
    const owner = this.performs ? this.owner : undefined
    return Effect.flatMap(this.store.create({ id, start, ...definition.key }, owner), ({ created, run }) =>
      created && this.performs ? Effect.as(this.begin(run, true), run) : Effect.succeed(run)
    )
  }

  resume(id: string): Effect.Effect<boolean> {
    return Effect.tap(this.store.resume(id), () => this.claim)
  }

  send(id: string, key: string, message: Message): Effect.Effect<number | undefined> {
    return Effect.tap(this.store.send(id, key, message), (number) => {
      if (number === undefined) return Effect.void
      const active = this.active.get(id)
      if (active === undefined) return this.claim
      if (number <= active.driver.seen) return Effect.void
      if (number > active.driver.seen + 1) return this.fetch(id)
      const received: StoredMessage = { number, key, message }
      this.resting.delete(id)
      active.driver.receive([received])
      return Effect.void
    })
  }

  /** Waits until something may have become of a run. */
  changed(id: string, by: News): Effect.Effect<void> {
    const told = Effect.callback<void>((resume) => {
      const listener: Listener = { by, tell: () => resume(Effect.void) }
      let listeners = this.listeners.get(id)
      if (listeners === undefined) {
        listeners = new Set()
        this.listeners.set(id, listeners)
      }
      listeners.add(listener)
      return Effect.sync(() => this.unlisten(id, listener))
    })
    return Effect.raceFirst(told, Effect.sleep(this.active.has(id) ? 1000 : Math.max(20, this.options.poll)))
  }

  private unlisten(id: string, listener: Listener): void {
    const listeners = this.listeners.get(id)
    listeners?.delete(listener)
    if (listeners?.size === 0) this.listeners.delete(id)
  }

  private tell(id: string, news: News = "ended"): void {
    for (const listener of this.listeners.get(id) ?? []) {
      if (news === "stored" && listener.by === "ended") continue
      this.unlisten(id, listener)
      listener.tell()
    }
  }

  get(id: string): Effect.Effect<StoredRun, UnknownRun> {
    return Effect.flatMap(this.store.get(id), (run) =>
      run === undefined ? Effect.fail(new UnknownRun({ run: id })) : Effect.succeed(run)
    )
  }

  /** A run as its journal tells it, whether or not its workflow is registered. */
  record(id: string): Effect.Effect<RunRecord, UnknownRun> {
    const { store } = this
    return Effect.flatMap(this.get(id), (run) =>
      Effect.zipWith(store.load(id), store.messages(id, 0), (history, messages) => recordOf(run, history, messages))
    )
  }

  /** Why a run does not go on, if it does not. */
  blocked(run: StoredRun): GraphChanged | HistoryDiverged | RunKeepsCrashing | undefined {
    const { flow: workflow, id, state, version } = run
    if (state === "stuck") {
      const result = run.result as any
      return result.diverged === undefined
        ? new RunKeepsCrashing({ run: id, workflow, crashes: result.crashes, steps: result.steps })
        : new HistoryDiverged({ run: id, workflow, ...result.diverged })
    }
    if (state !== "active" || run.owner !== undefined) return undefined
    const registered = [...this.definitions.values()].map(({ definition }) => definition.key)
    const same = registered.filter((key) => key.flow === workflow && key.version === version)
    const other = same.length > 0 && !same.some(({ fingerprint }) => fingerprint === run.fingerprint)
    return other ? new GraphChanged({ run: id, workflow, version }) : undefined
  }

  /** What a run has ended with; `undefined` where it has not. */
  outcome(run: StoredRun): Exit.Exit<{ readonly _tag: string }, unknown> | undefined {
    const blocked = this.blocked(run)
    if (blocked !== undefined) return Exit.fail(blocked)
    const { codec } = this.definitions.get(nameOf(run))?.definition ?? {}
    const result = run.result as any
    switch (run.state) {
      case "succeeded":
        return Exit.succeed(codec?.eventFrom(result.stop) ?? result.stop)
      case "interrupted":
        return Exit.fail(new RunInterrupted({ run: run.id, workflow: run.flow }))
      case "failed":
        return codec === undefined ? Exit.die(result.cause) : Exit.failCause(codec.causeFrom(result.cause))
      default:
        return undefined
    }
  }

  /** The end of a run, wherever it is performed. */
  await(id: string): Effect.Effect<Exit.Exit<{ readonly _tag: string }, unknown>, UnknownRun> {
    return Effect.flatMap(this.get(id), (run) => {
      const outcome = this.outcome(run)
      if (outcome !== undefined) return Effect.succeed(outcome)
      return this.closed ? Effect.interrupt : Effect.andThen(this.changed(id, "ended"), () => this.await(id))
    })
  }

  /** Lets the journal of a run happen again, to look at it: nothing is performed. */
  private replayed<A>(run: StoredRun, look: (driver: Driver) => A, observer?: Observer): Effect.Effect<A> {
    const registered = this.definitions.get(nameOf(run))
    if (registered === undefined) {
      return Effect.die(new GraphChanged({ run: run.id, workflow: run.flow, version: run.version }))
    }
    const { codec, flow } = registered.definition
    return Effect.flatMap(this.store.load(run.id), (history) =>
      Effect.callback<A>((resume) => {
        const clock = Object.assign(Object.create(Context.get(this.context, Clock.Clock)) as Clock.Clock, {
          currentTimeMillisUnsafe: () => driver?.time ?? run.createdAt
        })
        const context = Context.add(
          observer === undefined ? this.context : Context.add(this.context, Observer, observer),
          Clock.Clock,
          clock
        )
        const { epoch, id, start } = run
        const done = () => {
          const result = look(driver!)
          resume(Effect.as(driver!.abandon(), result))
        }
        const stop = (error: unknown) => resume(Effect.andThen(driver!.abandon(), Effect.die(error)))
        const driver: Driver | undefined = new Driver(
          { id, epoch, flow, codec, store: this.store, start, context: context as any, history, dry: true },
          { ended: done, rests: done, lost: () => {}, diverged: stop, stored: () => {} }
        )
        driver.begin()
      })
    )
  }

  status(run: StoredRun): Effect.Effect<RunStatus> {
    const active = this.active.get(run.id)
    if (active?.driver.live === true) return Effect.sync(() => active.driver.status())
    return this.replayed(run, (driver) => driver.status())
  }

  trace(run: StoredRun): Effect.Effect<ReadonlyArray<TraceEntry>> {
    return Effect.suspend(() => {
      const entries: Array<TraceEntry> = []
      let over = false
      return this.replayed(
        run,
        () => {
          over = true
          return entries
        },
        (entry) => {
          if (!over) entries.push(entry)
        }
      )
    })
  }

  /** The outputs of a run after the first `from`, as far as they have come. */
  outputs(run: StoredRun, from: number): Effect.Effect<ReadonlyArray<{ readonly _tag: string }>> {
    const registered = this.definitions.get(nameOf(run))
    if (registered === undefined) return Effect.succeed([])
    const { codec, flow } = registered.definition
    const tags = outputTags(flow)
    return Effect.map(this.store.load(run.id), (batches) =>
      (batches.flatMap(({ entries }) => entries) as unknown as ReadonlyArray<Entry>)
        .flatMap((entry) => {
          if (!("i" in entry) || entry.e === undefined) return []
          const outputs = entry.e.filter((event) => tags.has((event as { readonly _tag: string })._tag))
          return outputs.slice(0, entry.k ?? outputs.length)
        })
        .slice(from)
        .map(codec.eventFrom)
    )
  }
}

const nameOf = ({ flow, fingerprint, version }: FlowKey): string => JSON.stringify([flow, version, fingerprint])
