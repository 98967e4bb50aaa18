/** What the page shows of the last task, as the reports of its worker add up. */
import type { Failure, Report } from "./protocol.ts"

export interface Shown {
  readonly busy: "run" | "explore" | undefined
  readonly name: string
  readonly graph: string | undefined
  readonly timeline: string | undefined
  readonly events: ReadonlyArray<{ readonly at: number; readonly text: string }>
  readonly logs: ReadonlyArray<{ readonly kind: "out" | "error"; readonly text: string }>
  readonly inputs: ReadonlyArray<{ readonly tag: string; readonly fields: ReadonlyArray<string> }>
  readonly refused: string
  readonly orders: number
  readonly explored:
    | {
        readonly complete: boolean
        readonly outcomes: ReadonlyArray<string>
        readonly failures: ReadonlyArray<Failure>
      }
    | undefined
  readonly end: { readonly failed: boolean; readonly text: string } | undefined
}

export const nothing: Shown = {
  busy: undefined,
  name: "",
  graph: undefined,
  timeline: undefined,
  events: [],
  logs: [],
  inputs: [],
  refused: "",
  orders: 0,
  explored: undefined,
  end: undefined
}

const mostEvents = 2_000

export const after = (shown: Shown, report: Report): Shown => {
  switch (report.report) {
    case "ready":
      return shown
    case "log":
      return { ...shown, logs: [...shown.logs, report] }
    case "graph":
      return { ...shown, name: report.name, graph: report.picture, events: [], timeline: undefined }
    case "inputs":
      return { ...shown, inputs: report.inputs }
    case "events":
      return { ...shown, events: [...shown.events, ...report.events].slice(0, mostEvents) }
    case "timeline":
      return { ...shown, timeline: report.picture }
    case "progress":
      return { ...shown, orders: report.orders }
    case "explored":
      return { ...shown, orders: report.orders, explored: report }
    case "refused":
      return { ...shown, refused: report.text }
    case "done":
      return { ...shown, busy: undefined, inputs: [], end: report }
  }
}
