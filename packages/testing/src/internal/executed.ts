/**
 * What one run has shown.
 */
import type * as Exit from "effect/Exit"
import type { TraceEntry } from "stepgraph"
import type { Marking } from "stepgraph/probe"
import type { TraceModel } from "stepgraph/trace"
import type { Uncontrolled } from "./uncontrolled.ts"

/** A choice as the report tells of it, by the place in the trace before which it was taken. */
export interface Told {
  readonly at: number
  /** Whether it went another way than the usual one, and how; otherwise who went on. */
  readonly differs: string | undefined
  readonly invocation: string | undefined
}

/** What one run showed. */
export interface Executed {
  /** `undefined` where the run waits for what does not come. */
  readonly exit: Exit.Exit<unknown, unknown> | undefined
  readonly trace: ReadonlyArray<TraceEntry>
  /** What the trace says. */
  readonly model: TraceModel
  /** The choices that differ from the usual order, and who went on at the others. */
  readonly told: ReadonlyArray<Told>
  /** Whether somebody woke before one whose sleep was to end earlier. */
  readonly early: boolean
  /** Whether it was given up, because it went on and on. */
  readonly endless: boolean
  /** Whether it was given up, because all the time that the world outside is given had passed. */
  readonly waited: boolean
  /** What was thrown where nothing could catch it, and by whom: in production the process would have ended. */
  readonly uncaught: { readonly error: unknown; readonly by: string } | undefined
  /** What was interrupted, made to fail or held up by the test itself. */
  readonly cancelled: boolean
  readonly faults: number
  /** What was still there when the run had ended. */
  readonly left: ReadonlyArray<string>
  /** What went its own way, and so was not explored. */
  readonly uncontrolled: Uncontrolled
  readonly marking: Marking | undefined
}
