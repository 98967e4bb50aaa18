// Timeouts, deadlines, handled failures, nested workflows, and interruption while finalizers run.
import { Effect, Fiber } from "effect"
import { collect, defineStep, gather, join, race, run, workflow } from "stepgraph"
import {
  all,
  Batch,
  Doc,
  Done,
  docs,
  type Flows,
  holding,
  Item,
  items,
  nothingOpen,
  Other,
  Start,
  Stop,
  work
} from "./building.ts"

const ordered = { time: "ordered" } as const
const differs = { ...ordered, invariants: { sameResult: false } } as const

/** Holds a resource, takes time, and fails on request. */
const slowly = (millis: number, fails = false) =>
  holding(Effect.andThen(Effect.sleep(millis), fails ? Effect.fail("no") : Effect.void))

const inner = workflow({
  name: "inner",
  start: Item,
  stop: [Done, Other],
  timeout: 20,
  steps: {
    slow: defineStep({ accepts: Item, emits: Done, run: ({ n }) => Effect.as(slowly(n * 10), Done({ n })) }),
    quick: defineStep({ accepts: Item, emits: Other, run: ({ n }) => Effect.as(slowly(15), Other({ n })) })
  }
})

export const timeFlows: Flows = {
  "a recovery that takes its time": {
    flow: workflow({
      name: "recovery",
      start: Start,
      stop: Stop,
      steps: {
        items: items(1, 2, 3),
        work: defineStep({
          accepts: Item,
          emits: Done,
          workers: 2,
          run: ({ n }) => Effect.as(slowly(n, n === 2), Done({ n })),
          recover: (_, { n }) => Effect.as(slowly(1), Done({ n: -n }))
        }),
        all
      }
    })
  },
  "a recovery of some of what is sent and retried": {
    flow: workflow({
      name: "takenBack",
      start: Start,
      stop: Stop,
      steps: {
        items: items(1, 2),
        work: defineStep({
          accepts: Item,
          emits: Done,
          retry: { times: 1 },
          run: ({ n }, { attempt, send }) =>
            Effect.suspend(() => {
              send(Done({ n: n * 100 + attempt }))
              return Effect.as(slowly(n, n === 1 || attempt === 1), Done({ n }))
            }),
          recover: (_, { n }) => Done({ n: -n })
        }),
        all
      }
    })
  },
  "timeouts of steps, when they matter": {
    flow: workflow({
      name: "timeouts",
      start: Start,
      stop: Stop,
      steps: {
        items: items(9, 11),
        work: defineStep({
          accepts: Item,
          emits: Done,
          timeout: 10,
          retry: { times: 1 },
          run: ({ n }, { attempt }) => Effect.as(slowly(n), Done({ n: n * attempt })),
          recover: (_, { n }) => Done({ n: -n })
        }),
        all
      }
    }),
    options: ordered
  },
  "a timeout at the very moment of the answer": {
    flow: workflow({
      name: "close",
      start: Start,
      stop: Stop,
      steps: {
        items: items(10, 10),
        work: defineStep({
          accepts: Item,
          emits: Done,
          timeout: 10,
          run: ({ n }) => Effect.as(slowly(n), Done({ n })),
          recover: (_, { n }) => Done({ n: -n })
        }),
        all
      }
    }),
    options: differs
  },
  "a run's timeout at the very moment of its stop": {
    flow: workflow({
      name: "limit",
      start: Start,
      stop: Stop,
      timeout: 10,
      steps: {
        items: items(5, 10),
        work: work(),
        all
      }
    }),
    options: { ...ordered, invariants: { sameResult: false, neverFails: false } }
  },
  "deadlines of intakes for each document": {
    flow: workflow({
      name: "deadlines",
      start: Start,
      stop: Stop,
      steps: {
        docs,
        quick: defineStep({ accepts: Doc, emits: Done, run: ({ id }) => Effect.as(slowly(id), Done({ n: id })) }),
        slow: defineStep({ accepts: Doc, emits: Other, run: ({ id }) => Effect.as(slowly(id * 10), Other({ n: id })) }),
        pair: defineStep({
          accepts: join([Done, Other], { per: Doc, within: 15 }),
          emits: Batch,
          run: (events) => Batch({ ns: events.map((event) => event?.n ?? -1) })
        }),
        end: defineStep({
          accepts: gather(Batch),
          emits: Stop,
          run: (batches) => Stop({ value: batches.flatMap(({ ns }) => ns) })
        })
      }
    }),
    options: differs
  },
  "a deadline at the very moment of what it waits for": {
    flow: workflow({
      name: "moment",
      start: Start,
      stop: Stop,
      steps: {
        items: items(5, 10, 15),
        work: work(),
        some: defineStep({
          accepts: collect(Done, 3, { within: 10 }),
          emits: Batch,
          run: (done) => Batch({ ns: done.map(({ n }) => n) })
        }),
        end: defineStep({
          accepts: gather(Batch),
          emits: Stop,
          run: (batches) => Stop({ value: batches.flatMap(({ ns }) => ns).sort() })
        })
      }
    }),
    options: ordered
  },
  "workflows in workflows, with limits of their own": {
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
            run(inner, { n }).pipe(
              Effect.timeout(100),
              Effect.map(() => Done({ n }))
            ),
          recover: (_, { n }) => Done({ n })
        }),
        all
      }
    })
  },
  "a race of workflows": {
    flow: workflow({
      name: "races",
      start: Start,
      stop: Stop,
      steps: {
        items: items(1, 2),
        work: defineStep({
          accepts: Item,
          emits: Done,
          run: ({ n }) => Effect.as(Effect.race(run(inner, { n }), run(inner, { n: n + 1 })), Done({ n })),
          recover: (_, { n }) => Done({ n })
        }),
        first: defineStep({
          accepts: race(Done),
          emits: Stop,
          run: () => Effect.as(slowly(1), Stop({ value: 0 }))
        })
      }
    })
  },
  "an interruption, and another while finalizers run": {
    flow: workflow({
      name: "interrupted",
      start: Start,
      stop: Stop,
      steps: {
        items: items(1, 2, 20),
        work: work(),
        all
      }
    }),
    options: {
      invariants: { sameResult: false },
      program: (flow) =>
        Effect.gen(function* () {
          const running = yield* Effect.forkChild(run(flow as any) as Effect.Effect<unknown>)
          const interrupting = (after: number) =>
            Effect.forkChild(
              Effect.sleep(after).pipe(Effect.andThen(Fiber.interrupt(running)), Effect.andThen(nothingOpen))
            )
          const both = [yield* interrupting(4), yield* interrupting(6)]
          yield* Fiber.await(running)
          yield* nothingOpen
          for (const one of both) yield* Fiber.join(one)
          return 0
        })
    }
  },
  "a stop while another is being cleaned up": {
    flow: workflow({
      name: "stops",
      start: Start,
      stop: Stop,
      steps: {
        first: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(slowly(1), Stop({ value: 0 })) }),
        second: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(slowly(2), Stop({ value: 0 })) }),
        third: defineStep({
          accepts: Start,
          emits: Stop,
          run: () => Effect.as(Effect.uninterruptible(slowly(3)), Stop({ value: 0 }))
        })
      }
    })
  }
}
