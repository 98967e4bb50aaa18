// The core's own tests in durable mode, `pnpm test:durable`: every run goes through the driver of durable runs, on a journal in
// memory. `packages/conformance/src/hosted/differing.ts` lists the tests that differ.
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { defineConfig } from "vitest/config"

const tests = join(import.meta.dirname, "packages/stepgraph/test/")
const hosted = join(import.meta.dirname, "packages/conformance/src/hosted/")

export default defineConfig({
  plugins: [
    {
      name: "durable",
      enforce: "pre",
      resolveId: (name, importer) =>
        name === "stepgraph" && importer?.startsWith(tests) ? join(hosted, "stepgraph.ts") : undefined
    }
  ],
  test: {
    maxWorkers: availableParallelism(),
    testTimeout: 10_000,
    include: ["packages/stepgraph/test/**/*.test.ts"],
    // They start no run: they check types, documents, definitions and graphs.
    exclude: [
      "**/test/{types,docs,documentation,copies,graph,graph-cost,invalid-workflow,errors-encoded,event,inspectable,trace-model,unchanged}.test.ts",
      "**/test/intakes/refused.test.ts"
    ],
    setupFiles: [join(hosted, "setup.ts")]
  }
})
