// Asks several shops for a price at once and answers with the cheapest.
//
//   Wanted → fan → Ask → ask → Price, Closed → cheapest → Offer or NoOffer
import { Context, Effect, Layer, Schema } from "effect"
import { defineEvent, defineStep, gather, workflow } from "stepgraph"

const Wanted = defineEvent("Wanted", { item: Schema.NonEmptyString, shops: Schema.Array(Schema.String) })
const Ask = defineEvent("Ask", { item: Schema.String, shop: Schema.String })
const Price = defineEvent("Price", { shop: Schema.String, price: Schema.Number })
const Closed = defineEvent("Closed", { shop: Schema.String })
export const Offer = defineEvent("Offer", { shop: Schema.String, price: Schema.Number })
export const NoOffer = defineEvent("NoOffer")

/** The source of the prices. */
export class Prices extends Context.Service<
  Prices,
  { readonly of: (item: string, shop: string) => Effect.Effect<number, "closed"> }
>()("examples/Prices") {}

/** Counts abandoned requests to a shop. */
export const interrupted = { count: 0 }

/** Made-up prices that depend on the item's name, and a shop that never answers. */
export const madeUp = Layer.succeed(Prices, {
  of: (item, shop) =>
    shop === "never"
      ? Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interrupted.count++))
      : shop === "closed"
        ? Effect.fail("closed")
        : Effect.succeed(item.length + shop.length)
})

export const compare = workflow({
  name: "compare",
  start: Wanted,
  stop: [Offer, NoOffer],
  outputs: [Price],
  timeout: "1 second",
  steps: {
    fan: defineStep({
      accepts: Wanted,
      emits: Ask,
      run: ({ item, shops }) => shops.map((shop) => Ask({ item, shop }))
    }),
    ask: defineStep({
      accepts: Ask,
      emits: [Price, Closed],
      run: ({ item, shop }) =>
        Effect.gen(function* () {
          const prices = yield* Prices
          return Price({ shop, price: yield* prices.of(item, shop) })
        }),
      recover: (_, { shop }) => Closed({ shop })
    }),
    cheapest: defineStep({
      accepts: gather([Price, Closed]),
      emits: [Offer, NoOffer],
      run: (answers) => {
        const [best] = answers.filter((answer) => answer._tag === "Price").sort((a, b) => a.price - b.price)
        return best === undefined ? NoOffer() : Offer({ shop: best.shop, price: best.price })
      }
    })
  }
})

/** The same for programs without Effect: the step that needs a service becomes an async function. */
export const comparePlain = workflow({
  ...compare,
  steps: {
    ...compare.steps,
    ask: defineStep({
      accepts: Ask,
      emits: [Price, Closed],
      run: async ({ item, shop }, { signal }) => {
        if (shop === "never")
          await new Promise((_, reject) => signal.addEventListener("abort", reject)).finally(
            () => void interrupted.count++
          )
        return shop === "closed" ? Closed({ shop }) : Price({ shop, price: item.length + shop.length })
      }
    })
  }
})
