// Whom the shop calls. Both are made up here: money up to 1,000.00, and a carrier that takes its time.
import { Context, Effect, Layer, Schema } from "effect"
import { type OrderId, PaymentDeclined } from "./domain.ts"

export class PaymentsUnavailable extends Schema.TaggedError<PaymentsUnavailable>()(
  "PaymentsUnavailable",
  {},
  { httpApiStatus: 503 }
) {}

export class Payments extends Context.Service<
  Payments,
  {
    readonly authorise: (order: OrderId, total: number) => Effect.Effect<string, PaymentDeclined | PaymentsUnavailable>
    readonly capture: (authorisation: string) => Effect.Effect<void>
    /** Gives back what has not been captured. */
    readonly release: (authorisation: string) => Effect.Effect<void>
    /** What is held and what has been captured. */
    readonly balance: Effect.Effect<{ readonly held: number; readonly captured: number }>
  }
>()("shop/Payments") {
  static readonly layerMadeUp = Layer.sync(Payments, () => {
    const held = new Map<string, number>()
    let captured = 0
    return Payments.of({
      authorise: Effect.fn("Payments.authorise")(function* (order, total) {
        yield* Effect.sleep("20 millis")
        if (total > 100_000) return yield* new PaymentDeclined({ total })
        held.set(`payment-${order}`, total)
        return `payment-${order}`
      }),
      capture: Effect.fn("Payments.capture")(function* (authorisation) {
        captured += held.get(authorisation) ?? 0
        held.delete(authorisation)
        yield* Effect.sleep("5 millis")
      }),
      release: Effect.fn("Payments.release")((authorisation) => Effect.sync(() => void held.delete(authorisation))),
      balance: Effect.sync(() => ({ held: [...held.values()].reduce((sum, total) => sum + total, 0), captured }))
    })
  })
}

export class Carrier extends Context.Service<Carrier, { readonly label: (order: OrderId) => Effect.Effect<string> }>()(
  "shop/Carrier"
) {
  static readonly layerMadeUp = Layer.succeed(Carrier, {
    label: Effect.fn("Carrier.label")((order) => Effect.as(Effect.sleep("30 millis"), `parcel-${order}`))
  })
}
