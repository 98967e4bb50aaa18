/**
 * Errors in what a caller passes to a run or a workflow: it is invalid, or comes too late.
 */
import * as Schema from "effect/Schema"
import type { Issue } from "effect/SchemaIssue"
import { brief, type Secret } from "./Look.ts"
import { Payload, PublicError, Unsent } from "./PublicError.ts"
import { show } from "./Show.ts"
import { withhold } from "./TaggedError.ts"

interface Refused {
  readonly input: unknown
  readonly issue?: Issue | undefined
  readonly problem: string
}

const refusal = (what: string, { problem, input }: Refused, secret?: Secret): string =>
  `${what} does not fit its schema: ${brief(problem.replace(/\s*\n\s*/g, " "), 2_000)} (given ${show(input, secret)})`

const IssueOrNone = Unsent as Unsent<Issue | undefined>

/** The fields of an event do not fit its schema. */
export class InvalidEvent extends PublicError<InvalidEvent>()(
  "InvalidEvent",
  {
    tag: Schema.String,
    /** The same in words. */
    problem: Schema.String
  },
  {
    /** The refused value. */
    input: Payload,
    /** The schema's own issue, if the schema was used. */
    issue: IssueOrNone
  },
  { httpApiStatus: 422 }
) {
  /** `secret` says what of the input may not be shown. */
  constructor(props: {
    tag: string
    input: unknown
    issue?: Issue | undefined
    problem: string
    secret?: Secret | undefined
  }) {
    const { tag, input, issue, problem, secret } = props
    super({ tag, problem }, { input, issue }, () => refusal(`event '${tag}'`, props, secret))
    if (secret !== undefined) withhold(this)
  }
}

/** The initial value of a cell does not fit its schema. */
export class InvalidState extends PublicError<InvalidState>()(
  "InvalidState",
  {
    /** The cell's name. */
    state: Schema.String,
    /** The same in words. */
    problem: Schema.String
  },
  {
    /** The refused value. */
    input: Payload,
    issue: IssueOrNone
  },
  { httpApiStatus: 422 }
) {
  /** `secret` says what of the input may not be shown. */
  constructor(props: {
    state: string
    input: unknown
    issue?: Issue | undefined
    problem: string
    secret?: Secret | undefined
  }) {
    const { state, input, issue, problem, secret } = props
    super({ state, problem }, { input, issue }, () => refusal(`state '${state}'`, props, secret))
    if (secret !== undefined) withhold(this)
  }
}

/** An event was sent to a run that has ended, or whose inputs have been closed. */
export class RunEnded extends PublicError<RunEnded>()(
  "RunEnded",
  {
    workflow: Schema.String
  },
  {
    event: Payload
  },
  { httpApiStatus: 409 }
) {
  constructor(props: { workflow: string; event: unknown }) {
    const { workflow, event } = props
    super(
      { workflow },
      { event },
      () => `${show(event)} was sent to a run of workflow '${workflow}' that has ended or whose inputs are closed`
    )
  }
}

/** A workflow cannot work as it is declared. Thrown by `workflow()`, with every problem it has. */
export class InvalidWorkflow extends PublicError<InvalidWorkflow>()(
  "InvalidWorkflow",
  {
    workflow: Schema.String,
    problems: Schema.Array(Schema.String)
  },
  {}
) {
  constructor(props: { workflow: string; problems: ReadonlyArray<string> }) {
    const { workflow, problems } = props
    super(
      props,
      {},
      () =>
        `workflow '${workflow}' has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:` +
        problems.map((problem) => `\n  - ${problem}`).join("")
    )
  }
}
