// A workflow behind Effect's HTTP API: a Layer provides its services, a closed request interrupts its run, and the
// run's typed errors become those of the API.
//
//   node examples/http/effect.ts        then: curl 'localhost:3000/offers/kettle?shops=North,South'
import { pathToFileURL } from "node:url"
import { serve } from "@hono/node-server"
import { Effect, Layer, Schema } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { run } from "stepgraph"
import { compare, madeUp, NoOffer, Offer } from "./workflow.ts"

class TooSlow extends Schema.TaggedError<TooSlow>()("TooSlow", { message: Schema.String }, { httpApiStatus: 504 }) {}

const Api = HttpApi.make("shop").add(
  HttpApiGroup.make("offers").add(
    HttpApiEndpoint.get("find", "/offers/:item", {
      params: { item: Schema.NonEmptyString },
      query: { shops: Schema.String },
      success: Schema.Union([Offer.schema, NoOffer.schema]),
      error: TooSlow
    })
  )
)

const Offers = HttpApiBuilder.group(Api, "offers", (handlers) =>
  handlers.handle("find", ({ params, query }) =>
    run(compare, { item: params.item, shops: query.shops.split(",").filter((shop) => shop !== "") }).pipe(
      Effect.catchTag("WorkflowTimedOut", ({ message }) => Effect.fail(new TooSlow({ message }))),
      // The API has validated the input, and a gather always runs, so neither error can occur.
      Effect.catchTag(["InvalidEvent", "WorkflowStalled"], Effect.die)
    )
  )
)

export const { handler, dispose } = HttpRouter.toWebHandler(
  HttpApiBuilder.layer(Api).pipe(
    Layer.provide(Offers),
    Layer.provideMerge(madeUp),
    Layer.provide(HttpServer.layerServices)
  ),
  { disableLogger: true }
)

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  serve({ fetch: (request) => handler(request), port: 3000 }, ({ port }) => console.log(`http://localhost:${port}`))
}
