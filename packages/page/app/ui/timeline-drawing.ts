/**
 * Draws the invocations of a run on a canvas: a lane for each step, a row for each that is at work at once.
 */
import type { InvocationModel, RunModel } from "stepgraph/trace"
import { duration } from "../format.ts"
import type { Scale } from "../time-scale.ts"
import { ticks } from "../time-scale.ts"

export interface Lane {
  readonly name: string
  readonly top: number
  readonly height: number
  readonly rows: number
  readonly row: number
}

export interface View {
  /** On the folded axis. */
  readonly from: number
  readonly to: number
}

export const gutter = 150
export const axis = 26
const padding = 7

/** Rows are as high as there is room for. */
export const lanesOf = (model: RunModel): ReadonlyArray<Lane> => {
  let top = axis
  return [...model.steps.values()].map(({ most, name }) => {
    const rows = Math.max(1, most)
    const row = Math.max(2, Math.min(16, Math.floor(72 / rows)))
    const height = Math.min(rows, 36) * row + padding * 2
    const lane = { name, top, height, rows, row }
    top += height
    return lane
  })
}

export const heightOf = (lanes: ReadonlyArray<Lane>): number => (lanes.at(-1)?.top ?? 0) + (lanes.at(-1)?.height ?? 40)

export type Colours = Readonly<
  Record<"text" | "soft" | "line" | "raised" | "run" | "done" | "bad" | "warn" | "off" | "accent", string>
>

/** The page's colours as they are now: a canvas knows no variables. */
export const coloursOf = (host: Element): Colours => {
  const probe = document.createElement("i")
  host.append(probe)
  const of = (name: string) => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const colours = {
    text: of("text"),
    soft: of("soft"),
    line: of("line"),
    raised: of("raised"),
    run: of("run"),
    done: of("bar"),
    bad: of("bad"),
    warn: of("warn"),
    off: of("off"),
    accent: of("accent")
  }
  probe.remove()
  return colours
}

export interface Drawing {
  readonly canvas: HTMLCanvasElement
  readonly model: RunModel
  readonly scale: Scale
  readonly view: View
  readonly lanes: ReadonlyArray<Lane>
  /** Milliseconds since the run began: where what has not ended reaches to. */
  readonly now: number
  readonly colours: Colours
  readonly selected: string | undefined
  readonly brush: readonly [from: number, to: number] | undefined
}

const rowTop = (lane: Lane, row: number): number =>
  lane.top + padding + (row % Math.max(1, Math.floor((lane.height - padding * 2) / lane.row))) * lane.row

export const draw = ({ brush, canvas, colours, lanes, model, now, scale, selected, view }: Drawing): void => {
  const ratio = devicePixelRatio
  const width = canvas.clientWidth
  const height = heightOf(lanes)
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
  }
  const context = canvas.getContext("2d")!
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  const inner = Math.max(1, width - gutter)
  const zoom = inner / (view.to - view.from)
  const x = (at: number) => gutter + (scale.place(at) - view.from) * zoom
  const font = getComputedStyle(canvas).fontFamily
  context.font = `11px ${font}`
  context.textBaseline = "middle"

  // The axis.
  context.fillStyle = colours.soft
  for (const tick of ticks(scale, view.from, view.to, inner / 110)) {
    const left = Math.round(x(tick))
    context.fillRect(left, axis - 6, 1, 6)
    const words = tick === 0 ? "0" : duration(tick)
    if (left + 4 + context.measureText(words).width < width) context.fillText(words, left + 4, axis - 12)
  }
  for (const [i, lane] of lanes.entries()) {
    if (i % 2 === 0) {
      context.fillStyle = colours.raised
      context.fillRect(0, lane.top, width, lane.height)
    }
  }

  context.save()
  context.beginPath()
  context.rect(gutter, 0, inner, height)
  context.clip()
  for (const { from, place, to, width: fold } of scale.folds) {
    const left = gutter + (place - view.from) * zoom
    context.fillStyle = colours.line
    for (let y = axis; y < height; y += 6) context.fillRect(left + (fold * zoom) / 2, y, 1, 3)
    context.fillStyle = colours.soft
    const words = `⋯ ${duration(to - from)}`
    const size = context.measureText(words).width
    context.fillText(words, Math.min(left + (fold * zoom - size) / 2, width - size - 2), axis - 12)
  }

  const byName = new Map(lanes.map((lane) => [lane.name, lane]))
  const lastPixel = new Map<string, number>()
  const seen: Array<{ one: InvocationModel; lane: Lane; left: number; right: number; top: number }> = []
  for (const one of model.invocations.values()) {
    const lane = byName.get(one.step)
    if (lane === undefined) continue
    const left = x(one.start.at)
    const right = Math.max(left + 1.5, x(one.end?.at ?? now))
    if (right < gutter || left > width) continue
    const top = rowTop(lane, one.row)
    // What would cover the same pixel is drawn once, unless it matters.
    const key = `${one.step}\u0000${top}`
    const isPlain = one.outcome === "succeeded" && one.id !== selected
    if (isPlain && right <= (lastPixel.get(key) ?? Number.NEGATIVE_INFINITY)) continue
    lastPixel.set(key, Math.ceil(right))
    seen.push({ one, lane, left, right, top })
  }
  // Waits lie under the work that they waited for.
  for (const { lane, left, one, top } of seen) wait(context, x(one.ready.at), left, top + lane.row / 2, colours)
  for (const { lane, left, one, right, top } of seen) {
    bar(context, one, left, right, top, Math.max(1, lane.row - (lane.row > 4 ? 2 : 0)), colours, x, now)
    if (one.id === selected) {
      context.strokeStyle = colours.text
      context.lineWidth = 2
      context.strokeRect(left - 1, top - 1, right - left + 2, Math.max(4, lane.row))
    }
  }
  if (brush !== undefined) {
    context.fillStyle = colours.accent
    context.globalAlpha = 0.15
    context.fillRect(Math.min(...brush), 0, Math.abs(brush[1] - brush[0]), height)
    context.globalAlpha = 1
  }
  context.restore()

  context.font = `12px ${font}`
  context.fillStyle = colours.text
  for (const lane of lanes) context.fillText(fitted(context, lane.name, gutter - 24), 12, lane.top + lane.height / 2)
}

const fitted = (context: CanvasRenderingContext2D, text: string, width: number): string => {
  if (context.measureText(text).width <= width) return text
  let end = text.length
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > width) end--
  return `${text.slice(0, end)}…`
}

/** How long it waited for a worker. */
const wait = (context: CanvasRenderingContext2D, from: number, to: number, y: number, colours: Colours): void => {
  if (to - from <= 2) return
  context.fillStyle = colours.warn
  context.globalAlpha = 0.5
  context.fillRect(from, y - 0.5, to - from, 1)
  context.globalAlpha = 1
}

const bar = (
  context: CanvasRenderingContext2D,
  one: InvocationModel,
  left: number,
  right: number,
  top: number,
  height: number,
  colours: Colours,
  x: (at: number) => number,
  now: number
): void => {
  context.fillStyle =
    one.outcome === "failed"
      ? colours.bad
      : one.outcome === "interrupted"
        ? colours.off
        : one.end === null
          ? colours.run
          : colours.done
  if (right - left > 5 && height > 5) {
    context.beginPath()
    context.roundRect(left, top, right - left, height, 2.5)
    context.fill()
  } else context.fillRect(left, top, right - left, height)
  // It waits for an answer, and takes no worker meanwhile.
  for (const { end, start } of one.questions) {
    context.fillStyle = colours.warn
    const from = x(start.at)
    context.fillRect(from, top, Math.max(1, x(end?.at ?? one.end?.at ?? now) - from), height)
  }
  for (const attempt of one.attempts) {
    if (attempt.outcome !== "retried" || attempt.end === null) continue
    context.fillStyle = colours.bad
    context.fillRect(x(attempt.end.at) - 1, top, 2, height)
  }
}

/** The invocation at a point of the canvas. */
export const under = (
  { canvas, lanes, model, now, scale, view }: Omit<Drawing, "colours" | "brush" | "selected">,
  px: number,
  py: number
): InvocationModel | undefined => {
  const lane = lanes.find(({ height, top }) => py >= top && py < top + height)
  if (lane === undefined || px < gutter) return undefined
  const zoom = Math.max(1, canvas.clientWidth - gutter) / (view.to - view.from)
  const x = (at: number) => gutter + (scale.place(at) - view.from) * zoom
  let nearest: InvocationModel | undefined
  let distance = 4
  for (const one of model.invocations.values()) {
    if (one.step !== lane.name) continue
    const top = rowTop(lane, one.row)
    if (py < top - 2 || py > top + lane.row + 2) continue
    const [left, right] = [x(one.start.at), x(one.end?.at ?? now)]
    const away = px < left ? left - px : px > right ? px - right : 0
    if (away < distance) {
      distance = away
      nearest = one
    }
  }
  return nearest
}
