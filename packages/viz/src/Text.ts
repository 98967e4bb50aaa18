/**
 * Pictures for a terminal.
 */
import { refuseUnknown } from "stepgraph/internal"
import { type Comparison, isComparison } from "./internal/comparison.ts"
import { comparisonText } from "./internal/comparison-text.ts"
import type { Drawable } from "./internal/drawable.ts"
import { graphText } from "./internal/graph-text.ts"
import { pictureOf } from "./internal/model.ts"
import { type DrawOptions, drawOptionNames } from "./internal/picture.ts"
import { type TextOptions, textOptionNames } from "./internal/terminal.ts"
import { isTimeline, type Timeline } from "./internal/timeline.ts"
import { timelineText } from "./internal/timeline-text.ts"

/**
 * A workflow as lines of text: for each step, its inputs and the events it emits.
 *
 * @example
 * ```ts
 * import { defineEvent, defineStep, workflow } from "stepgraph"
 * import { toText } from "@stepgraph/viz"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const finish = defineStep({ accepts: Start, emits: Stop, run: () => Stop() })
 *
 * console.log(toText(workflow({ name: "short", start: Start, stop: Stop, steps: { finish } })))
 * // => short
 * //    start
 * //      → finish by Start
 * //    finish, 4 workers
 * //      → stop by Stop
 * ```
 */
export function toText(flow: Drawable, options?: TextOptions & Omit<DrawOptions, "direction">): string
/**
 * A run's timeline as lines of text, for a terminal.
 */
export function toText(run: Timeline, options?: TextOptions): string
/**
 * The differences between two runs, as sentences and a table.
 */
export function toText(comparison: Comparison, options?: TextOptions): string
export function toText(what: Drawable | Timeline | Comparison, options?: TextOptions & DrawOptions): string {
  refuseUnknown("toText", options, [...textOptionNames, ...drawOptionNames])
  if (isComparison(what)) return comparisonText(what, options)
  return isTimeline(what) ? timelineText(what, options) : graphText(pictureOf(what, options), options)
}
