// The rules of a run, with a flow for each: workers, stop, races, gathers, retries, streams, state.
import { Effect, Schema, Stream } from "effect"
import { collect, defineState, defineStep, gather, race, run, workflow } from "stepgraph"
import {
  all,
  allOf,
  Batch,
  Doc,
  Done,
  docs,
  type Flows,
  holding,
  Item,
  items,
  Other,
  Start,
  Stop,
  work
} from "./building.ts"

export const flows: Flows = {
  "parallel work": {
    flow: workflow({
      name: "parallel",
      start: Start,
      stop: Stop,
      steps: {
        items: items(1, 2, 3),
        work: work({ workers: 2 }),
        all
      }
    })
  },
  "the first stop": {
    flow: workflow({
      name: "stop",
      start: Start,
      stop: Stop,
      steps: {
        items: items(1, 2, 3),
        work: defineStep({
          accepts: Item,
          emits: Stop,
          run: ({ n }) => holding(Effect.as(Effect.sleep(n), Stop({ value: 0 })))
        })
      }
    })
  },
  "a race": {
    flow: workflow({
      name: "race",
      start: Start,
      stop: Stop,
      steps: {
        items: items(1, 2, 3),
        work: work(),
        first: defineStep({
          accepts: race(Done),
          emits: Stop,
          run: () => Effect.as(Effect.sleep(3), Stop({ value: 0 }))
        })
      }
    })
  },
  "a race for each document": {
    flow: workflow({
      name: "races",
      start: Start,
      stop: Stop,
      steps: {
        docs,
        slow: defineStep({
          accepts: Doc,
          emits: Done,
          run: ({ id }) => holding(Effect.as(Effect.sleep(id), Done({ n: id })))
        }),
        quick: defineStep({ accepts: Doc, emits: Done, run: async ({ id }) => Done({ n: id }) }),
        first: defineStep({
          accepts: race(Done, { per: Doc }),
          emits: Other,
          run: ({ n }) => Effect.as(Effect.sleep(1), Other({ n }))
        }),
        end: allOf(Other)
      }
    })
  },
  "gathers in gathers": {
    flow: workflow({
      name: "nested",
      start: Start,
      stop: Stop,
      steps: {
        docs,
        split: defineStep({
          accepts: Doc,
          emits: Item,
          run: ({ id }) =>
            Effect.as(
              Effect.sleep(id),
              Array.from({ length: id }, (_, i) => Item({ n: id * 10 + i }))
            )
        }),
        work: defineStep({
          accepts: Item,
          emits: Done,
          workers: 2,
          run: ({ n }) => (n === 20 ? undefined : Effect.as(Effect.sleep(n), Done({ n })))
        }),
        each: defineStep({
          accepts: gather(Done, { per: Doc }),
          emits: Batch,
          run: (done) => Batch({ ns: done.map(({ n }) => n) })
        }),
        end: defineStep({
          accepts: gather(Batch),
          emits: Stop,
          run: (batches) => Stop({ value: batches.map(({ ns }) => ns) })
        })
      }
    })
  },
  "retries that have sent": {
    flow: workflow({
      name: "retry",
      start: Start,
      stop: Stop,
      steps: {
        items: items(1, 2),
        work: defineStep({
          accepts: Item,
          emits: Done,
          workers: 1,
          retry: { times: 2 },
          timeout: 50,
          run: ({ n }, { attempt, send }) =>
            holding(
              Effect.gen(function* () {
                send(Done({ n }))
                yield* Effect.sleep(1)
                if (attempt < 2) return yield* Effect.fail("again")
                return Done({ n: n * 10 })
              })
            )
        }),
        all
      }
    }),
    options: { time: "ordered" }
  },
  "what cannot be interrupted": {
    flow: workflow({
      name: "uninterruptible",
      start: Start,
      stop: Stop,
      steps: {
        items: items(1, 2),
        work: defineStep({
          accepts: Item,
          emits: Done,
          timeout: 10,
          run: ({ n }) => Effect.uninterruptible(holding(Effect.as(Effect.sleep(n * 100), Done({ n })))),
          recover: (_, { n }) => Done({ n })
        }),
        all
      }
    })
  },
  "a stream": {
    flow: workflow({
      name: "stream",
      start: Start,
      stop: Stop,
      steps: {
        many: defineStep({
          accepts: Start,
          emits: Item,
          run: () =>
            Stream.fromIterable([1, 2, 3]).pipe(
              Stream.map((n) => Item({ n })),
              Stream.tap(() => Effect.sleep(1))
            )
        }),
        work: work({ workers: 2 }),
        all
      }
    })
  },
  "an async generator and async steps": {
    flow: workflow({
      name: "async",
      start: Start,
      stop: Stop,
      steps: {
        many: defineStep({
          accepts: Start,
          emits: Item,
          run: async function* () {
            for (let n = 0; n < 3; n++) yield Item({ n })
          }
        }),
        work: defineStep({ accepts: Item, emits: Done, workers: 2, run: async ({ n }) => Done({ n }) }),
        all
      }
    })
  },
  "a deadline for an intake": {
    flow: workflow({
      name: "within",
      start: Start,
      stop: Stop,
      steps: {
        items: items(1, 2, 3),
        work: defineStep({
          accepts: Item,
          emits: Done,
          run: ({ n }) => Effect.as(Effect.sleep(n * 10), Done({ n }))
        }),
        some: defineStep({
          accepts: collect(Done, 2, { within: 15 }),
          emits: Batch,
          run: (done) => Batch({ ns: done.map(({ n }) => n) })
        }),
        end: defineStep({
          accepts: gather(Batch),
          emits: Stop,
          run: (batches) => Stop({ value: batches.flatMap(({ ns }) => ns).sort() })
        })
      }
    })
  },
  "a run in a run": {
    flow: workflow({
      name: "outer",
      start: Start,
      stop: Stop,
      steps: {
        items: items(1, 2),
        work: defineStep({
          accepts: Item,
          emits: Done,
          run: ({ n }) =>
            run(
              workflow({
                name: "inner",
                start: Item,
                stop: Done,
                steps: { work: work() }
              }),
              { n }
            )
        }),
        all
      }
    })
  },
  "a loop": {
    flow: (() => {
      const rounds = defineState("rounds", Schema.Number, 0)
      return workflow({
        name: "loop",
        start: Start,
        stop: Stop,
        steps: {
          items: items(0, 0),
          round: defineStep({
            accepts: Item,
            emits: [Item, Stop],
            run: ({ n }, { update }) =>
              Effect.map(Effect.sleep(1), () =>
                update(rounds, (rounds) => rounds + 1) >= 5 ? Stop({ value: 5 }) : Item({ n: n + 1 })
              )
          })
        }
      })
    })()
  }
}
