/** Draws the visible part of a chart, afresh each time. */
import type { ChartData, ChartInvocation } from "../chart-data.ts"
import type { criticalLine } from "../critical-line.ts"
import type { time } from "../text.ts"
import type { ticks as ticksBetween } from "../ticks.ts"
import type { Attention, Browser, View } from "./browser.ts"

export const makeDrawing = (
  window: Browser,
  canvas: Browser,
  data: ChartData,
  view: View,
  attention: Attention,
  parts: {
    readonly time: typeof time
    readonly ticks: typeof ticksBetween
    readonly criticalLine: typeof criticalLine
  }
): (() => void) => {
  const { steps, invocations, events } = data
  const { gutter, axisHeight, queueHeight, rows, x, value } = view
  const paper = canvas.getContext("2d")
  const font = "ui-sans-serif, system-ui, sans-serif"
  /** Up to this number, every arrow is drawn. */
  const fewEnough = invocations.length <= 200
  const consumers = new Map<number, Array<number>>()
  const scopes = new Map<string, number>()
  for (const [i, { events, scope }] of invocations.entries()) {
    for (const event of events) {
      const list = consumers.get(event)
      if (list === undefined) consumers.set(event, [i])
      else list.push(i)
    }
    if (scope !== null && !scopes.has(scope)) scopes.set(scope, scopes.size)
  }
  const scopeColour = (scope: string) => `hsl(${(scopes.get(scope)! * 137.5 + 170) % 360} 65% 55%)`

  let colours: Record<string, string> = {}
  const readColours = () => {
    const style = window.getComputedStyle(canvas)
    const names = "ground raised text ink soft line faint run wait critical bad dropped intake-line".split(" ")
    colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--sg-${name}`).trim()]))
  }

  const clipped = (then: () => void) => {
    paper.save()
    paper.beginPath()
    paper.rect(gutter, axisHeight, view.width() - gutter, view.height())
    paper.clip()
    then()
    paper.restore()
  }
  const line = (x1: number, y1: number, x2: number, y2: number) => {
    paper.beginPath()
    paper.moveTo(x1, y1)
    paper.lineTo(x2, y2)
    paper.stroke()
  }
  const bow = (x1: number, y1: number, x2: number, y2: number) => {
    paper.beginPath()
    paper.moveTo(x1, y1)
    paper.bezierCurveTo(x1 + 14, y1, x2 - 14, y2, x2, y2)
    paper.stroke()
  }
  const fit = (text: string, most: number): string => {
    if (paper.measureText(text).width <= most) return text
    let cut = text
    while (cut.length > 1 && paper.measureText(`${cut}…`).width > most) cut = cut.slice(0, -1)
    return `${cut}…`
  }
  /** A level over time, as an area above a base line. */
  const area = (level: ReadonlyArray<number>, base: number, high: number, most: number, colour: string) => {
    const size = (view.axis === "time" ? data.duration : data.entries) / level.length
    paper.fillStyle = colour
    paper.beginPath()
    paper.moveTo(x(0), base)
    for (const [i, n] of level.entries()) {
      paper.lineTo(x(i * size), base - (n / most) * high)
      paper.lineTo(x((i + 1) * size), base - (n / most) * high)
    }
    paper.lineTo(x(level.length * size), base)
    paper.fill()
  }

  const ticks = () => parts.ticks(view.from, view.to, (view.width() - gutter) / 110)
  const drawGrid = (high: number) => {
    paper.strokeStyle = colours.faint
    paper.lineWidth = 1
    paper.globalAlpha = 0.6
    for (const tick of ticks()) line(Math.round(x(tick)) + 0.5, axisHeight, Math.round(x(tick)) + 0.5, high)
    paper.globalAlpha = 1
  }
  const drawAxis = () => {
    paper.fillStyle = colours.ground
    paper.fillRect(0, 0, view.width(), axisHeight)
    paper.fillStyle = colours.soft
    paper.textAlign = "center"
    for (const tick of ticks()) {
      const label = view.axis === "time" ? parts.time(Math.max(0, tick)) : `entry ${Math.round(tick)}`
      if (x(tick) >= gutter - 2) paper.fillText(label, Math.min(x(tick), view.width() - 30), axisHeight / 2)
    }
    paper.textAlign = "left"
  }

  const drawBand = (s: number) => {
    const step = steps[s]!
    const top = view.stepTop(s) - view.scroll
    const high = view.stepHeight(s)
    if (top > view.height() || top + high < axisHeight) return
    paper.fillStyle = colours.raised
    paper.fillRect(0, top - 4, view.width(), high + 8)
    drawLabel(s, top)
    if (view.hasQueue(s)) {
      const most = Math.max(1, ...step.queue)
      clipped(() => area(step.queue, top + queueHeight - 2, queueHeight - 3, most, colours.wait!))
    }
  }
  const drawRows = (s: number) => {
    const step = steps[s]!
    const top = view.stepTop(s) - view.scroll
    if (top > view.height() || top + view.stepHeight(s) < axisHeight) return
    clipped(() => {
      const size = view.rowHeight(s)
      const first = view.rowsTop(s) - view.scroll
      const all = Math.max(1, step.rows)
      if (step.busy.length > 0 && view.axis === data.axis) {
        paper.globalAlpha = 0.55
        area(step.busy, first + all * size, all * size, all, colours.run!)
        paper.globalAlpha = 1
      }
      const lists = rows[s]!
      const begin = Math.max(0, Math.floor((axisHeight - first) / size))
      const end = Math.min(lists.length, Math.ceil((view.height() - first) / size))
      for (let row = begin; row < end; row++) drawRow(lists[row]!, first + row * size, size)
    })
  }
  const drawLabel = (s: number, top: number) => {
    const { name, rows, workers, utilisation } = steps[s]!
    const crew = workers === null ? `${rows} at once` : `${rows}/${workers === "unbounded" ? "∞" : workers}`
    const more = rows > view.mostCollapsed ? (view.expanded.has(s) ? " ▾" : " ▸") : ""
    paper.textAlign = "right"
    paper.fillStyle = colours.text
    paper.fillText(fit(name, gutter - 24), gutter - 12, top + 8)
    paper.fillStyle = colours.soft
    paper.fillText(fit(`${Math.round(utilisation * 100)} % of ${crew}${more}`, gutter - 24), gutter - 12, top + 23)
    paper.textAlign = "left"
  }

  const colourOf = (one: ChartInvocation): string =>
    one.outcome === "failed"
      ? colours.bad!
      : one.outcome === "interrupted"
        ? colours.dropped!
        : one.critical
          ? colours.critical!
          : colours.run!

  /**
   * Hot: with 10,000 invocations in view, this takes most of a frame. Bars narrower than a pixel are drawn once per
   * pixel.
   */
  const drawRow = (row: ReadonlyArray<number>, y: number, size: number) => {
    const { hovered, selected, found } = attention
    const thick = size >= 6 ? size - 2 : Math.max(0.5, size * 0.85)
    const top = y + (size - thick) / 2
    const right = view.width()
    let drawnTo = Number.NEGATIVE_INFINITY
    for (let k = view.firstIn(row); k < row.length; k++) {
      const i = row[k]!
      const one = invocations[i]!
      const left = x(value(one.start))
      if (left > right) break
      const end = Math.max(x(value(one.end)), left + 1)
      const special = one.critical || one.outcome !== "succeeded" || one.differs || found !== undefined
      if (end < gutter || (end - drawnTo < 0.75 && !special && i !== selected && i !== hovered)) continue
      drawnTo = end
      if (found !== undefined && !found.has(i)) paper.globalAlpha = 0.18
      drawBar(one, left, end, top, thick)
      if (size >= 8) drawMarks(one, left, end, top, thick)
      if (i === selected || i === hovered || one.differs || found?.has(i)) {
        paper.strokeStyle = one.differs ? colours["intake-line"] : colours.text
        paper.lineWidth = i === selected || one.differs ? 2 : 1
        paper.strokeRect(left - 0.5, top - 0.5, Math.max(2, end - left), thick + 1)
      }
      paper.globalAlpha = 1
    }
  }
  const drawBar = (one: ChartInvocation, left: number, end: number, top: number, thick: number) => {
    paper.fillStyle = colourOf(one)
    if (one.attempts.length > 1) {
      // A retry keeps its worker between two attempts.
      const before = paper.globalAlpha
      paper.globalAlpha = before * 0.35
      paper.fillRect(left, top, Math.max(1, end - left - 0.5), thick)
      paper.globalAlpha = before
      for (const { from, to } of one.attempts) {
        paper.fillRect(x(value(from)), top, Math.max(1, x(value(to)) - x(value(from)) - 1), thick)
      }
    } else paper.fillRect(left, top, Math.max(1, end - left - 0.5), thick)
    // Its worker is busy, but it waits for a limit.
    const before = paper.globalAlpha
    paper.globalAlpha = before * 0.7
    paper.fillStyle = colours.ground
    for (const { from, to } of one.limits) paper.fillRect(x(value(from)), top, x(value(to)) - x(value(from)), thick)
    paper.globalAlpha = before
  }
  const drawMarks = (one: ChartInvocation, left: number, end: number, top: number, thick: number) => {
    const bottom = top + thick
    // A single scope needs no mark.
    if (one.scope !== null && scopes.size > 1) {
      paper.fillStyle = scopeColour(one.scope)
      paper.fillRect(left, bottom - 3, Math.max(1, end - left - 0.5), 3)
    }
    if (one.intake) {
      paper.fillStyle = colours["intake-line"]
      paper.beginPath()
      paper.moveTo(left - 5, top)
      paper.lineTo(left, top + thick / 2)
      paper.lineTo(left - 5, bottom)
      paper.fill()
    }
    const from = Math.max(left, gutter) + 5
    if (thick >= 11 && end - from > 40 && one.events.length > 0) {
      paper.fillStyle = colourOf(one) === colours.run ? colours.ink : colours.ground
      const label = one.events.length === 1 ? events[one.events[0]!]!.tag : `${one.events.length} events`
      paper.font = `10px ${font}`
      paper.fillText(fit(label, end - from - 12), from, top + thick / 2)
    }
    paper.font = `bold 11px ${font}`
    for (const { to, outcome } of one.attempts.length > 0 ? one.attempts : [{ to: one.end, outcome: one.outcome }]) {
      const mark = { failed: "✕", interrupted: "⊘", retried: "↻", succeeded: "", running: "…" }[outcome]
      if (mark === "") continue
      paper.fillStyle = outcome === "failed" ? colours.bad : colours.text
      paper.fillText(mark, x(value(to)) + (outcome === "retried" ? -5 : 3), top + thick / 2)
    }
    paper.font = `12px ${font}`
  }

  const drawCritical = () => {
    const strokes = parts.criticalLine(
      data.critical.map(({ invocation, doing, from, to }) => {
        const one = invocations[invocation]!
        return {
          invocation,
          doing,
          from: x(value(from)),
          to: x(value(to)),
          bar: view.middle(one),
          lobby: view.lobby(one)
        }
      })
    )
    paper.lineWidth = 1.5
    for (const { kind, x1, y1, x2, y2 } of strokes) {
      if (Math.max(x1, x2) < gutter || Math.min(x1, x2) > view.width()) continue
      paper.strokeStyle = kind === "collecting" ? colours["intake-line"] : colours.critical
      paper.setLineDash(kind === "waiting" || kind === "collecting" ? [4, 3] : [])
      if (kind === "cause") bow(x1, y1, x2, y2)
      else line(x1, y1, x2, y2)
    }
    paper.setLineDash([])
  }
  const drawDrops = () => {
    paper.fillStyle = colours.text
    paper.font = `bold 11px ${font}`
    let last = Number.NEGATIVE_INFINITY
    for (const { step, at } of data.drops) {
      const px = x(value(at))
      if (step < 0 || Math.abs(px - last) < 2) continue
      last = px
      paper.fillText("◇", px - 5, view.stepTop(step) - view.scroll + view.stepHeight(step) - 1)
    }
    paper.font = `12px ${font}`
  }

  const arrow = (x1: number, y1: number, x2: number, y2: number) => {
    bow(x1, y1, x2, y2)
    paper.beginPath()
    paper.moveTo(x2, y2)
    paper.lineTo(x2 - 6, y2 - 3.5)
    paper.lineTo(x2 - 6, y2 + 3.5)
    paper.fill()
  }
  /** From each event to the invocations that it started. */
  const drawCausesOf = (one: ChartInvocation) => {
    for (const e of one.events.slice(0, 400)) {
      const { cause, at } = events[e]!
      if (cause >= 0) arrow(x(value(at)), view.middle(invocations[cause]!), x(value(one.start)), view.middle(one))
    }
  }
  const drawCauses = () => {
    paper.strokeStyle = colours.text
    paper.fillStyle = colours.text
    paper.lineWidth = 1
    paper.globalAlpha = 0.3
    for (const one of invocations) drawCausesOf(one)
    paper.globalAlpha = 1
  }
  const drawAttention = (i: number) => {
    const one = invocations[i]!
    const y = view.middle(one)
    paper.lineWidth = 1.5
    paper.setLineDash([2, 3])
    paper.strokeStyle = colours["intake-line"]
    if (value(one.ready) > value(one.since)) line(x(value(one.since)), y, x(value(one.ready)), y)
    paper.setLineDash([])
    paper.strokeStyle = colours.wait
    if (value(one.start) > value(one.ready)) line(x(value(one.ready)), y, x(value(one.start)), y)
    paper.strokeStyle = colours.text
    paper.fillStyle = colours.text
    paper.globalAlpha = 0.75
    drawCausesOf(one)
    for (const e of one.emitted.slice(0, 400)) {
      for (const to of consumers.get(e) ?? []) {
        const other = invocations[to]!
        arrow(x(value(events[e]!.at)), y, x(value(other.start)), view.middle(other))
      }
    }
    paper.globalAlpha = 1
  }

  readColours()
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readColours)
  return () => {
    const scale = window.devicePixelRatio || 1
    const high = Math.min(view.contentHeight() + 4, Math.max(220, Math.round(window.innerHeight * 0.72)))
    canvas.style.height = `${high}px`
    canvas.width = Math.round(view.width() * scale)
    canvas.height = Math.round(high * scale)
    view.scrollTo(view.scroll)
    paper.setTransform(scale, 0, 0, scale, 0, 0)
    paper.fillStyle = colours.ground
    paper.fillRect(0, 0, view.width(), high)
    paper.font = `12px ${font}`
    paper.textBaseline = "middle"
    for (let s = 0; s < steps.length; s++) drawBand(s)
    drawGrid(high)
    if (fewEnough && attention.hovered < 0 && attention.selected < 0) clipped(drawCauses)
    for (let s = 0; s < steps.length; s++) drawRows(s)
    clipped(() => {
      drawCritical()
      drawDrops()
      if (attention.selected >= 0) drawAttention(attention.selected)
      if (attention.hovered >= 0 && attention.hovered !== attention.selected) drawAttention(attention.hovered)
    })
    drawAxis()
  }
}
