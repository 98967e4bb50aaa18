// Three shops are asked. The first offer ends the run; the others are interrupted, and clean up.
import { Console, Effect, Schema } from "effect"
import { defineEvent, defineStep, workflow } from "stepgraph"

const Start = defineEvent("Start")
const Request = defineEvent("Request", { shop: Schema.String, millis: Schema.Number })
const Offer = defineEvent("Offer", { shop: Schema.String })

const list = defineStep({
  accepts: Start,
  emits: Request,
  run: () => [
    Request({ shop: "North", millis: 300 }),
    Request({ shop: "East", millis: 100 }),
    Request({ shop: "South", millis: 200 })
  ]
})

const ask = defineStep({
  accepts: Request,
  emits: Offer,
  run: ({ shop, millis }) =>
    Effect.sleep(millis).pipe(
      Effect.as(Offer({ shop })),
      Effect.onInterrupt(() => Console.log(`${shop} was interrupted, and has cleaned up`))
    )
})

export const flow = workflow({ name: "race", start: Start, stop: Offer, steps: { list, ask } })
