// The long searches: `pnpm test:long`. All that `test` makes half of, then other seeds, and the mistakes that the laws have to
// find.
import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

const searches = (round: number, include: ReadonlyArray<string>) => ({
  extends: true as const,
  test: { name: `round ${round}`, include: [...include], env: { ROUND: `${round}`, SHARE: "1" } }
})
const laws = "packages/conformance/test/laws*.test.ts"

export default defineConfig({
  test: {
    maxWorkers: availableParallelism(),
    // Of the mutants, each in a process of its own.
    maxConcurrency: availableParallelism(),
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      { extends: true, test: { name: "mutants", include: ["packages/conformance/test/mutants.long.ts"] } },
      searches(0, [laws, "packages/stepgraph/test/faults.test.ts"]),
      ...[1, 2, 3].map((round) => searches(round, [laws]))
    ]
  }
})
