// What the shop speaks of, and how it can fail. The API and its clients need no more than this and the workflow's events.
import { Schema } from "effect"

export const Sku = Schema.NonEmptyString.pipe(Schema.brand("Sku"))
export type Sku = typeof Sku.Type

export const OrderId = Schema.Int.pipe(Schema.brand("OrderId"))
export type OrderId = typeof OrderId.Type

/** In cents. */
export const Money = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export class Product extends Schema.Class<Product>("Product")({ sku: Sku, price: Money, stock: Schema.Int }) {}

export class Order extends Schema.Class<Order>("Order")({
  id: OrderId,
  customer: Schema.String,
  total: Money,
  status: Schema.Literals(["reserved", "placed", "cancelled"])
}) {}

export class UnknownProduct extends Schema.TaggedError<UnknownProduct>()(
  "UnknownProduct",
  { sku: Sku },
  { httpApiStatus: 404 }
) {}

export class UnknownOrder extends Schema.TaggedError<UnknownOrder>()(
  "UnknownOrder",
  { id: OrderId },
  { httpApiStatus: 404 }
) {}

export class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", { sku: Sku }, { httpApiStatus: 409 }) {}

export class PaymentDeclined extends Schema.TaggedError<PaymentDeclined>()(
  "PaymentDeclined",
  { total: Money },
  { httpApiStatus: 402 }
) {}
