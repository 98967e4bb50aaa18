/**
 * Measures the time of imports, each in a new process, in turn.
 */
import { execFile } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { build } from "esbuild"
import { median } from "./statistics.ts"

const here = dirname(fileURLToPath(import.meta.url))

/** The imported names and the folder they resolve from. */
const imported: ReadonlyArray<{
  readonly title: string
  readonly from: string
  readonly names: ReadonlyArray<string>
}> = [
  { title: "stepgraph", from: "..", names: ["effect/Effect", "effect/Schema", "./node_modules/.bench/stepgraph.js"] },
  { title: "effect/Effect and effect/Schema", from: "..", names: ["effect/Effect", "effect/Schema"] },
  { title: "p-queue", from: "../peers", names: ["p-queue"] },
  { title: "rxjs", from: "../peers", names: ["rxjs"] },
  { title: "xstate", from: "../peers", names: ["xstate"] },
  { title: "Mastra", from: "../peers", names: ["@mastra/core/workflows"] },
  { title: "LangGraph", from: "../peers", names: ["@langchain/langgraph"] },
  { title: "LlamaIndex workflows", from: "../peers", names: ["@llamaindex/workflow-core"] }
]

/** stepgraph as published: JavaScript in one file, with effect external. */
const publish = async (): Promise<void> => {
  const folder = join(here, "../node_modules/.bench")
  await mkdir(folder, { recursive: true })
  const { outputFiles } = await build({
    stdin: { contents: `export * from "stepgraph"`, resolveDir: here },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: ["effect", "effect/*"],
    write: false
  })
  await writeFile(join(folder, "stepgraph.js"), outputFiles[0]!.contents)
}

/** Milliseconds for each import, medians. */
export const importTimes = async (rounds: number): Promise<ReadonlyMap<string, number>> => {
  await publish()
  const times = new Map<string, Array<number>>(imported.map(({ title }) => [title, []]))
  for (let round = 0; round < rounds; round++) {
    for (const { title, from, names } of imported) {
      const imports = names.map((name) => `await import(${JSON.stringify(name)});`).join("")
      const script = `const start = performance.now();${imports}console.log(performance.now() - start);process.exit()`
      const cwd = join(here, from)
      const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { cwd })
      times.get(title)!.push(Number(stdout.trim().split("\n").at(-1)))
    }
  }
  return new Map([...times].map(([title, millis]) => [title, median(millis)]))
}
