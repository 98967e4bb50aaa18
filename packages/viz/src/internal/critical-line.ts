/**
 * The line of the critical path: along the bars that ran, and past the bars that ran while it waited.
 */

export interface PathPart {
  /** The invocation it belongs to. */
  readonly invocation: number | string
  readonly doing: string
  readonly from: number
  readonly to: number
  /** The height of the invocation's bar. */
  readonly bar: number
  /** The height of the step's waiting invocations. */
  readonly lobby: number
}

export interface PathStroke {
  /** `cause`: from one invocation to the next. `enter`: from waiting to running. Otherwise the reason for the wait. */
  readonly kind: "cause" | "enter" | "waiting" | "collecting"
  readonly x1: number
  readonly y1: number
  readonly x2: number
  readonly y2: number
}

/** Pages embed this function, so it uses nothing from outside its body. */
export const criticalLine = (parts: ReadonlyArray<PathPart>): ReadonlyArray<PathStroke> => {
  const strokes: Array<PathStroke> = []
  let before: { readonly invocation: number | string; readonly x: number; readonly y: number } | undefined
  for (const { invocation, doing, from, to, bar, lobby } of parts) {
    // Parts too short to be visible are skipped; the line continues from before them.
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
