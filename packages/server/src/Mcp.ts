/**
 * The Model Context Protocol: workflows as what an assistant can list, start, read and answer.
 *
 * @module mcp
 */
import * as McpProtocol from "effect/ai/McpProtocol"
import * as McpServer from "effect/ai/McpServer"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { accessOf, awaited, CurrentIdentity, type Served } from "./internal/access.ts"
import { type Def, stopsOf } from "./internal/json.ts"
import { type Handle, sessionsOf } from "./internal/mcp-sessions.ts"
import { plainSchemasOf } from "./internal/schemas.ts"
import type { Protocol } from "./Protocol.ts"
import { OpenQuestion, type RunDetail, RunFailure, Status, WaitingIntake } from "./Runs.ts"

export interface McpOptions {
  /** What assistants read about this server. */
  readonly instructions?: string | undefined
  /** How many sessions one user may have. One more ends the session that was unused for longest. Default: 100. */
  readonly sessions?: number | undefined
}

/** What went wrong, in a sentence for the assistant. */
class Refusal extends Schema.TaggedError<Refusal>("Refusal")("Refusal", { message: Schema.String }) {}

const refused = <A, E extends { readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.mapError(effect, ({ message }) => new Refusal({ message }))

const Schemas = Schema.Record(Schema.String, Schema.NullOr(Schema.Record(Schema.String, Schema.Json)))
const wait = Schema.optionalKey(
  Schema.Number.annotate({ description: "Wait so many seconds for the run to end, 50 at most. Default: 0." })
)
const run = Schema.String.annotate({ description: "The id of a run." })

/** What an assistant needs to know about a run. */
const Run = Schema.Struct({
  id: Schema.String,
  workflow: Schema.String,
  status: Status,
  questions: Schema.Array(OpenQuestion),
  waiting: Schema.Array(WaitingIntake),
  stop: Schema.NullOr(Schema.Json),
  error: Schema.NullOr(RunFailure)
}).annotate({ identifier: "Run" })

const shown = ({ error, id, questions, status, stop, waiting, workflow }: RunDetail): typeof Run.Type => ({
  id,
  workflow,
  status,
  questions,
  waiting,
  stop,
  error
})

/** A page of a trace is at most so many records. */
const mostRecords = 200

const tools = Toolkit.make(
  Tool.make("list_workflows", {
    description:
      "Lists the workflows, with the JSON Schemas of what each is started with, takes while it runs, and ends with.",
    success: Schema.Struct({
      workflows: Schema.Array(
        Schema.Struct({ name: Schema.String, start: Schemas, inputs: Schemas, outputs: Schemas, stop: Schemas })
      )
    })
  }).annotate(Tool.Readonly, true),
  Tool.make("start_run", {
    description:
      "Starts a run of a workflow. The input has the fields of its start event: list_workflows has their JSON Schema.",
    parameters: Schema.Struct({
      workflow: Schema.String,
      input: Schema.Record(Schema.String, Schema.Json).annotate({ description: "The fields of the start event." }),
      wait
    }),
    success: Run,
    failure: Refusal
  }).annotate(Tool.Destructive, false),
  Tool.make("get_run", {
    description: "Says what a run is doing: its status, its open questions, what it waits for, and how it has ended.",
    parameters: Schema.Struct({ run, wait }),
    success: Run,
    failure: Refusal
  }).annotate(Tool.Readonly, true),
  Tool.make("get_trace", {
    description: `Reads what has happened in a run so far, ${mostRecords} entries at a time. Go on with after.`,
    parameters: Schema.Struct({
      run,
      after: Schema.optionalKey(
        Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).annotate({
          description: "The number of the last entry that you have. Default: 0."
        })
      )
    }),
    success: Schema.Struct({
      entries: Schema.Array(Schema.Struct({ number: Schema.Number, kind: Schema.String, data: Schema.Json })),
      /** Whether nothing has come after them. */
      all: Schema.Boolean
    }),
    failure: Refusal
  }).annotate(Tool.Readonly, true),
  Tool.make("answer", {
    description: "Sends an event to a run, such as the answer to an open question: its _tag and its fields.",
    parameters: Schema.Struct({
      run,
      event: Schema.Record(Schema.String, Schema.Json).annotate({
        description: "The event, with its _tag. A question names the events that answer it in awaits."
      }),
      wait
    }),
    success: Run,
    failure: Refusal
  }).annotate(Tool.Destructive, false)
)

const most = 50

const handlersOf = (served: Served) => {
  const access = accessOf(served)
  const detail = (id: string, seconds = 0) =>
    Effect.gen(function* () {
      const run = yield* access.run(id)
      yield* awaited(run, Math.min(most, Math.max(0, seconds)) * 1000)
      return shown(yield* run.detail)
    })
  return tools.toLayer({
    list_workflows: () =>
      Effect.map(access.workflows, (flows) => ({
        workflows: flows.map((flow) => ({
          name: flow.name,
          start: plainSchemasOf([flow.start as Def]),
          inputs: plainSchemasOf(flow.inputs as ReadonlyArray<Def>),
          outputs: plainSchemasOf(flow.outputs as ReadonlyArray<Def>),
          stop: plainSchemasOf(stopsOf(flow))
        }))
      })),
    start_run: ({ input, wait, workflow }) =>
      refused(
        Effect.gen(function* () {
          const flow = yield* access.workflow(workflow)
          const run = yield* access.start(flow, { input })
          return yield* detail(run.summary.id, wait)
        })
      ),
    get_run: ({ run, wait }) => refused(detail(run, wait)),
    get_trace: ({ after = 0, run }) =>
      refused(
        Effect.gen(function* () {
          const served = yield* access.run(run)
          // A feed waits for what has not come yet.
          const page = yield* Effect.timeoutOption(served.trace(after), 100)
          if (page._tag === "None") return { entries: [], all: true }
          const { over, records } = page.value
          return {
            entries: records
              .slice(0, mostRecords)
              .map(({ json, kind, number }) => ({ number, kind, data: JSON.parse(json) as Schema.Json })),
            all: over && records.length <= mostRecords
          }
        })
      ),
    answer: ({ event, run, wait }) =>
      refused(
        Effect.gen(function* () {
          yield* access.send(yield* access.run(run), event, undefined)
          return yield* detail(run, wait)
        })
      )
  })
}

const protocols = [
  McpProtocol.v2026_07_28,
  McpProtocol.v2025_11_25,
  McpProtocol.v2025_06_18,
  McpProtocol.v2025_03_26
] as const

/**
 * Lets assistants reach the workflows over the Model Context Protocol, at `POST /mcp`: for the option `protocols` of `serve`. What
 * the guard of the server checks, it checks here too, and an assistant sees what its user sees.
 *
 * It has the tools `list_workflows`, `start_run`, `get_run`, `get_trace` and `answer`.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineStep, workflow } from "stepgraph"
 * import { serve } from "@stepgraph/server"
 * import { mcp } from "@stepgraph/server/mcp"
 *
 * const Start = defineEvent("Start", { name: Schema.String })
 * const Stop = defineEvent("Stop", { greeting: Schema.String })
 * const greet = defineStep({ accepts: Start, emits: Stop, run: ({ name }) => Stop({ greeting: `Hello, ${name}!` }) })
 * const flow = workflow({ name: "greet", start: Start, stop: Stop, steps: { greet } })
 *
 * await using handler = serve({ workflows: [flow], auth: "none", protocols: [mcp()] })
 * const response = await handler(new Request("http://localhost/mcp"))
 * console.log(response.status) // => 405
 * ```
 */
export const mcp = ({ instructions, sessions = 100 }: McpOptions = {}): Protocol => ({
  name: "mcp",
  routes: (served) => {
    const server = McpServer.layerHttp({
      name: "stepgraph",
      version: "1",
      instructions:
        instructions ??
        "Starts, reads and answers runs of workflows. A run that waits has open questions: answer them with events.",
      path: "/mcp",
      protocols,
      allowSessionTermination: true,
      // Each would be a stream that nobody counts.
      allowSubscriptions: false,
      registrations: Layer.provide(McpServer.toolkit(tools), handlersOf(served))
    })
    return HttpRouter.use((outer) =>
      Effect.gen(function* () {
        const { dispose, handler } = HttpRouter.toWebHandler(Layer.provide(server, HttpServer.layerServices) as never, {
          disableLogger: true
        })
        yield* Effect.addFinalizer(() => Effect.promise(dispose))
        const handle = sessionsOf(handler as Handle, sessions)
        yield* outer.add("*", "/mcp", (request) =>
          Effect.gen(function* () {
            const identity = yield* CurrentIdentity
            const web = yield* Effect.orDie(HttpServerRequest.toWeb(request))
            const response = yield* Effect.promise(() => handle(web, identity))
            return HttpServerResponse.fromWeb(response)
          })
        )
      })
    ) as Layer.Layer<never, never, HttpRouter.HttpRouter>
  }
})
