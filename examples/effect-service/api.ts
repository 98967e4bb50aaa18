// The HTTP API, without anything that serves it: a client can import it.
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { WorkflowTimedOut } from "stepgraph"
import { OrderPlaced, PlaceOrder } from "./checkout.ts"
import { Order, OrderId, OutOfStock, PaymentDeclined, Product, UnknownOrder, UnknownProduct } from "./domain.ts"
import { PaymentsUnavailable } from "./partners.ts"

export class Shop extends HttpApiGroup.make("shop", { topLevel: true }).add(
  HttpApiEndpoint.get("products", "/products", { success: Schema.Array(Product) }),
  HttpApiEndpoint.post("placeOrder", "/orders", {
    payload: PlaceOrder.schema,
    success: OrderPlaced.schema.pipe(HttpApiSchema.status(201)),
    error: [UnknownProduct, OutOfStock, PaymentDeclined, PaymentsUnavailable, WorkflowTimedOut]
  }),
  HttpApiEndpoint.get("order", "/orders/:id", { params: { id: OrderId }, success: Order, error: UnknownOrder })
) {}

export class Api extends HttpApi.make("shop")
  .add(Shop)
  .annotateMerge(OpenApi.annotations({ title: "Shop" })) {}
