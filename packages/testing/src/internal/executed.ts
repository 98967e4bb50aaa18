/**
 * The observations of one run.
 */
import type * as Exit from "effect/Exit"
import type { RunStatus, TraceEntry } from "stepgraph"
import type { TraceModel } from "stepgraph/trace"
import type { Uncontrolled } from "./uncontrolled.ts"

/** A choice, or an invocation's access to the state, for the report, with the index of the trace entry that followed it. */
export interface Note {
  readonly at: number
  /** How it differs from the usual choice; if it does not, which invocation went on. */
  readonly differs: string | undefined
  readonly invocation: string | undefined
  /** The cell that the invocation read or wrote, as text. */
  readonly touch: string | undefined
  /** Whether the invocation's function is called again after a crash. */
  readonly again?: boolean
}

/** In words. */
export interface Divergence {
  readonly how: string
  readonly why: string
}

/** The death of a run's process, and what went on with the run. */
export interface Crash {
  /** Number of activations in its journal. */
  readonly entries: number
  /** The calls that were made again: they had begun, and had not settled. */
  readonly again: ReadonlyArray<{ readonly step: string; readonly call: string }>
  /** How the run, begun anew, differs from what its journal holds, and why. */
  readonly diverged: Divergence | undefined
}

/** The observations of one run. */
export interface Executed {
  /** `undefined` if the run waits for something that never comes. */
  readonly exit: Exit.Exit<unknown, unknown> | undefined
  readonly trace: ReadonlyArray<TraceEntry>
  /** The model of its trace. */
  readonly model: TraceModel
  /** The choices that differ from the usual order, and which invocation went on at the others. */
  readonly notes: ReadonlyArray<Note>
  /** Whether a sleep ended before a shorter one. */
  readonly early: boolean
  /** Whether it was stopped because it did not end. */
  readonly endless: boolean
  /** Whether it was stopped because its `patience` with the outside world was used up. */
  readonly waited: boolean
  /** Whether it used up its `patience`, be it that a time limit then ended the wait. */
  readonly inVain: boolean
  /** An uncaught exception and its origin: in production, the process would have ended. */
  readonly uncaught: { readonly error: unknown; readonly by: string } | undefined
  /** Everything that the test itself interrupted, made fail or held up. */
  readonly cancelled: boolean
  readonly faults: number
  /** Set if its process died. The trace is then that of the run which went on. */
  readonly crash: Crash | undefined
  /** The invocations that failed while the run was at work, even if that entered as the run ended. Known if it could die. */
  readonly failed: ReadonlySet<string> | undefined
  /** Everything left after the run had ended. */
  readonly left: ReadonlyArray<string>
  /** Everything that was not under control, and so was not explored. */
  readonly uncontrolled: Uncontrolled
  /** Its status at the end. */
  readonly status: RunStatus | undefined
}
