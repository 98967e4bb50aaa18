/**
 * The tables of docs/durable-performance.md.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { fill } from "../page.ts"
import { digits } from "../report.ts"
import { median } from "../statistics.ts"
import { type Contestant, peerVersions } from "./candidates.ts"
import { type Column, columns, type Figures } from "./measure.ts"

export type Results = Map<Contestant, Partial<Record<Column, Array<number>>>>

const titles: Record<Column, string> = {
  chain: "chain, ms a step",
  many: "50 chains at once, steps/s",
  fan: "fan-out 100 at 20, ms",
  cpu: "CPU, µs a step",
  killed: "kill -9 to the next step, ms",
  again: "finished steps that ran again",
  waits: "1,000 runs started that wait, s",
  heap: "memory of one that waits, KiB",
  bytes: "kept, bytes a step",
  event: "event to the next step, ms",
  replay: "replay, ms a step"
}

export const lineOf = (figures: Figures): string =>
  Object.entries(figures)
    .map(([column, figure]) => `${column} ${shown(figure)}`)
    .join("  ")

const shown = (figure: number): string => (figure <= 0 ? "0" : figure < 0.01 ? figure.toFixed(3) : digits(figure))

const figureOf = (results: Results, contestant: Contestant | undefined, column: Column): number | undefined => {
  const figures = contestant === undefined ? undefined : results.get(contestant)?.[column]
  if (figures === undefined) return undefined
  return column === "again" ? Math.max(...figures) : median(figures)
}

/** How many times as much as stepgraph it takes, whatever the column counts. */
const ratio = (column: Column, figure: number, own: number | undefined): string => {
  if (own === undefined || own <= 0 || figure <= 0) return ""
  return ` (${digits(column === "many" ? own / figure : figure / own)} ×)`
}

/** The candidates of some stores beside stepgraph on the same. */
export const table = (results: Results, base: string, stores: ReadonlyArray<Contestant["store"]>): string => {
  const own = [...results.keys()].find(({ id }) => id === base)
  const shownOnes = [...results.keys()].filter(({ store }) => stores.includes(store))
  const head = ["", ...shownOnes.map(({ title }) => title)]
  const rows = columns.map((column) => [
    titles[column],
    ...shownOnes.map((contestant) => {
      const figure = figureOf(results, contestant, column)
      if (figure === undefined) return "–"
      if (column === "again") return contestant === own ? `**${figure}**` : String(figure)
      // A difference that drowned in what two starts of a process differ by.
      if (figure <= 0) return "–"
      const compared = contestant === own ? "" : ratio(column, figure, figureOf(results, own, column))
      return contestant === own ? `**${shown(figure)}**` : `${shown(figure)}${compared}`
    })
  ])
  const power = ["a power cut takes", ...shownOnes.map(({ powerCut }) => powerCut)]
  return [head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows, power]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n")
}

const path = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url))
const packageOf = (folder: string) => JSON.parse(readFileSync(path(`${folder}/package.json`), "utf8"))

const machine = (postgres: string): string => {
  const peers = Object.entries(peerVersions()).map(([name, version]) => `\`${name}\` ${version}`)
  const versions = `Node ${process.versions.node} with SQLite ${process.versions.sqlite}, Postgres ${postgres}`
  const effect = packageOf("node_modules/effect").version
  const date = new Date().toISOString().slice(0, 10)
  return `Measured on ${date} on ${cpus().length} cores, ${versions}, \`effect\` ${effect}; ${peers.join(", ")}.`
}

/** Gives the figures as they are on the page. */
export const writePage = (results: Results, postgres: string, write: boolean): string => {
  const parts = {
    file: table(results, "sqlite", ["SQLite", "memory"]),
    server: table(results, "postgres", ["Postgres", "Restate"]),
    machine: machine(postgres)
  }
  if (write) {
    const file = path("../../docs/durable-performance.md")
    const page = Object.entries(parts).reduce(
      (page, [name, content]) => fill(page, name, content),
      readFileSync(file, "utf8")
    )
    writeFileSync(file, page)
  }
  return Object.values(parts).join("\n\n")
}
