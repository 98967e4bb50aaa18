import { Effect, Layer } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { run } from "stepgraph"
import { Api } from "./api.ts"
import { checkout } from "./checkout.ts"
import { Migrations } from "./database.ts"
import { Orders } from "./orders.ts"
import { Carrier, Payments } from "./partners.ts"
import { Products } from "./products.ts"

export const Handlers = HttpApiBuilder.group(
  Api,
  "shop",
  Effect.fn(function* (handlers) {
    const products = yield* Products
    const orders = yield* Orders

    return handlers.handleAll({
      products: () => products.list,
      order: ({ params }) => orders.find(params.id),
      placeOrder: ({ payload }) =>
        run(checkout, payload).pipe(
          // What the run has reserved, and not placed, is given back here.
          Effect.scoped,
          // No order of events leads there: see the test.
          Effect.catchTag("WorkflowStalled", Effect.die)
        )
    })
  })
)

/** All that the handlers and the workflow need, in any database. */
export const Services = Layer.mergeAll(Products.layer, Orders.layer, Payments.layerMadeUp, Carrier.layerMadeUp).pipe(
  Layer.provide(Migrations)
)
