/**
 * What a page's functions share. Each of them is written into the page as text, so it uses nothing but its arguments and what
 * a browser has, of which the types are not those of this program.
 */
import type { ChartData, ChartInvocation } from "../chart-data.ts"

/** A browser's `document`, `window`, an element or an event. */
export type Browser = any

/** What is in the light of a chart: places of invocations, -1 for none. */
export interface Attention {
  hovered: number
  selected: number
  /** What a search has found, where there is one. */
  found: ReadonlySet<number> | undefined
}

/** Where everything stands in a chart's canvas. */
export interface View {
  readonly gutter: number
  readonly axisHeight: number
  readonly queueHeight: number
  readonly mostCollapsed: number
  /** The invocations of each row of each step, in the order in which they began. */
  readonly rows: ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>
  /** The steps of which every row is drawn in full. */
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
  /** The middle of the row that an invocation is in. */
  readonly middle: (one: ChartInvocation) => number
  /** Where those stand that wait to be in a row of its step. */
  readonly lobby: (one: ChartInvocation) => number
  /** The place in a row of the first that ends right of the left edge. */
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

/** A chart in its page. */
export interface Chart {
  readonly data: ChartData
  readonly redraw: () => void
  /** Puts an invocation in the light, or with -1 none. */
  readonly select: (place: number) => void
  /** Looks for a text, or with `go` goes to the next place where it is; says how many there are. */
  readonly search: (text: string, go: boolean) => string
}
