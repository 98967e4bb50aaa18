// Code that must not compile: the compiler checks this file, and it is never run.
import { explore, explorePromise } from "@stepgraph/testing"
import { Context, Effect, Layer, Schema } from "effect"
import { defineEvent, defineStep, workflow } from "stepgraph"

class Prices extends Context.Service<Prices, { readonly of: (item: string) => number }>()("Prices") {}
const layer = Layer.succeed(Prices, { of: (item) => item.length })

const Start = defineEvent("Start", { item: Schema.String })
const Stop = defineEvent("Stop", { price: Schema.Number })
const priced = defineStep({
  accepts: Start,
  emits: Stop,
  run: ({ item }) => Effect.map(Prices, (prices) => Stop({ price: prices.of(item) }))
})
const flow = workflow({ name: "priced", start: Start, stop: Stop, steps: { priced } })
const input = { item: "pen" }

export const needsPrices: Effect.Effect<unknown, unknown, Prices> = explore(flow, { input })
export const needsNothing: Effect.Effect<unknown, unknown> = explore(flow, { input, layer })
export const promised = explorePromise(flow, { input, layer, invariants: { sameResult: ({ price }) => price > 1 } })

// @ts-expect-error this workflow needs services: give them as a layer
export const withoutLayer = explorePromise(flow, { input })
// @ts-expect-error the start event has no such field
export const otherInput = explore(flow, { input: { items: "pen" } })
// @ts-expect-error no step is called that
export const otherStep = explore(flow, { input, faults: { kinds: ["fail"], steps: ["prised"] } })
// @ts-expect-error no fault is called that
export const otherFault = explore(flow, { input, faults: { kinds: ["explode"] } })
// @ts-expect-error the stop event has no such field
export const otherResult = explore(flow, { input, check: { cheap: (_, { result }) => result?.cost === 1 } })
export const crashing = explore(flow, { input, layer, crash: { process: () => flow } })
// @ts-expect-error a process makes a workflow
export const otherProcess = explore(flow, { input, crash: { process: () => priced } })
// @ts-expect-error the workflow has no inputs
export const otherEvent = explore(flow, { input, sends: [Start({ item: "pen" })] })
