// Events that are still held when a run stops are dropped: the status of the run and a debug log say which.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Logger, References, Schema } from "effect"
import { collect, defineEvent, defineStep, join, launchPromise, run, workflow } from "stepgraph"
import { Start, Stop, stop } from "./support/flow.ts"

const Config = defineEvent("Config")
const Item = defineEvent("Item", { n: Schema.Number })

/** One Config and three Items come to a join of both. */
const flow = workflow({
  name: "pairs",
  start: Start,
  stop: Stop,
  steps: {
    begin: defineStep({
      accepts: Start,
      emits: [Config, Item],
      run: () => [Config(), ...[1, 2, 3].map((n) => Item({ n }))]
    }),
    pair: defineStep({ accepts: join([Config, Item]), emits: Stop, run: ([, { n }]) => stop(n) })
  }
})

const logsOf = (level: "Debug" | "Info", program: Effect.Effect<unknown, unknown>) =>
  Effect.gen(function* () {
    const logged: Array<unknown> = []
    const logger = Logger.make(({ logLevel, message }) => void logged.push([logLevel, ...[message].flat()]))
    yield* Effect.exit(program).pipe(
      Effect.provide(Logger.layer([logger])),
      Effect.provideService(References.MinimumLogLevel, level)
    )
    return logged
  })

describe("the leftovers of a stopped run", () => {
  it("is in its status", async () => {
    const live = await launchPromise(flow)
    expect(await live.result).toEqual(stop(1))
    expect((await live.status()).waiting).toEqual([
      {
        step: "pair",
        intake: "join([Config, Item])",
        per: undefined,
        key: undefined,
        has: { Item: 2 },
        needs: { Config: 1 }
      }
    ])
  })

  it("is nothing in the status of a run that has used all", async () => {
    const steps = { all: defineStep({ accepts: collect(Start, 1), emits: Stop, run: () => stop(0) }) }
    const live = await launchPromise(workflow({ name: "all", start: Start, stop: Stop, steps }))
    await live.result
    expect((await live.status()).waiting).toEqual([])
  })

  it.effect("is logged at level Debug", () =>
    Effect.gen(function* () {
      expect(yield* logsOf("Debug", run(flow))).toEqual([
        [
          "Debug",
          "workflow 'pairs' stopped with 'Stop', and events were left over:\n" +
            "  - step 'pair' waits for join([Config, Item]): has 2 Item, needs 1 Config"
        ]
      ])
    })
  )

  it.effect("is not logged otherwise", () =>
    Effect.gen(function* () {
      expect(yield* logsOf("Info", run(flow))).toEqual([])
    })
  )
})
