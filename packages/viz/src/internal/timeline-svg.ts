/**
 * A run's timeline as a picture that stands still.
 */
import { axisOf, levels } from "./levels.ts"
import { count, shorten, time, xml } from "./text.ts"
import { fonts, variables } from "./theme.ts"
import type { Moment, Timeline, TimelineInvocation, TimelineStep } from "./timeline.ts"
import { reasons, title, worthSeeing } from "./timeline-text.ts"

const width = 1000
const left = 150
const right = 170
const room = width - left - right
const rowHeight = 13
const queueHeight = 14
const gap = 12
const top = 66
const mostHeight = 16 * rowHeight
/** From here on bars are too many to be told apart, and a step is drawn as how many were at work. */
const mostBars = 4000

const style =
  variables("svg.stepgraph-run") +
  `svg.stepgraph-run text{font-family:${fonts};font-size:12px;fill:var(--sg-text)}` +
  "svg.stepgraph-run .soft{fill:var(--sg-soft);font-size:11px}" +
  "svg.stepgraph-run .title{font-size:14px;font-weight:600}" +
  "svg.stepgraph-run .end{text-anchor:end}" +
  "svg.stepgraph-run .ground{fill:var(--sg-ground)}" +
  "svg.stepgraph-run .band{fill:var(--sg-raised)}" +
  "svg.stepgraph-run .grid{stroke:var(--sg-faint)}" +
  "svg.stepgraph-run .run{fill:var(--sg-run)}" +
  "svg.stepgraph-run .critical{fill:var(--sg-critical)}" +
  "svg.stepgraph-run .failed{fill:var(--sg-bad)}" +
  "svg.stepgraph-run .interrupted{fill:var(--sg-dropped)}" +
  "svg.stepgraph-run .queue{fill:var(--sg-wait);opacity:.75}" +
  "svg.stepgraph-run .wait{stroke:var(--sg-wait);stroke-width:2}" +
  "svg.stepgraph-run .path{fill:none;stroke:var(--sg-critical);stroke-width:1.3;opacity:.8}" +
  "svg.stepgraph-run .mark{font-size:11px;font-weight:700;text-anchor:middle}" +
  "svg.stepgraph-run .mark.bad{fill:var(--sg-bad)}" +
  "svg.stepgraph-run .intake{fill:var(--sg-intake-line)}"

const n = (value: number): string => String(Math.round(value * 100) / 100)

interface Placed {
  readonly step: TimelineStep
  readonly own: ReadonlyArray<TimelineInvocation>
  readonly y: number
  readonly queue: boolean
  readonly row: number
  readonly height: number
}

export const timelineSvg = (run: Timeline): string => {
  const axis = axisOf(run)
  const key = axis === "time" ? "at" : "seq"
  const total = (axis === "time" ? run.duration : run.entries) || 1
  const x = (moment: Moment) => left + Math.min(1, moment[key] / total) * room
  const byStep = new Map<string, Array<TimelineInvocation>>(run.steps.map(({ name }) => [name, []]))
  for (const invocation of run.invocations) byStep.get(invocation.step)!.push(invocation)

  const onPath = new Set(run.critical.map(({ invocation }) => invocation))
  let y = top
  const placed = run.steps.map((step): Placed => {
    const own = byStep.get(step.name)!
    const rows = Math.max(1, step.rows)
    const row = Math.min(rowHeight, mostHeight / rows)
    const queue = axis === "time" && step.longestWait >= worthSeeing * run.duration
    const height = row * rows + (queue ? queueHeight : 0)
    const at = { step, own, y, queue, row, height }
    y += Math.max(height, 28) + gap
    return at
  })
  const height = y + 34
  const middle = new Map<string, number>()
  const bars = placed.flatMap(({ step, own, y, queue, row }) => {
    const rowsY = y + (queue ? queueHeight : 0)
    for (const one of own) middle.set(one.id, rowsY + (one.row + 0.5) * row)
    const spans = own
      .filter(({ ready, start }) => start.at > ready.at)
      .map(({ ready, start }) => ({ from: ready[key], to: start[key] }))
    const shown = queue
      ? [area(levels(spans, total, 260), y + queueHeight - 2, queueHeight - 4, undefined, "queue")]
      : []
    if (run.invocations.length <= mostBars) return [...shown, ...own.map((one) => bar(one, rowsY + one.row * row, row))]
    const busy = levels(
      own.map(({ start, end }) => ({ from: start[key], to: end[key] })),
      total,
      520
    )
    const rows = Math.max(1, step.rows)
    return [...shown, area(busy, rowsY + rows * row, rows * row, rows, "run")]
  })

  function bar(one: TimelineInvocation, at: number, row: number): string {
    const from = x(one.start)
    const to = x(one.end)
    const kind =
      one.outcome === "failed"
        ? "failed"
        : one.outcome === "interrupted"
          ? "interrupted"
          : onPath.has(one.id)
            ? "critical"
            : "run"
    const thick = Math.max(0.6, row - Math.min(2, row / 4))
    const inner = [
      `<rect class="${kind}" x="${n(from)}" y="${n(at)}" width="${n(Math.max(1, to - from))}" height="${n(thick)}" rx="${n(Math.min(2, thick / 3))}"/>`
    ]
    if (one.intake && row >= 8)
      inner.push(`<path class="intake" d="M${n(x(one.ready))} ${n(at)}l4 ${n(thick / 2)}l-4 ${n(thick / 2)}z"/>`)
    for (const { outcome, end } of one.attempts) {
      if (row < 8) continue
      const mark = { failed: "✕", "to be retried": "↻", interrupted: "⊘" }[outcome as string]
      if (mark !== undefined)
        inner.push(
          `<text class="mark${outcome === "failed" ? " bad" : ""}" x="${n(Math.min(width - right + 4, x(end) + 7))}" y="${n(at + thick / 2 + 4)}">${mark}</text>`
        )
    }
    return `<g><title>${xml(`${one.id}: ${one.outcome}, ${time(one.end.at - one.start.at)} running, ${time(one.start.at - one.ready.at)} waiting for a worker`)}</title>${inner.join("")}</g>`
  }

  const path: Array<string> = []
  for (const [i, part] of run.critical.entries()) {
    const y1 = middle.get(part.invocation)!
    if (part.doing === "waiting" && part.to.at > part.from.at)
      path.push(
        `<line class="wait" x1="${n(x(part.from))}" x2="${n(x(part.to))}" y1="${n(y1)}" y2="${n(y1)}" stroke-dasharray="3 2"/>`
      )
    const next = run.critical[i + 1]
    if (next === undefined || next.invocation === part.invocation || run.invocations.length > mostBars) continue
    const [x1, x2, y2] = [x(part.to), x(next.from), middle.get(next.invocation)!]
    path.push(
      `<path class="path" d="M${n(x1)} ${n(y1)}C${n(x1 + 12)} ${n(y1)} ${n(x2 - 12)} ${n(y2)} ${n(x2)} ${n(y2)}"/>`
    )
  }

  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = left + part * room
    const label = axis === "time" ? time(part * total) : `entry ${Math.round(part * total)}`
    return `<line class="grid" x1="${n(at)}" x2="${n(at)}" y1="${top - 8}" y2="${n(height - 40)}"/><text class="soft" text-anchor="middle" x="${n(at)}" y="${top - 13}">${label}</text>`
  })
  const labels = placed.map(({ step, y, height }) => {
    const crew =
      step.workers === undefined
        ? `${step.rows} at work at once`
        : `${step.rows} of ${step.workers === "unbounded" ? "∞" : step.workers} workers`
    const waited = step.waited > 0 ? `${time(step.waited)} waited` : "no waiting"
    return (
      `<rect class="band" x="8" y="${n(y - 4)}" width="${width - 16}" height="${n(Math.max(height, 28) + 8)}" rx="5"/>` +
      `<text class="end" x="${left - 10}" y="${n(y + 10)}">${xml(shorten(step.name, 20))}</text>` +
      `<text class="soft end" x="${left - 10}" y="${n(y + 24)}">${count(step.invocations, "run")}</text>` +
      `<text class="soft" x="${width - right + 14}" y="${n(y + 10)}">${Math.round(step.utilisation * 100)} % busy · ${crew}</text>` +
      `<text class="soft" x="${width - right + 14}" y="${n(y + 24)}">${waited}</text>`
    )
  })
  const dropped = run.drops.length === 0 ? "" : ` ${count(run.drops.length, "event")} dropped: ${reasons(run)}.`
  const foot = `${run.hint ?? "Nothing waited for a worker."}${dropped}`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="stepgraph-run" role="img" width="${width}" height="${n(height)}" viewBox="0 0 ${width} ${n(height)}">`,
    `<title>A run of ${xml(run.workflow)}</title>`,
    `<desc>${xml(`${title(run)}. ${run.steps.map((step) => `${step.name}: ${count(step.invocations, "run")}, ${Math.round(step.utilisation * 100)} % busy, ${time(step.waited)} waited`).join("; ")}. ${foot}`)}</desc>`,
    `<style>${style}</style>`,
    `<rect class="ground" width="${width}" height="${n(height)}" rx="6"/>`,
    `<text class="title" x="16" y="26">${xml(title(run))}</text>`,
    ...labels,
    ...ticks,
    ...bars,
    ...path,
    `<text class="soft" x="16" y="${n(height - 26)}">${xml(foot)}</text>`,
    `<g transform="translate(16 ${n(height - 10)})">${legend()}</g>`,
    "</svg>",
    ""
  ].join("\n")
}

const legend = (): string => {
  const entries = [
    ['<rect class="run" y="-9" width="18" height="10" rx="2"/>', "running"],
    ['<rect class="critical" y="-9" width="18" height="10" rx="2"/>', "on the critical path"],
    ['<rect class="queue" y="-9" width="18" height="10"/>', "how many wait for a worker"],
    ['<path class="intake" d="M8 -9l5 5l-5 5z"/>', "an intake is complete"],
    ['<rect class="failed" y="-9" width="18" height="10" rx="2"/>', "failed"],
    ['<rect class="interrupted" y="-9" width="18" height="10" rx="2"/>', "interrupted"]
  ] as const
  let x = 0
  return entries
    .map(([shape, words]) => {
      const item = `<g transform="translate(${x} 0)">${shape}<text class="soft" x="23">${words}</text></g>`
      x += 42 + words.length * 6
      return item
    })
    .join("")
}

const area = (level: Float64Array, base: number, high: number, most: number | undefined, kind: string): string => {
  const top = most ?? Math.max(1, ...level)
  const step = room / level.length
  const points = [...level].map(
    (value, i) =>
      `L${n(left + i * step)} ${n(base - (value / top) * high)}L${n(left + (i + 1) * step)} ${n(base - (value / top) * high)}`
  )
  return `<path class="${kind}" d="M${left} ${n(base)}${points.join("")}L${left + room} ${n(base)}z"/>`
}
