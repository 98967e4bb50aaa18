/** One run's chart on its page: combines layout, drawing, details and input. */
import type { ChartData } from "../chart-data.ts"
import type { criticalLine } from "../critical-line.ts"
import type { time } from "../text.ts"
import type { ticks } from "../ticks.ts"
import type { Attention, Browser, Chart } from "./browser.ts"
import type { makeDetails } from "./chart-details.ts"
import type { makeDrawing } from "./chart-drawing.ts"
import type { listen } from "./chart-input.ts"
import type { makeView } from "./chart-view.ts"

/** The functions that make up a chart. */
export interface ChartParts {
  readonly time: typeof time
  readonly ticks: typeof ticks
  readonly criticalLine: typeof criticalLine
  readonly makeView: typeof makeView
  readonly makeDrawing: typeof makeDrawing
  readonly makeDetails: typeof makeDetails
  readonly listen: typeof listen
}

export const makeChart = (
  document: Browser,
  window: Browser,
  data: ChartData,
  host: Browser,
  parts: ChartParts,
  page: {
    /** Receives the id of the selected invocation if charts are shown side by side. */
    readonly selected: (id: string | undefined) => void
    readonly inside: (id: string) => ReadonlyArray<{ readonly title: string; readonly show: () => void }>
  }
): Chart => {
  const { invocations } = data
  const made = (name: string, kind: string): Browser => {
    const element = document.createElement(name)
    if (kind !== "") element.className = kind
    return element
  }
  const canvas = made("canvas", "")
  canvas.tabIndex = 0
  canvas.setAttribute("role", "img")
  canvas.setAttribute("aria-label", `${data.title}. ${data.hint}`)
  const tip = made("div", "tip")
  const details = made("div", "details")
  details.setAttribute("aria-live", "polite")
  const stage = made("div", "stage")
  stage.append(canvas, tip)
  host.append(stage, details)

  const attention: Attention = { hovered: -1, selected: -1, found: undefined }
  const view = parts.makeView(data, canvas)
  const draw = parts.makeDrawing(window, canvas, data, view, attention, parts)
  const { about, words } = parts.makeDetails(document, data, parts, page.inside)
  let list: ReadonlyArray<number> = []
  let at = -1

  let asked = false
  const redraw = () => {
    if (asked) return
    asked = true
    window.requestAnimationFrame(() => {
      asked = false
      draw()
    })
  }
  const hover = (place: number, px: number, py: number) => {
    if (place !== attention.hovered) {
      attention.hovered = place
      redraw()
    }
    tip.style.display = place < 0 ? "none" : "block"
    if (place < 0) return
    tip.replaceChildren(...about(place, 4))
    const left = px + 18 + tip.offsetWidth > view.width() ? Math.max(0, px - tip.offsetWidth - 12) : px + 16
    const below = py + 16 + tip.offsetHeight > window.innerHeight - canvas.getBoundingClientRect().top
    tip.style.left = `${left}px`
    tip.style.top = `${below ? Math.max(0, py - tip.offsetHeight - 10) : py + 16}px`
  }
  const show = (place: number) => {
    attention.selected = place
    const id = made("code", "soft")
    id.textContent = invocations[place]?.id ?? ""
    details.replaceChildren(...(place < 0 ? [] : [...about(place, 50), id]))
    redraw()
  }
  const select = (place: number) => {
    show(place)
    page.selected(invocations[place]?.id)
  }
  const go = (place: number) => {
    view.reveal(invocations[place]!)
    select(place)
  }
  parts.listen(canvas, host.querySelector(".tools"), data, view, attention, { redraw, hover, select, go })
  new window.ResizeObserver(redraw).observe(stage)
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw)
  redraw()

  return {
    data,
    redraw,
    select: (place) => {
      if (place >= 0) view.reveal(invocations[place]!)
      show(place)
    },
    search: (text, onwards) => {
      const wanted = text.trim().toLowerCase()
      if (wanted === "") {
        attention.found = undefined
        redraw()
        return ""
      }
      if (!onwards || attention.found === undefined) {
        list = invocations.flatMap((_, i) => (words(i).includes(wanted) ? [i] : []))
        attention.found = new Set(list)
        at = -1
      }
      if (onwards && list.length > 0) {
        at = (at + 1) % list.length
        go(list[at]!)
      }
      redraw()
      return `${at >= 0 ? `${at + 1} of ` : ""}${list.length.toLocaleString("en")}`
    }
  }
}
