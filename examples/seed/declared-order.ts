// Three steps work side by side and finish in any order. The next step gets their results as [C, A, B], the order that
// it declares. There are two versions: by hand with `ctx.collect`, and with `join`.
//
//           ┌→ a → A ┐
//   Delays ─┼→ b → B ┼→ finish → Stop
//           └→ c → C ┘
import { Effect, Schema } from "effect"
import { defineEvent, defineStep, join, run, workflow } from "stepgraph"

const Delays = defineEvent("Delays", { a: Schema.Number, b: Schema.Number, c: Schema.Number })
const A = defineEvent("A", { text: Schema.String })
const B = defineEvent("B", { text: Schema.String })
const C = defineEvent("C", { text: Schema.String })
const Stop = defineEvent("Stop", { texts: Schema.Array(Schema.String) })

// An event goes to every step that accepts it: all three start from this one.
const a = defineStep({
  accepts: Delays,
  emits: A,
  run: (delays) => Effect.as(Effect.sleep(delays.a), A({ text: "from a" }))
})
const b = defineStep({
  accepts: Delays,
  emits: B,
  run: (delays) => Effect.as(Effect.sleep(delays.b), B({ text: "from b" }))
})
const c = defineStep({
  accepts: Delays,
  emits: C,
  run: (delays) => Effect.as(Effect.sleep(delays.c), C({ text: "from c" }))
})

// By hand: the step runs for each of the three, and continues in the invocation with the last one.
const finishByHand = defineStep({
  accepts: [A, B, C],
  emits: Stop,
  run: (_, ctx) => {
    const all = ctx.collect([C, A, B])
    if (all === undefined) return
    return Stop({ texts: all.map(({ text }) => text) })
  }
})

// Declared: the step runs once, with a typed tuple.
const finish = defineStep({
  accepts: join([C, A, B]),
  emits: Stop,
  run: ([c, a, b]) => Stop({ texts: [c.text, a.text, b.text] })
})

export const byHand = workflow({
  name: "order-by-hand",
  start: Delays,
  stop: Stop,
  steps: { a, b, c, finish: finishByHand }
})

export const joined = workflow({ name: "order-by-join", start: Delays, stop: Stop, steps: { a, b, c, finish } })

/** All six orders of arrival, with delays that produce them. */
export const arrivals = ["a b c", "a c b", "b a c", "b c a", "c a b", "c b a"].map((order) => {
  const after = (name: string) => 20 * (1 + order.split(" ").indexOf(name))
  return { order, delays: { a: after("a"), b: after("b"), c: after("c") } }
})

const main = Effect.gen(function* () {
  for (const { order, delays } of arrivals) {
    const byHandGave = (yield* run(byHand, delays)).texts
    const joinGave = (yield* run(joined, delays)).texts
    console.log(`arrived ${order}: ctx.collect gave ${byHandGave.join(", ")}; join gave ${joinGave.join(", ")}`)
  }
})

if (import.meta.main) await Effect.runPromise(main)
