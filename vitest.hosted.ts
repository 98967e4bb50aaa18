// The core's own tests where their runs are elsewhere, `pnpm test:hosted`: on the driver of durable runs, with a journal in
// memory, and on a server, through its clients in Node and in Chromium. `packages/conformance/src/hosted/differing.ts` and
// `packages/conformance/src/served/differing.ts` list the tests that differ.
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { defineConfig } from "vitest/config"

const tests = join(import.meta.dirname, "packages/stepgraph/test/")
const conformance = join(import.meta.dirname, "packages/conformance/src/")

/** What the tests import as stepgraph. */
const instead = (stepgraph: string) => ({
  name: "instead",
  enforce: "pre" as const,
  resolveId: (name: string, importer: string | undefined) =>
    name === "stepgraph" && importer?.startsWith(tests) ? join(conformance, stepgraph) : undefined
})

export default defineConfig({
  test: {
    maxWorkers: availableParallelism(),
    testTimeout: 10_000,
    projects: [
      {
        extends: true,
        plugins: [instead("hosted/stepgraph.ts")],
        test: {
          name: "durable",
          include: ["packages/stepgraph/test/**/*.test.ts"],
          // They start no run: they check types, documents, definitions and graphs.
          exclude: [
            "**/test/{types,docs,documentation,copies,graph,graph-cost,invalid-workflow,errors-encoded,event,inspectable,trace-model,unchanged}.test.ts",
            "**/test/intakes/refused.test.ts"
          ],
          setupFiles: [join(conformance, "hosted/setup.ts")]
        }
      },
      {
        extends: true,
        plugins: [instead("served/stepgraph.ts")],
        test: { name: "served", include: ["packages/conformance/test/served.hosted.ts"], hookTimeout: 30_000 }
      }
    ]
  }
})
