// Measures how many whole runs a second `explore` does on one core, with crashes and without, and the memory of 100,000 schedules.
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

/** Any order of the list is right. */
const invariants = { sameResult: ({ result }: { readonly result: string }) => result.split(", ").sort() }

const seedRunsASecond = async (explorations: number, crash = false) => {
  const before = process.cpuUsage()
  let runs = 0
  for (let i = 0; i < explorations; i++) {
    runs += (await Effect.runPromise(explore(seed, { crash, invariants }))).schedules
  }
  // Processor time instead of clock time, so a busy machine gives the same figures.
  const { user, system } = process.cpuUsage(before)
  return Math.round((runs * 1e6) / (user + system))
}

const megabytes = () => {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return Math.round(((heapUsed + external) / 2 ** 20) * 10) / 10
}

for (const crash of [false, true]) {
  const explorations = crash ? 75 : 1_000
  await seedRunsASecond(explorations / 2, crash)
  const rates: Array<number> = []
  for (let i = 0; i < rounds; i++) rates.push(await seedRunsASecond(explorations, crash))
  const rate = rates.sort((a, b) => a - b)[rounds >> 1]
  const what = crash ? "12 of 13 of them cut and resumed" : "without crashes"
  console.log(`seed flow, whole runs a second on one core, ${what}: ${rate} (of ${rates.join(", ")})`)
}

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
