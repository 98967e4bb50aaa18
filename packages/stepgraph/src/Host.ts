/**
 * The one door out of a run: whoever performs its calls. A host calls the steps' functions, or does something else in their
 * place, and says when what comes of them goes on. `@stepgraph/testing` is one; in production there is none.
 *
 * A run depends on nothing but what happens to it, and on the order of that: it starts, an input comes, the inputs are closed, a
 * call is settled, a time has passed, it is interrupted. With `settle` and `sleep`, and the handle of `launch`, a host owns all
 * of these. Where it lets each of them enter only while the run is `resting`, and writes them down, the list is a journal: fed
 * to a new run in the same order, it makes the same trace and the same outcome, without a call of a step and without a clock.
 *
 * - `perform` gives `undefined` for a call that the journal holds: its function is not called, and `settle` is called at once.
 * - `settle` lets it enter with the recorded settlement once it is next. A call that a race has lost, or the end of the run, is
 *   settled as any other.
 * - `sleep` fires, if it is still wanted, once the recorded time is next.
 * - Inputs, their end and an interruption are sent through the handle once they are next.
 *
 * Called again in such a run are `by`, the conditions and schedules of a `retry`, and the code of schemas and of initial values:
 * they are to depend on their arguments alone. An observer is told everything again; what a function sends after its end, which
 * is dropped, it is not.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { AnyEvent } from "./Event.ts"
import type { RunStatus } from "./RunStatus.ts"
import type { StateValue } from "./State.ts"
import type { CurrentInvocation } from "./Trace.ts"

/** One call of a function of a step. */
export interface Call {
  /** The id of the invocation, as the trace has it: it names causes, and so is the same in any timing. */
  readonly id: string
  readonly step: string
  /** The event, or the batch of its intake, that the function is given. */
  readonly input: unknown
  /** 1 at first, then one more each time the step is retried. */
  readonly attempt: number
  /** Whether it is a call of `recover`, after the last attempt, and not of `run`. */
  readonly recovers: boolean
}

/** The function of a call. */
export interface Body {
  /** Calls it, and gives what it returned. */
  run(): unknown
  /** Calls it, does all that it returned asks for, and drops what that would have emitted. */
  discard(): Effect.Effect<void, unknown>
}

/** A question that a call asks with `ctx.ask`. */
export interface HostedQuestion {
  /** Its number among those of the invocation, from 1 on, over all attempts. */
  readonly number: number
  readonly question: AnyEvent
  /** The types of the answers that it waits for. */
  readonly awaits: ReadonlyArray<string>
}

/**
 * All that a call did to its run. A failure and an interruption have it too: what they wrote and collected stays. An attempt
 * that took too long has failed with `StepTimedOut`; one that emitted what it may not, with that error, even if its own code
 * has caught it.
 */
export interface Settlement {
  readonly exit: Exit.Exit<void, unknown>
  /** What it emitted, in order. It enters only with a success. */
  readonly events: ReadonlyArray<AnyEvent>
  /** What it wrote last to each cell of state. */
  readonly writes: ReadonlyArray<StateValue | StoredValue>
  /** The types of each list that it asked `ctx.collect` for: what it was given depends on those that entered before. */
  readonly collected: ReadonlyArray<ReadonlyArray<string>>
  /** Whether it has returned nothing, not even an empty list. Where the run stalls, a missing `return` may be why. */
  readonly silent: boolean
}

/** The value of a cell that is known by its name only, encoded by the cell's schema as JSON. */
export interface StoredValue {
  readonly name: string
  readonly json: unknown
}

/** What a host does with a call that is over. One of `enter` and `again` is to be called, once, now or later. */
export interface Settling {
  /**
   * Lets all of it take effect, before it returns: what it wrote and collected, its emissions, and the end of the invocation.
   * What comes of a failure where the step has a `retry` or a `recover` may follow later: until then, the run is not `resting`.
   */
  enter(settlement: Settlement): void
  /** Makes the call again, in the same attempt, as if it had not been made. */
  again(): void
  /**
   * Whether a cell of state that it has read holds something else by now, or it would collect something else. `false` for a
   * call that is interrupted, which cannot be made again.
   */
  stale(): boolean
}

/**
 * What a run sleeps for: its own `timeout`, the `within` of an intake, the `timeout` of an attempt, the pauses of a `retry`.
 * What a step sleeps inside its function is its own. A journal needs no `attempt`: that interrupts the function, and the call is
 * settled with it.
 */
export interface Sleep {
  readonly why: "run" | "within" | "attempt" | "retry"
  /** The same in any timing. */
  readonly id: string
  readonly millis: number
}

/** A run, as its host sees it. */
export interface HostedRun {
  readonly workflow: string
  /** The invocation that the run was started in, where it was started in one that is named. */
  readonly parent: typeof CurrentInvocation.Service
  /** How the run stands at this moment. */
  status(): RunStatus
  /** Whether everything that has happened to it is done: the moment for the next. */
  resting(): boolean
}

/** What performs one run. What it leaves out is done as without a host. */
export interface RunHost {
  /** The run's id, asked for when somebody first needs it. */
  readonly runId?: () => string
  /**
   * Which of the steps that have work and a free worker is next: its place in the list, which stands in the order of
   * production. `undefined` gives everybody else a turn first.
   */
  readonly next?: (steps: ReadonlyArray<string>) => number | undefined
  /** Performs a call. What it gives is taken as what the function returned; what it throws, as what that threw. */
  readonly perform?: (call: Call, body: Body) => unknown
  /**
   * A call begins to wait for a promise of its step. Gives what is then called with all that comes of the promise: it
   * lets that enter the run, now or later.
   */
  readonly waits?: (call: Call) => (enter: () => void) => void
  /**
   * A call asks a question. Gives the answer that was recorded for it, if there is one: the call goes on with it at once,
   * and nothing is emitted. Where the same event has come as an input, no other question is answered by it.
   */
  readonly asks?: (call: Call, question: HostedQuestion) => AnyEvent | undefined
  /** An input has answered a question. */
  readonly answered?: (call: Call, question: HostedQuestion, answer: AnyEvent) => void
  /**
   * A call is over, and none of what it did has taken effect: it is kept until the host lets it enter. Where this is
   * given, what a call emits, writes to the state and collects is seen by nobody else before. `enter` is to be called while
   * the run is `resting`.
   */
  readonly settle?: (call: Call, settlement: Settlement, settling: Settling) => void
  /**
   * Calls back when the time has passed, and never after what it returns has been called. `run` and `within` are deadlines:
   * whatever else is due at their instant comes first. Where it gives `undefined`, the run sleeps as without a host.
   */
  readonly sleep?: (sleep: Sleep, fire: () => void) => (() => void) | undefined
  /** A call has read a cell of state, or written to it. */
  readonly touches?: (call: Call, cell: string, value: unknown, written: boolean) => void
  /** An output has left the run. */
  readonly output?: (event: AnyEvent) => void
  /** The run has come to rest: nothing of it goes on before a call is settled, a time has passed or something comes from outside. */
  readonly idle?: () => void
}

/**
 * Gives the host of each run that is started with it, `undefined` where a run needs none. It is asked once a run, and the
 * runs that a step starts inside its Effect are asked for too.
 */
export const Host = /*#__PURE__*/ Context.Reference<((run: HostedRun) => RunHost | undefined) | undefined>(
  "stepgraph/Host",
  { defaultValue: () => undefined }
)
