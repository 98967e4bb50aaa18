/**
 * The line that the critical path is drawn as: along the bars that ran, and past the bars that others ran while it waited.
 */

export interface PathPart {
  /** Which invocation it is of. */
  readonly invocation: number | string
  readonly doing: string
  readonly from: number
  readonly to: number
  /** The height of its bar. */
  readonly bar: number
  /** The height at which its step's invocations wait. */
  readonly lobby: number
}

export interface PathStroke {
  /** `cause`: from one invocation to the next; `enter`: from waiting to running; else what it waits for. */
  readonly kind: "cause" | "enter" | "waiting" | "collecting"
  readonly x1: number
  readonly y1: number
  readonly x2: number
  readonly y2: number
}

/** Uses nothing from around it: pages have it too. */
export const criticalLine = (parts: ReadonlyArray<PathPart>): ReadonlyArray<PathStroke> => {
  const strokes: Array<PathStroke> = []
  let before: { readonly invocation: number | string; readonly x: number; readonly y: number } | undefined
  for (const { invocation, doing, from, to, bar, lobby } of parts) {
    // What is too short to be seen is left out, and the line goes on from before it.
    if (doing !== "running" && to - from < 3) continue
    const y = doing === "running" ? bar : lobby
    if (before !== undefined) {
      const kind = before.invocation === invocation ? "enter" : "cause"
      strokes.push({ kind, x1: before.x, y1: before.y, x2: from, y2: y })
    }
    if (doing === "waiting" || doing === "collecting") strokes.push({ kind: doing, x1: from, y1: y, x2: to, y2: y })
    before = { invocation, x: to, y }
  }
  return strokes
}
