/**
 * What each route does.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { AnyWorkflow, InvalidEvent } from "stepgraph"
import { graphOf } from "stepgraph/graph"
import { api, type ServerStatus } from "../Api.ts"
import { type Identity, maySee } from "../Auth.ts"
import {
  BadQuery,
  InvalidEventProblem,
  NotFound,
  Refused,
  RunEndedProblem,
  StillRunning,
  TooManyStreams
} from "../Problems.ts"
import type { Feed, Json, RunSummary, Runs, ServedRun, Starting } from "../Runs.ts"
import { compared } from "./comparing.ts"
import { type Def, stopsOf } from "./json.ts"
import { type StreamingOptions, streamed } from "./streaming.ts"

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

const bad = (detail: string) => Effect.fail(new BadQuery({ detail }))

const longestWait = 60_000
const units = { ms: 1, s: 1000, m: 60_000 } as const

const millisOf = (wait: string | undefined): Effect.Effect<number, BadQuery> => {
  if (wait === undefined) return Effect.succeed(0)
  const [, number, unit] = /^(\d{1,6})(ms|s|m)$/.exec(wait) ?? []
  return unit === undefined
    ? bad(`wait is a number and a unit, such as 30s, 500ms or 1m, not '${wait.slice(0, 20)}'`)
    : Effect.succeed(Math.min(longestWait, Number(number) * units[unit as keyof typeof units]))
}

const numberOf = (name: string, text: string | undefined, otherwise: number): Effect.Effect<number, BadQuery> =>
  text === undefined || text === ""
    ? Effect.succeed(otherwise)
    : /^\d{1,15}$/.test(text)
      ? Effect.succeed(Number(text))
      : bad(`${name} is a whole number from 0 on, not '${text.slice(0, 20)}'`)

const sinceOf = (text: string | undefined): Effect.Effect<number | undefined, BadQuery> => {
  if (text === undefined) return Effect.succeed(undefined)
  const millis = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  return Number.isNaN(millis) ? bad("since is a time, such as 2026-01-31T12:00:00Z") : Effect.succeed(millis)
}

const invalid = ({ message, problem, tag }: InvalidEvent) => new InvalidEventProblem({ tag, problem, detail: message })

/** Waits so long for the end of a run. */
const awaited = (run: ServedRun, millis: number): Effect.Effect<void> =>
  millis === 0 ? Effect.void : Effect.asVoid(Effect.timeoutOption(run.ended, millis))

const schemaOf = ({ schema }: Def): any => {
  try {
    return Schema.toJsonSchemaDocument(Schema.toCodecJson(schema)) as unknown as Json
  } catch {
    return null
  }
}

const schemasOf = (defs: ReadonlyArray<Def>): Record<string, any> =>
  Object.fromEntries(defs.map((def) => [def.tag, schemaOf(def)]))

export const handlersOf = ({ heartbeat, mostStreams, open, runs, status, workflows }: Served) => {
  const mayUse = (identity: Identity, name: string) =>
    identity.workflows === undefined || identity.workflows.includes(name)
  const visible = Effect.map(CurrentIdentity, (identity) => workflows().filter(({ name }) => mayUse(identity, name)))
  const workflowOf = (name: string) =>
    Effect.flatMap(visible, (flows) => {
      const flow = flows.find((flow) => flow.name === name)
      return flow === undefined
        ? Effect.fail(new NotFound({ detail: `no workflow '${name.slice(0, 100)}' is served here` }))
        : Effect.succeed(flow)
    })
  /** A run that is not for this user is as good as none. */
  const runOf = (id: string) =>
    Effect.gen(function* () {
      const run = yield* runs.get(id)
      const identity = yield* CurrentIdentity
      if (run === undefined || !maySee(identity, run.summary)) {
        return yield* new NotFound({ detail: "there is no such run, or it is not yours" })
      }
      return run
    })

  const started = (flow: AnyWorkflow, starting: Omit<Starting, "user">, wait: string | undefined, up: string) =>
    Effect.gen(function* () {
      const millis = yield* millisOf(wait)
      const { user } = yield* CurrentIdentity
      const { run } = yield* Effect.catchTag(runs.start(flow, { ...starting, user }), "InvalidEvent", (error) =>
        Effect.fail(invalid(error))
      )
      yield* awaited(run, millis)
      const body = yield* run.detail
      // Relative, so that it is right under whatever path the server is mounted.
      return HttpApiSchema.withHeaders({ body, headers: { location: `${up}${encodeURIComponent(body.id)}` } })
    })

  const streaming = (
    feedOf: (run: ServedRun) => Feed,
    id: string,
    { after: asked }: { readonly after?: string },
    headers: { readonly accept?: string; readonly "last-event-id"?: string }
  ) =>
    Effect.gen(function* () {
      const run = yield* runOf(id)
      // A browser that reconnects says what it has seen: that is more than its URL knows.
      const after = yield* numberOf("after", headers["last-event-id"] ?? asked, 0)
      if (open.count >= mostStreams) return yield* new TooManyStreams({})
      const ended = run.summary.endedAt !== null
      return yield* streamed(feedOf(run), ended, after, headers.accept, { heartbeat, open })
    })

  const workflowHandlers = HttpApiBuilder.group(api, "workflows", (handlers) =>
    handlers
      .handle("getStatus", () => Effect.sync(status))
      .handle("listWorkflows", () =>
        Effect.map(visible, (flows) =>
          flows.map((flow) => {
            const { inputs, name, outputs, start, stops } = graphOf(flow)
            return { name, start, stops, inputs, outputs }
          })
        )
      )
      .handle("getWorkflow", ({ params }) =>
        Effect.map(workflowOf(params.name), (flow) => ({
          name: flow.name,
          graph: graphOf(flow) as unknown as Json,
          schemas: {
            start: schemasOf([flow.start as Def]),
            inputs: schemasOf(flow.inputs as ReadonlyArray<Def>),
            outputs: schemasOf(flow.outputs as ReadonlyArray<Def>),
            stop: schemasOf(stopsOf(flow))
          }
        }))
      )
      .handle("startRun", ({ headers, params, payload, query }) =>
        Effect.flatMap(workflowOf(params.name), (flow) =>
          started(flow, { input: payload, key: headers["idempotency-key"] }, query.wait, "../../runs/")
        )
      )
  )

  const runHandlers = HttpApiBuilder.group(api, "runs", (handlers) =>
    handlers
      .handle("listRuns", ({ query: { cursor, limit, q, since, status, workflow } }) =>
        Effect.gen(function* () {
          const identity = yield* CurrentIdentity
          const sees = (run: RunSummary) => maySee(identity, run)
          const most = Math.min(500, Math.max(1, yield* numberOf("limit", limit, 50)))
          return yield* runs.list({ workflow, status, q, cursor, since: yield* sinceOf(since), limit: most, sees })
        })
      )
      .handle("getRun", ({ params, query }) =>
        Effect.gen(function* () {
          const millis = yield* millisOf(query.wait)
          const run = yield* runOf(params.id)
          yield* awaited(run, millis)
          return yield* (yield* runOf(params.id)).detail
        })
      )
      .handle("getEvents", ({ headers, params, query }) => streaming((run) => run.events, params.id, query, headers))
      .handle("getTrace", ({ headers, params, query }) => streaming((run) => run.trace, params.id, query, headers))
      .handle("sendInput", ({ headers, params, payload }) =>
        Effect.flatMap(runOf(params.id), (run) =>
          Effect.catchTags(run.send(payload, headers["idempotency-key"]), {
            InvalidEvent: (error) => Effect.fail(invalid(error)),
            RunEnded: ({ message, workflow }) => Effect.fail(new RunEndedProblem({ workflow, detail: message }))
          })
        )
      )
      .handle("closeInputs", ({ params }) => Effect.flatMap(runOf(params.id), (run) => run.closeInputs))
      .handle("interruptRun", ({ params }) =>
        Effect.flatMap(runOf(params.id), (run) => Effect.andThen(run.interrupt, run.detail))
      )
      .handle("rerun", ({ headers, params, payload, query }) =>
        Effect.gen(function* () {
          const run = yield* runOf(params.id)
          const flow = yield* Effect.mapError(
            workflowOf(run.summary.workflow),
            () => new Refused({ detail: "its workflow is not served here, or not for you" })
          )
          const input = "input" in payload ? payload.input : run.startedWith
          const starting = { input, rerunOf: params.id, key: headers["idempotency-key"] }
          return yield* started(flow, starting, query.wait, "../")
        })
      )
      .handle("deleteRun", ({ params }) =>
        Effect.flatMap(runOf(params.id), (run) =>
          Effect.flatMap(run.forget, (forgotten) => (forgotten ? Effect.void : Effect.fail(new StillRunning({}))))
        )
      )
      .handle("compareRuns", ({ query: { left, right } }) =>
        Effect.gen(function* () {
          const [one, other] = [yield* runOf(left), yield* runOf(right)]
          return yield* compared(one, other)
        })
      )
  )
  return Layer.merge(workflowHandlers, runHandlers)
}
