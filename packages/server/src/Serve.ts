/**
 * Workflows over HTTP: a web-standard handler, an Effect, and a layer.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { AnyWorkflow, Problem, RunServices, TraceEntry } from "stepgraph"
import { refuseUnknown } from "stepgraph/internal"
import { api, type ServerStatus } from "./Api.ts"
import type { Explore } from "./Exploration.ts"
import { CurrentIdentity, type Served } from "./internal/access.ts"
import { Explorations } from "./internal/exploring.ts"
import { type GuardOptions, guarded } from "./internal/guard.ts"
import { handlersOf } from "./internal/handlers.ts"
import { type MemoryOptions, memoryRuns } from "./internal/memory-runs.ts"
import { redacted } from "./internal/redacting.ts"
import type { KeepLogs } from "./internal/step-logs.ts"
import type { Protocol } from "./Protocol.ts"
import type { Runs } from "./Runs.ts"

export interface ServeOptions<Flows extends ReadonlyArray<AnyWorkflow> = ReadonlyArray<AnyWorkflow>>
  extends GuardOptions {
  /** The workflows to serve, or a function that returns them, which is called at each request. */
  readonly workflows: Flows | (() => ReadonlyArray<AnyWorkflow>)
  /** Where runs live. Default: in the memory of this process, within these bounds. */
  readonly runs?: MemoryOptions | Runs | undefined
  /**
   * Changes each entry of a trace before anybody sees it. An entry for which it throws is left out. If it changes the `error` of
   * the last entry, `RunFinished`, the error of the run has its tag and that text, and no fields.
   */
  readonly redact?: ((entry: TraceEntry) => TraceEntry) | undefined
  /**
   * Whether the traces of runs in memory have what steps log with `Effect.log`, at the call that logs it. A function changes each
   * line before anybody sees it, or leaves it out with `undefined`. Default: false.
   */
  readonly logs?: KeepLogs | undefined
  /** The number of streams open at once; more get 503. Default: 4,096. */
  readonly maxStreams?: number | undefined
  /** Milliseconds between signs of life in a stream. Default: 15,000. */
  readonly heartbeat?: number | undefined
  /** Other protocols under which runs can be reached, such as `mcp()` and `chat(flow, …)`. Default: none. */
  readonly protocols?: ReadonlyArray<Protocol> | undefined
  /** What `GET /api/status` answers, for a server whose workflows change while it runs. */
  readonly status?: (() => ServerStatus) | undefined
  /**
   * `explore` of `@stepgraph/testing`, to try every order of a workflow on the page; or a sentence that says why it is missing. Then
   * a user who may start runs can start thousands, one after the other, so use it for development only. Default: none.
   */
  readonly explore?: Explore | string | undefined
}

const names = [
  "auth",
  "bodyTimeout",
  "explore",
  "heartbeat",
  "hosts",
  "logs",
  "maxBody",
  "maxStreams",
  "origins",
  "page",
  "path",
  "protocols",
  "redact",
  "runs",
  "status",
  "workflows"
]

/** A web-standard handler: for `Bun.serve`, `Deno.serve`, Hono, Next and others. */
export interface Handler extends AsyncDisposable {
  (request: Request): Promise<Response>
  /** Interrupts the runs in memory, and waits for their finalizers. */
  readonly close: () => Promise<void>
}

let described: HttpServerResponse.HttpServerResponse | undefined
/** The same for all servers, and made for the first who asks. */
const openapi = () => (described ??= HttpServerResponse.jsonUnsafe(OpenApi.fromApi(api)))

const unchanged: ServerStatus = { revision: 0, problems: [] }

const isRuns = (runs: object): runs is Runs => "start" in runs

/**
 * The handler as an Effect: steps have the services that it is given. Closing its scope interrupts the runs in memory.
 *
 * Throws a `TypeError` if two workflows have the same name, or `auth` is missing.
 */
export const makeHandler = <const Flows extends ReadonlyArray<AnyWorkflow>>(
  options: ServeOptions<Flows>
): Effect.Effect<(request: Request) => Promise<Response>, never, Scope.Scope | RunServices<Flows[number]>> =>
  Effect.gen(function* () {
    refuseUnknown("serve", options, names)
    const { heartbeat = 15_000, maxStreams = 4096, protocols = [], redact, runs = {}, workflows } = options
    const flows = typeof workflows === "function" ? workflows : () => workflows
    checkNames(flows())
    checkProtocols(protocols, typeof workflows === "function" ? undefined : flows())
    const lasting = isRuns(runs) ? redacted(runs, redact) : yield* memoryRuns(runs, redact, options.logs ?? false)
    const { explore } = options
    const explorations =
      typeof explore === "function"
        ? new Explorations(explore, redact, yield* Effect.context<Scope.Scope>())
        : undefined
    const home = explorations?.beside(lasting) ?? lasting
    const served: Served = {
      runs: home,
      workflows: flows,
      status: options.status ?? (() => unchanged),
      mostStreams: maxStreams,
      heartbeat,
      open: { count: 0 }
    }
    const problems = HttpApiMiddleware.layerProblemDetails({ includeDetails: true })
    const routes = Layer.mergeAll(
      Layer.provide(
        Layer.provide(HttpApiBuilder.layer(api), handlersOf(served, explorations ?? (explore as string | undefined))),
        problems
      ),
      HttpRouter.use((router) => router.add("GET", "/openapi.json", Effect.sync(openapi))),
      ...protocols.map(({ routes }) => routes(served))
    )
    const { dispose, handler } = HttpRouter.toWebHandler(Layer.provide(routes, HttpServer.layerServices), {
      disableLogger: true,
      // A proxy that guards a path must not be passed by another spelling of it.
      routerConfig: {
        caseSensitive: true,
        ignoreDuplicateSlashes: false,
        ignoreTrailingSlash: false,
        // The id of a run has the name of its user, and of the runs that it repeats.
        maxParamLength: 16_384
      }
    })
    yield* Effect.addFinalizer(() => Effect.promise(dispose))
    const handle = handler as (request: Request, context: Context.Context<never>) => Promise<Response>
    return guarded(options, (request, identity) => handle(request, Context.make(CurrentIdentity, identity)))
  }) as Effect.Effect<any, never, any>

const checkNames = (flows: ReadonlyArray<AnyWorkflow>): void => {
  const known = new Set<string>()
  for (const { name } of flows) {
    if (known.has(name))
      throw new TypeError(`serve: two workflows are named '${name}': a URL could not tell them apart`)
    known.add(name)
  }
}

const checkProtocols = (protocols: ReadonlyArray<Protocol>, flows: ReadonlyArray<AnyWorkflow> | undefined): void => {
  const known = new Set<string>()
  for (const { name, workflow } of protocols) {
    if (known.has(name)) throw new TypeError(`serve: ${name} is given twice`)
    known.add(name)
    if (workflow !== undefined && flows?.every(({ name }) => name !== workflow)) {
      throw new TypeError(`serve: ${name} is given, but this workflow is not served: add it to workflows`)
    }
  }
}

/** Of each workflow that needs services, the compiler shows the problem. */
type Plain<Flows extends ReadonlyArray<AnyWorkflow>> = [RunServices<Flows[number]>] extends [never]
  ? unknown
  : { readonly workflows: Problem<"these workflows need services: provide them to layerServe or makeHandler"> }

/**
 * Serves workflows over HTTP.
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { defineEvent, defineStep, workflow } from "stepgraph"
 * import { serve } from "@stepgraph/server"
 *
 * const Start = defineEvent("Start", { name: Schema.String })
 * const Stop = defineEvent("Stop", { greeting: Schema.String })
 * const greet = defineStep({ accepts: Start, emits: Stop, run: ({ name }) => Stop({ greeting: `Hello, ${name}!` }) })
 * const flow = workflow({ name: "greet", start: Start, stop: Stop, steps: { greet } })
 *
 * await using handler = serve({ workflows: [flow], auth: "none" })
 * const response = await handler(
 *   new Request("http://localhost/api/workflows/greet/runs?wait=5s", {
 *     method: "POST",
 *     headers: { "content-type": "application/json" },
 *     body: JSON.stringify({ name: "Ada" })
 *   })
 * )
 * const { stop } = (await response.json()) as { readonly stop: { readonly greeting: string } }
 * console.log(response.status, stop.greeting) // => 201 Hello, Ada!
 * ```
 */
export const serve = <const Flows extends ReadonlyArray<AnyWorkflow>>(
  options: ServeOptions<Flows> & Plain<Flows>
): Handler => {
  const scope = Scope.makeUnsafe()
  const handler = Effect.runSync(Scope.provide(makeHandler(options), scope) as Effect.Effect<any>)
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= Effect.runPromise(Scope.close(scope, Exit.void))
    return closed
  }
  return Object.assign((request: Request) => handler(request) as Promise<Response>, {
    close,
    [Symbol.asyncDispose]: close
  })
}

/** Adds the routes to an `HttpRouter`, under their `path`. */
export const layerServe = <const Flows extends ReadonlyArray<AnyWorkflow>>(
  options: ServeOptions<Flows>
): Layer.Layer<never, never, HttpRouter.HttpRouter | RunServices<Flows[number]>> =>
  HttpRouter.use((router) =>
    Effect.flatMap(makeHandler(options), (handler) => {
      const path = (options.path ?? "").replace(/\/+$/, "")
      // This route is that of the path itself, too.
      return router.add("*", `${path}/*` as `/${string}`, HttpEffect.fromWebHandler(handler))
    })
  ) as unknown as Layer.Layer<never, never, HttpRouter.HttpRouter | RunServices<Flows[number]>>
