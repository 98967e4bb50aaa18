// The workflow: the lines of an order are priced side by side and reserved together, then payment and parcel label are obtained
// at the same time, and both together place the order.
//
//   PlaceOrder → split → Line → price → Priced → reserve → Reserved → authorise → Authorised → place → OrderPlaced
//                                                                   → label     → Labelled   ↗
import { Effect, Predicate, Schema } from "effect"
import { defineEvent, defineStep, gather, join, workflow } from "stepgraph"
import { Money, OrderId, Sku } from "./domain.ts"
import { Orders } from "./orders.ts"
import { Carrier, Payments } from "./partners.ts"
import { Products } from "./products.ts"

const quantity = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))
const line = { sku: Sku, quantity }

export const PlaceOrder = defineEvent("PlaceOrder", {
  customer: Schema.NonEmptyString,
  lines: Schema.NonEmptyArray(Schema.Struct(line))
})
const Line = defineEvent("Line", line)
const Priced = defineEvent("Priced", { ...line, price: Money })
const Reserved = defineEvent("Reserved", { order: OrderId, total: Money })
const Authorised = defineEvent("Authorised", { order: OrderId, total: Money, authorisation: Schema.String })
const Labelled = defineEvent("Labelled", { parcel: Schema.String })
export const OrderPlaced = defineEvent("OrderPlaced", { order: OrderId, total: Money, parcel: Schema.String })

export const checkout = workflow({
  name: "checkout",
  start: PlaceOrder,
  stop: OrderPlaced,
  timeout: "5 seconds",
  steps: {
    split: defineStep({ accepts: PlaceOrder, emits: Line, run: ({ lines }) => lines.map((line) => Line(line)) }),

    // Lines that are looked up at the same time share one query, so none should wait for a worker.
    price: defineStep({
      accepts: Line,
      emits: Priced,
      workers: "unbounded",
      run: Effect.fn(function* ({ sku, quantity }) {
        const { price } = yield* Products.use((products) => products.find(sku))
        return Priced({ sku, quantity, price })
      })
    }),

    // The order and the payment are resources of the run: unless it places the order, closing its scope gives both back.
    reserve: defineStep({
      accepts: gather(Priced, { per: PlaceOrder }),
      emits: Reserved,
      run: Effect.fn(function* (lines, { per }) {
        const orders = yield* Orders
        const { id, total } = yield* Effect.acquireRelease(orders.reserve(per.customer, lines), ({ id }) =>
          orders.cancel(id)
        )
        return Reserved({ order: id, total })
      })
    }),

    authorise: defineStep({
      accepts: Reserved,
      emits: Authorised,
      retry: { times: 2, while: Predicate.isTagged("PaymentsUnavailable") },
      run: Effect.fn(function* ({ order, total }) {
        const payments = yield* Payments
        const authorisation = yield* Effect.acquireRelease(payments.authorise(order, total), payments.release, {
          interruptible: true
        })
        return Authorised({ order, total, authorisation })
      })
    }),

    label: defineStep({
      accepts: Reserved,
      emits: Labelled,
      run: Effect.fn(function* ({ order }) {
        return Labelled({ parcel: yield* Carrier.use((carrier) => carrier.label(order)) })
      })
    }),

    place: defineStep({
      accepts: join([Authorised, Labelled]),
      emits: OrderPlaced,
      run: Effect.fn(function* ([{ order, total, authorisation }, { parcel }]) {
        const orders = yield* Orders
        const payments = yield* Payments
        yield* Effect.uninterruptible(Effect.andThen(payments.capture(authorisation), orders.place(order)))
        return OrderPlaced({ order, total, parcel })
      })
    })
  }
})
