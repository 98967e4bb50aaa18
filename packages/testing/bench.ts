// Measures how many whole runs a second `explore` does on one core, and the memory of 100,000 schedules.
//
//   node --expose-gc bench.ts

import { explore } from "@stepgraph/testing"
import { Effect, Schema } from "effect"
import { defineEvent, defineStep, gather, workflow } from "stepgraph"
import { seed } from "./test/seed.ts"

const Start = defineEvent("Start")
const Item = defineEvent("Item", { n: Schema.Number })
const Done = defineEvent("Done", { n: Schema.Number })
const Stop = defineEvent("Stop", { count: Schema.Number })

/** Nine steps side by side: 362,880 orders. */
const wide = workflow({
  name: "wide",
  start: Start,
  stop: Stop,
  steps: {
    items: defineStep({ accepts: Start, emits: Item, run: () => Array.from({ length: 9 }, (_, n) => Item({ n })) }),
    work: defineStep({
      accepts: Item,
      emits: Done,
      workers: 9,
      run: ({ n }) => Effect.as(Effect.sleep(10), Done({ n }))
    }),
    end: defineStep({ accepts: gather(Done), emits: Stop, run: (done) => Stop({ count: done.length }) })
  }
})

const rounds = 5
const schedulesOfSeed = 6

const seedRunsASecond = async (explorations: number) => {
  const before = process.cpuUsage()
  for (let i = 0; i < explorations; i++) {
    await Effect.runPromise(explore(seed, { invariants: { sameResult: false } }))
  }
  // Processor time instead of clock time, so a busy machine gives the same figures.
  const { user, system } = process.cpuUsage(before)
  return Math.round((explorations * schedulesOfSeed * 1e6) / (user + system))
}

const megabytes = () => {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return Math.round(((heapUsed + external) / 2 ** 20) * 10) / 10
}

await seedRunsASecond(500)
const rates: Array<number> = []
for (let i = 0; i < rounds; i++) rates.push(await seedRunsASecond(1_000))
console.log(
  `seed flow, whole runs a second on one core: ${rates.sort((a, b) => a - b)[rounds >> 1]} (of ${rates.join(", ")})`
)

for (const schedules of [1_000, 10_000, 50_000, 100_000]) {
  const at = performance.now()
  let during = 0
  const exploring = explore(wide, {
    schedules,
    random: 0,
    progress: () => {},
    check: {
      look: () => {
        if (++during === schedules - 1) console.log(`  ${schedules} schedules: ${megabytes()} MB while exploring`)
      }
    }
  })
  await Effect.runPromise(exploring)
  const seconds = (performance.now() - at) / 1000
  console.log(`  and ${megabytes()} MB after it; ${Math.round(schedules / seconds)} a second`)
}
