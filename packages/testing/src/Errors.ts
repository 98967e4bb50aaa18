/**
 * Why there is no `Exploration`: a schedule breaks a rule, or there is nothing to explore.
 */
import type { TraceEntry } from "stepgraph"
import { TaggedError } from "stepgraph/internal"
import type { Outcome } from "./Invariant.ts"

/** A schedule breaks an invariant. The message is the whole story. */
export class ScheduleFailure extends TaggedError("ScheduleFailure")<{
  readonly workflow: string
  /** The rule that is broken, and how. */
  readonly invariant: string
  readonly problem: string
  /** What to give as `replay`. */
  readonly schedule: string
  readonly input: unknown
  /** How many schedules had been run. */
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
  /** How this schedule ends, and how the usual order does. */
  declare readonly outcome: Outcome
  declare readonly usual: Outcome
  declare readonly trace: ReadonlyArray<TraceEntry>
}

/** A schedule cannot be replayed: the workflow has changed since it was found, or it is none. */
export class CannotReplay extends TaggedError("CannotReplay")<{
  readonly schedule: string
}> {
  constructor({ schedule, message }: { schedule: string; message: string }) {
    super({ schedule }, {}, () => message)
  }
}

/** An exploration cannot be begun: the workflow is none, or options or input do not fit. The message lists all problems. */
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

/** Why there is no `Exploration`. */
export type ExploreError = ScheduleFailure | CannotReplay | InvalidExploration
