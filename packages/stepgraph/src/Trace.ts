/**
 * The trace of a run: what happened, when, and why.
 */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"

const common = {
  /** The run of this entry: an observer also receives the entries of nested runs, often of several at once. */
  run: Schema.String,
  /** The number of the entry in its run, from 0. */
  seq: Schema.Number,
  /** The `Clock`'s time, in milliseconds. */
  at: Schema.Number
}

/** A run has begun. `parent` names the run and the invocation that started it, if any. */
export const RunStarted = /*#__PURE__*/ Schema.TaggedStruct("RunStarted", {
  ...common,
  workflow: Schema.String,
  parent: Schema.NullOr(Schema.Struct({ run: Schema.String, workflow: Schema.String, invocation: Schema.String }))
})

/** An event was emitted. `cause` is the invocation that emitted it; `null` for an event from outside. */
export const EventEmitted = /*#__PURE__*/ Schema.TaggedStruct("EventEmitted", {
  ...common,
  event: Schema.String,
  tag: Schema.String,
  cause: Schema.NullOr(Schema.String),
  /** The attempt that emitted it, for an event that the step lists in `stream`. */
  attempt: Schema.optionalKey(Schema.Number),
  /** The event's fields as JSON, bounded and without `Redacted` values. */
  data: Schema.Json
})

/** An event is on its way to a step: it waits in the step's lane, or in its intake. */
export const EventDelivered = /*#__PURE__*/ Schema.TaggedStruct("EventDelivered", {
  ...common,
  event: Schema.String,
  step: Schema.String
})

/**
 * An event will never be used: a race was decided, the run has ended, it was left over in an intake, or the attempt
 * that sent it was over (`late`).
 */
export const EventDropped = /*#__PURE__*/ Schema.TaggedStruct("EventDropped", {
  ...common,
  event: Schema.String,
  /** The step it was on its way to; `null` if it was not delivered at all. */
  step: Schema.NullOr(Schema.String),
  reason: Schema.Literals(["raced", "ended", "leftover", "late"])
})

/** An intake has made its step runnable with a batch of events. */
export const IntakeFired = /*#__PURE__*/ Schema.TaggedStruct("IntakeFired", {
  ...common,
  step: Schema.String,
  invocation: Schema.String,
  events: Schema.Array(Schema.String)
})

/** A step's function is called. `scope` is the event that opened its scope, `null` for the scope of the run. */
export const InvocationStarted = /*#__PURE__*/ Schema.TaggedStruct("InvocationStarted", {
  ...common,
  invocation: Schema.String,
  step: Schema.String,
  events: Schema.Array(Schema.String),
  attempt: Schema.Number,
  scope: Schema.NullOr(Schema.String)
})

/** A call of a step's function has ended. */
export const InvocationEnded = /*#__PURE__*/ Schema.TaggedStruct("InvocationEnded", {
  ...common,
  invocation: Schema.String,
  step: Schema.String,
  attempt: Schema.Number,
  outcome: Schema.Literals(["succeeded", "failed", "interrupted", "retried"]),
  /** The error as text, if it failed. */
  error: Schema.NullOr(Schema.String)
})

/** An invocation waits for an answer, and has given its worker to others. */
export const InvocationPaused = /*#__PURE__*/ Schema.TaggedStruct("InvocationPaused", {
  ...common,
  invocation: Schema.String,
  step: Schema.String
})

/** An invocation has a worker again, and continues. Absent if it ends without a worker. */
export const InvocationResumed = /*#__PURE__*/ Schema.TaggedStruct("InvocationResumed", {
  ...common,
  invocation: Schema.String,
  step: Schema.String
})

/**
 * A step has asked a question with `ctx.ask`. `question` is its number among those of the invocation, `event` is what it
 * emitted, and `awaits` lists the types of the answers.
 */
export const QuestionAsked = /*#__PURE__*/ Schema.TaggedStruct("QuestionAsked", {
  ...common,
  invocation: Schema.String,
  step: Schema.String,
  attempt: Schema.Number,
  question: Schema.Number,
  event: Schema.String,
  awaits: Schema.Array(Schema.String)
})

/**
 * A question is closed: it was answered, the inputs were closed, `matches` threw, or the answer is no longer awaited
 * (`interrupted`).
 */
export const QuestionEnded = /*#__PURE__*/ Schema.TaggedStruct("QuestionEnded", {
  ...common,
  invocation: Schema.String,
  step: Schema.String,
  question: Schema.Number,
  outcome: Schema.Literals(["answered", "closed", "failed", "interrupted"]),
  /** The event that answered it, if any. */
  answer: Schema.NullOr(Schema.String)
})

const limited = {
  ...common,
  invocation: Schema.String,
  step: Schema.String,
  /** The attempt that will begin. */
  attempt: Schema.Number,
  /** The limit's name. */
  limit: Schema.String,
  /** The key of its `by`, as text. */
  key: Schema.NullOr(Schema.String)
}

/** An attempt waits for a limit of its step. */
export const LimitReached = /*#__PURE__*/ Schema.TaggedStruct("LimitReached", limited)

/** An attempt that waited for a limit has its turn. */
export const LimitPassed = /*#__PURE__*/ Schema.TaggedStruct("LimitPassed", limited)

/** A finalizer failed while its step was interrupted. This does not change the outcome. */
export const FinalizerFailed = /*#__PURE__*/ Schema.TaggedStruct("FinalizerFailed", {
  ...common,
  invocation: Schema.String,
  step: Schema.String,
  error: Schema.String
})

/** The run is over, and none of its work is running. */
export const RunFinished = /*#__PURE__*/ Schema.TaggedStruct("RunFinished", {
  ...common,
  outcome: Schema.Literals(["stopped", "failed", "interrupted"]),
  /** The stop event, if any. */
  event: Schema.NullOr(Schema.String),
  /** The error as text, if it failed. */
  error: Schema.NullOr(Schema.String)
})

/**
 * One entry of a run's trace: plain data that JSON preserves.
 *
 * Ids name causes, not arrival: the same run with other timing gives the same event the same id.
 */
export const TraceEntry = /*#__PURE__*/ Schema.Union([
  RunStarted,
  EventEmitted,
  EventDelivered,
  EventDropped,
  IntakeFired,
  InvocationStarted,
  InvocationEnded,
  InvocationPaused,
  InvocationResumed,
  QuestionAsked,
  QuestionEnded,
  LimitReached,
  LimitPassed,
  FinalizerFailed,
  RunFinished
])
export type TraceEntry = typeof TraceEntry.Type

/**
 * The invocation that an Effect runs in, by its ids in the trace; `null` outside a step and in a run without an
 * observer. A run started here has it as its `parent`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { CurrentInvocation, defineEvent, defineStep, runPromise, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const flow = workflow({
 *   name: "short", start: Start, stop: Stop,
 *   steps: {
 *     finish: defineStep({
 *       accepts: Start, emits: Stop,
 *       run: () => Effect.gen(function* () {
 *         const current = yield* CurrentInvocation
 *         console.log(current?.workflow) // => short
 *         return Stop()
 *       })
 *     })
 *   }
 * })
 *
 * await runPromise(flow, {}, { observe: () => {} })
 * ```
 */
export const CurrentInvocation = /*#__PURE__*/ Context.Reference<{
  readonly run: string
  readonly workflow: string
  readonly invocation: string
} | null>("stepgraph/CurrentInvocation", { defaultValue: () => null })

/** Receives each entry as it is made. Its errors are ignored, thrown or rejected, so it cannot harm the run. */
export type Observer = (entry: TraceEntry) => void

/**
 * The observer of every run started with it. By default, there is none, and nothing is recorded.
 *
 * @example
 * ```ts
 * import { Effect, Schema } from "effect"
 * import { defineEvent, defineStep, Observer, run, type TraceEntry, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const flow = workflow({
 *   name: "short", start: Start, stop: Stop,
 *   steps: { finish: defineStep({ accepts: Start, emits: Stop, run: () => Stop() }) }
 * })
 *
 * const trace: Array<TraceEntry> = []
 * await Effect.runPromise(run(flow).pipe(Effect.provideService(Observer, (entry) => void trace.push(entry))))
 * console.log(trace.map((entry) => entry._tag).join(" "))
 * // => RunStarted EventEmitted EventDelivered InvocationStarted EventEmitted InvocationEnded RunFinished
 * ```
 */
export const Observer = /*#__PURE__*/ Context.Reference<Observer | undefined>("stepgraph/Observer", {
  defaultValue: () => undefined
})
