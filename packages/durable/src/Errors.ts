/**
 * All errors of durable runs: what happened, where, with which values, what to do.
 */
import { TaggedError } from "stepgraph/internal"

const quoted = (names: ReadonlyArray<string>): string => names.map((name) => `'${name}'`).join(", ")

/** Thrown by `durable`: a part of the workflow cannot be stored. */
export class NotStorable extends TaggedError("NotStorable")<{
  readonly workflow: string
  readonly problems: ReadonlyArray<string>
}> {
  constructor(props: { readonly workflow: string; readonly problems: ReadonlyArray<string> }) {
    super(props, {}, () => {
      const list = props.problems.map((problem) => `\n  - ${problem}`).join("")
      return `workflow '${props.workflow}' cannot be durable, because not all of it can be stored:${list}`
    })
  }
}

/** A run was started with another graph than the one that is registered under its name and version. */
export class GraphChanged extends TaggedError("GraphChanged")<{
  readonly run: string
  readonly workflow: string
  readonly version: string
  /** What has changed, such as "step 'ship' is new". Empty if the graph of the run is not known. */
  readonly changes: ReadonlyArray<string>
}> {
  constructor(props: {
    readonly run: string
    readonly workflow: string
    readonly version: string
    readonly changes: ReadonlyArray<string>
  }) {
    const { changes, run, version, workflow } = props
    super(
      props,
      {},
      () =>
        `run '${run}' was started with another graph of workflow '${workflow}', version '${version}', than the one ` +
        `registered here${changes.length === 0 ? "" : `: since then, ${changes.join("; ")}`}. Give the changed workflow a ` +
        "new version, and register the old one beside it until its runs have ended"
    )
  }
}

/** The journal of a run contains something that its graph does not lead to. */
export class HistoryDiverged extends TaggedError("HistoryDiverged")<{
  readonly run: string
  readonly workflow: string
  /** The number of the entry. */
  readonly entry: number
  readonly what: string
  /** What happens instead, if it is known. */
  readonly instead?: string | undefined
}> {
  constructor(props: {
    readonly run: string
    readonly workflow: string
    readonly entry: number
    readonly what: string
    readonly instead?: string | undefined
  }) {
    super(
      props,
      {},
      () =>
        `run '${props.run}' of workflow '${props.workflow}' cannot go on: entry ${props.entry} of its journal is ` +
        (props.instead === undefined
          ? `${props.what}, which its graph does not lead to. Functions that are called again when a run continues (\`by\`, the conditions of ` +
            "a `retry`, schemas, initial values) must depend only on their arguments. Restore them, and resume the run"
          : `${props.what}, but ${props.instead}. A call that is made again must ask the same questions: ` +
            "put what differs each time into a step of its own before it. Restore the function, and resume the run")
    )
  }
}

/** The process of a run has died again and again without storing anything of the run. */
export class RunKeepsCrashing extends TaggedError("RunKeepsCrashing")<{
  readonly run: string
  readonly workflow: string
  readonly crashes: number
  /** The steps that it was performing. */
  readonly steps: ReadonlyArray<string>
}> {
  constructor(props: {
    readonly run: string
    readonly workflow: string
    readonly crashes: number
    readonly steps: ReadonlyArray<string>
  }) {
    const { crashes, run, steps, workflow } = props
    super(
      props,
      {},
      () =>
        `run '${run}' of workflow '${workflow}' was stopped: its process has died ${crashes} times in a row ` +
        (steps.length === 0 ? "without storing anything of it" : `while performing ${quoted(steps)}`) +
        ". Find out what ends the process, then resume the run"
    )
  }
}

/** There is no run with this id. */
export class UnknownRun extends TaggedError("UnknownRun")<{ readonly run: string }> {
  constructor(props: { readonly run: string }) {
    super(props, {}, () => `there is no run '${props.run}' in this store: start it, or look for its id in list()`)
  }
}

const noRuns = {
  missing: "does not exist",
  "not a database": "is not a SQLite database",
  "no tables": "has no durable runs: it is empty, or belongs to another program"
} as const

/** A process that performs no runs was given a file or database without runs, which it does not create. */
export class NoRuns extends TaggedError("NoRuns")<{ readonly place: string; readonly why: keyof typeof noRuns }> {
  constructor(props: { readonly place: string; readonly why: keyof typeof noRuns }) {
    const { place, why } = props
    super(
      props,
      {},
      () =>
        `${place} ${noRuns[why]}. Name the file or database in which a program keeps its runs, and start that program first`
    )
  }
}

/** A run was interrupted on purpose. */
export class RunInterrupted extends TaggedError("RunInterrupted")<{ readonly run: string; readonly workflow: string }> {
  constructor(props: { readonly run: string; readonly workflow: string }) {
    super(props, {}, () => `run '${props.run}' of workflow '${props.workflow}' was interrupted`)
  }
}

/** The id belongs to a run of another workflow. */
export class RunIdTaken extends TaggedError("RunIdTaken")<{ readonly run: string; readonly workflow: string }> {
  constructor(props: { readonly run: string; readonly workflow: string; readonly of: string }) {
    const { of, run, workflow } = props
    super(
      { run, workflow },
      {},
      () => `run '${run}' is one of workflow '${of}', not of '${workflow}': choose another id`
    )
  }
}

/**
 * An error that was stored, if its schema is not among the `errors` of `durable`: its name and message, and its `_tag` if it has
 * one.
 */
export class StoredError extends Error {
  readonly _tag: string | undefined

  constructor(stored: { readonly name: string; readonly message: string; readonly tag?: string | undefined }) {
    super(stored.message)
    this._tag = stored.tag
    Object.defineProperty(this, "name", { value: stored.name, configurable: true, writable: true })
  }
}
