// Runs the laws against a runtime with the mutant named in MUTANT; without one, against the unchanged runtime. With
// EXAMPLES, runs the examples of intakes and of memory instead.
import { join } from "node:path"
import { defineConfig } from "vitest/config"
import { fileOf, mutants, plant } from "../src/mutants.ts"

const root = join(import.meta.dirname, "../../..")
const laws = ["packages/conformance/test/laws*.test.ts"]
const examples = [
  "packages/stepgraph/test/host.test.ts",
  "packages/stepgraph/test/intakes/*.test.ts",
  "packages/stepgraph/test/live/bounds.test.ts",
  "packages/stepgraph/test/live/answers.test.ts"
]
const mutant = mutants.find(([name]) => name === process.env.MUTANT)

export default defineConfig({
  root,
  plugins: [
    {
      name: "mutant",
      enforce: "pre",
      transform: (text, file) => (mutant && file === fileOf(mutant) ? plant(mutant, text) : undefined)
    }
  ],
  // No module cache: a mutant would find another one's text there.
  test: {
    include: process.env.EXAMPLES ? examples : laws,
    // It cuts runs of @stepgraph/testing's own, in which no mutant is planted.
    exclude: ["packages/conformance/test/laws.crashed.test.ts"],
    isolate: false,
    maxWorkers: 1,
    bail: 1,
    fsModuleCache: false
  }
})
