// The long searches, `pnpm test:long`: everything that `test` runs only a tenth of, more seeds, the mutants that the
// laws must detect, every program of the docs in every order, and a process that dies again and again.
import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

const searches = (round: number, include: ReadonlyArray<string>) => ({
  extends: true as const,
  test: { name: `round ${round}`, include: [...include], env: { ROUND: `${round}`, SHARE: "1" } }
})
/** How many rounds of other seeds: more find more, and each takes about two minutes. */
const { ROUNDS: rounds = "1" } = process.env
const laws = "packages/conformance/test/laws*.test.ts"

export default defineConfig({
  test: {
    maxWorkers: availableParallelism(),
    // Mutants run in separate processes.
    maxConcurrency: availableParallelism(),
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      { extends: true, test: { name: "mutants", include: ["packages/conformance/test/mutants.long.ts"] } },
      {
        extends: true,
        test: { name: "long", include: ["packages/testing/test/docs.long.ts", "packages/durable/test/poison.long.ts"] }
      },
      searches(0, [
        laws,
        "packages/durable/test/laws.test.ts",
        "packages/stepgraph/test/faults.test.ts",
        "packages/stepgraph/test/live/bounds.test.ts",
        "packages/testing/test/core.test.ts"
      ]),
      ...Array.from({ length: Number(rounds) }, (_, i) => searches(i + 1, [laws]))
    ]
  }
})
