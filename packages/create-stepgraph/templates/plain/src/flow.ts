// Asks all shops for their price at the same time, and lists the answers, the cheapest first.
//
//   Start → list → Request → ask (several at once) → Quote → compare (all of them) → Comparison
import { setTimeout as sleep } from "node:timers/promises"
import { Schema } from "effect"
import { defineEvent, defineStep, gather, workflow } from "stepgraph"

const Start = defineEvent("Start", { item: Schema.String })
const Request = defineEvent("Request", { shop: Schema.String, item: Schema.String })
const Quote = defineEvent("Quote", { shop: Schema.String, price: Schema.Number })
const Comparison = defineEvent("Comparison", { quotes: Schema.Array(Schema.String) })

const shops: Record<string, { price: number; millis: number }> = {
  North: { price: 12, millis: 300 },
  East: { price: 9, millis: 100 },
  South: { price: 9, millis: 200 }
}

/** Stands for a call over the network. With `fetch`, give it the `signal`: it is aborted if nobody needs the answer. */
const priceOf = async (shop: string, _item: string, signal: AbortSignal): Promise<number> => {
  const { price, millis } = shops[shop]!
  await sleep(millis, undefined, { signal })
  return price
}

const list = defineStep({
  accepts: Start,
  emits: Request,
  run: ({ item }) => Object.keys(shops).map((shop) => Request({ shop, item }))
})

const ask = defineStep({
  accepts: Request,
  emits: Quote,
  workers: 8,
  timeout: "2 seconds",
  run: async ({ shop, item }, { signal }) => Quote({ shop, price: await priceOf(shop, item, signal) }),
  // A shop that does not answer is left out.
  recover: () => []
})

const compare = defineStep({
  // In the order of the requests, whichever shop answers first.
  accepts: gather(Quote),
  emits: Comparison,
  run: (quotes) => {
    const sorted = [...quotes].sort((one, other) => one.price - other.price)
    return Comparison({ quotes: sorted.map(({ shop, price }) => `${shop} ${price}`) })
  }
})

export const flow = workflow({ name: "prices", start: Start, stop: Comparison, steps: { list, ask, compare } })
