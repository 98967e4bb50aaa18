// Installs the packed packages in projects outside the repository, with every package manager, and runs the seed flow there
// in every module system, bundler and runtime that stepgraph says it runs on.
//
//   npx -y pnpm@10.34.9 consumers FOLDER [name…]
//
// FOLDER is what scripts/pack has filled. Names choose consumers; without them, all run.
import { rmSync } from "node:fs"
import { resolve } from "node:path"
import { bundlers } from "./bundlers.ts"
import { managers } from "./managers.ts"
import { packedIn } from "./project.ts"
import { runtimes } from "./runtimes.ts"

/** What the seed flow gives. */
const expected = "found a, found b, found c"

const [folder, ...names] = process.argv.slice(2)
if (folder === undefined) throw new Error("Name the folder that scripts/pack has filled.")
const packed = packedIn(resolve(folder))

const consumers = [...managers, ...runtimes, ...bundlers]
const unknown = names.filter((name) => !consumers.some((consumer) => consumer.name === name))
if (unknown.length > 0)
  throw new Error(
    `There is no consumer ${unknown.join(", ")}. There are ${consumers.map(({ name }) => name).join(", ")}.`
  )

let failed = 0
try {
  for (const { name, run } of consumers) {
    if (names.length > 0 && !names.includes(name)) continue
    const began = performance.now()
    const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`
    try {
      for (const [what, printed] of Object.entries(await run(packed))) {
        if (printed.trim() !== expected) throw new Error(`${what} printed ${JSON.stringify(printed)}`)
        console.log(`${name}: ${what} printed '${expected}'`)
      }
      console.log(`${name}: ${seconds()}`)
    } catch (error) {
      failed++
      console.error(`${name} failed after ${seconds()}: ${error instanceof Error ? error.message : error}`)
    }
  }
} finally {
  rmSync(packed.scratch, { recursive: true, force: true })
}
process.exitCode = failed > 0 ? 1 : 0
