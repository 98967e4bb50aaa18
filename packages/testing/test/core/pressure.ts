// Generators and streams held back because a lane is full (1,024 deliveries), and what may happen to them meanwhile.
import { Effect, Stream } from "effect"
import { defineStep, gather, race, workflow } from "stepgraph"
import { allOf, Done, type Flows, holding, Item, Other, Start, Stop } from "./building.ts"

const many = 1_100
/** Each run is long, so explore few schedules. */
const few = { schedules: 8, random: 4, lanes: "in turn" } as const

const count = defineStep({ accepts: gather(Done), emits: Stop, run: (done) => Stop({ value: done.length }) })
/** Every 500th takes time. */
const work = defineStep({
  accepts: Item,
  emits: Done,
  workers: 2,
  run: ({ n }) => (n % 500 === 0 ? Effect.as(Effect.sleep(1), Done({ n })) : Done({ n }))
})
const slow = ({ workers }: { readonly workers: number }) =>
  defineStep({
    accepts: Item,
    emits: Done,
    workers,
    run: ({ n }) => holding(Effect.as(Effect.sleep(n + 1), Done({ n })))
  })
const numbers = defineStep({
  accepts: Start,
  emits: Item,
  run: function* () {
    for (let n = 0; n < many; n++) yield Item({ n })
  }
})

export const pressureFlows: Flows = {
  "a generator that fills its lane": {
    flow: workflow({ name: "pressure", start: Start, stop: Stop, steps: { numbers, work, count } }),
    options: { ...few, schedules: 10, random: 0 }
  },
  "two generators that fill one lane": {
    flow: workflow({
      name: "two",
      start: Start,
      stop: Stop,
      steps: { one: numbers, other: { ...numbers }, work, count }
    }),
    options: few
  },
  "an async generator that fills its lane": {
    flow: workflow({
      name: "async",
      start: Start,
      stop: Stop,
      steps: {
        many: defineStep({
          accepts: Start,
          emits: Item,
          run: async function* () {
            for (let n = 0; n < many; n++) yield Item({ n })
          }
        }),
        work,
        count
      }
    }),
    options: few
  },
  "a stream that holds something while it waits for room": {
    flow: workflow({
      name: "stream",
      start: Start,
      stop: Stop,
      steps: {
        many: defineStep({
          accepts: Start,
          emits: Item,
          run: () =>
            Stream.fromIterable(Array.from({ length: many }, (_, n) => Item({ n }))).pipe(
              Stream.onStart(holding(Effect.void))
            )
        }),
        work,
        count
      }
    }),
    options: few
  },
  "a stop while a generator waits for room": {
    flow: workflow({
      name: "stopped",
      start: Start,
      stop: Stop,
      steps: {
        numbers,
        slow: slow({ workers: 1 }),
        count,
        stop: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.sleep(3), Stop({ value: 0 })) })
      }
    }),
    options: { ...few, time: "ordered" }
  },
  "a race that is decided while a generator waits for room": {
    flow: workflow({
      name: "decided",
      start: Start,
      stop: Stop,
      steps: {
        numbers,
        slow: slow({ workers: 2 }),
        first: defineStep({ accepts: race(Done, { take: 3 }), emits: Other, run: (done) => Other({ n: done.length }) }),
        end: allOf(Other)
      }
    }),
    options: { ...few, time: "ordered" }
  }
}
