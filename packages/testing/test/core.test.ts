// Explores the core itself: shutdown, interruption, joins, scopes, retries, back-pressure, time, live runs.
import { share } from "@stepgraph/conformance"
import { type ExploreOptions, explore } from "@stepgraph/testing"
import { Effect } from "effect"
import { describe, it } from "vitest"
import { addsUp, begin, promised, released } from "./core/building.ts"
import { flows } from "./core/flows.ts"
import { liveFlows } from "./core/live.ts"
import { pressureFlows } from "./core/pressure.ts"
import { timeFlows } from "./core/time.ts"

const all = { ...flows, ...liveFlows, ...timeFlows, ...pressureFlows }

const modes: Readonly<Record<string, ExploreOptions<any>>> = {
  "in any order": { results: "any" },
  "interrupted anywhere": { cancel: true },
  "with fibers in any order, one of them held up": { fibers: "any", preempt: 1 },
  "with two faults": {
    faults: { max: 2, kinds: ["fail", "fail-after", "die", "interrupt", "interrupt-after"] },
    invariants: { sameResult: false }
  }
}

describe.for(Object.entries(modes))("%s", ([, mode]) => {
  it.for(Object.entries(all))("%s", async ([, { flow, options }]) => {
    begin()
    const exploring = explore(flow, {
      schedules: share < 1 ? 30 : 60,
      random: share < 1 ? 10 : 20,
      check: { released, promised, addsUp },
      ...mode,
      ...options
    })
    await Effect.runPromise(exploring as Effect.Effect<any, any>)
  })
})
