/**
 * Where runs live: in memory, or in a durable store. The routes know nothing else of a run.
 */
import type { Effect } from "effect/Effect"
import * as Schema from "effect/Schema"
import type { AnyWorkflow, InvalidEvent, RunEnded } from "stepgraph"
import type { KeyReused, TooManyRuns } from "./Problems.ts"

export type Json = Schema.Json

/** The state of a run: `waiting` if nothing can happen until an input or a deadline comes. */
export const Status = Schema.Literals(["running", "waiting", "stopped", "failed", "interrupted"])
export type Status = typeof Status.Type

const summary = {
  id: Schema.String,
  workflow: Schema.String,
  status: Status,
  /** Who started it; "" if nobody asks. */
  user: Schema.String,
  /** ISO 8601. */
  startedAt: Schema.String,
  endedAt: Schema.NullOr(Schema.String),
  /** The run that it repeats. */
  rerunOf: Schema.NullOr(Schema.String)
}

/** A run in a list. */
export const RunSummary = Schema.Struct(summary).annotate({ identifier: "RunSummary" })
export type RunSummary = typeof RunSummary.Type

const Counts = Schema.Record(Schema.String, Schema.Number)

/** An intake that waits, with the events it has and still needs. */
export const WaitingIntake = Schema.Struct({
  step: Schema.String,
  intake: Schema.String,
  per: Schema.Json,
  key: Schema.Json,
  has: Counts,
  needs: Counts
}).annotate({ identifier: "WaitingIntake" })

/** A question that a step has asked, and the events that answer it. */
export const OpenQuestion = Schema.Struct({
  step: Schema.String,
  question: Schema.Json,
  awaits: Schema.Array(Schema.String)
}).annotate({ identifier: "OpenQuestion" })

export const StepStatus = Schema.Struct({
  queued: Schema.Number,
  running: Schema.Number,
  limited: Schema.optionalKey(Counts)
}).annotate({ identifier: "StepStatus" })

/** A failure of a run, as data. */
export const RunFailure = Schema.StructWithRest(
  Schema.Struct({
    _tag: Schema.optionalKey(Schema.String),
    name: Schema.optionalKey(Schema.String),
    message: Schema.String
  }),
  [Schema.Record(Schema.String, Schema.Json)]
).annotate({ identifier: "RunFailure" })
export type RunFailure = typeof RunFailure.Type

/** Everything that is known about a run. */
export const RunDetail = Schema.Struct({
  ...summary,
  /** The run and the invocation that started it, if any. */
  parent: Schema.NullOr(Schema.Struct({ run: Schema.String, workflow: Schema.String, invocation: Schema.String })),
  /** The start event, without its secrets. */
  input: Schema.Json,
  /** `ending` once its outcome is decided, while its finalizers run. */
  state: Schema.Literals(["running", "ending", "ended"]),
  inputs: Schema.Literals(["open", "closed"]),
  steps: Schema.Record(Schema.String, StepStatus),
  waiting: Schema.Array(WaitingIntake),
  questions: Schema.Array(OpenQuestion),
  /** The stop event, once it has come. */
  stop: Schema.NullOr(Schema.Json),
  error: Schema.NullOr(RunFailure)
}).annotate({ identifier: "RunDetail" })
export type RunDetail = typeof RunDetail.Type

/** What a step has logged, in a trace that is kept with its logs. */
export interface LogLine {
  readonly run: string
  readonly invocation: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** As Effect names it: `Info`, `Warn`, … */
  readonly level: string
  readonly text: string
}

/** One record of a stream. `dropped` says how many are no longer kept, and `end` is always the last. */
export interface StreamRecord {
  /** From 1, without gaps, the same for every reader. */
  readonly number: number
  readonly kind: "output" | "trace" | "log" | "dropped" | "end"
  /** Its data, as JSON text: it is written once, however many read it. */
  readonly json: string
}

export interface Page {
  readonly records: ReadonlyArray<StreamRecord>
  /** Whether nothing comes after them. */
  readonly over: boolean
}

/**
 * Reads what follows a record, and waits until there is something; `-n` begins with the last `n`. Each reader keeps only its own place.
 */
export type Feed = (after: number) => Effect<Page>

/** A run that can be looked at and acted on. */
export interface ServedRun {
  readonly summary: RunSummary
  readonly detail: Effect<RunDetail>
  /** The outputs, then the stop event. */
  readonly events: Feed
  readonly trace: Feed
  /** Waits for the end of the run. */
  readonly ended: Effect<void>
  /** Sends an event given as JSON, once for each key. */
  readonly send: (event: Json, key: string | undefined) => Effect<void, InvalidEvent | RunEnded>
  readonly closeInputs: Effect<void>
  /** Interrupts the run and waits for its finalizers. */
  readonly interrupt: Effect<void>
  /** Forgets the run; `false` if it has not ended. */
  readonly forget: Effect<boolean>
  /** The workflow as it was when the run began, or as it goes on; `undefined` if only its trace is known. */
  readonly flow: AnyWorkflow | undefined
  /** What it was started with: what {@link Starting.input} takes. */
  readonly startedWith: unknown
}

export interface Starting {
  /** JSON from outside, or the `startedWith` of another run. */
  readonly input: unknown
  readonly user: string
  readonly rerunOf?: string | undefined
  /** A second start by the same user with the same key gives the first run. */
  readonly key?: string | undefined
}

export interface ListQuery {
  readonly workflow?: string | undefined
  readonly status?: Status | undefined
  /** Started at or after this time, in milliseconds. */
  readonly since?: number | undefined
  /** Text in the id, the workflow's name or the input. */
  readonly q?: string | undefined
  /** The id of the last run of the page before. */
  readonly cursor?: string | undefined
  readonly limit: number
  readonly sees: (run: RunSummary) => boolean
}

export interface RunPage {
  /** Newest first. */
  readonly runs: ReadonlyArray<RunSummary>
  /** The cursor of the next page, if there is one. */
  readonly next: string | null
}

/** A home of runs. */
export interface Runs {
  readonly start: (
    flow: AnyWorkflow,
    starting: Starting
  ) => Effect<{ readonly run: ServedRun; readonly created: boolean }, InvalidEvent | TooManyRuns | KeyReused>
  readonly get: (id: string) => Effect<ServedRun | undefined>
  readonly list: (query: ListQuery) => Effect<RunPage>
}
