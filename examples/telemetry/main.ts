// Sends a run's spans, metrics and logs to an OpenTelemetry collector. A tracer is all that a run needs.
//
//   docker run --rm -p 4318:4318 -p 16686:16686 jaegertracing/all-in-one      (or any other OTLP collector)
//   node examples/telemetry/main.ts
import { Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { Otlp } from "effect/observability"
import { run } from "stepgraph"
import { download } from "./workflow.ts"

const Observability = Otlp.layerJson({
  baseUrl: process.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? "http://localhost:4318",
  resource: { serviceName: "stepgraph-example" },
  // Unsent data is dropped then: a program must not wait forever for a missing collector.
  shutdownTimeout: "1 second"
}).pipe(Layer.provide(FetchHttpClient.layer))

const program = run(download, { file: "release.tar.gz" }).pipe(
  Effect.tap(({ bytes }) => Effect.logInfo(`downloaded ${bytes} bytes`)),
  Effect.provide(Observability)
)

const { bytes } = await Effect.runPromise(program)
console.log(`${bytes} bytes`)
