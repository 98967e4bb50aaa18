// It sells two of ten, so eight are left. Nearly always: press Explore.
import { Effect, Schema } from "effect"
import { defineEvent, defineState, defineStep, gather, workflow } from "stepgraph"

const Start = defineEvent("Start")
const Order = defineEvent("Order", { n: Schema.Number })
const Sold = defineEvent("Sold")
const Stop = defineEvent("Stop", { left: Schema.Number })

const stock = defineState("stock", Schema.Number, 10)

const list = defineStep({ accepts: Start, emits: Order, run: () => [1, 2].map((n) => Order({ n })) })

const sell = defineStep({
  accepts: Order,
  emits: Sold,
  run: ({ n }, { get, set }) =>
    Effect.gen(function* () {
      yield* Effect.sleep(n * 50) // checks the payment
      const before = get(stock)
      yield* Effect.sleep(10) // tells the warehouse, while the other order may read the same number
      set(stock, before - 1)
      return Sold()
    })
})

const count = defineStep({ accepts: gather(Sold), emits: Stop, run: (_, { get }) => Stop({ left: get(stock) }) })

export const flow = workflow({ name: "shop", start: Start, stop: Stop, steps: { list, sell, count } })
