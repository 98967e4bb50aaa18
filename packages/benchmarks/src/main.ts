/**
 * `pnpm bench`: measures stepgraph and its peers in one go, and updates docs/performance.md.
 *
 * - `--quick` takes less than a minute, and writes nothing
 * - `--only stepgraph,rxjs` and `--workloads seed,fan` choose, and write nothing
 */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { entries, moduleSize, programSize } from "./bundles.ts"
import { candidates } from "./candidates.ts"
import { chart } from "./chart.ts"
import { importTimes } from "./imports.ts"
import { fill } from "./page.ts"
import { aims, beginnings, cost, digits, each, memory, slower, times } from "./report.ts"
import { inRounds, type Plan } from "./rounds.ts"
import { Runner } from "./runner.ts"
import { spread } from "./statistics.ts"
import { full, quick } from "./workloads.ts"

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    workloads: { type: "string" }
  }
})
const path = (file: string) => fileURLToPath(new URL(file, import.meta.url))

// The peers are not part of the workspace, so the tests do not have to install them.
execFileSync("npx", ["-y", "pnpm@10.34.9", "install", "--frozen-lockfile"], { cwd: path("../peers"), stdio: "ignore" })

const began = performance.now()
const ids = options.only?.split(",")
const names = options.workloads?.split(",")
const runners = candidates
  .filter(({ id }) => ids?.includes(id) ?? true)
  .map(({ title, file }) => new Runner(title, file))
const workloads = (options.quick ? quick : full).filter(({ name }) => names?.includes(name) ?? true)
const plan: Plan = options.quick
  ? { rounds: 3, warmUp: 0.02, rewarm: 0, newProcesses: false, cap: 0.6, slow: 0.1, slowRounds: 1 }
  : { rounds: 7, warmUp: 1, rewarm: 0.15, newProcesses: true, cap: 8, slow: 1, slowRounds: 1 }

for (const runner of runners) await runner.begin()
const wrong: Array<string> = []
const outcomes = await inRounds(workloads, runners, plan, (workload, came) => {
  console.log(`\n${workload.title}`)
  for (const runner of runners) {
    const outcome = came.get(runner)
    if (outcome === undefined) continue
    const micros = cost(workload, outcome)
    if (micros !== undefined && "millis" in outcome) {
      const deviation = Math.round(spread(outcome.millis) * 100)
      console.log(`  ${runner.title.padEnd(32)}${digits(micros).padStart(10)} µs ${each(workload)}  ±${deviation} %`)
    } else if ("over" in outcome) console.log(`  ${runner.title.padEnd(32)}   over ${outcome.over} s`)
    else if ("wrong" in outcome) wrong.push(`${runner.title}, ${workload.title}: ${outcome.wrong}`)
  }
})
for (const runner of runners) runner.end()

console.log(`\n${aims(outcomes, runners)}`)
const sizes = {
  alone: await programSize("effect-alone"),
  seed: await programSize("seed"),
  entries: new Map(
    await Promise.all(entries().map(async (entry) => [entry, await moduleSize(`stepgraph${entry.slice(1)}`)] as const))
  )
}
const begin = beginnings(await importTimes(options.quick ? 1 : 15), sizes)
console.log(`\n${begin}`)

if (!options.quick && ids === undefined && names === undefined && wrong.length === 0) {
  const shown = [
    "seed flow",
    "fan-out and fan-in of 10,000",
    "a loop of 100,000 hops",
    "1,000 events through 100 steps"
  ]
  writeFileSync(
    path("../../../docs/performance.svg"),
    chart(outcomes, runners, [...shown, "mixed join", "race of three"])
  )
  const file = path("../../../docs/performance.md")
  const machine = `${cpus().length} cores, Node ${process.versions.node}, effect ${version("../node_modules/effect")}`
  const filled = [
    ["machine", `Measured on ${machine}; ${peers()}.`],
    ["aims", aims(outcomes, runners)],
    ["times", times(outcomes, runners)],
    ["memory", memory(outcomes, runners)],
    ["beginnings", begin],
    ["slower", slower(outcomes, runners)]
  ].reduce((page, [name, content]) => fill(page!, name!, content!), readFileSync(file, "utf8"))
  writeFileSync(file, filled!)
}

console.log(`\n${Math.round((performance.now() - began) / 1000)} s`)
for (const what of wrong) console.error(`wrong: ${what}`)
process.exit(wrong.length > 0 ? 1 : 0)

function version(folder: string): string {
  return JSON.parse(readFileSync(path(`${folder}/package.json`), "utf8")).version
}

function peers(): string {
  const { dependencies } = JSON.parse(readFileSync(path("../peers/package.json"), "utf8"))
  return Object.entries(dependencies)
    .map(([name, version]) => `\`${name}\` ${version}`)
    .join(", ")
}
