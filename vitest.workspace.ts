import { availableParallelism } from "node:os"
import { basename, join } from "node:path"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type Reporter, type TestSpecification } from "vitest/node"

/** Files that need a separate process. All others share one, which saves half a second each. */
const isolated = [
  // They measure the heap, so nothing else may live in it.
  "packages/stepgraph/test/intakes/{cost,keys}.test.ts",
  "packages/stepgraph/test/live/{bounds,embedding,iterating,listening}.test.ts",
  // They replace timers that leftovers of another file could still be using.
  "packages/conformance/test/laws.explored.test.ts",
  "packages/testing/test/explore.test.ts"
]

/** The slowest files, slowest first: the last file to start should be short, or the other workers wait for it. */
const longest = ["bounds", "embedding", "dev", "docs", "terminal", "core", "durable", "runs", "types", "laws.crashed"]

class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    const place = ({ moduleId }: TestSpecification) => {
      const at = longest.indexOf(basename(moduleId, ".test.ts"))
      return at === -1 ? longest.length : at
    }
    // A worker is reused only for files with the same isolation, so group them.
    const shares = ({ project }: TestSpecification) => Number(!project.config.isolate)
    const sorted = await super.sort(files)
    return sorted.sort((one, other) => shares(one) - shares(other) || place(one) - place(other))
  }
}

/** Reports at the end what was skipped because the machine lacks something. */
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
    // One more than there are cores: tests of processes mostly wait for them.
    maxWorkers: availableParallelism() + 1,
    reporters: ["default", whatWasSkipped],
    // The processes that tests start translate the sources once, not each anew.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/stepgraph") },
    // Tests leave much garbage behind: collecting it less often saves a tenth of their time.
    execArgv: ["--max-semi-space-size=64"],
    // Hanging tests must fail; tests slowed by parallel ones must not.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 20_000 } },
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: "isolated", include: isolated } },
      {
        extends: true,
        test: {
          name: "shared",
          include,
          exclude: ["**/node_modules/**", ...isolated],
          isolate: false
        }
      }
    ]
  }
})
