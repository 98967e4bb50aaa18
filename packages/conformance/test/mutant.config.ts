// The laws of a runtime with the mutant in it that MUTANT names; of the runtime as it is, if none is named. With EXAMPLES, the
// examples of what intakes do and of what a run keeps.
import { join } from "node:path"
import { defineConfig } from "vitest/config"
import { fileOf, mutants, plant } from "../src/mutants.ts"

const root = join(import.meta.dirname, "../../..")
const laws = ["packages/conformance/test/laws*.test.ts"]
const examples = ["packages/stepgraph/test/intakes/*.test.ts", "packages/stepgraph/test/live/bounds.test.ts"]
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
  // Without its cache of modules, in which each mutant would find the text of another.
  test: {
    include: process.env.EXAMPLES ? examples : laws,
    isolate: false,
    maxWorkers: 1,
    bail: 1,
    fsModuleCache: false
  }
})
