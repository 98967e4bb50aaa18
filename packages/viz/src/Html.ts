/**
 * Pictures as self-contained HTML files that load nothing.
 */
import { refuseUnknown } from "stepgraph/internal"
import { type Comparison, isComparison } from "./internal/comparison.ts"
import { comparisonHtml } from "./internal/comparison-html.ts"
import type { Drawable } from "./internal/drawable.ts"
import { graphHtml } from "./internal/graph-html.ts"
import { type DrawOptions, drawOptionNames } from "./internal/picture.ts"
import { isTimeline, type Timeline } from "./internal/timeline.ts"
import { timelineHtml } from "./internal/timeline-html.ts"

/**
 * A workflow as a page with zoom and search. A click unfolds the workflow inside a step.
 *
 * @example
 * ```ts
 * import { defineEvent, defineStep, workflow } from "stepgraph"
 * import { toHtml } from "@stepgraph/viz"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const finish = defineStep({ accepts: Start, emits: Stop, run: () => Stop() })
 * const page = toHtml(workflow({ name: "short", start: Start, stop: Stop, steps: { finish } }))
 *
 * console.log(/<title>.*<\/title>/.exec(page)?.[0]) // => <title>short: a workflow</title>
 * ```
 */
export function toHtml(flow: Drawable, options?: DrawOptions): string
/**
 * A run's timeline as a page: zoom and pan, search, and hover over an invocation to see its events. Above 20,000
 * invocations, the page draws only the notable ones and summarises the others as a level of activity. The page contains
 * the events' data.
 *
 * @example
 * ```ts
 * import { defineEvent, defineStep, runPromise, type TraceEntry, workflow } from "stepgraph"
 * import { timeline, toHtml } from "@stepgraph/viz"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const finish = defineStep({ accepts: Start, emits: Stop, run: () => Stop() })
 * const flow = workflow({ name: "short", start: Start, stop: Stop, steps: { finish } })
 *
 * const trace: Array<TraceEntry> = []
 * await runPromise(flow, {}, { observe: (entry) => trace.push(entry) })
 * const page = toHtml(timeline(trace, { workflow: flow }))
 *
 * console.log(/<title>.*<\/title>/.exec(page)?.[0]) // => <title>short: a run</title>
 * ```
 */
export function toHtml(run: Timeline): string
/**
 * Two runs side by side: their differences and both timelines.
 */
export function toHtml(comparison: Comparison): string
export function toHtml(what: Drawable | Timeline | Comparison, options?: DrawOptions): string {
  refuseUnknown("toHtml", options, drawOptionNames)
  if (isComparison(what)) return comparisonHtml(what)
  return isTimeline(what) ? timelineHtml(what) : graphHtml(what, options)
}
