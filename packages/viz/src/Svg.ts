/**
 * Pictures as SVG with selectable text, in light and dark.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { refuseUnknown } from "stepgraph/internal"
import { type Drawable, shown } from "./internal/drawable.ts"
import { graphSvg } from "./internal/graph-svg.ts"
import { pictureOf } from "./internal/model.ts"
import { type DrawOptions, drawOptionNames } from "./internal/picture.ts"
import { isTimeline, type Timeline } from "./internal/timeline.ts"
import { timelineSvg } from "./internal/timeline-svg.ts"

export interface PlayOptions {
  /** How long the picture takes to draw the run. It then shows the whole run for a while, and begins again. */
  readonly play?: Duration.Input | undefined
}

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
 * A run's timeline as an SVG picture: the activity of each worker, the waits, and the critical path. With `play`, it draws
 * itself again and again in the order of time, without a script, so that it also moves in a README.
 */
export function toSvg(run: Timeline, options?: PlayOptions): string
export function toSvg(what: Drawable | Timeline, options?: DrawOptions & PlayOptions): string {
  if (!isTimeline(what)) {
    refuseUnknown("toSvg", options, drawOptionNames)
    return graphSvg(pictureOf(what, options))
  }
  refuseUnknown("toSvg", options, ["play"])
  const play = options?.play
  if (play === undefined) return timelineSvg(what, 0)
  const millis = Option.getOrUndefined(Option.map(Duration.fromInput(play), Duration.toMillis))
  if (millis === undefined || !(millis > 0) || millis === Number.POSITIVE_INFINITY) {
    throw new TypeError(`toSvg: play must be a duration above zero, such as "6 seconds", not ${shown(play)}`)
  }
  return timelineSvg(what, millis)
}
