/**
 * What a page does that shows runs. It is written into the page as text, so it uses nothing but its arguments and what a
 * browser has, which this program knows nothing of.
 */
import type { ChartData, ChartEvent, ChartInvocation, ChartMoment, ChartStep } from "../chart-data.ts"

/** A browser's `document` and `window`, of which the types are not those of this program. */
type Browser = any

export const showTimelines = (document: Browser, window: Browser): void => {
  const charts: ReadonlyArray<ChartData> = JSON.parse(document.getElementById("data").textContent)
  const gutter = 168
  const axisHeight = 26
  const queueHeight = 16
  const fullRow = 14
  const mostCollapsed = 20
  const stepGap = 12

  const time = (millis: number): string => {
    if (millis < 1) return millis === 0 ? "0 ms" : `${Number(millis.toPrecision(2))} ms`
    if (millis < 1000) return `${millis < 10 ? Number(millis.toFixed(1)) : Math.round(millis)} ms`
    if (millis < 60000) return `${(millis / 1000).toFixed(millis < 10000 ? 2 : 1)} s`
    return `${Math.floor(millis / 60000)} min ${Math.round((millis % 60000) / 1000)} s`
  }
  const element = (name: string, text = "", kind = ""): Browser => {
    const made = document.createElement(name)
    made.textContent = text
    if (kind !== "") made.className = kind
    return made
  }

  let colours: Record<string, string> = {}
  const readColours = () => {
    const style = window.getComputedStyle(document.documentElement)
    const names = "ground raised text soft line faint run wait critical bad good dropped intake-line".split(" ")
    colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--sg-${name}`).trim()]))
  }
  readColours()

  const mount = (
    data: ChartData,
    host: Browser
  ): { readonly redraw: () => void; readonly search: (text: string, go: boolean) => string } => {
    const { steps, invocations, events } = data
    const total = () => (axis === "time" ? data.duration : data.entries) || 1
    let axis = data.axis
    let from = 0
    let to = total()
    let scroll = 0
    let hovered = -1
    let selected = -1
    let matches: ReadonlySet<number> | undefined
    let matchList: ReadonlyArray<number> = []
    let matchAt = -1
    const expanded = new Set<number>()

    // -------------------------------------------------------------------------------------------------- indexes
    const consumers = new Map<number, Array<number>>()
    const rows: Array<Array<Array<number>>> = steps.map(({ rows }) =>
      Array.from({ length: Math.max(1, rows) }, () => [])
    )
    const scopes = new Map<string, number>()
    for (const [i, one] of invocations.entries()) {
      rows[one.step]![one.row]!.push(i)
      for (const event of one.events) {
        const list = consumers.get(event)
        if (list === undefined) consumers.set(event, [i])
        else list.push(i)
      }
      if (one.scope !== null && !scopes.has(one.scope)) scopes.set(one.scope, scopes.size)
    }
    const scopeColour = (scope: string) => `hsl(${(scopes.get(scope)! * 137.5) % 360} 65% 55%)`
    const words = new Map<number, string>()
    const wordsOf = (i: number): string => {
      let text = words.get(i)
      if (text === undefined) {
        const { id, step, outcome, error } = invocations[i]!
        const about = [...invocations[i]!.events, ...invocations[i]!.emitted].map(
          (e) => `${events[e]!.id} ${events[e]!.data}`
        )
        text = `${id} ${steps[step]!.name} ${outcome} ${error ?? ""} ${about.join(" ")}`.toLowerCase()
        words.set(i, text)
      }
      return text
    }

    // --------------------------------------------------------------------------------------------------- layout
    const canvas = element("canvas")
    canvas.tabIndex = 0
    canvas.setAttribute("role", "img")
    canvas.setAttribute("aria-label", `${data.title}. ${data.hint}`)
    const tip = element("div", "", "tip")
    const details = element("div", "", "details")
    details.setAttribute("aria-live", "polite")
    const stage = element("div", "", "stage")
    stage.append(canvas, tip)
    host.append(stage, details)
    const paper = canvas.getContext("2d")

    const rowHeight = (s: number): number => {
      const count = Math.max(1, steps[s]!.rows)
      return expanded.has(s) || count <= mostCollapsed ? fullRow : Math.max(0.5, (mostCollapsed * fullRow) / count)
    }
    const hasQueue = ({ queue, longestWait }: ChartStep) =>
      queue.length > 0 && axis === data.axis && longestWait >= data.duration / 100
    const stepHeight = (s: number): number =>
      Math.max(30, (hasQueue(steps[s]!) ? queueHeight : 0) + Math.max(1, steps[s]!.rows) * rowHeight(s))
    const stepTop = (s: number): number => {
      let y = axisHeight + 6
      for (let i = 0; i < s; i++) y += stepHeight(i) + stepGap
      return y
    }
    const contentHeight = () => stepTop(steps.length)
    const rowsTop = (s: number) => stepTop(s) + (hasQueue(steps[s]!) ? queueHeight : 0)
    const width = () => canvas.clientWidth
    const height = () => canvas.clientHeight
    const value = (moment: ChartMoment) => (axis === "time" ? moment[0] : moment[1])
    const x = (v: number) => gutter + ((v - from) / (to - from)) * (width() - gutter - 8)
    const valueAt = (px: number) => from + ((px - gutter) / (width() - gutter - 8)) * (to - from)
    const middle = (one: ChartInvocation) => rowsTop(one.step) + (one.row + 0.5) * rowHeight(one.step) - scroll

    // -------------------------------------------------------------------------------------------------- drawing
    let asked = false
    const redraw = () => {
      if (asked) return
      asked = true
      window.requestAnimationFrame(() => {
        asked = false
        draw()
      })
    }

    const draw = () => {
      const scale = window.devicePixelRatio || 1
      const high = Math.min(contentHeight() + 4, Math.max(220, Math.round(window.innerHeight * 0.72)))
      canvas.style.height = `${high}px`
      canvas.width = Math.round(width() * scale)
      canvas.height = Math.round(high * scale)
      scroll = Math.max(0, Math.min(scroll, contentHeight() - high + 4))
      paper.setTransform(scale, 0, 0, scale, 0, 0)
      paper.fillStyle = colours.ground
      paper.fillRect(0, 0, width(), high)
      paper.font = "12px ui-sans-serif, system-ui, sans-serif"
      paper.textBaseline = "middle"
      for (let s = 0; s < steps.length; s++) drawStep(s)
      drawGrid(high)
      drawCritical()
      drawDrops()
      if (selected >= 0) drawCauses(selected)
      if (hovered >= 0 && hovered !== selected) drawCauses(hovered)
      drawAxis()
    }

    const clip = (then: () => void) => {
      paper.save()
      paper.beginPath()
      paper.rect(gutter, axisHeight, width() - gutter, height())
      paper.clip()
      then()
      paper.restore()
    }

    const drawGrid = (high: number) => {
      paper.strokeStyle = colours.faint
      paper.lineWidth = 1
      paper.beginPath()
      for (const tick of ticks()) {
        paper.moveTo(Math.round(x(tick)) + 0.5, axisHeight)
        paper.lineTo(Math.round(x(tick)) + 0.5, high)
      }
      paper.globalAlpha = 0.6
      paper.stroke()
      paper.globalAlpha = 1
    }

    const ticks = (): ReadonlyArray<number> => {
      const rough = (to - from) / Math.max(2, (width() - gutter) / 110)
      const power = 10 ** Math.floor(Math.log10(rough))
      const size = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough)!
      const found: Array<number> = []
      for (let at = Math.ceil(from / size) * size; at <= to && found.length < 60; at += size) found.push(at)
      return found
    }

    const drawAxis = () => {
      paper.fillStyle = colours.ground
      paper.fillRect(0, 0, width(), axisHeight)
      paper.fillStyle = colours.soft
      paper.textAlign = "center"
      for (const tick of ticks()) {
        const label = axis === "time" ? time(Math.max(0, tick)) : `entry ${Math.round(tick)}`
        const at = x(tick)
        if (at >= gutter - 2) paper.fillText(label, Math.min(at, width() - 30), axisHeight / 2)
      }
      paper.textAlign = "left"
    }

    const drawStep = (s: number) => {
      const step = steps[s]!
      const top = stepTop(s) - scroll
      const high = stepHeight(s)
      if (top > height() || top + high < axisHeight) return
      paper.fillStyle = colours.raised
      paper.fillRect(0, top - 4, width(), high + 8)
      drawLabel(step, s, top)
      clip(() => {
        if (hasQueue(step))
          area(step.queue, top + queueHeight - 2, queueHeight - 3, Math.max(1, ...step.queue), colours.wait!)
        const size = rowHeight(s)
        const first = rowsTop(s) - scroll
        if (step.busy.length > 0 && axis === data.axis) {
          paper.globalAlpha = 0.55
          area(
            step.busy,
            first + Math.max(1, step.rows) * size,
            Math.max(1, step.rows) * size,
            Math.max(1, step.rows),
            colours.run!
          )
          paper.globalAlpha = 1
        }
        const lists = rows[s]!
        const begin = Math.max(0, Math.floor((axisHeight - first) / size))
        const end = Math.min(lists.length, Math.ceil((height() - first) / size))
        for (let row = begin; row < end; row++) drawRow(lists[row]!, first + row * size, size)
      })
    }

    const drawLabel = (step: ChartStep, s: number, top: number) => {
      const crew =
        step.workers === null
          ? `${step.rows} at once`
          : `${step.rows}/${step.workers === "unbounded" ? "∞" : step.workers}`
      paper.textAlign = "right"
      paper.fillStyle = colours.text
      paper.fillText(fit(step.name, gutter - 24), gutter - 12, top + 8)
      paper.fillStyle = colours.soft
      const more = step.rows > mostCollapsed ? (expanded.has(s) ? " ▾" : " ▸") : ""
      paper.fillText(
        fit(`${Math.round(step.utilisation * 100)} % of ${crew}${more}`, gutter - 24),
        gutter - 12,
        top + 23
      )
      paper.textAlign = "left"
    }

    const fit = (text: string, most: number): string => {
      if (paper.measureText(text).width <= most) return text
      let cut = text
      while (cut.length > 1 && paper.measureText(`${cut}…`).width > most) cut = cut.slice(0, -1)
      return `${cut}…`
    }

    const area = (level: ReadonlyArray<number>, base: number, high: number, most: number, colour: string) => {
      const size = total() / level.length
      paper.fillStyle = colour
      paper.beginPath()
      paper.moveTo(x(0), base)
      for (const [i, n] of level.entries()) {
        paper.lineTo(x(i * size), base - (n / most) * high)
        paper.lineTo(x((i + 1) * size), base - (n / most) * high)
      }
      paper.lineTo(x(total()), base)
      paper.fill()
    }

    const colourOf = (one: ChartInvocation): string =>
      one.outcome === "failed"
        ? colours.bad!
        : one.outcome === "interrupted"
          ? colours.dropped!
          : one.critical
            ? colours.critical!
            : colours.run!

    /** Hot: with 10,000 invocations in view this is most of a frame. Bars narrower than a pixel are drawn once a pixel. */
    const drawRow = (row: ReadonlyArray<number>, y: number, size: number) => {
      const thick = size >= 6 ? size - 2 : Math.max(0.5, size * 0.85)
      const right = width()
      let drawnTo = Number.NEGATIVE_INFINITY
      for (let k = firstIn(row); k < row.length; k++) {
        const i = row[k]!
        const one = invocations[i]!
        const left = x(value(one.start))
        if (left > right) break
        const end = Math.max(x(value(one.end)), left + 1)
        const special =
          one.critical || one.outcome !== "succeeded" || matches !== undefined || i === selected || i === hovered
        if (end < gutter || (end - drawnTo < 0.75 && !special)) continue
        drawnTo = end
        const faded = matches !== undefined && !matches.has(i)
        if (faded) paper.globalAlpha = 0.18
        paper.fillStyle = colourOf(one)
        paper.fillRect(left, y + (size - thick) / 2, Math.max(1, end - left - 0.5), thick)
        if (size >= 8) drawMarks(one, left, end, y, size, thick)
        if (i === selected || i === hovered || matches?.has(i)) {
          paper.strokeStyle = colours.text
          paper.lineWidth = i === selected ? 2 : 1
          paper.strokeRect(left - 0.5, y + (size - thick) / 2 - 0.5, Math.max(2, end - left), thick + 1)
        }
        paper.globalAlpha = 1
      }
    }

    const drawMarks = (one: ChartInvocation, left: number, end: number, y: number, size: number, thick: number) => {
      const bottom = y + (size + thick) / 2
      if (one.scope !== null) {
        paper.fillStyle = scopeColour(one.scope)
        paper.fillRect(left, bottom - 3, Math.max(1, end - left - 0.5), 3)
      }
      if (one.intake) {
        paper.fillStyle = colours["intake-line"]
        paper.beginPath()
        paper.moveTo(left - 5, bottom - thick)
        paper.lineTo(left, bottom - thick / 2)
        paper.lineTo(left - 5, bottom)
        paper.fill()
      }
      if (end - left > 70 && one.events.length > 0) {
        paper.fillStyle = colourOf(one) === colours.run ? colours.text : colours.ground
        const label = one.events.length === 1 ? events[one.events[0]!]!.tag : `${one.events.length} events`
        paper.font = "10px ui-sans-serif, system-ui, sans-serif"
        const from = Math.max(left, gutter) + 5
        if (end - from > 40) paper.fillText(fit(label, end - from - 12), from, y + size / 2)
        paper.font = "12px ui-sans-serif, system-ui, sans-serif"
      }
      paper.font = "bold 11px ui-sans-serif, system-ui, sans-serif"
      for (const { to, outcome } of one.attempts.length > 0 ? one.attempts : [{ to: one.end, outcome: one.outcome }]) {
        const mark =
          outcome === "failed" ? "✕" : outcome === "interrupted" ? "⊘" : outcome === "to be retried" ? "↻" : ""
        if (mark === "") continue
        paper.fillStyle = outcome === "failed" ? colours.bad : colours.text
        paper.fillText(mark, x(value(to)) + (outcome === "to be retried" ? -5 : 3), y + size / 2)
      }
      paper.font = "12px ui-sans-serif, system-ui, sans-serif"
    }

    /** The first invocation of a row that may end to the right of the left edge. */
    const firstIn = (row: ReadonlyArray<number>): number => {
      let low = 0
      let high = row.length
      while (low < high) {
        const half = (low + high) >> 1
        if (value(invocations[row[half]!]!.end) < from) low = half + 1
        else high = half
      }
      return low
    }

    const drawCritical = () =>
      clip(() => {
        paper.strokeStyle = colours.critical
        paper.lineWidth = 1.5
        for (const [k, part] of data.critical.entries()) {
          const y = middle(invocations[part.invocation]!)
          if (part.doing === "waiting" && part.to[0] > part.from[0]) {
            paper.strokeStyle = colours.wait
            paper.setLineDash([4, 3])
            line(x(value(part.from)), y, x(value(part.to)), y)
            paper.setLineDash([])
            paper.strokeStyle = colours.critical
          }
          const next = data.critical[k + 1]
          if (next === undefined || next.invocation === part.invocation) continue
          bow(x(value(part.to)), y, x(value(next.from)), middle(invocations[next.invocation]!))
        }
      })

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

    const drawDrops = () =>
      clip(() => {
        paper.fillStyle = colours.dropped
        paper.font = "bold 11px ui-sans-serif, system-ui, sans-serif"
        let last = Number.NEGATIVE_INFINITY
        for (const { step, at } of data.drops) {
          const px = x(value(at))
          if (step < 0 || Math.abs(px - last) < 2) continue
          last = px
          paper.fillText("◇", px - 5, stepTop(step) - scroll + stepHeight(step) - 1)
        }
        paper.font = "12px ui-sans-serif, system-ui, sans-serif"
      })

    /** Arrows from what caused an invocation, and to what it caused; and how long it waited. */
    const drawCauses = (i: number) => {
      const one = invocations[i]!
      clip(() => {
        const y = middle(one)
        paper.lineWidth = 1.5
        if (value(one.start) > value(one.since)) {
          paper.strokeStyle = colours["intake-line"]
          paper.setLineDash([2, 3])
          line(x(value(one.since)), y, x(value(one.ready)), y)
          paper.strokeStyle = colours.wait
          paper.setLineDash([])
          line(x(value(one.ready)), y, x(value(one.start)), y)
        }
        paper.strokeStyle = colours.text
        paper.globalAlpha = 0.75
        for (const e of one.events.slice(0, 400)) {
          const event = events[e]!
          if (event.cause >= 0) arrow(x(value(event.at)), middle(invocations[event.cause]!), x(value(one.start)), y)
        }
        for (const e of one.emitted.slice(0, 400)) {
          for (const to of consumers.get(e) ?? []) {
            const other = invocations[to]!
            arrow(x(value(events[e]!.at)), y, x(value(other.start)), middle(other))
          }
        }
        paper.globalAlpha = 1
      })
    }
    const arrow = (x1: number, y1: number, x2: number, y2: number) => {
      bow(x1, y1, x2, y2)
      paper.fillStyle = colours.text
      paper.beginPath()
      paper.moveTo(x2, y2)
      paper.lineTo(x2 - 6, y2 - 3.5)
      paper.lineTo(x2 - 6, y2 + 3.5)
      paper.fill()
    }

    // ------------------------------------------------------------------------------------------- what is under it
    const under = (px: number, py: number): number => {
      if (px < gutter || py < axisHeight) return -1
      for (let s = 0; s < steps.length; s++) {
        const first = rowsTop(s) - scroll
        const size = rowHeight(s)
        const row = Math.floor((py - first) / size)
        if (row < 0 || row >= rows[s]!.length) continue
        const list = rows[s]![row]!
        let best = -1
        let nearest = 4
        for (let k = Math.max(0, firstIn(list) - 1); k < list.length; k++) {
          const one = invocations[list[k]!]!
          const left = x(value(one.start))
          if (left > px + 4) break
          const right = Math.max(x(value(one.end)), left + 1)
          const away = px < left ? left - px : px > right ? px - right : 0
          if (away <= nearest) {
            nearest = away
            best = list[k]!
          }
        }
        return best
      }
      return -1
    }

    const eventLine = (event: ChartEvent): Browser => {
      const made = element("div", "", "event")
      made.append(element("b", event.tag), element("code", event.data))
      made.title = event.id
      return made
    }
    const about = (i: number, most: number): ReadonlyArray<Browser> => {
      const one = invocations[i]!
      const step = steps[one.step]!
      const head = element("div", "", "head")
      head.append(
        element("b", step.name),
        element("span", ` worker ${one.row + 1} · ${one.outcome}${one.critical ? " · on the critical path" : ""}`)
      )
      const ran = one.end[0] - one.start[0]
      const waited = one.start[0] - one.ready[0]
      const collected = one.ready[0] - one.since[0]
      const times = [
        `from ${time(one.start[0])} to ${time(one.end[0])}`,
        `running ${time(ran)}`,
        `waiting for a worker ${time(waited)}`,
        ...(one.intake ? [`its intake waiting ${time(collected)}`] : []),
        ...(one.attempts.length > 1 ? [`${one.attempts.length} attempts`] : [])
      ].join(" · ")
      const parts = [head, element("div", times, "soft")]
      if (one.error !== null) parts.push(element("div", one.error, "bad"))
      for (const { outcome, error, from, to } of one.attempts)
        if (outcome === "to be retried")
          parts.push(element("div", `${time(to[0] - from[0])}, then retried: ${error}`, "bad"))
      if (one.scope !== null) parts.push(element("div", `in the scope of ${one.scope}`, "soft"))
      const list = (title: string, places: ReadonlyArray<number>) => {
        if (places.length === 0) return
        parts.push(element("div", title, "soft"))
        for (const e of places.slice(0, most)) parts.push(eventLine(events[e]!))
        if (places.length > most) parts.push(element("div", `and ${places.length - most} more`, "soft"))
      }
      list("given", one.events)
      list("emitted", one.emitted)
      return parts
    }

    const showTip = (px: number, py: number) => {
      if (hovered < 0) {
        tip.style.display = "none"
        return
      }
      tip.replaceChildren(...about(hovered, 4))
      tip.style.display = "block"
      const left = px + 18 + tip.offsetWidth > width() ? Math.max(0, px - tip.offsetWidth - 12) : px + 16
      const below = py + 16 + tip.offsetHeight > window.innerHeight - canvas.getBoundingClientRect().top
      tip.style.left = `${left}px`
      tip.style.top = `${below ? Math.max(0, py - tip.offsetHeight - 10) : py + 16}px`
    }

    const select = (i: number) => {
      selected = i
      details.replaceChildren(...(i < 0 ? [] : [...about(i, 50), element("code", invocations[i]!.id, "soft")]))
      redraw()
    }

    const zoom = (factor: number, around: number) => {
      const least = total() / 1e6
      const size = Math.min(total(), Math.max(least, (to - from) * factor))
      const share = (around - from) / (to - from)
      from = around - share * size
      pan(0, size)
    }
    const pan = (by: number, size = to - from) => {
      from = Math.max(0, Math.min(from + by, total() - size))
      to = from + size
      redraw()
    }
    const scrollBy = (by: number) => {
      scroll += by
      redraw()
    }
    const reset = () => {
      from = 0
      to = total()
      scroll = 0
      redraw()
    }
    const reveal = (i: number) => {
      const one = invocations[i]!
      const size = to - from
      if (value(one.start) < from || value(one.end) > to) {
        from = value(one.start) - size / 2
        pan(0, size)
      }
      const y = middle(one)
      if (y < axisHeight + 10 || y > height() - 10) scroll += y - height() / 2
      select(i)
    }

    // ------------------------------------------------------------------------------------------------ the person
    let dragged: { x: number; y: number; moved: boolean } | undefined
    const place = (event: Browser): readonly [number, number] => {
      const box = canvas.getBoundingClientRect()
      return [event.clientX - box.left, event.clientY - box.top]
    }
    canvas.addEventListener("pointermove", (event: Browser) => {
      const [px, py] = place(event)
      if (dragged !== undefined) {
        const [dx, dy] = [event.clientX - dragged.x, event.clientY - dragged.y]
        if (dragged.moved || Math.abs(dx) + Math.abs(dy) > 3) {
          dragged = { x: event.clientX, y: event.clientY, moved: true }
          scroll -= dy
          pan((-dx / (width() - gutter - 8)) * (to - from))
        }
        return
      }
      const found = under(px, py)
      if (found !== hovered) {
        hovered = found
        redraw()
      }
      showTip(px, py)
    })
    canvas.addEventListener("pointerleave", () => {
      hovered = -1
      showTip(0, 0)
      redraw()
    })
    canvas.addEventListener("pointerdown", (event: Browser) => {
      dragged = { x: event.clientX, y: event.clientY, moved: false }
      canvas.setPointerCapture(event.pointerId)
    })
    canvas.addEventListener("pointerup", (event: Browser) => {
      const moved = dragged?.moved === true
      dragged = undefined
      if (moved) return
      const [px, py] = place(event)
      if (px < gutter) {
        const s = steps.findIndex((_, s) => py >= stepTop(s) - scroll && py <= stepTop(s) - scroll + stepHeight(s))
        if (s >= 0 && steps[s]!.rows > mostCollapsed) {
          if (!expanded.delete(s)) expanded.add(s)
          redraw()
        }
      } else select(under(px, py))
    })
    canvas.addEventListener(
      "wheel",
      (event: Browser) => {
        const [px] = place(event)
        event.preventDefault()
        if (px < gutter || event.shiftKey) scroll += event.deltaY || event.deltaX
        else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan((event.deltaX / width()) * (to - from))
        else zoom(1.0016 ** event.deltaY, valueAt(px))
        redraw()
      },
      { passive: false }
    )
    canvas.addEventListener("dblclick", (event: Browser) => zoom(0.4, valueAt(place(event)[0])))
    canvas.addEventListener("keydown", (event: Browser) => {
      const step = (to - from) / 8
      const act: Record<string, () => void> = {
        ArrowLeft: () => pan(-step),
        ArrowRight: () => pan(step),
        ArrowUp: () => scrollBy(-40),
        ArrowDown: () => scrollBy(40),
        "+": () => zoom(0.6, (from + to) / 2),
        "=": () => zoom(0.6, (from + to) / 2),
        "-": () => zoom(1 / 0.6, (from + to) / 2),
        "0": reset,
        Escape: () => select(-1)
      }
      const found = act[event.key]
      if (found === undefined) return
      event.preventDefault()
      found()
    })
    const tools = host.querySelector(".tools")
    const button = (label: string, title: string, then: () => void) => {
      const made = element("button", label)
      made.title = title
      made.addEventListener("click", then)
      tools.append(made)
      return made
    }
    button("+", "Zoom in (+)", () => zoom(0.6, (from + to) / 2))
    button("−", "Zoom out (-)", () => zoom(1 / 0.6, (from + to) / 2))
    button("all", "Show the whole run (0)", reset)
    if (data.duration > 0) {
      const other = button("by order", "One entry after the other, however short", () => {
        axis = axis === "time" ? "order" : "time"
        other.textContent = axis === "time" ? "by order" : "by time"
        reset()
      })
    }
    new window.ResizeObserver(redraw).observe(stage)
    redraw()

    return {
      redraw,
      search: (text, go) => {
        const wanted = text.trim().toLowerCase()
        if (wanted === "") {
          matches = undefined
          matchList = []
          matchAt = -1
          redraw()
          return ""
        }
        if (!go || matches === undefined) {
          matchList = invocations.flatMap((_, i) => (wordsOf(i).includes(wanted) ? [i] : []))
          matches = new Set(matchList)
          matchAt = -1
        } else if (matchList.length > 0) {
          matchAt = (matchAt + 1) % matchList.length
          reveal(matchList[matchAt]!)
        }
        redraw()
        return `${matchAt >= 0 ? `${matchAt + 1} of ` : ""}${matchList.length.toLocaleString("en")}`
      }
    }
  }

  const hosts = [...document.querySelectorAll(".run")]
  let mounted = hosts.flatMap((host: Browser) =>
    host.hidden ? [] : [mount(charts[Number(host.dataset.chart)]!, host)]
  )
  const shown = new Set(hosts.filter((host: Browser) => !host.hidden))
  const search = document.getElementById("search")
  const found = document.getElementById("found")
  const look = (go: boolean) => {
    const told = mounted.map((chart) => chart.search(search.value, go)).filter((text) => text !== "")
    found.textContent = told.length === 0 ? "" : `${told.join(" · ")} found`
  }
  search.addEventListener("input", () => look(false))
  search.addEventListener("keydown", (event: Browser) => {
    if (event.key === "Enter") look(true)
    if (event.key === "Escape") {
      search.value = ""
      look(false)
    }
  })
  document.addEventListener("keydown", (event: Browser) => {
    if (event.key !== "/" || event.target === search) return
    event.preventDefault()
    search.focus()
  })
  document.getElementById("which")?.addEventListener("change", (event: Browser) => {
    for (const host of hosts) {
      host.hidden = host.dataset.chart !== event.target.value
      if (host.hidden || shown.has(host)) continue
      shown.add(host)
      mounted = [...mounted, mount(charts[Number(host.dataset.chart)]!, host)]
    }
    for (const chart of mounted) chart.redraw()
  })
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readColours()
    for (const chart of mounted) chart.redraw()
  })
}
