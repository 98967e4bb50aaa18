/**
 * `pnpm bench:durable`: measures durable runs beside those of other engines in one go, and updates docs/durable-performance.md.
 *
 * - `--quick` measures less of everything, once, and writes nothing
 * - `--only sqlite,dbos` and `--parts speed,killed` choose, and write nothing
 */
import { execFileSync } from "node:child_process"
import { createRequire } from "node:module"
import { delimiter, dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { built } from "./built.ts"
import { type Figures, full, killed, quick, replay, speed, waiting } from "./measure.ts"
import { lineOf, type Results, writePage } from "./report.ts"
import { postgres as startPostgres } from "./servers.ts"

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    parts: { type: "string" }
  }
})
const peers = fileURLToPath(new URL("../../durable-peers", import.meta.url))

// The peers are not part of the workspace, so the tests do not have to install them.
// Their native parts are for this Node, which need not be the one that npx finds.
const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`
const install = ["-y", "pnpm@10.34.9", "install", "--frozen-lockfile"]
execFileSync("npx", install, { cwd: peers, stdio: "ignore", env: { ...process.env, PATH } })

const began = performance.now()
const seconds = () => Math.round((performance.now() - began) / 1000)
const ids = options.only?.split(",")
const parts = options.parts?.split(",") ?? ["speed", "waiting", "replay", "killed"]
const sizes = options.quick ? quick : full
const rounds = options.quick ? 1 : 3
/** Who needs more seconds than this for a round has only one. */
const slow = 8
const { contestants, program } = await built()
const chosen = contestants.filter(({ id }) => ids?.includes(id) ?? true)
const results: Results = new Map(chosen.map((contestant) => [contestant, {}]))
const wrong: Array<string> = []

const postgres = await startPostgres()
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    postgres.stop()
    process.exit(1)
  })
}
// The server itself: the package's own command would start it as a process of a process, and leave it behind.
const packaged = createRequire(`${peers}/index.js`).resolve("@restatedev/restate-server/package.json")
const server = `@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`
const bin = createRequire(packaged).resolve(server)
const environment = { postgres, restate: bin, program }
const slowOnes = new Set<(typeof chosen)[number]>()
const one = async (contestant: (typeof chosen)[number], measure: typeof speed) => {
  const start = performance.now()
  try {
    const figures: Figures = await measure(contestant, environment, sizes)
    const all = results.get(contestant)!
    for (const [column, figure] of Object.entries(figures) as Array<[keyof Figures, number]>) {
      ;(all[column] ??= []).push(figure)
    }
    console.log(`${String(seconds()).padStart(4)} s  ${contestant.title.padEnd(26)} ${lineOf(figures)}`)
    if (measure === speed && performance.now() - start > slow * 1000) slowOnes.add(contestant)
  } catch (error) {
    wrong.push((error as Error).message)
    console.log(`${String(seconds()).padStart(4)} s  ${contestant.title.padEnd(26)} ${(error as Error).message}`)
  }
}
try {
  for (let round = 0; round < rounds; round++) {
    const turn = [...chosen.slice(round % chosen.length), ...chosen.slice(0, round % chosen.length)]
    const again = turn.filter((contestant) => round === 0 || !slowOnes.has(contestant))
    if (parts.includes("speed")) for (const contestant of again) await one(contestant, speed)
    if (parts.includes("killed")) {
      for (const contestant of again) if (!contestant.forgets) await one(contestant, killed)
    }
  }
  if (parts.includes("waiting")) for (const contestant of chosen) await one(contestant, waiting)
  if (parts.includes("replay")) {
    for (const contestant of chosen) if (!contestant.forgets) await one(contestant, replay)
  }
} finally {
  postgres.stop()
}

const whole = !options.quick && options.only === undefined && options.parts === undefined
const page = writePage(results, postgres.version, whole && wrong.length === 0)
console.log(`\n${page}\n\n${seconds()} s`)
for (const what of wrong) console.error(`wrong: ${what}`)
process.exit(wrong.length > 0 ? 1 : 0)
