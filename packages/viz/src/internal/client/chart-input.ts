/** Pointer, wheel and keyboard input of a chart. */
import type { ChartData } from "../chart-data.ts"
import type { Attention, Browser, View } from "./browser.ts"

export const listen = (
  canvas: Browser,
  tools: Browser,
  data: ChartData,
  view: View,
  attention: Attention,
  act: {
    readonly redraw: () => void
    readonly hover: (place: number, px: number, py: number) => void
    readonly select: (place: number) => void
    readonly go: (place: number) => void
  }
): void => {
  let dragged: { x: number; y: number; moved: boolean } | undefined
  const place = (event: Browser): readonly [number, number] => {
    const box = canvas.getBoundingClientRect()
    return [event.clientX - box.left, event.clientY - box.top]
  }
  /** The part of the axis that a number of pixels covers. */
  const worth = (pixels: number) => view.valueAt(pixels) - view.valueAt(0)

  canvas.addEventListener("pointermove", (event: Browser) => {
    const [px, py] = place(event)
    if (dragged === undefined) return act.hover(view.under(px, py), px, py)
    const [dx, dy] = [event.clientX - dragged.x, event.clientY - dragged.y]
    if (!dragged.moved && Math.abs(dx) + Math.abs(dy) <= 3) return
    dragged = { x: event.clientX, y: event.clientY, moved: true }
    view.scrollTo(view.scroll - dy)
    view.pan(worth(-dx))
    act.redraw()
  })
  canvas.addEventListener("pointerleave", () => act.hover(-1, 0, 0))
  canvas.addEventListener("pointerdown", (event: Browser) => {
    dragged = { x: event.clientX, y: event.clientY, moved: false }
    canvas.setPointerCapture(event.pointerId)
  })
  canvas.addEventListener("pointercancel", () => (dragged = undefined))
  canvas.addEventListener("pointerup", (event: Browser) => {
    const moved = dragged?.moved === true
    dragged = undefined
    if (moved) return
    const [px, py] = place(event)
    const s = px < view.gutter ? view.stepAt(py) : -1
    if (s < 0) return act.select(view.under(px, py))
    if (data.steps[s]!.rows <= view.mostCollapsed) return
    if (!view.expanded.delete(s)) view.expanded.add(s)
    act.redraw()
  })
  canvas.addEventListener(
    "wheel",
    (event: Browser) => {
      const [px] = place(event)
      event.preventDefault()
      if (px < view.gutter || event.shiftKey) view.scrollTo(view.scroll + (event.deltaY || event.deltaX))
      else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) view.pan(worth(event.deltaX))
      else view.zoom(1.0016 ** event.deltaY, view.valueAt(px))
      act.redraw()
    },
    { passive: false }
  )
  canvas.addEventListener("dblclick", (event: Browser) => {
    view.zoom(0.4, view.valueAt(place(event)[0]))
    act.redraw()
  })

  const next = (by: number) => {
    const count = data.invocations.length
    if (count > 0) act.go(attention.selected < 0 ? (by > 0 ? 0 : count - 1) : (attention.selected + by + count) % count)
  }
  const keys: Record<string, () => void> = {
    ArrowLeft: () => view.pan((view.from - view.to) / 8),
    ArrowRight: () => view.pan((view.to - view.from) / 8),
    ArrowUp: () => view.scrollTo(view.scroll - 40),
    ArrowDown: () => view.scrollTo(view.scroll + 40),
    "+": () => view.zoom(0.6),
    "=": () => view.zoom(0.6),
    "-": () => view.zoom(1 / 0.6),
    "0": view.reset,
    n: () => next(1),
    p: () => next(-1),
    Escape: () => act.select(-1)
  }
  canvas.addEventListener("keydown", (event: Browser) => {
    const found = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key]
    if (found === undefined) return
    event.preventDefault()
    found()
    act.redraw()
  })

  const button = (label: string, title: string, then: () => void) => {
    const made = canvas.ownerDocument.createElement("button")
    made.textContent = label
    made.title = title
    made.addEventListener("click", () => {
      then()
      act.redraw()
    })
    tools.append(made)
    return made
  }
  button("+", "Zoom in (+)", () => view.zoom(0.6))
  button("−", "Zoom out (-)", () => view.zoom(1 / 0.6))
  button("all", "Show the whole run (0)", view.reset)
  if (data.duration > 0) {
    const other = () => (view.axis === "time" ? "by order" : "by time")
    const turn = button(other(), "By time, or by order with equal space for each entry", () => {
      view.turn()
      turn.textContent = other()
    })
  }
}
