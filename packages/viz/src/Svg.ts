/**
 * Pictures as SVG with selectable text, in light and dark.
 */
import { refuseUnknown } from "stepgraph/internal"
import type { Drawable } from "./internal/drawable.ts"
import { graphSvg } from "./internal/graph-svg.ts"
import { pictureOf } from "./internal/model.ts"
import { type DrawOptions, drawOptionNames } from "./internal/picture.ts"
import { isTimeline, type Timeline } from "./internal/timeline.ts"
import { timelineSvg } from "./internal/timeline-svg.ts"

/**
 * A workflow as an SVG picture. It follows the reader's light or dark mode, and its `<desc>` describes it in words.
 *
 * @example
 * ```ts
 * import { defineEvent, defineStep, workflow } from "stepgraph"
 * import { toSvg } from "@stepgraph/viz"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const finish = defineStep({ accepts: Start, emits: Stop, run: () => Stop() })
 * const flow = workflow({ name: "short", start: Start, stop: Stop, steps: { finish } })
 *
 * console.log(/<desc>.*<\/desc>/.exec(toSvg(flow))?.[0])
 * // => <desc>1 step. From start to finish by Start; from finish to stop by Stop.</desc>
 * ```
 */
export function toSvg(flow: Drawable, options?: DrawOptions): string
/**
 * A run's timeline as an SVG picture: the activity of each worker, the waits, and the critical path.
 */
export function toSvg(run: Timeline): string
export function toSvg(what: Drawable | Timeline, options?: DrawOptions): string {
  refuseUnknown("toSvg", options, drawOptionNames)
  return isTimeline(what) ? timelineSvg(what) : graphSvg(pictureOf(what, options))
}
