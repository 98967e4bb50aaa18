/**
 * What becomes of a run, for whoever asks, wherever it is performed.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Observer, type RunStatus, type TraceEntry } from "stepgraph"
import { GraphChanged, HistoryDiverged, RunInterrupted, RunKeepsCrashing, UnknownRun } from "../Errors.ts"
import type { StoredRun } from "../Store.ts"
import type { ActiveRuns } from "./active-runs.ts"
import { type Blueprint, changesOf } from "./blueprint.ts"
import type { Definitions } from "./definitions.ts"
import { Driver } from "./driver.ts"
import { entriesOf, outputsOf, outputTags } from "./journal.ts"
import type { Listeners, News } from "./listeners.ts"
import type { Process } from "./process.ts"
import { type RunRecord, recordOf } from "./record.ts"

type AnyEvent = { readonly _tag: string }
type Outcome = Exit.Exit<AnyEvent, unknown>

/** What has been read of the outputs of a run: entries of its journal, and outputs in them. */
export interface OutputCursor {
  readonly entries: number
  /** How many of the outputs that follow are not asked for. */
  readonly skip: number
}

export class Answers {
  private readonly process: Process
  private readonly definitions: Definitions
  private readonly active: ActiveRuns
  private readonly listeners: Listeners

  constructor(process: Process, definitions: Definitions, active: ActiveRuns, listeners: Listeners) {
    this.process = process
    this.definitions = definitions
    this.active = active
    this.listeners = listeners
  }

  get(id: string): Effect.Effect<StoredRun, UnknownRun> {
    return Effect.flatMap(this.process.store.get(id), (run) =>
      run === undefined ? Effect.fail(new UnknownRun({ run: id })) : Effect.succeed(run)
    )
  }

  /** Looks at a run, and again whenever there are news of it, until there is something to give. */
  private until<A>(
    id: string,
    by: News,
    look: (run: StoredRun) => Effect.Effect<A | undefined>
  ): Effect.Effect<A, UnknownRun> {
    return this.listeners.until(
      id,
      by,
      Effect.flatMap(this.get(id), (run) =>
        Effect.flatMap(look(run), (found) =>
          found === undefined && this.process.closed ? Effect.interrupt : Effect.succeed(found)
        )
      )
    )
  }

  /** The end of a run, wherever it is performed. */
  await(id: string): Effect.Effect<Outcome, UnknownRun> {
    return this.until(id, "ended", (run) => this.outcome(run))
  }

  /** A run as its journal tells it, whether or not its workflow is registered. */
  record(id: string): Effect.Effect<RunRecord, UnknownRun> {
    const { store } = this.process
    return Effect.flatMap(this.get(id), (run) =>
      Effect.zipWith(store.load(id), store.messages(id, 0), (history, messages) => recordOf(run, history, messages))
    )
  }

  /** Why a run does not go on, if it does not. */
  blocked(run: StoredRun): Effect.Effect<GraphChanged | HistoryDiverged | RunKeepsCrashing | undefined> {
    return Effect.suspend((): Effect.Effect<GraphChanged | HistoryDiverged | RunKeepsCrashing | undefined> => {
      const { flow: workflow, id, state } = run
      if (state === "stuck") {
        const result = run.result as any
        return Effect.succeed(
          result.diverged === undefined
            ? new RunKeepsCrashing({ run: id, workflow, crashes: result.crashes, steps: result.steps })
            : new HistoryDiverged({ run: id, workflow, ...result.diverged })
        )
      }
      const waits = state === "active" && run.owner === undefined
      return waits && this.definitions.changed(run) !== undefined ? this.changed(run) : Effect.undefined
    })
  }

  /** Says what has changed since the run was started. */
  private changed(run: StoredRun): Effect.Effect<GraphChanged> {
    const { fingerprint, flow: workflow, id, version } = run
    const now = this.definitions.changed(run)?.codec.blueprint
    return Effect.map(this.process.store.graph(fingerprint), (before) => {
      const known = before !== undefined && now !== undefined
      const changes = known ? changesOf(before as unknown as Blueprint, now) : []
      return new GraphChanged({ run: id, workflow, version, changes })
    })
  }

  /** What a run has ended with; `undefined` where it has not. */
  outcome(run: StoredRun): Effect.Effect<Outcome | undefined> {
    return Effect.map(this.blocked(run), (blocked) => {
      if (blocked !== undefined) return Exit.fail(blocked)
      const { codec } = this.definitions.of(run)?.definition ?? {}
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
    })
  }

  /** Lets the journal of a run happen again, to look at it: nothing is performed. */
  private replayed<A>(run: StoredRun, look: (driver: Driver) => A, observer?: Observer): Effect.Effect<A> {
    const { context: given, store } = this.process
    const registered = this.definitions.of(run)
    if (registered === undefined) {
      return Effect.flatMap(this.changed(run), (error) => Effect.die(error))
    }
    const { codec, flow } = registered.definition
    return Effect.flatMap(store.load(run.id), (history) =>
      Effect.callback<A>((resume) => {
        const context = observer === undefined ? given : Context.add(given, Observer, observer)
        const { createdAt, epoch, id, start } = run
        const done = () => {
          const result = look(driver)
          resume(Effect.as(driver.abandon(), result))
        }
        const stop = (error: unknown) => resume(Effect.andThen(driver.abandon(), Effect.die(error)))
        const driver: Driver = new Driver(
          { id, epoch, flow, codec, store, start, createdAt, context: context as any, history, dry: true },
          { ended: done, rests: done, lost: () => {}, diverged: stop, stored: () => {} }
        )
        driver.begin()
      })
    )
  }

  status(run: StoredRun): Effect.Effect<RunStatus> {
    const driver = this.active.driverOf(run.id)
    if (driver?.live === true) return Effect.sync(() => driver.status())
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

  /** The outputs of a run that follow, and where to go on; or its outcome, where all of them are read. */
  outputs(
    id: string,
    { entries, skip }: OutputCursor
  ): Effect.Effect<
    { readonly outputs: ReadonlyArray<AnyEvent>; readonly next: OutputCursor; readonly outcome: Outcome | undefined },
    UnknownRun
  > {
    return this.until(id, "stored", (run) => {
      const { codec, flow } = this.definitions.of(run)?.definition ?? {}
      const tags = flow === undefined ? new Set<string>() : outputTags(flow)
      // The run was read first: one that has ended then has all of its outputs.
      return Effect.flatMap(this.process.store.load(id, entries), (batches) =>
        Effect.map(this.outcome(run), (outcome) => {
          const read = entriesOf(batches)
          const all = read.flatMap((entry) => outputsOf(entry, tags))
          if (read.length === 0 && outcome === undefined) return undefined
          const next = { entries: entries + read.length, skip: Math.max(0, skip - all.length) }
          return { outputs: all.slice(skip).map((event) => codec!.eventFrom(event)), next, outcome }
        })
      )
    })
  }
}
