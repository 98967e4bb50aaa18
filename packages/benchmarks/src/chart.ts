/**
 * The chart of docs/performance.md: one panel per workload, one bar per candidate, all on one logarithmic scale.
 */
import { cost, digits, each } from "./report.ts"
import type { Outcomes } from "./rounds.ts"
import type { Runner } from "./runner.ts"

const names = 220
const bars = 300
const values = 90
const row = 18
const columns = 2
const panel = { width: names + bars + values, gap: 30 }

const inXml = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

/** Draws the named workloads. A candidate that timed out gets an open bar to the right edge. */
export const chart = (outcomes: Outcomes, runners: ReadonlyArray<Runner>, titles: ReadonlyArray<string>): string => {
  const chosen = titles.flatMap((title) => [...outcomes].filter(([workload]) => workload.title === title))
  const costs = chosen.flatMap(([workload, came]) => runners.map((runner) => cost(workload, came.get(runner)) ?? 1))
  const least = Math.floor(Math.log10(Math.min(...costs)))
  const most = Math.ceil(Math.log10(Math.max(...costs)))
  const lengthOf = (micros: number) => Math.max(2, ((Math.log10(micros) - least) / (most - least)) * bars)
  const height = runners.length * row + 60
  const panels = chosen.map(([workload, came], index) => {
    const x = (index % columns) * (panel.width + panel.gap)
    const y = Math.floor(index / columns) * (height + panel.gap)
    const ticks = Array.from({ length: most - least + 1 }, (_, i) => {
      const at = names + (i / (most - least)) * bars
      return `<line class="tick" x1="${at}" x2="${at}" y1="26" y2="${height - 26}"/><text class="scale" x="${at}" y="${height - 12}">${digits(10 ** (least + i))}</text>`
    })
    const rows = runners.map((runner, i) => {
      const at = 30 + i * row
      const outcome = came.get(runner)
      const micros = cost(workload, outcome)
      const name = `<text class="name" x="${names - 8}" y="${at + 12}">${inXml(runner.title)}</text>`
      const own = runner.title.startsWith("stepgraph") ? "own" : "other"
      if (micros !== undefined) {
        const length = lengthOf(micros)
        return `${name}<rect class="${own}" x="${names}" y="${at + 2}" width="${length.toFixed(1)}" height="${row - 5}"/><text x="${names + length + 6}" y="${at + 12}">${digits(micros)}</text>`
      }
      if (outcome !== undefined && "over" in outcome) {
        return `${name}<rect class="over" x="${names}" y="${at + 2}" width="${bars}" height="${row - 5}"/><text x="${names + bars + 6}" y="${at + 12}">over ${outcome.over} s</text>`
      }
      return `${name}<text class="none" x="${names + 4}" y="${at + 12}">–</text>`
    })
    return `<g transform="translate(${x} ${y})"><text class="title" x="0" y="16">${inXml(workload.title)}, µs ${each(workload)}</text>${ticks.join("")}${rows.join("")}</g>`
  })
  const width = columns * panel.width + panel.gap
  const whole = Math.ceil(chosen.length / columns) * (height + panel.gap)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-16 -16 ${width + 32} ${whole + 16}" role="img" aria-labelledby="title desc">
<title id="title">The cost of an event, compared with peers</title>
<desc id="desc">Microseconds per unit of each workload, medians, on a logarithmic scale. The table below has the figures.</desc>
<style>
svg { background: #fff; font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 14px }
.name { text-anchor: end }
.scale { text-anchor: middle; fill: #656d76; font-size: 10px }
.tick { stroke: #d0d7de; stroke-width: 1 }
.own { fill: #0969da }
.other { fill: #8c959f }
.over { fill: none; stroke: #8c959f; stroke-dasharray: 4 3 }
.none { fill: #656d76 }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117; fill: #e6edf3 }
.tick { stroke: #30363d }
.scale, .none { fill: #8b949e }
.own { fill: #4493f8 }
.other { fill: #6e7681 }
}
</style>
${panels.join("\n")}
</svg>
`
}
