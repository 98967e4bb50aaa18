/**
 * Two runs side by side as a page: their differences, and both charts on one scale.
 */
import { chartData } from "./chart-data.ts"
import type { Comparison } from "./comparison.ts"
import { comparisonParagraphs, durationsParagraph } from "./comparison-text.ts"
import { count, time, xml } from "./text.ts"
import type { Timeline } from "./timeline.ts"
import { runsPage } from "./timeline-html.ts"

export const comparisonHtml = (comparison: Comparison): string => {
  const { left, right } = comparison
  const extent = Math.max(left.duration, right.duration)
  const charts = [left, right].map((run, i) => {
    const chart = chartData(run, { extent, differs: unlike(comparison, run, i === 0 ? right : left) })
    return { ...chart, title: `${i === 0 ? "left" : "right"}: ${chart.title}` }
  })
  const paragraphs = [...comparisonParagraphs(comparison), durationsParagraph(comparison)]
  return runsPage({
    title: `${left.workflow}: two runs`,
    charts,
    linked: true,
    before: [
      `<h1>${xml(left.workflow)}: two runs</h1>`,
      ...paragraphs.filter((lines) => lines.length > 0).map(paragraph),
      table(comparison)
    ].join("\n")
  })
}

const paragraph = ([first, ...rest]: ReadonlyArray<string>): string => {
  if (rest.length === 0) return `<p class="hint">${xml(first!)}</p>`
  const lines = rest.map((line) => " ".repeat(line.length - line.trimStart().length - 2) + xml(line))
  return `<details open><summary>${xml(first!.replace(/:$/, ""))}</summary><pre>${lines.join("\n")}</pre></details>`
}

/** The invocations that are missing in the other run or did something else there. */
const unlike = ({ parted }: Comparison, run: Timeline, other: Timeline): ReadonlyMap<string, string> => {
  const there = new Set(other.invocations.map(({ id }) => id))
  return new Map([
    ...run.invocations.filter(({ id }) => !there.has(id)).map(({ id }) => [id, "only on this side"] as const),
    ...parted.map(({ left }) => [left.id, "did something else on the other side"] as const)
  ])
}

const table = ({ steps }: Comparison): string => {
  const difference = ([left, right]: readonly [number, number]): string =>
    left === right
      ? '<td class="soft">=</td>'
      : `<td class="${right > left ? "more" : "less"}">${right > left ? "+" : "−"}${time(Math.abs(right - left))}</td>`
  const pair = (both: readonly [number, number]) =>
    `<td>${time(both[0])}</td><td>${time(both[1])}</td>${difference(both)}`
  const rows = steps.map(({ name, invocations: [left, right], busy, waited }) => {
    const runs = left === right ? count(left, "run") : `${left.toLocaleString("en")} → ${count(right, "run")}`
    return `<tr><td>${xml(name)}</td><td>${runs}</td>${pair(busy)}${pair(waited)}</tr>`
  })
  return (
    "<table><thead><tr><th>step</th><th>runs</th><th>running, left</th><th>right</th><th>difference</th>" +
    `<th>waited, left</th><th>right</th><th>difference</th></tr></thead><tbody>${rows.join("")}</tbody></table>`
  )
}
