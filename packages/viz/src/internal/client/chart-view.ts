/** The layout of a chart (steps, rows, moments), and how zooming, panning and scrolling change it. */
import type { ChartData, ChartInvocation, ChartMoment } from "../chart-data.ts"
import type { Browser, View } from "./browser.ts"

export const makeView = (data: ChartData, canvas: Browser): View => {
  const { steps, invocations } = data
  const gutter = 168
  const axisHeight = 26
  const queueHeight = 16
  const fullRow = 14
  const mostCollapsed = 20
  const stepGap = 12
  const rows: Array<Array<Array<number>>> = steps.map(({ rows }) => Array.from({ length: Math.max(1, rows) }, () => []))
  for (const [i, one] of invocations.entries()) rows[one.step]![one.row]!.push(i)
  const expanded = new Set<number>()
  const total = () => (axis === "time" ? data.extent : data.entries) || 1
  let axis = data.axis
  let from = 0
  let to = total()
  let scroll = 0

  const width = () => canvas.clientWidth
  const height = () => canvas.clientHeight
  const room = () => width() - gutter - 8
  const x = (value: number) => gutter + ((value - from) / (to - from)) * room()
  const valueAt = (px: number) => from + ((px - gutter) / room()) * (to - from)
  const value = (moment: ChartMoment) => (axis === "time" ? moment[0] : moment[1])

  const hasQueue = (s: number): boolean => {
    const { queue, longestWait } = steps[s]!
    return queue.length > 0 && axis === data.axis && longestWait >= data.duration / 100
  }
  const rowHeight = (s: number): number => {
    const count = Math.max(1, steps[s]!.rows)
    return expanded.has(s) || count <= mostCollapsed ? fullRow : Math.max(0.5, (mostCollapsed * fullRow) / count)
  }
  const stepHeight = (s: number): number =>
    Math.max(30, (hasQueue(s) ? queueHeight : 0) + Math.max(1, steps[s]!.rows) * rowHeight(s))
  const stepTop = (s: number): number => {
    let y = axisHeight + 6
    for (let i = 0; i < s; i++) y += stepHeight(i) + stepGap
    return y
  }
  const rowsTop = (s: number) => stepTop(s) + (hasQueue(s) ? queueHeight : 0)
  const contentHeight = () => stepTop(steps.length)
  const middle = (one: ChartInvocation) => rowsTop(one.step) + (one.row + 0.5) * rowHeight(one.step) - scroll
  const lobby = ({ step }: ChartInvocation) => rowsTop(step) - scroll - 2

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
  const stepAt = (py: number): number =>
    steps.findIndex((_, s) => py >= stepTop(s) - scroll && py <= stepTop(s) - scroll + stepHeight(s))
  const under = (px: number, py: number): number => {
    const s = px < gutter || py < axisHeight ? -1 : stepAt(py)
    if (s < 0) return -1
    const list = rows[s]![Math.floor((py - rowsTop(s) + scroll) / rowHeight(s))]
    if (list === undefined) return -1
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

  const show = (begin: number, size: number) => {
    from = Math.max(0, Math.min(begin, total() - size))
    to = from + size
  }
  const scrollTo = (wanted: number) => {
    scroll = Math.max(0, Math.min(wanted, contentHeight() - height() + 4))
  }
  const reset = () => {
    show(0, total())
    scroll = 0
  }
  return {
    gutter,
    axisHeight,
    queueHeight,
    mostCollapsed,
    rows,
    expanded,
    get axis() {
      return axis
    },
    get from() {
      return from
    },
    get to() {
      return to
    },
    get scroll() {
      return scroll
    },
    width,
    height,
    contentHeight,
    x,
    valueAt,
    value,
    hasQueue,
    rowHeight,
    stepTop,
    stepHeight,
    rowsTop,
    middle,
    lobby,
    firstIn,
    under,
    stepAt,
    zoom: (factor, around = (from + to) / 2) => {
      const size = Math.min(total(), Math.max(total() / 1e6, (to - from) * factor))
      show(around - ((around - from) / (to - from)) * size, size)
    },
    pan: (by) => show(from + by, to - from),
    scrollTo,
    reset,
    turn: () => {
      axis = axis === "time" ? "order" : "time"
      reset()
    },
    reveal: (one) => {
      if (value(one.start) < from || value(one.end) > to) show(value(one.start) - (to - from) / 2, to - from)
      const y = middle(one)
      if (y < axisHeight + 10 || y > height() - 10) scrollTo(scroll + y - height() / 2)
    }
  }
}
