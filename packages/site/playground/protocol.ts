/** What the page and the worker that runs a program say to each other. All of it is plain data. */

export type Task =
  | { readonly task: "run"; readonly source: string }
  | { readonly task: "explore"; readonly source: string }
  | { readonly task: "send"; readonly event: unknown }
  | { readonly task: "close" }

/** A picture as the text of an SVG file. The page shows it as an image, so nothing in it can act. */
export type Picture = string

export interface Failure {
  readonly rule: string
  readonly outcome: string
  readonly usual: string
  readonly story: string
  readonly timeline: Picture
}

export type Report =
  | { readonly report: "ready" }
  | { readonly report: "log"; readonly kind: "out" | "error"; readonly text: string }
  | { readonly report: "graph"; readonly name: string; readonly picture: Picture }
  /** Events that can be sent to the run now, with the names of their fields. */
  | {
      readonly report: "inputs"
      readonly inputs: ReadonlyArray<{ readonly tag: string; readonly fields: ReadonlyArray<string> }>
    }
  | { readonly report: "events"; readonly events: ReadonlyArray<{ readonly at: number; readonly text: string }> }
  | { readonly report: "timeline"; readonly picture: Picture }
  | { readonly report: "progress"; readonly orders: number }
  | {
      readonly report: "explored"
      readonly orders: number
      readonly complete: boolean
      readonly outcomes: ReadonlyArray<string>
      readonly failures: ReadonlyArray<Failure>
    }
  | { readonly report: "refused"; readonly text: string }
  | { readonly report: "done"; readonly failed: boolean; readonly text: string }
