// Runs that are sent events, listened to and interrupted.
import { Effect, Exit, Fiber, Stream } from "effect"
import { defineStep, join, launch, workflow } from "stepgraph"
import { all, Done, type Flows, Go, holding, Item, must, nothingOpen, Other, Start, Stop } from "./building.ts"

const live = workflow({
  name: "live",
  start: Start,
  stop: Stop,
  inputs: [Go],
  outputs: [Other],
  steps: {
    begin: defineStep({ accepts: Start, emits: Item, run: () => Item({ n: 1 }) }),
    work: defineStep({
      accepts: join([Item, Go]),
      emits: [Done, Other],
      run: ([item, go]) => holding(Effect.as(Effect.sleep(1), [Done({ n: item.n + go.n }), Other({ n: 1 })]))
    }),
    all
  }
})

/** Gathers all events sent before its inputs close, each after handling it. */
const letterBox = workflow({
  name: "letters",
  start: Start,
  stop: Stop,
  inputs: [Go],
  outputs: [Other],
  steps: {
    open: defineStep({ accepts: Start, emits: Other, run: () => Other({ n: 0 }) }),
    look: defineStep({
      accepts: Go,
      emits: [Done, Other],
      workers: 2,
      run: ({ n }) => holding(Effect.as(Effect.sleep(n), [Done({ n }), Other({ n })]))
    }),
    all
  }
})

const sum = (of: ReadonlyArray<number>) => of.reduce((sum, n) => sum + n, 0)

export const liveFlows: Flows = {
  "inputs that come at odd moments": {
    flow: letterBox,
    options: {
      invariants: { sameResult: false },
      program: (flow) =>
        Effect.scoped(
          Effect.gen(function* () {
            const live = yield* launch(flow as typeof letterBox)
            const sending = yield* Effect.forEach([1, 2, 4], (n) =>
              Effect.forkChild(Effect.andThen(Effect.sleep(n), Effect.exit(live.send(Go({ n })))))
            )
            const closing = yield* Effect.forkChild(Effect.andThen(Effect.sleep(3), live.closeInputs))
            const listening = yield* Effect.forkChild(Stream.runCollect(live.events))
            const result = yield* live.result
            yield* nothingOpen
            yield* Fiber.join(closing)
            const sent = yield* Effect.forEach(sending, Fiber.join)
            const accepted = [1, 2, 4].filter((_, i) => Exit.isSuccess(sent[i]!))
            const gathered = result.value as ReadonlyArray<number>
            yield* must(sum(gathered) === sum(accepted), `sent ${accepted}, and ${gathered} came`)
            const heard = yield* Fiber.join(listening)
            const letters = heard.filter((event) => event._tag === "Other" && event.n > 0)
            yield* must(letters.length === accepted.length, `${letters.length} letters were heard`)
            yield* must(heard.at(-1) === result, "the stream ends with another event than the result")
            yield* must((yield* live.status).state === "ended", "the status is another")
            yield* must(Exit.isFailure(yield* Effect.exit(live.send(Go({ n: 9 })))), "it takes what comes too late")
            return accepted
          })
        )
    }
  },
  "an input that comes while the run ends": {
    flow: live,
    options: {
      invariants: { sameResult: false, neverFails: false, neverStalls: false },
      program: (flow) =>
        Effect.scoped(
          Effect.gen(function* () {
            const going = yield* launch(flow as typeof live)
            yield* going.send(Go({ n: 1 }))
            yield* Effect.forkChild(Effect.andThen(Effect.sleep(1), going.interrupt))
            const late = yield* Effect.forkChild(Effect.andThen(Effect.sleep(3), Effect.exit(going.send(Go({ n: 2 })))))
            const listening = yield* Effect.forkChild(Effect.exit(Stream.runCollect(going.events)))
            const exit = yield* Effect.exit(going.result)
            yield* nothingOpen
            yield* Fiber.join(late)
            const heard = yield* Fiber.join(listening)
            yield* must(heard._tag === exit._tag, "the stream ends in another way than the result")
            return exit._tag
          })
        )
    }
  },
  "a live run whose scope is closed": {
    flow: live,
    options: {
      invariants: { sameResult: false },
      program: (flow) =>
        Effect.gen(function* () {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const going = yield* launch(flow as typeof live)
              yield* going.send(Go({ n: 1 }))
              yield* Effect.sleep(3)
            })
          )
          yield* nothingOpen
          return 0
        })
    }
  },
  "a live run, talked to and listened to": {
    flow: live,
    options: {
      program: (flow) =>
        Effect.scoped(
          Effect.gen(function* () {
            const going = yield* launch(flow as typeof live)
            const early = yield* Effect.forkChild(Stream.runCollect(going.events))
            const late = yield* Effect.forkChild(Effect.andThen(Effect.sleep(2), Stream.runCollect(going.events)))
            const talking = Effect.andThen(going.send(Go({ n: 2 })), going.closeInputs)
            yield* Effect.forkChild(Effect.andThen(Effect.sleep(1), talking))
            return [yield* Fiber.join(late), yield* Fiber.join(early)]
          })
        )
    }
  },
  "a live run that is interrupted": {
    flow: live,
    options: {
      program: (flow) =>
        Effect.scoped(
          Effect.gen(function* () {
            const going = yield* launch(flow as typeof live)
            yield* going.send(Go({ n: 2 }))
            yield* Effect.sleep(1)
            yield* going.interrupt
            return (yield* going.status).state
          })
        )
    }
  }
}
