// An order that is paid, waits for a person for up to three days, and is shipped or refunded.
//
//   Order → pay → Paid ┬→ ask → Question        (an output: who wants to approve?)
//                      └→ decide ← Decision     (an input, from a person)
//                           ├→ Approved → ship → Shipped
//                           └→ Declined → refund → Refunded
//
// It is durable: see main.ts. A step's function runs at least once, so whatever must happen once is given a key. Here these are
// the payment and the refund, and their keys are the same in every process: `order-17/pay`, `order-17/refund`.
import { durable } from "@stepgraph/durable"
import { Effect, Schema } from "effect"
import { defineEvent, defineStep, join, workflow } from "stepgraph"
import { type Payments, paymentsIn } from "./payments.ts"

const goods = { item: Schema.String, cents: Schema.Int }
export const Order = defineEvent("Order", goods)
const Paid = defineEvent("Paid", { ...goods, receipt: Schema.String })
export const Question = defineEvent("Question", { text: Schema.String })
export const Decision = defineEvent("Decision", { by: Schema.String, yes: Schema.Boolean })
const Approved = defineEvent("Approved", { item: Schema.String, by: Schema.String })
const Declined = defineEvent("Declined", { receipt: Schema.String, reason: Schema.String })
export const Shipped = defineEvent("Shipped", { item: Schema.String, approvedBy: Schema.String })
export const Refunded = defineEvent("Refunded", { receipt: Schema.String, reason: Schema.String })

/** The card was refused: the run fails with it, in whatever process it ends. */
export class PaymentRefused extends Schema.TaggedError<PaymentRefused>("PaymentRefused")("PaymentRefused", {
  cents: Schema.Int
}) {}

export const ordersWith = (payments: Payments) => {
  const pay = defineStep({
    accepts: Order,
    emits: Paid,
    run: ({ item, cents }, { runId, step }) =>
      Effect.gen(function* () {
        const receipt = yield* Effect.promise(() => payments.charge(cents, `${runId}/${step}`))
        if (receipt === undefined) return yield* new PaymentRefused({ cents })
        return Paid({ item, cents, receipt })
      })
  })

  const ask = defineStep({
    accepts: Paid,
    emits: Question,
    run: ({ item, cents }) => Question({ text: `Ship the ${item} for ${(cents / 100).toFixed(2)}?` })
  })

  const decide = defineStep({
    // Nobody keeps a process alive for three days: a run that waits is a row in a table.
    accepts: join([Paid, Decision], { within: "3 days" }),
    emits: [Approved, Declined],
    run: ([paid, decision]) => {
      // A decision that came before its question, and has waited three days for it: it counts no more.
      if (paid === undefined) return []
      if (decision?.yes) return Approved({ item: paid.item, by: decision.by })
      return Declined({ receipt: paid.receipt, reason: decision ? `${decision.by} said no` : "nobody answered" })
    }
  })

  const ship = defineStep({
    accepts: Approved,
    emits: Shipped,
    run: ({ item, by }) => Shipped({ item, approvedBy: by })
  })

  const refund = defineStep({
    accepts: Declined,
    emits: Refunded,
    run: async ({ receipt, reason }, { runId, step }) => {
      await payments.refund(receipt, `${runId}/${step}`)
      return Refunded({ receipt, reason })
    }
  })

  return workflow({
    name: "orders",
    start: Order,
    stop: [Shipped, Refunded],
    inputs: [Decision],
    outputs: [Question],
    steps: { pay, ask, decide, ship, refund }
  })
}

export const orders = durable(ordersWith(paymentsIn("payments.db")), { errors: [PaymentRefused] })
