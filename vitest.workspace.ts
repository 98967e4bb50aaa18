import { availableParallelism } from "node:os"
import { basename } from "node:path"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type Reporter, type TestSpecification } from "vitest/node"

/** Files that need a process of their own. All others share one with the files before them, which saves half a second each. */
const isolated = [
  // They weigh the heap, so nothing else may live in it.
  "packages/stepgraph/test/intakes/{cost,keys}.test.ts",
  "packages/stepgraph/test/live/{bounds,embedding,iterating,listening}.test.ts",
  // They replace the timers that a leftover of another file could still be waiting for.
  "packages/conformance/test/laws.explored.test.ts",
  "packages/testing/test/explore.test.ts",
  // It replaces the module `stepgraph` itself.
  "packages/testing/test/docs.test.ts"
]

/** The files that take longest, the longest first: what begins last should be short, or the other workers wait for it. */
const longest = ["pages", "bounds", "laws.explored", "laws.timed"]

class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    const place = ({ moduleId }: TestSpecification) => {
      const at = longest.indexOf(basename(moduleId, ".test.ts"))
      return at === -1 ? longest.length : at
    }
    // A worker goes on with the next file only if both share: so those that do stay together.
    const shares = ({ project }: TestSpecification) => Number(!project.config.isolate)
    const sorted = await super.sort(files)
    return sorted.sort((one, other) => shares(one) - shares(other) || place(one) - place(other))
  }
}

/** Says at the end what was skipped because the machine lacks something. */
const whatWasSkipped: Reporter = {
  onTestRunEnd(modules) {
    const counts = new Map<string, number>()
    for (const module of modules) {
      for (const test of module.children.allTests("skipped")) {
        const { note } = test.result() as { readonly note?: string }
        if (note !== undefined) counts.set(note, (counts.get(note) ?? 0) + 1)
      }
    }
    for (const [note, count] of counts) console.warn(`${count} tests were skipped: ${note}\n`)
  }
}

const include = ["packages/*/test/**/*.test.ts", "examples/**/*.test.ts", "scripts/*.test.ts"]

export default defineConfig({
  test: {
    // Vitest leaves one core to itself, which is half of a machine of two.
    maxWorkers: availableParallelism(),
    reporters: ["default", whatWasSkipped],
    // What hangs must fail, and what is slow because others run beside it must not.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: "isolated", include: isolated } },
      { extends: true, test: { name: "shared", include, exclude: ["**/node_modules/**", ...isolated], isolate: false } }
    ]
  }
})
