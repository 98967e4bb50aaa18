/**
 * The routes as an `HttpApi`: they, their documentation, and a typed client of Effect come from one description.
 */

import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Exploration, Exploring } from "./Exploration.ts"
import {
  BadQuery,
  InvalidEventProblem,
  KeyReused,
  NotExploring,
  NotFound,
  Refused,
  RunEndedProblem,
  StillExploring,
  StillRunning,
  TooManyRuns,
  TooManyStreams
} from "./Problems.ts"
import { RunDetail, RunSummary, Status } from "./Runs.ts"

const JsonSchema = Schema.Record(Schema.String, Schema.Json)

const WorkflowSummary = Schema.Struct({
  name: Schema.String,
  start: Schema.String,
  stops: Schema.Array(Schema.String),
  inputs: Schema.Array(Schema.String),
  outputs: Schema.Array(Schema.String)
}).annotate({ identifier: "WorkflowSummary" })

const WorkflowDetail = Schema.Struct({
  name: Schema.String,
  /** As `graphOf` of `stepgraph/graph` gives it. */
  graph: Schema.Json,
  /** JSON Schemas of the events, by their tags. `null` for one that cannot be described. */
  schemas: Schema.Struct({
    start: Schema.Record(Schema.String, Schema.NullOr(JsonSchema)),
    inputs: Schema.Record(Schema.String, Schema.NullOr(JsonSchema)),
    outputs: Schema.Record(Schema.String, Schema.NullOr(JsonSchema)),
    stop: Schema.Record(Schema.String, Schema.NullOr(JsonSchema))
  })
}).annotate({ identifier: "WorkflowDetail" })

const RunPage = Schema.Struct({
  runs: Schema.Array(RunSummary),
  next: Schema.NullOr(Schema.String)
}).annotate({ identifier: "RunPage" })

const Comparison = Schema.Struct({
  /** Whether both runs had ended; what follows is as far as they had come. */
  ended: Schema.Boolean,
  same: Schema.Boolean,
  sameOutcome: Schema.Boolean,
  events: Schema.Json,
  parted: Schema.Json,
  order: Schema.Json,
  steps: Schema.Json,
  durations: Schema.Json
}).annotate({ identifier: "Comparison" })

/** Whether the served workflows are those of the latest files. */
const ServerStatus = Schema.Struct({
  /** Counts how often the workflows have changed since the server began. */
  revision: Schema.Number,
  /** Why newer workflows are not served yet, each in a sentence. */
  problems: Schema.Array(Schema.String)
})
export type ServerStatus = typeof ServerStatus.Type

const StatusAnswer = Schema.Struct({
  ...ServerStatus.fields,
  /** Whether it tries every order of a workflow, or why it cannot, in a sentence. */
  explores: Schema.Union([Schema.Boolean, Schema.String])
}).annotate({ identifier: "StatusAnswer" })

/** Such as `30s`, `500ms` or `1m`; at most a minute. */
const wait = Schema.optionalKey(Schema.String)
const name = { name: Schema.String }
const id = { id: Schema.String }
const idempotent = { "idempotency-key": Schema.optionalKey(Schema.String) }

const stream = {
  params: id,
  query: {
    after: Schema.optionalKey(Schema.String)
  },
  headers: { "last-event-id": Schema.optionalKey(Schema.String), accept: Schema.optionalKey(Schema.String) },
  success: [
    HttpApiSchema.StreamSse({
      events: Schema.Struct({ id: Schema.String, event: Schema.String, data: Schema.String })
    }),
    // For who accepts it: each line is one record, or empty. An endpoint can declare only one stream.
    Schema.String.pipe(HttpApiSchema.asText({ contentType: "application/x-ndjson" })),
    HttpApiSchema.NoContent
  ],
  error: [NotFound, BadQuery, TooManyStreams]
} as const

const workflows = HttpApiGroup.make("workflows").add(
  HttpApiEndpoint.get("getStatus", "/api/status", { success: StatusAnswer }),
  HttpApiEndpoint.get("listWorkflows", "/api/workflows", { success: Schema.Array(WorkflowSummary) }),
  HttpApiEndpoint.get("getWorkflow", "/api/workflows/:name", {
    params: name,
    success: WorkflowDetail,
    error: NotFound
  }),
  HttpApiEndpoint.post("startRun", "/api/workflows/:name/runs", {
    params: name,
    query: { wait },
    headers: idempotent,
    payload: Schema.Json,
    success: HttpApiSchema.WithHeaders(RunDetail.pipe(HttpApiSchema.status(201)), { location: Schema.String }),
    error: [NotFound, InvalidEventProblem, KeyReused, TooManyRuns, BadQuery]
  })
)

const runs = HttpApiGroup.make("runs").add(
  HttpApiEndpoint.get("listRuns", "/api/runs", {
    query: {
      workflow: Schema.optionalKey(Schema.String),
      status: Schema.optionalKey(Status),
      since: Schema.optionalKey(Schema.String),
      q: Schema.optionalKey(Schema.String),
      cursor: Schema.optionalKey(Schema.String),
      limit: Schema.optionalKey(Schema.String)
    },
    success: RunPage,
    error: BadQuery
  }),
  HttpApiEndpoint.get("getRun", "/api/runs/:id", {
    params: id,
    query: { wait },
    success: RunDetail,
    error: [NotFound, BadQuery]
  }),
  // The workflow of this name may have changed since.
  HttpApiEndpoint.get("getWorkflowOfRun", "/api/runs/:id/workflow", {
    params: id,
    success: Schema.NullOr(WorkflowDetail),
    error: NotFound
  }),
  HttpApiEndpoint.get("getEvents", "/api/runs/:id/events", stream),
  HttpApiEndpoint.get("getTrace", "/api/runs/:id/trace", {
    ...stream,
    /** `last`: begins with the last so many records, unless the reader goes on after one. */
    query: { ...stream.query, last: Schema.optionalKey(Schema.String) }
  }),
  HttpApiEndpoint.post("sendInput", "/api/runs/:id/inputs", {
    params: id,
    headers: idempotent,
    payload: Schema.Json,
    success: HttpApiSchema.Accepted,
    error: [NotFound, InvalidEventProblem, RunEndedProblem]
  }),
  HttpApiEndpoint.post("closeInputs", "/api/runs/:id/inputs/close", {
    params: id,
    payload: Schema.Json,
    success: HttpApiSchema.Accepted,
    error: NotFound
  }),
  HttpApiEndpoint.post("interruptRun", "/api/runs/:id/interrupt", {
    params: id,
    payload: Schema.Json,
    success: RunDetail,
    error: NotFound
  }),
  HttpApiEndpoint.post("rerun", "/api/runs/:id/rerun", {
    params: id,
    query: { wait },
    headers: idempotent,
    payload: Schema.Struct({ input: Schema.optionalKey(Schema.Json) }),
    success: HttpApiSchema.WithHeaders(RunDetail.pipe(HttpApiSchema.status(201)), { location: Schema.String }),
    error: [NotFound, Refused, InvalidEventProblem, KeyReused, TooManyRuns, BadQuery]
  }),
  HttpApiEndpoint.delete("deleteRun", "/api/runs/:id", {
    params: id,
    success: HttpApiSchema.NoContent,
    error: [NotFound, StillRunning]
  }),
  HttpApiEndpoint.get("compareRuns", "/api/compare", {
    query: { left: Schema.String, right: Schema.String },
    success: Comparison,
    error: NotFound
  })
)

const explorations = HttpApiGroup.make("explorations").add(
  HttpApiEndpoint.post("explore", "/api/workflows/:name/exploration", {
    params: name,
    payload: Exploring,
    success: Exploration.pipe(HttpApiSchema.status(202)),
    error: [NotFound, InvalidEventProblem, BadQuery, StillExploring, NotExploring]
  }),
  HttpApiEndpoint.get("getExploration", "/api/exploration", { success: Schema.NullOr(Exploration) }),
  HttpApiEndpoint.post("cancelExploration", "/api/exploration/cancel", {
    payload: Schema.Json,
    success: Schema.NullOr(Exploration)
  })
)

export const api = HttpApi.make("stepgraph")
  .add(workflows)
  .add(runs)
  .add(explorations)
  .middleware(HttpApiMiddleware.ProblemDetails)
  .annotate(OpenApi.Title, "stepgraph")
  .annotate(OpenApi.Version, "1")
  .annotate(OpenApi.Servers, [{ url: "." }])
