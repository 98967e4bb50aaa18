/**
 * Every order of a workflow, tried by `explore` of `@stepgraph/testing`: what the server asks of it, and what it shows.
 */
import type { Effect } from "effect/Effect"
import * as Schema from "effect/Schema"
import type { TraceEntry } from "stepgraph"

interface Outcome {
  readonly state: string
  readonly text: string
}

interface Failure {
  readonly invariant: string
  readonly problem: string
  /** The token that replays it. */
  readonly schedule: string
  readonly schedules: number
  readonly message: string
  readonly outcome: Outcome
  readonly trace: ReadonlyArray<TraceEntry>
}

/** The options of `explore` that the server sets. */
interface Asked {
  readonly input?: any
  readonly sends?: any
  readonly schedules?: number
  readonly seconds?: number
  readonly timers?: "real" | "virtual"
  readonly invariants?: { readonly sameResult?: boolean }
  readonly replay?: string
  readonly warn?: boolean
  readonly check?: Readonly<
    Record<string, (trace: ReadonlyArray<TraceEntry>, seen: { readonly outcome: Outcome }) => void>
  >
  readonly progress?: (schedules: number) => void
  readonly onFailure?: (failure: Failure) => void
}

interface Findings {
  readonly schedules: number
  readonly complete: boolean
  readonly outcomes: ReadonlyArray<{ readonly outcome: Outcome; readonly times: number; readonly schedule: string }>
  readonly uncontrolled: ReadonlyArray<string>
}

/** `explore` of `@stepgraph/testing`, or a function that loads it. */
export type Explore = (flow: any, options: Asked) => Effect<Findings, { readonly message: string }, any>

/** An order that breaks a rule. */
const FoundOrder = Schema.Struct({
  rule: Schema.String,
  problem: Schema.String,
  /** How it ends. */
  outcome: Schema.String,
  /** What `replay` of `explore` takes. */
  token: Schema.String,
  /** The line of a test that replays it, and the story of what happens; `null` if traces are redacted. */
  replay: Schema.NullOr(Schema.String),
  story: Schema.NullOr(Schema.String),
  /** The kept run; `null` if there was no room for it. */
  run: Schema.NullOr(Schema.String)
}).annotate({ identifier: "FoundOrder" })
export type FoundOrder = typeof FoundOrder.Type

/** An exploration, and what it has found by now. */
export const Exploration = Schema.Struct({
  state: Schema.Literals(["running", "done", "cancelled", "failed"]),
  workflow: Schema.String,
  /** The start event, without its secrets. */
  input: Schema.Json,
  /** ISO 8601. */
  startedAt: Schema.String,
  /** The number of orders that were tried, and the most that will be. */
  schedules: Schema.Number,
  most: Schema.Number,
  /** Whether these are all orders. */
  complete: Schema.Boolean,
  /** The order without any choice that differs from production. */
  usual: Schema.NullOr(Schema.Struct({ outcome: Schema.String, run: Schema.NullOr(Schema.String) })),
  orders: Schema.Array(FoundOrder),
  /** The number of further ways in which a rule was broken. */
  unlisted: Schema.Number,
  /** The different ends, each with the number of orders that lead to it. */
  outcomes: Schema.Array(Schema.Struct({ outcome: Schema.String, times: Schema.Number, token: Schema.String })),
  /** What was not under control, so that not all orders were tried. */
  uncontrolled: Schema.Array(Schema.String),
  /** Why it stopped early. */
  error: Schema.NullOr(Schema.String)
}).annotate({ identifier: "Exploration" })
export type Exploration = typeof Exploration.Type

/** What to explore: the input of a run, or one of its own. */
export const Exploring = Schema.Struct({
  input: Schema.optionalKey(Schema.Json),
  /** Takes the input of this run. */
  run: Schema.optionalKey(Schema.String),
  /** Events to send, in this order, each at any time after the one before. */
  sends: Schema.optionalKey(Schema.Array(Schema.Json)),
  /** Default: 1,000; at most 100,000. */
  schedules: Schema.optionalKey(Schema.Number),
  /** Default: 20; at most 300. */
  seconds: Schema.optionalKey(Schema.Number),
  /** `virtual` (default): JavaScript's own timers take no time. */
  timers: Schema.optionalKey(Schema.Literals(["real", "virtual"])),
  /** Whether every order must end like the usual one. Default: true. */
  sameResult: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "Exploring" })
export type Exploring = typeof Exploring.Type
