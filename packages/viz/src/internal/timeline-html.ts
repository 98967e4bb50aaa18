/**
 * Runs as a page: a table of the steps, and a chart.
 */
import { type ChartData, type ChartInvocation, chartData, packed } from "./chart-data.ts"
import { makeChart } from "./client/chart.ts"
import { makeDetails } from "./client/chart-details.ts"
import { makeDrawing } from "./client/chart-drawing.ts"
import { listen } from "./client/chart-input.ts"
import { makeView } from "./client/chart-view.ts"
import { type RunsParts, showRuns } from "./client/runs.ts"
import { criticalLine } from "./critical-line.ts"
import { page } from "./page.ts"
import { count, time, xml } from "./text.ts"
import { ticks } from "./ticks.ts"
import type { Timeline } from "./timeline.ts"

const style =
  "table{border-collapse:collapse;margin:10px 0;display:block;overflow-x:auto}th,td{padding:3px 12px 3px 0;text-align:right;white-space:nowrap}" +
  "th{font-weight:500;color:var(--sg-soft)}th:first-child,td:first-child{text-align:left}" +
  ".share{display:inline-block;width:90px;height:8px;border-radius:4px;background:var(--sg-faint);margin-left:8px;vertical-align:1px;overflow:hidden}" +
  ".share i{display:block;height:100%;background:var(--sg-run)}.share.wait i{background:var(--sg-wait)}" +
  ".stage{position:relative}canvas{display:block;width:100%;cursor:crosshair;border-radius:8px;touch-action:none}" +
  ".tip{position:absolute;display:none;z-index:2;max-width:460px;pointer-events:none;background:var(--sg-ground);border:1px solid var(--sg-line);border-radius:8px;padding:8px 12px;box-shadow:0 4px 16px #0004;font-size:12px}" +
  ".details{font-size:13px;margin:10px 0;min-height:1em}.event code{margin-left:8px;overflow-wrap:anywhere;font-size:12px}.tip .event code{display:inline-block;max-height:3.2em;overflow:hidden;vertical-align:text-top}" +
  ".hint{font-weight:600}.legend{display:flex;gap:14px;flex-wrap:wrap;color:var(--sg-soft);font-size:12px;margin:6px 0}" +
  ".legend i{display:inline-block;width:16px;height:10px;border-radius:2px;margin-right:5px}.legend .frame{border:2px solid var(--sg-intake-line);box-sizing:border-box}" +
  "details{margin:10px 0}summary{cursor:pointer}pre{font-size:12px;overflow:auto;margin:4px 0 4px 16px}.more{color:var(--sg-bad)}.less{color:var(--sg-good)}" +
  ".tools{display:flex;gap:6px;margin:6px 0}.tools button{padding:2px 10px}"

/** The legend of the marks that occur. */
const legend = (charts: ReadonlyArray<ChartData>): string => {
  const some = (has: (one: ChartInvocation) => boolean) => charts.some(({ invocations }) => invocations.some(has))
  const colour = (name: string) => `<i style="background:var(--sg-${name})"></i>`
  const entries: ReadonlyArray<readonly [boolean, string]> = [
    [true, `${colour("run")}running`],
    [some(({ critical }) => critical), `${colour("critical")}on the critical path`],
    [
      charts.some(({ steps }) => steps.some(({ queue }) => queue.length > 0)),
      `${colour("wait")}how many wait for a worker`
    ],
    [some(({ intake }) => intake), `${colour("intake-line")}▶ an intake is complete`],
    [some(({ outcome }) => outcome === "failed"), `${colour("bad")}failed ✕`],
    [some(({ outcome }) => outcome === "interrupted"), `${colour("dropped")}interrupted ⊘`],
    [some(({ attempts }) => attempts.length > 1), "↻ retried"],
    [some(({ outcome }) => outcome === "running"), "… not ended"],
    [charts.some(({ drops }) => drops.length > 0), "◇ dropped"],
    [charts.some(hasScopes), "a coloured foot: the scope"],
    [some(({ differs }) => differs !== null), `<i class="frame"></i>not the same in both runs`]
  ]
  return entries.flatMap(([is, words]) => (is ? [`<span>${words}</span>`] : [])).join("")
}

const hasScopes = ({ invocations }: ChartData): boolean =>
  new Set(invocations.flatMap(({ scope }) => (scope === null ? [] : [scope]))).size > 1

const most = 60

const parts: RunsParts = { time, ticks, criticalLine, makeChart, makeView, makeDrawing, makeDetails, listen }

export const timelineHtml = (run: Timeline): string => {
  const all = [run, ...inside(run)]
  const charts = all.slice(0, most).map((one) => chartData(one))
  const rest = all.length > most ? `<span class="soft">and ${count(all.length - most, "run")} more inside</span>` : ""
  const options = charts.map(
    (chart, i) => `<option value="${i}">${i === 0 ? "" : "inside: "}${xml(chart.title)}</option>`
  )
  return runsPage({
    title: `${run.workflow}: a run`,
    charts,
    above: charts.length === 1 ? "" : `<label>Run <select id="which">${options.join("")}</select></label>${rest}`
  })
}

const inside = (run: Timeline): ReadonlyArray<Timeline> => run.nested.flatMap((inner) => [inner, ...inside(inner)])

export interface RunsPage {
  readonly title: string
  readonly charts: ReadonlyArray<ChartData>
  /** Content above everything, and content beside the search. */
  readonly before?: string
  readonly above?: string
  /** If linked, all charts are shown and share their selection; otherwise one chart is shown at a time. */
  readonly linked?: boolean
}

export const runsPage = ({ title, charts, before = "", above = "", linked = false }: RunsPage): string =>
  page({
    title,
    style,
    body: [
      before,
      '<div class="bar">',
      above,
      '<input id="search" type="search" placeholder="Search events and steps ( / )" aria-label="Search events and steps">',
      '<span id="found" class="soft" aria-live="polite"></span>',
      "</div>",
      ...charts.map((chart, i) => section(chart, i, linked ? "h2" : "h1", !linked && i > 0)),
      `<div class="legend">${legend(charts)}</div>`,
      '<p class="soft">Wheel or + and −: zoom. Drag or the arrows: pan. Shift and wheel: scroll. Click, or n and p: keep one in view. Enter in the search: the next one.</p>'
    ].join("\n"),
    data: { charts: charts.map(packed), linked },
    script: showRuns,
    parts: { ...parts }
  })

const section = (chart: ChartData, place: number, heading: string, hidden: boolean): string =>
  `<section class="run" data-chart="${place}"${hidden ? " hidden" : ""}><${heading}>${xml(chart.title)}</${heading}>` +
  `<p class="hint">${xml(chart.hint)}</p>${summarised(chart)}${table(chart)}<div class="tools"></div></section>`

const summarised = ({ summarised, invocations }: ChartData): string =>
  summarised === null
    ? ""
    : `<p class="soft">Of ${count(summarised, "invocation")}, ${invocations.length.toLocaleString("en")} are drawn one by one: the critical path, failures, retries, and the longest runs and waits. The others are summarised as activity over time.</p>`

const table = ({ steps, duration }: ChartData): string => {
  const share = (of: number, kind = "") =>
    `<span class="share ${kind}"><i style="width:${Math.round(Math.min(1, of) * 100)}%"></i></span>`
  const onPath = Math.max(1, duration)
  const rows = steps.map((step) => {
    const crew =
      step.workers === null
        ? `${step.rows} seen`
        : `${step.rows} of ${step.workers === "unbounded" ? "∞" : step.workers}`
    const odd = [
      step.failed > 0 ? `${step.failed} failed` : "",
      step.retried > 0 ? `${step.retried} retried` : "",
      step.interrupted > 0 ? `${step.interrupted} interrupted` : "",
      step.dropped > 0 ? `${step.dropped} dropped` : ""
    ].filter((text) => text !== "")
    return (
      `<tr><td>${xml(step.name)}</td><td>${step.runs.toLocaleString("en")}</td><td>${crew}</td>` +
      `<td>${Math.round(step.utilisation * 100)} %${share(step.utilisation)}</td><td>${time(step.waited)}</td><td>${time(step.longestWait)}</td>` +
      `<td>${time(step.criticalRunning)}${share(step.criticalRunning / onPath)}</td><td>${time(step.criticalWaiting)}${share(step.criticalWaiting / onPath, "wait")}</td>` +
      `<td>${odd.join(", ")}</td></tr>`
    )
  })
  return (
    "<table><thead><tr><th>step</th><th>runs</th><th>workers at once</th><th>busy</th><th>waited in all</th><th>longest wait</th>" +
    `<th>critical path: running</th><th>waiting for a worker</th><th></th></tr></thead><tbody>${rows.join("")}</tbody></table>`
  )
}
