/**
 * Types that a page's functions share. Each function is written into the page as text, so it uses only its arguments
 * and the browser's globals. This program has no types for those.
 */
import type { ChartData, ChartInvocation } from "../chart-data.ts"

/** A browser's `document`, `window`, an element or an event. */
export type Browser = any

/** The highlighted invocations of a chart; -1 for none. */
export interface Attention {
  hovered: number
  selected: number
  /** The current search result, if any. */
  found: ReadonlySet<number> | undefined
}

/** The layout of a chart's canvas. */
export interface View {
  readonly gutter: number
  readonly axisHeight: number
  readonly queueHeight: number
  readonly mostCollapsed: number
  /** The invocations of each row of each step, in order of their start. */
  readonly rows: ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>
  /** The steps whose rows are all drawn in full. */
  readonly expanded: Set<number>
  readonly axis: "time" | "order"
  readonly from: number
  readonly to: number
  readonly scroll: number
  readonly width: () => number
  readonly height: () => number
  readonly contentHeight: () => number
  readonly x: (value: number) => number
  readonly valueAt: (px: number) => number
  readonly value: (moment: readonly [at: number, seq: number]) => number
  readonly hasQueue: (step: number) => boolean
  readonly rowHeight: (step: number) => number
  readonly stepTop: (step: number) => number
  readonly stepHeight: (step: number) => number
  readonly rowsTop: (step: number) => number
  /** The middle of an invocation's row. */
  readonly middle: (one: ChartInvocation) => number
  /** The height of the invocations that wait for a row of their step. */
  readonly lobby: (one: ChartInvocation) => number
  /** The index in a row of the first invocation that ends right of the left edge. */
  readonly firstIn: (row: ReadonlyArray<number>) => number
  readonly under: (px: number, py: number) => number
  readonly stepAt: (py: number) => number
  readonly zoom: (factor: number, around?: number) => void
  readonly pan: (by: number) => void
  readonly scrollTo: (to: number) => void
  readonly reset: () => void
  readonly turn: () => void
  readonly reveal: (one: ChartInvocation) => void
}

/** A chart on its page. */
export interface Chart {
  readonly data: ChartData
  readonly redraw: () => void
  /** Highlights an invocation, or none with -1. */
  readonly select: (place: number) => void
  /** Searches for a text; with `go`, moves to the next match. Returns the number of matches. */
  readonly search: (text: string, go: boolean) => string
}
