/**
 * What each route does.
 */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Layer from "effect/Layer"
import type { AnyWorkflow } from "stepgraph"
import { graphOf } from "stepgraph/graph"
import { api } from "../Api.ts"
import { BadQuery, NotExploring, Refused, StillRunning } from "../Problems.ts"
import type { Feed, Json, ServedRun, Starting } from "../Runs.ts"
import { accessOf, awaited, CurrentIdentity, invalid, longestWait, type Served } from "./access.ts"
import { compared } from "./comparing.ts"
import type { Explorations } from "./exploring.ts"
import { type Def, stopsOf } from "./json.ts"
import { schemasOf } from "./schemas.ts"
import { streamed } from "./streaming.ts"

const bad = (detail: string) => Effect.fail(new BadQuery({ detail }))

const units = { ms: 1, s: 1000, m: 60_000 } as const

const millisOf = (wait: string | undefined): Effect.Effect<number, BadQuery> => {
  if (wait === undefined) return Effect.succeed(0)
  const [, number, unit] = /^(\d{1,6})(ms|s|m)$/.exec(wait) ?? []
  return unit === undefined
    ? bad(`wait must be a number with a unit, such as 30s, 500ms or 1m, not '${wait.slice(0, 20)}'`)
    : Effect.succeed(Math.min(longestWait, Number(number) * units[unit as keyof typeof units]))
}

const numberOf = (name: string, text: string | undefined, otherwise: number): Effect.Effect<number, BadQuery> =>
  text === undefined || text === ""
    ? Effect.succeed(otherwise)
    : /^\d{1,15}$/.test(text)
      ? Effect.succeed(Number(text))
      : bad(`${name} must be a whole number of at least 0, not '${text.slice(0, 20)}'`)

const sinceOf = (text: string | undefined): Effect.Effect<number | undefined, BadQuery> => {
  if (text === undefined) return Effect.succeed(undefined)
  const millis = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  return Number.isNaN(millis) ? bad("since must be a time, such as 2026-01-31T12:00:00Z") : Effect.succeed(millis)
}

const describedOf = (flow: AnyWorkflow) => ({
  name: flow.name,
  graph: graphOf(flow) as unknown as Json,
  schemas: {
    start: schemasOf([flow.start as Def]),
    inputs: schemasOf(flow.inputs as ReadonlyArray<Def>),
    outputs: schemasOf(flow.outputs as ReadonlyArray<Def>),
    stop: schemasOf(stopsOf(flow))
  }
})

/** `explorations`: or why there are none. */
export const handlersOf = (served: Served, explorations: Explorations | string | undefined) => {
  const { runs, status } = served
  const access = accessOf(served)

  const started = (flow: AnyWorkflow, starting: Omit<Starting, "user">, wait: string | undefined, up: string) =>
    Effect.gen(function* () {
      const millis = yield* millisOf(wait)
      const run = yield* access.start(flow, starting)
      yield* awaited(run, millis)
      const body = yield* run.detail
      // Relative, so that it is right under whatever path the server is mounted.
      return HttpApiSchema.withHeaders({ body, headers: { location: `${up}${encodeURIComponent(body.id)}` } })
    })

  const streaming = (
    feedOf: (run: ServedRun) => Feed,
    id: string,
    { after: asked, last }: { readonly after?: string; readonly last?: string },
    headers: { readonly accept?: string; readonly "last-event-id"?: string }
  ) =>
    Effect.gen(function* () {
      const run = yield* access.run(id)
      // A browser that reconnects says what it has seen: that is more than its URL knows.
      const place = headers["last-event-id"] ?? asked
      const after = place === undefined ? -(yield* numberOf("last", last, 0)) : yield* numberOf("after", place, 0)
      yield* access.room
      const ended = run.summary.endedAt !== null
      return yield* streamed(feedOf(run), ended, after, headers.accept, served)
    })

  const workflowHandlers = HttpApiBuilder.group(api, "workflows", (handlers) =>
    handlers
      .handle("getStatus", () =>
        Effect.sync(() => ({ ...status(), explores: typeof explorations === "object" || (explorations ?? false) }))
      )
      .handle("listWorkflows", () =>
        Effect.map(access.workflows, (flows) =>
          flows.map((flow) => {
            const { inputs, name, outputs, start, stops } = graphOf(flow)
            return { name, start, stops, inputs, outputs }
          })
        )
      )
      .handle("getWorkflow", ({ params }) => Effect.map(access.workflow(params.name), describedOf))
      .handle("startRun", ({ headers, params, payload, query }) =>
        Effect.flatMap(access.workflow(params.name), (flow) =>
          started(flow, { input: payload, key: headers["idempotency-key"] }, query.wait, "../../runs/")
        )
      )
  )

  const runHandlers = HttpApiBuilder.group(api, "runs", (handlers) =>
    handlers
      .handle("listRuns", ({ query: { cursor, limit, q, since, status, workflow } }) =>
        Effect.gen(function* () {
          const sees = yield* access.sees
          const most = Math.min(500, Math.max(1, yield* numberOf("limit", limit, 50)))
          return yield* runs.list({ workflow, status, q, cursor, since: yield* sinceOf(since), limit: most, sees })
        })
      )
      .handle("getRun", ({ params, query }) =>
        Effect.gen(function* () {
          const millis = yield* millisOf(query.wait)
          const run = yield* access.run(params.id)
          yield* awaited(run, millis)
          return yield* (yield* access.run(params.id)).detail
        })
      )
      .handle("getWorkflowOfRun", ({ params }) =>
        Effect.map(access.run(params.id), ({ flow }) => (flow === undefined ? null : describedOf(flow)))
      )
      .handle("getEvents", ({ headers, params, query }) => streaming((run) => run.events, params.id, query, headers))
      .handle("getTrace", ({ headers, params, query }) => streaming((run) => run.trace, params.id, query, headers))
      .handle("sendInput", ({ headers, params, payload }) =>
        Effect.flatMap(access.run(params.id), (run) => access.send(run, payload, headers["idempotency-key"]))
      )
      .handle("closeInputs", ({ params }) => Effect.flatMap(access.run(params.id), (run) => run.closeInputs))
      .handle("interruptRun", ({ params }) =>
        Effect.flatMap(access.run(params.id), (run) => Effect.andThen(run.interrupt, run.detail))
      )
      .handle("rerun", ({ headers, params, payload, query }) =>
        Effect.gen(function* () {
          const run = yield* access.run(params.id)
          const flow = yield* Effect.mapError(
            access.workflow(run.summary.workflow),
            () => new Refused({ detail: "its workflow is not served here, or not for you" })
          )
          const input = "input" in payload ? payload.input : run.startedWith
          const starting = { input, rerunOf: params.id, key: headers["idempotency-key"] }
          return yield* started(flow, starting, query.wait, "../")
        })
      )
      .handle("deleteRun", ({ params }) =>
        Effect.flatMap(access.run(params.id), (run) =>
          Effect.flatMap(run.forget, (forgotten) => (forgotten ? Effect.void : Effect.fail(new StillRunning({}))))
        )
      )
      .handle("compareRuns", ({ query: { left, right } }) =>
        Effect.gen(function* () {
          const [one, other] = [yield* access.run(left), yield* access.run(right)]
          return yield* compared(one, other)
        })
      )
  )

  const explorationHandlers = HttpApiBuilder.group(api, "explorations", (handlers) => {
    const seen = Effect.map(access.sees, (sees) =>
      typeof explorations === "object" ? explorations.seenBy(sees) : null
    )
    return handlers
      .handle("explore", ({ params, payload }) =>
        Effect.gen(function* () {
          const flow = yield* access.workflow(params.name)
          if (typeof explorations !== "object") {
            return yield* new NotExploring({ detail: explorations ?? "it was not given explore of @stepgraph/testing" })
          }
          const run = payload.run === undefined ? undefined : yield* access.run(payload.run)
          if (run !== undefined && run.summary.workflow !== flow.name) {
            return yield* bad(`run '${run.summary.id}' is of another workflow, '${run.summary.workflow}'`)
          }
          const input = run === undefined ? (payload.input ?? {}) : run.startedWith
          const { user } = yield* CurrentIdentity
          return yield* Effect.catchTag(explorations.start(flow, input, payload, user), "InvalidEvent", (error) =>
            Effect.fail(invalid(error))
          )
        })
      )
      .handle("getExploration", () => seen)
      .handle("cancelExploration", () =>
        Effect.gen(function* () {
          // Only by who sees it.
          const mine = yield* seen
          if (mine?.state === "running" && typeof explorations === "object") yield* explorations.cancel
          return yield* seen
        })
      )
  })
  return Layer.mergeAll(workflowHandlers, runHandlers, explorationHandlers)
}
