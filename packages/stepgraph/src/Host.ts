/**
 * The only way out of a run. A host calls the steps' functions, or replaces the calls, and decides when their results enter
 * the run. `@stepgraph/testing` is a host; production has none.
 *
 * A run depends only on its activations and their order: the start, an input, the end of the inputs, a settled call, a timer,
 * an interruption. With `settle`, `sleep` and the handle of `launch`, a host controls all of them. If it lets each one enter
 * only while the run is `resting`, and records it, the list is a journal. Fed to a new run in the same order, the journal gives
 * the same trace and outcome, without calling a step or using a clock.
 *
 * - `perform` returns `undefined` for a call in the journal: its function is not called, and `settle` is called at once.
 * - `settle` lets the call enter with the recorded settlement when it is next. A call that a race or the end of the run has
 *   interrupted is settled like any other.
 * - `sleep` fires, unless cancelled, when the recorded timer is next.
 * - A question of `ctx.ask`, and an event that the step streams, leave a call before its end. With `asks` and `streams`, they are
 *   activations too. In such a run they enter through the call's `Body`, before its function is called, if ever.
 * - Inputs, their end and an interruption go through the handle when they are next.
 *
 * Such a run calls `by`, the conditions and schedules of a `retry`, and the code of schemas and initial values again: they must
 * depend on their arguments alone. The journal says which answer a question took, so the function that matches answers is not
 * needed. An observer receives every entry again, except for events that a function sent after its end, which are dropped.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { AnyEvent } from "./Event.ts"
import type { RunStatus } from "./RunStatus.ts"
import type { StateValue } from "./State.ts"
import type { CurrentInvocation } from "./Trace.ts"

/** One call of a step's function. */
export interface Call {
  /** The id of the invocation in the trace. It names causes, so it is the same in any timing. */
  readonly id: string
  readonly step: string
  /** The function's input: an event, or a batch of the intake. */
  readonly input: unknown
  /** 1 at first, plus 1 for each retry. */
  readonly attempt: number
  /** Whether `recover` is called, after the last attempt, rather than `run`. */
  readonly recovers: boolean
}

/** The function of a call. */
export interface Body {
  /** Calls it, and returns its result. */
  run(): unknown
  /** Calls it and performs the returned value, but drops its emissions. */
  discard(): Effect.Effect<void, unknown>
  /**
   * Asks a question in its place, before it is called. The question enters at once, and stays open until it is answered or the
   * attempt is over. `RunHost.asks` can let the function go on with it. Call it while the run is `resting`.
   */
  ask(question: HostedQuestion, listener: QuestionListener): HostedQuestion
  /** Emits an event of the step's `stream` in its place. Call it while the run is `resting`. */
  stream(event: AnyEvent): void
}

/** A question that a call asks with `ctx.ask`. */
export interface HostedQuestion {
  readonly event: AnyEvent
  /** The types of the answers that it waits for. */
  readonly awaits: ReadonlyArray<string>
  /** Which events of these types answer it; `undefined` for all. If it throws, the question fails. */
  readonly matches: ((answer: AnyEvent) => unknown) | undefined
}

/** Receives what becomes of a question that has entered. */
export interface QuestionListener {
  /** It has been answered, or has failed; without an exit, it was withdrawn. */
  ended(exit: Exit.Exit<AnyEvent, unknown> | undefined): void
  /** Its call may go on with the answer or the failure, and does so when `go` is called. */
  resumes(go: () => void): void
}

/** Something that leaves a call before its end, and enters the run when its host says so. */
export interface Entering {
  /** Whether its attempt still is under way. Otherwise it has nothing to say any more. */
  wanted(): boolean
  /** Lets it enter. Call it once, while the run is `resting`. */
  enter(listener?: QuestionListener): void
}

/**
 * All effects of a call on its run. After a failure or an interruption, writes and collections still apply. An attempt that
 * took too long has failed with `StepTimedOut`. One that emitted an undeclared event has failed with that error, even if its
 * own code caught it.
 */
export interface Settlement {
  readonly exit: Exit.Exit<void, unknown>
  /** Its emissions, in order. They enter only after a success. */
  readonly events: ReadonlyArray<AnyEvent>
  /** The last value written to each cell of state. */
  readonly writes: ReadonlyArray<StateValue | StoredValue>
  /** The types of each list passed to `ctx.collect`. The collected events depend on the calls that entered before. */
  readonly collected: ReadonlyArray<ReadonlyArray<string>>
  /** Whether it returned nothing, not even an empty list. If the run stalls, a missing `return` may be the reason. */
  readonly silent: boolean
}

/** The value of a cell known only by name, encoded as JSON by the cell's schema. */
export interface StoredValue {
  readonly name: string
  readonly json: unknown
}

/** How a host handles a call that is over. It must call either `enter` or `again`, once, now or later. */
export interface Settling {
  /**
   * Applies the whole settlement before it returns: writes, collections, emissions, and the end of the invocation. After a
   * failure, a `retry` or a `recover` may begin later: until then, the run is not `resting`.
   */
  enter(settlement: Settlement): void
  /** Repeats the call in the same attempt, as if it had not been made. */
  again(): void
  /**
   * Whether a cell it has read, or a list it has collected, has changed since. `false` for an interrupted call, which cannot
   * be repeated.
   */
  stale(): boolean
}

/**
 * A timer of a run: its own `timeout`, the `within` of an intake, the `timeout` of an attempt, the pause of a `retry`, or the
 * `grace` of an interrupted attempt. Sleeps inside a step's function are not included. A journal need not record an `attempt` or a
 * `grace`: the call is settled after them.
 */
export interface Sleep {
  readonly why: "run" | "within" | "attempt" | "retry" | "grace"
  /** The same in any timing. */
  readonly id: string
  readonly millis: number
}

/** A run, as its host sees it. */
export interface HostedRun {
  readonly workflow: string
  /** The invocation that started the run, if there is one with an id. */
  readonly parent: typeof CurrentInvocation.Service
  /** The current status of the run. */
  status(): RunStatus
  /** Whether no activation is pending, so that the next may enter. */
  resting(): boolean
  /** Sleeps as the run would without a host: everything else at the instant of a deadline happens first. */
  sleep(sleep: Pick<Sleep, "millis" | "why">): Effect.Effect<void>
}

/** Performs one run. Every member left out works as without a host. */
export interface RunHost {
  /** The run's id, requested when it is first needed. */
  readonly runId?: () => string
  /**
   * Chooses the next of the steps that have work and a free worker, by its index in the list, which is in production's order.
   * `undefined` makes the run yield first.
   */
  readonly next?: (steps: ReadonlyArray<string>) => number | undefined
  /** Performs a call. Its result, or exception, stands for that of the function. */
  readonly perform?: (call: Call, body: Body) => unknown
  /** Whether a call takes no turn of its step's limits, since it had one, or will not be made: the journal holds it. */
  readonly skips?: (call: Call) => boolean
  /**
   * A call begins to wait for its step's promise. The returned function receives each consequence of the promise, and lets it
   * enter the run, now or later.
   */
  readonly waits?: (call: Call) => (enter: () => void) => void
  /**
   * A call asks a question, which enters when the host says so. If the same question of this attempt has entered before, because
   * `Body.ask` asked it or the call is repeated, returns that: the call goes on with it, at once if it has been answered.
   */
  readonly asks?: (call: Call, question: HostedQuestion, entering: Entering) => HostedQuestion | undefined
  /** A call emits an event of its step's `stream`, which enters when the host says so. */
  readonly streams?: (call: Call, event: AnyEvent, entering: Entering) => void
  /**
   * A call is over, and its effects are kept until the host lets it enter. With this member, nobody else sees the emissions,
   * writes and collections of a call before that. Call `enter` while the run is `resting`.
   */
  readonly settle?: (call: Call, settlement: Settlement, settling: Settling) => void
  /**
   * Calls back when the time has passed, unless the returned function is called before. `run` and `within` are deadlines:
   * everything else due at the same instant comes first. If it returns `undefined`, the run sleeps as without a host.
   */
  readonly sleep?: (sleep: Sleep, fire: () => void) => (() => void) | undefined
  /** When that happens which enters now, if a journal says so; otherwise the clock does. Deadlines count from it. */
  readonly now?: () => number | undefined
  /** A call has read a cell of state, or written to it. */
  readonly touches?: (call: Call, cell: string, value: unknown, written: boolean) => void
  /** An output has left the run. */
  readonly output?: (event: AnyEvent) => void
  /** The run has come to rest: it waits for a settled call, a timer, or something from outside. */
  readonly idle?: () => void
}

/**
 * Returns the host of each run started with it, or `undefined` for none. Called once for each run, including runs that a step
 * starts inside its Effect.
 */
export const Host = /*#__PURE__*/ Context.Reference<((run: HostedRun) => RunHost | undefined) | undefined>(
  "stepgraph/Host",
  { defaultValue: () => undefined }
)
