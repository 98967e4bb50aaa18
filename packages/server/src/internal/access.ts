/**
 * What the user of a request may see and do. Whatever protocol a request speaks, it reaches runs through this.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { AnyWorkflow, InvalidEvent } from "stepgraph"
import type { ServerStatus } from "../Api.ts"
import { type Identity, maySee } from "../Auth.ts"
import {
  InvalidEventProblem,
  type KeyReused,
  NotFound,
  RunEndedProblem,
  type TooManyRuns,
  TooManyStreams
} from "../Problems.ts"
import type { Json, RunSummary, Runs, ServedRun, Starting } from "../Runs.ts"
import type { StreamingOptions } from "./streaming.ts"

/** Who asks. By default, somebody who sees nothing. */
export const CurrentIdentity = Context.Reference<Identity>("stepgraph/server/CurrentIdentity", {
  defaultValue: () => ({ user: "", sees: () => false, workflows: [] })
})

export interface Served extends StreamingOptions {
  readonly runs: Runs
  /** Asked for each request: a file that is saved may bring others. */
  readonly workflows: () => ReadonlyArray<AnyWorkflow>
  readonly status: () => ServerStatus
  readonly mostStreams: number
}

/** As a problem of the routes. */
export const invalid = ({ message, problem, tag }: InvalidEvent) =>
  new InvalidEventProblem({ tag, problem, detail: message })

export interface Access {
  readonly workflows: Effect.Effect<ReadonlyArray<AnyWorkflow>>
  readonly workflow: (name: string) => Effect.Effect<AnyWorkflow, NotFound>
  /** Whether the user may see a run. */
  readonly sees: Effect.Effect<(run: RunSummary) => boolean>
  /** A run that is not for this user is as good as none. */
  readonly run: (id: string) => Effect.Effect<ServedRun, NotFound>
  readonly start: (
    flow: AnyWorkflow,
    starting: Omit<Starting, "user">
  ) => Effect.Effect<ServedRun, InvalidEventProblem | KeyReused | TooManyRuns>
  readonly send: (
    run: ServedRun,
    event: Json,
    key: string | undefined
  ) => Effect.Effect<void, InvalidEventProblem | RunEndedProblem>
  /** Fails if as many streams as may be are open. */
  readonly room: Effect.Effect<void, TooManyStreams>
}

export const accessOf = ({ mostStreams, open, runs, workflows }: Served): Access => {
  const mayUse = (identity: Identity, name: string) =>
    identity.workflows === undefined || identity.workflows.includes(name)
  const visible = Effect.map(CurrentIdentity, (identity) => workflows().filter(({ name }) => mayUse(identity, name)))
  return {
    workflows: visible,
    workflow: (name) =>
      Effect.flatMap(visible, (flows) => {
        const flow = flows.find((flow) => flow.name === name)
        return flow === undefined
          ? Effect.fail(new NotFound({ detail: `no workflow '${name.slice(0, 100)}' is served here` }))
          : Effect.succeed(flow)
      }),
    sees: Effect.map(CurrentIdentity, (identity) => (run: RunSummary) => maySee(identity, run)),
    run: (id) =>
      Effect.gen(function* () {
        const run = yield* runs.get(id)
        const identity = yield* CurrentIdentity
        if (run === undefined || !maySee(identity, run.summary)) {
          return yield* new NotFound({ detail: "there is no such run, or it is not yours" })
        }
        return run
      }),
    start: (flow, starting) =>
      Effect.gen(function* () {
        const { user } = yield* CurrentIdentity
        const { run } = yield* Effect.catchTag(runs.start(flow, { ...starting, user }), "InvalidEvent", (error) =>
          Effect.fail(invalid(error))
        )
        return run
      }),
    send: (run, event, key) =>
      Effect.catchTags(run.send(event, key), {
        InvalidEvent: (error) => Effect.fail(invalid(error)),
        RunEnded: ({ message, workflow }) => Effect.fail(new RunEndedProblem({ workflow, detail: message }))
      }),
    room: Effect.suspend(() => (open.count >= mostStreams ? Effect.fail(new TooManyStreams({})) : Effect.void))
  }
}

/** Nobody waits longer for the end of a run in one request, in milliseconds. */
export const longestWait = 60_000

/** Waits so long for the end of a run. */
export const awaited = (run: ServedRun, millis: number): Effect.Effect<void> =>
  millis === 0 ? Effect.void : Effect.asVoid(Effect.timeoutOption(run.ended, millis))
