// The laws of a runtime with the mutant in it that MUTANT names; of the runtime as it is, if none is named.
import { join } from "node:path"
import { defineConfig } from "vitest/config"
import { fileOf, mutants, plant } from "./mutants.ts"

const mutant = mutants.find(([name]) => name === process.env.MUTANT)

export default defineConfig({
  root: join(import.meta.dirname, "../../../.."),
  plugins: [
    {
      name: "mutant",
      enforce: "pre",
      transform: (text, file) => (mutant && file === fileOf(mutant) ? plant(mutant, text) : undefined)
    }
  ],
  // Without its cache of modules, in which each mutant would find the text of another.
  test: {
    include: ["packages/stepgraph/test/laws*.test.ts"],
    isolate: false,
    maxWorkers: 1,
    bail: 1,
    fsModuleCache: false
  }
})
