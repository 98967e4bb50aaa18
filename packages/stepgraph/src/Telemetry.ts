/**
 * Which telemetry a run gives, through Effect's own tracing and metrics.
 */
import * as Context from "effect/Context"

/** What a run tells of itself through Effect's `Tracer` and `Metric`. */
export interface TelemetryOptions {
  /** A span for the run, and one for each invocation of a step. */
  readonly spans: boolean
  /** How long invocations wait and run, and how many wait and run. */
  readonly metrics: boolean
}

/**
 * Spans and metrics of every run that is started with it. Where it is not provided, a run gives both if the program
 * provides a `Tracer`, and neither if it does not: then telemetry costs nothing.
 *
 * Spans are named `workflow <name>` and `step <name>`, and have what they are about as attributes that begin with
 * `stepgraph.`. The spans that a step makes itself are children of its invocation's. Metrics are `stepgraph.run.duration`,
 * `stepgraph.step.wait`, `stepgraph.step.duration` (histograms, in seconds), `stepgraph.step.queued` and
 * `stepgraph.step.busy` (gauges).
 *
 * @example
 * ```ts
 * import { Effect, Metric } from "effect"
 * import { defineEvent, defineStep, run, Telemetry, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const flow = workflow({
 *   name: "measured", start: Start, stop: Stop,
 *   steps: { finish: defineStep({ accepts: Start, emits: Stop, run: () => Stop() }) }
 * })
 *
 * // Metrics without spans, for a program that has no tracer.
 * const program = run(flow).pipe(
 *   Effect.andThen(Metric.snapshot),
 *   Effect.provideService(Telemetry, { spans: false, metrics: true }),
 *   Effect.provideService(Metric.MetricRegistry, new Map())
 * )
 * console.log((await Effect.runPromise(program)).map(({ id }) => id).sort())
 * // => [ 'stepgraph.run.duration', 'stepgraph.step.busy', 'stepgraph.step.duration', 'stepgraph.step.queued',
 * //      'stepgraph.step.wait' ]
 * ```
 */
export const Telemetry = /*#__PURE__*/ Context.Reference<TelemetryOptions | undefined>("stepgraph/Telemetry", {
  defaultValue: () => undefined
})
