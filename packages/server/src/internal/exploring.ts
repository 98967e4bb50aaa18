/**
 * One exploration at a time, in memory and bounded. The orders that it finds are kept as runs until the next one begins.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { AnyWorkflow, InvalidEvent, TraceEntry } from "stepgraph"
import type { Exploration, Explore, Exploring, FoundOrder } from "../Exploration.ts"
import { StillExploring } from "../Problems.ts"
import type { RunSummary, Runs, ServedRun } from "../Runs.ts"
import { type Def, eventJson } from "./json.ts"
import { servedRuns } from "./kept-runs.ts"
import { decoded, inputOf, Made } from "./memory-run.ts"
import { shownBy } from "./redacting.ts"

/** So many orders are listed, and so many characters of their traces kept. */
const mostOrders = 40
const mostCharacters = 32_000_000
/** Longer texts are cut. */
const mostText = 10_000
const mostSchedules = 100_000
const mostSeconds = 300

type Mutable<A> = { -readonly [K in keyof A]: A[K] extends ReadonlyArray<infer B> ? Array<B> : A[K] }

interface Current {
  readonly flow: AnyWorkflow
  readonly user: string
  readonly found: Mutable<Exploration>
  readonly runs: Map<string, ServedRun>
  readonly startedWith: Made
  /** Characters of the kept traces. */
  size: number
}

const cut = (text: string): string => (text.length > mostText ? `${text.slice(0, mostText)}…` : text)

const within = (value: number | undefined, otherwise: number, most: number): number =>
  value === undefined || !(value > 0) ? otherwise : Math.min(most, value)

export class Explorations {
  private readonly explore: Explore
  private readonly redact: ((entry: TraceEntry) => TraceEntry) | undefined
  private readonly context: Context.Context<Scope.Scope>
  private current: Current | undefined
  private fiber: Fiber.Fiber<void> | undefined
  /** Counts them: no two runs of two explorations have the same id. */
  private count = 0

  /** Steps have the services of `context`, and its scope ends an exploration. */
  constructor(
    explore: Explore,
    redact: ((entry: TraceEntry) => TraceEntry) | undefined,
    context: Context.Context<Scope.Scope>
  ) {
    this.explore = explore
    this.redact = redact
    this.context = context
  }

  /** The last exploration, for who may see the runs of it. */
  seenBy(sees: (run: RunSummary) => boolean): Exploration | null {
    const { current } = this
    if (current === undefined) return null
    const { startedAt, workflow } = current.found
    const summary = { id: "", status: "stopped" as const, endedAt: null, rerunOf: null }
    return sees({ ...summary, workflow, startedAt, user: current.user }) ? { ...current.found } : null
  }

  start(
    flow: AnyWorkflow,
    input: unknown,
    asked: Exploring,
    user: string
  ): Effect.Effect<Exploration, InvalidEvent | StillExploring> {
    const self = this
    return Effect.gen(function* () {
      if (self.current?.found.state === "running") return yield* new StillExploring({})
      const event = yield* decoded(flow.start as Def, input)
      const sends = yield* Effect.forEach(asked.sends ?? [], (json) =>
        Effect.flatMap(inputOf(flow, json), (def) => decoded(def, json))
      )
      self.count++
      const current: Current = {
        flow,
        user,
        startedWith: new Made(event),
        runs: new Map(),
        size: 0,
        found: {
          state: "running",
          workflow: flow.name,
          input: eventJson(flow.start as Def, event),
          startedAt: new Date().toISOString(),
          schedules: 0,
          most: Math.ceil(within(asked.schedules, 1_000, mostSchedules)),
          complete: false,
          usual: null,
          orders: [],
          unlisted: 0,
          outcomes: [],
          uncontrolled: [],
          error: null
        }
      }
      self.current = current
      const { _tag, ...fields } = event
      const exploring = self.run(current, asked, Object.keys(fields).length === 0 ? undefined : fields, sends)
      const provided = Effect.provide(exploring, self.context) as Effect.Effect<void>
      self.fiber = yield* Effect.forkIn(provided, Context.get(self.context, Scope.Scope))
      return { ...current.found }
    })
  }

  /** Ends it; what it has found stays. */
  get cancel(): Effect.Effect<void> {
    return Effect.suspend(() => (this.fiber === undefined ? Effect.void : Effect.asVoid(Fiber.interrupt(this.fiber))))
  }

  /** The kept orders beside the runs of a home. */
  beside(home: Runs): Runs {
    return {
      start: home.start,
      list: home.list,
      get: (id) =>
        Effect.suspend(() => {
          const kept = this.current?.runs.get(id)
          return kept === undefined ? home.get(id) : Effect.succeed(kept)
        })
    }
  }

  private run(
    current: Current,
    asked: Exploring,
    input: unknown,
    sends: ReadonlyArray<unknown>
  ): Effect.Effect<void, never, any> {
    const { flow, found } = current
    const options = {
      ...(input === undefined ? undefined : { input }),
      ...(sends.length === 0 ? undefined : { sends }),
      ...(asked.sameResult === false ? { invariants: { sameResult: false } } : undefined),
      timers: asked.timers ?? ("virtual" as const),
      warn: false
    }
    const usual = this.explore(flow, {
      ...options,
      replay: "0",
      onFailure: () => {},
      check: {
        usual: (trace, { outcome }) => {
          found.usual ??= { outcome: this.outcomeOf(outcome), run: this.keep(current, `usual-${this.count}`, trace) }
        }
      }
    })
    const every = this.explore(flow, {
      ...options,
      schedules: found.most,
      seconds: within(asked.seconds, 20, mostSeconds),
      progress: (schedules) => {
        found.schedules = schedules
      },
      onFailure: (failure) => {
        found.schedules = failure.schedules
        if (found.orders.length >= mostOrders) found.unlisted++
        else found.orders.push(this.orderOf(current, failure))
      }
    })
    return Effect.andThen(usual, every).pipe(
      Effect.tap(({ complete, outcomes, schedules, uncontrolled }) =>
        Effect.sync(() => {
          Object.assign(found, { state: "done", schedules, complete, uncontrolled })
          found.outcomes = outcomes.slice(0, mostOrders).map(({ outcome, schedule, times }) => {
            return { outcome: this.outcomeOf(outcome), times, token: schedule }
          })
        })
      ),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          if (Exit.isSuccess(exit)) return
          found.state = Exit.hasInterrupts(exit) ? "cancelled" : "failed"
        })
      ),
      Effect.catch(({ message }) =>
        Effect.sync(() => {
          found.error = cut(message)
        })
      ),
      Effect.asVoid
    )
  }

  private orderOf(
    current: Current,
    failure: Parameters<NonNullable<Parameters<Explore>[1]["onFailure"]>>[0]
  ): FoundOrder {
    const { invariant, message, outcome, problem, schedule, trace } = failure
    const line = message.split("\n").findLast((line) => line.includes(schedule))
    // A story and an input in code show what `redact` might hide.
    const open = this.redact === undefined
    return {
      rule: invariant,
      problem: cut(problem),
      outcome: this.outcomeOf(outcome),
      token: schedule,
      replay: open && line !== undefined ? line.trim() : null,
      story: open ? cut(message) : null,
      run: this.keep(current, `order-${this.count}-${current.found.orders.length + 1}`, trace)
    }
  }

  private outcomeOf({ state, text }: { readonly state: string; readonly text: string }): string {
    return this.redact === undefined ? cut(text) : state
  }

  /** Keeps a trace as a run that can be looked at, if there is room for it. */
  private keep(current: Current, id: string, trace: ReadonlyArray<TraceEntry>): string | null {
    const [first] = trace
    const size = JSON.stringify(trace).length
    if (first === undefined || current.size + size > mostCharacters) return null
    current.size += size
    const named = (run: string): string => (run === first.run ? id : `${id}-${run}`)
    // Its clock is virtual: it began when the exploration did.
    const later = Date.parse(current.found.startedAt) - first.at
    const entries = trace.flatMap((entry) => {
      const parent =
        entry._tag === "RunStarted" && entry.parent !== null
          ? { parent: { ...entry.parent, run: named(entry.parent.run) } }
          : undefined
      const moved = { ...entry, ...parent, run: named(entry.run), at: entry.at + later } as TraceEntry
      return shownBy(this.redact, moved) ?? []
    })
    for (const [id, run] of servedRuns(entries, current.user))
      current.runs.set(id, {
        ...run,
        flow: run.summary.workflow === current.flow.name ? current.flow : undefined,
        startedWith: current.startedWith
      })
    return id
  }
}
