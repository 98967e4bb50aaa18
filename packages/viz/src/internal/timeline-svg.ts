/**
 * A run's timeline as a static picture.
 */
import { criticalLine } from "./critical-line.ts"
import { axisOf, levels } from "./levels.ts"
import { playing } from "./playing.ts"
import { count, shorten, time, widthOf, xml } from "./text.ts"
import { fonts, variables } from "./theme.ts"
import { ticks } from "./ticks.ts"
import type { Moment, Timeline, TimelineInvocation, TimelineStep } from "./timeline.ts"
import { remarks, title, worthSeeing } from "./timeline-text.ts"
import { waitsOf } from "./waits.ts"

const width = 1000
const left = 150
const right = 200
const room = width - left - right
const rowHeight = 14
const queueHeight = 14
const gap = 12
const top = 66
const mostHeight = 16 * rowHeight
/** Above this number, bars blur; a step is drawn as activity over time instead. */
const mostBars = 4000
/** Up to this number, every event gets an arrow. */
const mostArrows = 150
/** Rows lower than this have no room for marks. */
const leastMarked = 8

const style =
  variables("svg.stepgraph-run") +
  `svg.stepgraph-run text{font-family:${fonts};font-size:12px;fill:var(--sg-text)}` +
  "svg.stepgraph-run .soft{fill:var(--sg-soft);font-size:11px}" +
  "svg.stepgraph-run .title{font-size:14px;font-weight:600}" +
  "svg.stepgraph-run .hint{font-weight:600}" +
  "svg.stepgraph-run .end{text-anchor:end}" +
  "svg.stepgraph-run .ground{fill:var(--sg-ground)}" +
  "svg.stepgraph-run .band{fill:var(--sg-raised)}" +
  "svg.stepgraph-run .grid{stroke:var(--sg-faint)}" +
  "svg.stepgraph-run .run{fill:var(--sg-run)}" +
  "svg.stepgraph-run .critical{fill:var(--sg-critical)}" +
  "svg.stepgraph-run .failed{fill:var(--sg-bad)}" +
  "svg.stepgraph-run .interrupted{fill:var(--sg-dropped)}" +
  "svg.stepgraph-run .between{opacity:.35}" +
  "svg.stepgraph-run .asking{fill:var(--sg-raised);opacity:.65}" +
  "svg.stepgraph-run .limited{fill:var(--sg-ground);opacity:.7}" +
  "svg.stepgraph-run .queue{fill:var(--sg-wait);opacity:.75}" +
  "svg.stepgraph-run .path{fill:none;stroke:var(--sg-critical);stroke-width:1.4}" +
  "svg.stepgraph-run .path.waiting{stroke-dasharray:4 3;stroke-width:2}" +
  "svg.stepgraph-run .path.collecting{stroke:var(--sg-intake-line);stroke-dasharray:4 3;stroke-width:2}" +
  "svg.stepgraph-run .cause{fill:none;stroke:var(--sg-text);opacity:.3}" +
  "svg.stepgraph-run .mark{font-size:11px;font-weight:700;text-anchor:middle}" +
  "svg.stepgraph-run .mark.bad{fill:var(--sg-bad)}" +
  "svg.stepgraph-run .intake{fill:var(--sg-intake-line)}"

const n = (value: number): string => String(Math.round(value * 100) / 100)

/** The layout of a step: its band, the strip above for waiting events, and the row height. */
interface Band {
  readonly step: TimelineStep
  readonly own: ReadonlyArray<TimelineInvocation>
  readonly y: number
  readonly queue: number
  readonly row: number
  readonly height: number
}

/** `play`: how many milliseconds the picture takes to draw itself, or 0 if it does not move. */
export const timelineSvg = (run: Timeline, play: number): string => {
  const axis = axisOf(run)
  const key = axis === "time" ? "at" : "seq"
  const total = (axis === "time" ? run.duration : run.entries) || 1
  const x = (moment: Moment) => left + Math.min(1, moment[key] / total) * room
  const bands = place(run, axis === "time")
  const height = bands.reduce((y, band) => Math.max(y, band.y + Math.max(band.height, 28) + gap), top)
  const bandOf = new Map(bands.map((band) => [band.step.name, band]))
  const middle = ({ step, row }: TimelineInvocation) => {
    const band = bandOf.get(step)!
    return band.y + band.queue + (row + 0.5) * band.row
  }
  const detailed = run.invocations.length <= mostBars
  const onPath = new Set(run.critical.map(({ invocation }) => invocation))
  const byId = new Map(run.invocations.map((one) => [one.id, one]))
  const scopes = new Map<string, number>()
  for (const { scope } of run.invocations) if (scope !== null && !scopes.has(scope)) scopes.set(scope, scopes.size)

  const bar = (one: TimelineInvocation, { y, queue, row }: Band): string => {
    const at = y + queue + one.row * row
    const thick = Math.max(0.6, row - Math.min(2, row / 4))
    const kind =
      one.outcome === "failed" || one.outcome === "interrupted" ? one.outcome : onPath.has(one.id) ? "critical" : "run"
    const rect = (from: number, to: number, more = "") =>
      `<rect class="${kind}${more}" x="${n(from)}" y="${n(at)}" width="${n(Math.max(1, to - from - 0.5))}" height="${n(thick)}" rx="${n(Math.min(2, thick / 3))}"/>`
    const drawn =
      one.attempts.length > 1
        ? // A retry keeps its worker between two attempts.
          [
            rect(x(one.start), x(one.end), " between"),
            ...one.attempts.map(({ start, end }) => rect(x(start), x(end) - 0.5))
          ]
        : [rect(x(one.start), x(one.end))]
    // Over the bar: it holds no worker meanwhile.
    for (const { start, end } of one.questions) {
      const width = Math.max(1, x(end) - x(start))
      drawn.push(
        `<rect class="asking" x="${n(x(start))}" y="${n(at + thick / 4)}" width="${n(width)}" height="${n(thick / 2)}"/>`
      )
    }
    for (const { from, to } of one.limits) {
      const wide = Math.max(0.5, x(to) - x(from))
      drawn.push(`<rect class="limited" x="${n(x(from))}" y="${n(at)}" width="${n(wide)}" height="${n(thick)}"/>`)
    }
    if (row >= leastMarked) drawn.push(...marks(one, at, thick))
    const title = `${one.id}: ${one.outcome}, ${time(one.end.at - one.start.at)} running, ${time(one.start.at - one.ready.at)} waiting for a worker${limitsInWords(one)}`
    return `<g><title>${xml(title)}</title>${drawn.join("")}</g>`
  }

  const marks = (one: TimelineInvocation, at: number, thick: number): ReadonlyArray<string> => [
    // A single scope needs no mark.
    ...(one.scope === null || scopes.size < 2
      ? []
      : [
          `<rect x="${n(x(one.start))}" y="${n(at + thick - 3)}" width="${n(Math.max(1, x(one.end) - x(one.start) - 0.5))}" height="3" fill="${hue(scopes.get(one.scope)!)}"/>`
        ]),
    ...(one.intake
      ? [`<path class="intake" d="M${n(x(one.start) - 5)} ${n(at)}l5 ${n(thick / 2)}l-5 ${n(thick / 2)}z"/>`]
      : []),
    ...one.attempts.flatMap(({ outcome, end }) => {
      const mark = { failed: "✕", interrupted: "⊘", retried: "↻", succeeded: "", running: "…" }[outcome]
      if (mark === "") return []
      const beside = outcome === "retried" ? -1 : 7
      const bad = outcome === "failed" ? " bad" : ""
      return [`<text class="mark${bad}" x="${n(x(end) + beside)}" y="${n(at + thick / 2 + 4)}">${mark}</text>`]
    })
  ]

  const waits = waitsOf(run, axis)
  const bars = bands.flatMap((band) => {
    const { step, own, y, queue, row } = band
    const waiting =
      queue === 0 ? [] : [area(levels(waits.get(step.name)!, total, 260), y + queue - 2, queue - 4, undefined, "queue")]
    if (detailed) return [...waiting, ...own.map((one) => bar(one, band))]
    const runs = own.map(({ start, end }) => ({ from: start[key], to: end[key] }))
    const rows = Math.max(1, step.rows)
    return [...waiting, area(levels(runs, total, 520), y + queue + rows * row, rows * row, rows, "run")]
  })

  const few = run.events.size <= mostArrows ? run.invocations : []
  const causes = few.flatMap((one) =>
    one.events.flatMap((id) => {
      const event = run.events.get(id)
      const cause = event?.cause == null ? undefined : byId.get(event.cause)
      if (event === undefined || cause === undefined) return []
      return [`<path class="cause" d="${bow(x(event.at), middle(cause), x(one.start), middle(one))}"/>`]
    })
  )
  const path = criticalLine(
    run.critical.map(({ invocation, doing, from, to }) => {
      const one = byId.get(invocation)!
      const { y, queue } = bandOf.get(one.step)!
      return { invocation, doing, from: x(from), to: x(to), bar: middle(one), lobby: y + queue - 2 }
    })
  ).map(({ kind, x1, y1, x2, y2 }) =>
    kind === "cause"
      ? `<path class="path" d="${bow(x1, y1, x2, y2)}"/>`
      : `<path class="path ${kind}" d="M${n(x1)} ${n(y1)}L${n(x2)} ${n(y2)}"/>`
  )
  const drops = run.drops.slice(0, mostBars).flatMap(({ step, at }) => {
    const band = step === null ? undefined : bandOf.get(step)
    if (band === undefined) return []
    return [`<text class="mark" x="${n(x(at))}" y="${n(band.y + Math.max(band.height, 28) + 3)}">◇</text>`]
  })

  const marked = ticks(0, total, 6).map((value) => {
    const at = left + (value / total) * room
    const label = axis === "time" ? time(value) : `entry ${Math.round(value)}`
    return `<line class="grid" x1="${n(at)}" x2="${n(at)}" y1="${top - 8}" y2="${n(height - 8)}"/><text class="soft" text-anchor="middle" x="${n(at)}" y="${top - 13}">${label}</text>`
  })
  const notes = remarks(run)
  const has = (is: (one: TimelineInvocation) => boolean) => detailed && run.invocations.some(is)
  const legend = drawLegend([
    [true, '<rect class="run" y="-9" width="18" height="10" rx="2"/>', "running"],
    [
      has(({ id }) => onPath.has(id)),
      '<rect class="critical" y="-9" width="18" height="10" rx="2"/>',
      "on the critical path"
    ],
    [
      bands.some(({ queue }) => queue > 0),
      '<rect class="queue" y="-9" width="18" height="10"/>',
      "how many wait for a worker"
    ],
    [
      has(({ questions }) => questions.length > 0),
      '<rect class="run" y="-9" width="18" height="10" rx="2"/><rect class="asking" y="-6.5" width="18" height="5"/>',
      "waiting for an answer"
    ],
    [has(({ intake }) => intake), '<path class="intake" d="M8 -9l5 5l-5 5z"/>', "an intake is complete"],
    [detailed && scopes.size > 1, `<rect y="-5" width="18" height="3" fill="${hue(0)}"/>`, "its scope"],
    [
      has(({ outcome }) => outcome === "failed"),
      '<rect class="failed" y="-9" width="18" height="10" rx="2"/>',
      "failed ✕"
    ],
    [
      has(({ outcome }) => outcome === "interrupted"),
      '<rect class="interrupted" y="-9" width="18" height="10" rx="2"/>',
      "interrupted ⊘"
    ],
    [
      has(({ limits }) => limits.length > 0),
      '<rect class="run" y="-9" width="18" height="10" rx="2"/><rect class="limited" y="-9" width="18" height="10"/>',
      "waiting for a limit"
    ],
    [has(({ attempts }) => attempts.length > 1), '<text class="mark" x="12">↻</text>', "retried"],
    [drops.length > 0, '<text class="mark" x="12">◇</text>', "dropped"]
  ])
  const full = height + notes.length * 16 + 30
  const drawn = [...causes, ...bars, ...(detailed ? path : []), ...drops]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="stepgraph-run" role="img" width="${width}" height="${n(full)}" viewBox="0 0 ${width} ${n(full)}">`,
    `<title>A run of ${xml(run.workflow)}</title>`,
    `<desc>${xml(description(run))}</desc>`,
    `<style>${style}</style>`,
    `<rect class="ground" width="${width}" height="${n(full)}" rx="6"/>`,
    `<text class="title" x="16" y="26">${xml(title(run))}</text>`,
    ...bands.map(drawBand),
    ...marked,
    ...(play === 0
      ? drawn
      : playing(drawn, play, { left: left - 8, right: left + room + 8, top: top - 8, bottom: height - 8 })),
    ...notes.map(
      (line, i) =>
        `<text class="${i === 0 ? "hint" : "soft"}" x="16" y="${n(height + 12 + i * 16)}">${xml(line)}</text>`
    ),
    `<g transform="translate(16 ${n(full - 12)})">${legend}</g>`,
    "</svg>",
    ""
  ].join("\n")
}

const limitsInWords = ({ limits }: TimelineInvocation): string =>
  limits.map(({ limit, from, to }) => `, ${time(to.at - from.at)} waiting for limit ${limit}`).join("")

/** A description of the picture for screen readers. */
const description = (run: Timeline): string => {
  const steps = run.steps.map(
    ({ name, invocations, utilisation, waited }) =>
      `${name}: ${count(invocations, "run")}, ${Math.round(utilisation * 100)} % busy, ${time(waited)} waited`
  )
  return `${title(run)}. ${steps.join("; ")}. ${remarks(run).join(" ")}`
}

const place = (run: Timeline, timed: boolean): ReadonlyArray<Band> => {
  const byStep = new Map<string, Array<TimelineInvocation>>(run.steps.map(({ name }) => [name, []]))
  for (const invocation of run.invocations) byStep.get(invocation.step)!.push(invocation)
  let y = top
  return run.steps.map((step): Band => {
    const rows = Math.max(1, step.rows)
    const row = Math.min(rowHeight, mostHeight / rows)
    const queue = timed && step.longestWait >= worthSeeing * run.duration ? queueHeight : 0
    const height = row * rows + queue
    const band = { step, own: byStep.get(step.name)!, y, queue, row, height }
    y += Math.max(height, 28) + gap
    return band
  })
}

const drawBand = ({ step, y, height }: Band): string => {
  const crew =
    step.workers === undefined
      ? `${step.rows} at once`
      : `${step.rows} of ${step.workers === "unbounded" ? "∞" : step.workers} workers`
  const beside = width - right + 16
  return (
    `<rect class="band" x="8" y="${n(y - 4)}" width="${width - 16}" height="${n(Math.max(height, 28) + 8)}" rx="5"/>` +
    `<text class="end" x="${left - 10}" y="${n(y + 10)}">${xml(shorten(step.name, 20))}</text>` +
    `<text class="soft end" x="${left - 10}" y="${n(y + 24)}">${count(step.invocations, "run")}</text>` +
    `<text class="soft" x="${beside}" y="${n(y + 10)}">${Math.round(step.utilisation * 100)} % busy · ${crew}</text>` +
    `<text class="soft" x="${beside}" y="${n(y + 24)}">${step.waited > 0 ? `${time(step.waited)} waited` : "no waiting"}</text>`
  )
}

const drawLegend = (entries: ReadonlyArray<readonly [is: boolean, mark: string, words: string]>): string => {
  let x = 0
  return entries
    .filter(([is]) => is)
    .map(([, mark, words]) => {
      const item = `<g transform="translate(${n(x)} 0)">${mark}<text class="soft" x="23">${words}</text></g>`
      x += 40 + widthOf(words) * 11
      return item
    })
    .join("")
}

const hue = (scope: number): string => `hsl(${n((scope * 137.5 + 170) % 360)} 65% 55%)`

const bow = (x1: number, y1: number, x2: number, y2: number): string =>
  `M${n(x1)} ${n(y1)}C${n(x1 + 12)} ${n(y1)} ${n(x2 - 12)} ${n(y2)} ${n(x2)} ${n(y2)}`

const area = (level: Float64Array, base: number, high: number, most: number | undefined, kind: string): string => {
  const top = most ?? Math.max(1, ...level)
  const step = room / level.length
  const points = [...level].map(
    (value, i) =>
      `L${n(left + i * step)} ${n(base - (value / top) * high)}L${n(left + (i + 1) * step)} ${n(base - (value / top) * high)}`
  )
  return `<path class="${kind}" d="M${left} ${n(base)}${points.join("")}L${left + room} ${n(base)}z"/>`
}
