/**
 * The timeline, live: drag to look at a range, wheel to zoom, click for one invocation.
 */
import { useEffect, useRef, useState } from "preact/hooks"
import { duration } from "../format.ts"
import { useStore } from "../hooks.ts"
import { scaleOf } from "../time-scale.ts"
import type { Pane } from "./parts.tsx"
import { type Colours, coloursOf, draw, gutter, heightOf, lanesOf, under, type View } from "./timeline-drawing.ts"

/** `least`: the milliseconds that it shows at least, so that two beside each other have one scale. */
export const Timeline = ({ least = 1, onSelect, selection, store }: Pane & { readonly least?: number }) => {
  useStore(store)
  const canvas = useRef<HTMLCanvasElement>(null)
  const colours = useRef<Colours>()
  const [view, setView] = useState<View>()
  const [fold, setFold] = useState(true)
  const [brush, setBrush] = useState<readonly [number, number]>()
  const [tip, setTip] = useState<{ readonly x: number; readonly y: number; readonly text: string }>()
  const [, redraw] = useState(0)

  const { model } = store
  const running = model.state === "running" && store.isLive
  const now = running ? Math.max(model.last.at, Date.now() - model.began) : model.last.at
  // While nothing is at work, the end of the axis is idle time, too.
  const idle = store.idle.filter(({ to }) => to <= now)
  const busy = running && store.isBusy()
  if (running && !busy) idle.push({ from: model.last.at, to: now })
  const scale = scaleOf(Math.max(now, least), idle, fold)
  const lanes = lanesOf(model)
  const shown = view ?? { from: 0, to: scale.length }
  const drawing = { canvas: canvas.current!, model, scale, view: shown, lanes, now }

  useEffect(() => {
    if (!running) return
    const timer = setInterval(() => document.hidden || redraw((n) => n + 1), busy ? 200 : 1_000)
    return () => clearInterval(timer)
  }, [running, busy])
  useEffect(() => {
    const again = () => {
      colours.current = undefined
      redraw((n) => n + 1)
    }
    const sizes = new ResizeObserver(() => redraw((n) => n + 1))
    sizes.observe(canvas.current!)
    const dark = matchMedia("(prefers-color-scheme: dark)")
    dark.addEventListener("change", again)
    addEventListener("stepgraph-theme", again)
    return () => {
      sizes.disconnect()
      dark.removeEventListener("change", again)
      removeEventListener("stepgraph-theme", again)
    }
  }, [])
  useEffect(() => {
    colours.current ??= coloursOf(canvas.current!.parentElement!)
    draw({
      ...drawing,
      canvas: canvas.current!,
      colours: colours.current,
      selected: selection?.kind === "call" ? selection.id : undefined,
      brush
    })
  })

  const placeAt = (px: number) =>
    shown.from + ((px - gutter) / Math.max(1, canvas.current!.clientWidth - gutter)) * (shown.to - shown.from)
  const limited = (from: number, to: number) => {
    const span = Math.min(Math.max(to - from, 0.5), scale.length)
    const start = Math.min(Math.max(0, from), scale.length - span)
    setView(span >= scale.length ? undefined : { from: start, to: start + span })
  }
  const zoom = (factor: number, around = (shown.from + shown.to) / 2) =>
    limited(around - (around - shown.from) * factor, around + (shown.to - around) * factor)
  const pan = (share: number) => {
    const by = (shown.to - shown.from) * share
    limited(shown.from + by, shown.to + by)
  }
  const keys: Readonly<Record<string, () => void>> = {
    "+": () => zoom(0.6),
    "=": () => zoom(0.6),
    "-": () => zoom(1 / 0.6),
    "0": () => setView(undefined),
    ArrowLeft: () => pan(-0.2),
    ArrowRight: () => pan(0.2)
  }

  useEffect(() => {
    // Only a listener that is not passive may keep the page from scrolling.
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return
      event.preventDefault()
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(event.deltaX / 1000)
      else zoom(1.002 ** event.deltaY, placeAt(event.offsetX))
    }
    const element = canvas.current!
    element.addEventListener("wheel", wheel, { passive: false })
    return () => element.removeEventListener("wheel", wheel)
  })

  return (
    <div class="timeline">
      <div class="tools">
        <span class="soft hint">Drag to look at a range; Ctrl and wheel, or + and −, to zoom.</span>
        <span class="space" />
        <label>
          <input type="checkbox" checked={fold} onChange={(event) => setFold(event.currentTarget.checked)} /> Fold idle
          time
        </label>
        <button type="button" class="quiet" disabled={view === undefined} onClick={() => setView(undefined)}>
          Whole run
        </button>
      </div>
      <div class="stage">
        <canvas
          ref={canvas}
          tabIndex={0}
          role="img"
          aria-label={`Timeline of ${model.steps.size} steps over ${duration(now)}`}
          style={{ height: `${heightOf(lanes)}px` }}
          onKeyDown={(event) => {
            const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key]
            if (act === undefined) return
            event.preventDefault()
            act()
          }}
          onPointerDown={(event) => {
            if (event.offsetX < gutter || event.button !== 0) return
            event.currentTarget.setPointerCapture(event.pointerId)
            setBrush([event.offsetX, event.offsetX])
          }}
          onPointerMove={(event) => {
            if (brush !== undefined) {
              setBrush([brush[0], event.offsetX])
              setTip(undefined)
              return
            }
            const one = under({ ...drawing, canvas: canvas.current! }, event.offsetX, event.offsetY)
            const wait = one === undefined ? 0 : one.start.at - one.ready.at
            setTip(
              one && {
                x: event.offsetX,
                y: event.offsetY,
                text: `${one.step}: ${one.end === null ? "running" : one.outcome}, ${duration((one.end?.at ?? now) - one.start.at)}${wait > 0 ? `, waited ${duration(wait)}` : ""}`
              }
            )
          }}
          onPointerUp={(event) => {
            if (brush === undefined) return
            setBrush(undefined)
            const [from, to] = [Math.min(...brush), Math.max(...brush)]
            if (to - from > 6) {
              limited(placeAt(Math.max(gutter, from)), placeAt(to))
              return
            }
            const one = under({ ...drawing, canvas: canvas.current! }, event.offsetX, event.offsetY)
            if (one !== undefined) onSelect({ kind: "call", id: one.id })
          }}
          onPointerLeave={() => setTip(undefined)}
          onDblClick={() => setView(undefined)}
        />
        {tip === undefined ? null : (
          <div class="tip" style={{ left: `${tip.x + 14}px`, top: `${tip.y + 14}px` }}>
            {tip.text}
          </div>
        )}
      </div>
    </div>
  )
}
