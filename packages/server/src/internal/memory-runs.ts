/**
 * Runs in the memory of this process. Ended runs are kept for late readers, within bounds of number and size.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { type AnyWorkflow, launch, Observer, type TraceEntry } from "stepgraph"
import { KeyReused, TooManyRuns } from "../Problems.ts"
import type { RunPage, RunSummary, Runs, ServedRun } from "../Runs.ts"
import type { Def } from "./json.ts"
import { decoded, type Home, type Live, Made, MemoryRun } from "./memory-run.ts"
import { type KeepLogs, keepingLogs } from "./step-logs.ts"

export interface MemoryOptions {
  /** The number of runs to keep, running or ended: if all of them run, no more are started. Default: 1,000. */
  readonly runs?: number | undefined
  /** The number of characters to keep of all their traces and outputs, and as many of their inputs. Default: 64 million. */
  readonly size?: number | undefined
}

const launchAny = launch as unknown as (
  flow: AnyWorkflow,
  input: unknown,
  options: object
) => Effect.Effect<Live, never, Scope.Scope>

const ofUser = (user: string, flow: string, key: string): string => JSON.stringify([user, flow, key])

interface Kept {
  readonly run: MemoryRun
  /** Counts all runs: the cursor of a list. */
  readonly place: number
  readonly key: string | undefined
  readonly body: string
  /** The number of characters of its input. */
  readonly held: number
}

/** Runs with the services of the Effect that makes them. They are interrupted when its scope is closed. */
export const memoryRuns = (
  { runs: most = 1_000, size: mostSize = 64_000_000 }: MemoryOptions,
  redact: ((entry: TraceEntry) => TraceEntry) | undefined,
  logs: KeepLogs
): Effect.Effect<Runs, never, Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<Scope.Scope>()
    const outer = yield* Effect.scope
    /** In the order of their start. */
    const kept = new Map<string, Kept>()
    const byKey = new Map<string, Kept>()
    let places = 0
    let size = 0
    /** Characters of inputs. */
    let held = 0

    const remove = (id: string): void => {
      const { held: own, key, run } = kept.get(id)!
      kept.delete(id)
      held -= own
      size -= run.size
      if (key !== undefined) byKey.delete(key)
    }
    const removeOldest = (): boolean => {
      for (const [id, { run }] of kept) {
        if (!run.over) continue
        remove(id)
        return true
      }
      return false
    }
    /** Ended runs go first, then the older half of the largest trace. */
    const shrink = (): void => {
      while (size > mostSize && removeOldest()) {}
      while (size > mostSize) {
        const [largest] = [...kept.values()].sort((a, b) => b.run.size - a.run.size)
        if (largest === undefined) return
        const before = largest.run.size
        largest.run.halve()
        if (largest.run.size === before) return
        size -= before - largest.run.size
      }
    }
    const home: Home = {
      size: mostSize,
      redact,
      grown: (by) => {
        size += by
        if (size > mostSize) shrink()
      },
      forget: ({ summary: { id } }) => {
        if (!kept.has(id)) return false
        remove(id)
        return true
      }
    }

    /** One start at a time, or two with the same key would both be the first. */
    const turn = yield* Semaphore.make(1)
    const begin: Runs["start"] = (flow, starting) =>
      Effect.gen(function* () {
        const key = starting.key === undefined ? undefined : ofUser(starting.user, flow.name, starting.key)
        const { input, rerunOf } = starting
        // An event may hold what JSON cannot; its run names it.
        const body = key === undefined ? "" : input instanceof Made ? `of ${rerunOf}` : (JSON.stringify(input) ?? "")
        const known = key === undefined ? undefined : byKey.get(key)
        if (known !== undefined) {
          if (known.body !== body) return yield* new KeyReused({})
          return { run: known.run as ServedRun, created: false }
        }
        const event = yield* decoded(flow.start as Def, input)
        const run = new MemoryRun(home, flow, event, starting)
        const own = JSON.stringify(run.input).length + body.length
        // A single run has room, however large its input is.
        const isFull = () => kept.size >= most || (kept.size > 0 && held + own > mostSize)
        while (isFull()) if (!removeOldest()) return yield* new TooManyRuns({})
        const scope = Scope.forkUnsafe(outer)
        const observed = Effect.provideService(launchAny(flow, event, { keep: mostOutputs }), Observer, (entry) =>
          run.observe(entry)
        )
        const beginning =
          logs === false
            ? observed
            : Effect.updateContext(observed, (context: Context.Context<Scope.Scope>) =>
                keepingLogs(context, logs, (line) => run.log(line))
              )
        // In a fiber with the services of the server: a run does not belong to the request that started it.
        const fork = Effect.runForkWith(context)
        const live = yield* Effect.onError(Fiber.join(fork(Scope.provide(beginning, scope))), (cause) =>
          Scope.close(scope, Exit.failCause(cause))
        )
        const one: Kept = { run, place: ++places, key, body, held: own }
        kept.set(live.id, one)
        held += own
        if (key !== undefined) byKey.set(key, one)
        fork(Effect.onExit(run.follow(live), (exit: Exit.Exit<void>) => Scope.close(scope, exit)))
        return { run: run as ServedRun, created: true }
      })
    // A request that goes away in between must not leave a run that nobody knows.
    const start: Runs["start"] = (flow, starting) => Effect.uninterruptible(turn.withPermits(1)(begin(flow, starting)))

    const list: Runs["list"] = ({ cursor, limit, q, sees, since = 0, status, workflow }) =>
      Effect.gen(function* () {
        const before = cursor === undefined ? Number.POSITIVE_INFINITY : Number.parseInt(cursor, 36)
        const found: Array<RunSummary> = []
        let last = 0
        for (const { place, run } of [...kept.values()].reverse()) {
          if (!(place < before) || run.startedAt.getTime() < since) continue
          if (workflow !== undefined && run.flow.name !== workflow) continue
          const summary = yield* run.now
          if ((status !== undefined && summary.status !== status) || !sees(summary)) continue
          if (q !== undefined && !`${summary.id} ${summary.workflow} ${JSON.stringify(run.input)}`.includes(q)) continue
          if (found.length === limit) return { runs: found, next: last.toString(36) } satisfies RunPage
          found.push(summary)
          last = place
        }
        return { runs: found, next: null } satisfies RunPage
      })

    return { start, list, get: (id) => Effect.sync(() => kept.get(id)?.run) }
  })

/** A run hands over its outputs at once, so only a burst within one turn is kept twice. */
const mostOutputs = 100_000
