/**
 * The errors of an exploration: a schedule breaks a rule, or the exploration cannot start.
 */
import type { TraceEntry } from "stepgraph"
import { TaggedError } from "stepgraph/internal"
import type { Outcome } from "./Invariant.ts"

/** A schedule breaks an invariant. The message is the whole story. */
export class ScheduleFailure extends TaggedError("ScheduleFailure")<{
  readonly workflow: string
  /** The broken rule, and how it is broken. */
  readonly invariant: string
  readonly problem: string
  /** Pass this as `replay`. */
  readonly schedule: string
  readonly input: unknown
  /** Number of schedules run so far. */
  readonly schedules: number
}> {
  constructor(props: {
    workflow: string
    invariant: string
    problem: string
    schedule: string
    input: unknown
    schedules: number
    message: string
  }) {
    const { message, input, ...fields } = props
    super(fields, { input }, () => message)
  }
  /** The outcome of this schedule and of the usual order. */
  declare readonly outcome: Outcome
  declare readonly usual: Outcome
  declare readonly trace: ReadonlyArray<TraceEntry>
  /** The steps that ran twice, if the process died. */
  declare readonly repeated: ReadonlyArray<string>
}

/** A schedule cannot be replayed: the workflow has changed since it was found, or it is not a valid schedule. */
export class CannotReplay extends TaggedError("CannotReplay")<{
  readonly schedule: string
}> {
  constructor({ schedule, message }: { schedule: string; message: string }) {
    super({ schedule }, {}, () => message)
  }
}

/** An exploration cannot start: the workflow, the options or the input are invalid. The message lists all problems. */
export class InvalidExploration extends TaggedError("InvalidExploration")<{
  readonly problems: ReadonlyArray<string>
}> {
  constructor(flow: unknown, problems: ReadonlyArray<string>) {
    const name = (flow as { readonly name?: unknown } | undefined)?.name
    const which = typeof name === "string" ? `workflow '${name}'` : "this"
    const [first, ...more] = problems
    const said = more.length === 0 ? ` ${first}` : problems.map((problem) => `\n- ${problem}`).join("")
    super({ problems }, {}, () => `${which} cannot be explored:${said}`)
  }
}

/** All errors of `explore`. */
export type ExploreError = ScheduleFailure | CannotReplay | InvalidExploration
