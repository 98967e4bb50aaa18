/**
 * Two runs beside each other, as a page: what differs, and both charts.
 */
import { chartData } from "./chart-data.ts"
import type { Comparison } from "./comparison.ts"
import { comparisonText } from "./comparison-text.ts"
import { xml } from "./text.ts"
import { runsPage } from "./timeline-html.ts"

export const comparisonHtml = (comparison: Comparison): string => {
  const { left, right } = comparison
  const charts = [left, right].map(chartData)
  const told = comparisonText(comparison)
    .split("\n")
    .map((line) => " ".repeat(line.length - line.trimStart().length) + xml(line))
  return runsPage(
    `${left.workflow}: two runs`,
    charts.map((chart, i) => ({ ...chart, title: `${i === 0 ? "left" : "right"}: ${chart.title}` })),
    "",
    () => false,
    `<details open><summary>What differs</summary><pre>${told.join("\n")}</pre></details>`
  )
}
