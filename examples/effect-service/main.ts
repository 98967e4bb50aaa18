// A shop.
//
//   node examples/effect-service/main.ts        then: see README.md
import { createServer } from "node:http"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import * as Sqlite from "@stepgraph/durable/sqlite"
import { Config, Effect, Layer, Option } from "effect"
import { FetchHttpClient, HttpRouter } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Otlp } from "effect/observability"
import { Api } from "./api.ts"
import { Handlers, Services } from "./server.ts"

const Database = Layer.unwrap(
  Effect.map(Config.String("DATABASE").pipe(Config.withDefault(":memory:")), (filename) => Sqlite.layer({ filename }))
)

const Observability = Layer.unwrap(
  Effect.gen(function* () {
    const endpoint = yield* Config.option(Config.String("OTEL_EXPORTER_OTLP_ENDPOINT"))
    if (Option.isNone(endpoint)) return Layer.empty
    return Otlp.layerJson({
      baseUrl: endpoint.value,
      resource: { serviceName: "shop" },
      shutdownTimeout: "1 second"
    }).pipe(Layer.provide(FetchHttpClient.layer))
  })
)

const Server = Layer.unwrap(
  Effect.map(Config.Int("PORT").pipe(Config.withDefault(3000)), (port) =>
    NodeHttpServer.layer(createServer, { port, host: "127.0.0.1", gracefulShutdownTimeout: "1 second" })
  )
)

const Routes = HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(Layer.provide(Handlers))

const Main = HttpRouter.serve(Routes).pipe(
  Layer.provide(Services),
  Layer.provide([Database, Server]),
  Layer.provide(Observability)
)

NodeRuntime.runMain(Layer.launch(Main))
