// The long searches: `pnpm test:long`. The laws over workflows that `test` does not try, and the mistakes that they have to find.
import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

/** `test` tries the workflows of round 0. */
const rounds = [1, 2, 3, 4]

export default defineConfig({
  test: {
    maxWorkers: availableParallelism(),
    projects: [
      { extends: true, test: { name: "mutants", include: ["packages/stepgraph/test/model/mutants.long.ts"] } },
      ...rounds.map((round) => ({
        extends: true as const,
        test: { name: `round ${round}`, include: ["packages/stepgraph/test/laws*.test.ts"], env: { ROUND: `${round}` } }
      }))
    ]
  }
})
