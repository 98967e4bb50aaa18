/**
 * Chooses the telemetry of a run, through Effect's own tracing and metrics.
 */
import * as Context from "effect/Context"

/** The telemetry of a run through Effect's `Tracer` and `Metric`. */
export interface TelemetryOptions {
  /** A span for the run, and one for each invocation of a step. */
  readonly spans: boolean
  /** Durations and waiting times of invocations, and the numbers of waiting and running ones. */
  readonly metrics: boolean
  /**
   * Whether the span of a run also has the attributes by which OpenTelemetry knows the workflows of generative AI:
   * `gen_ai.operation.name` (`invoke_workflow`), `gen_ai.workflow.name`, and `gen_ai.agent.name`, which replaces the latter in
   * newer conventions. Default: false.
   */
  readonly genAi?: boolean | undefined
}

/**
 * Switches spans and metrics for every run started with it. By default, a run has both if the program provides a
 * `Tracer`. Otherwise it has neither, and telemetry costs nothing.
 *
 * Spans are named `workflow <name>` and `step <name>`; their attributes begin with `stepgraph.`. Spans that a step
 * makes itself are children of its invocation's span. Metrics are `stepgraph.run.duration`, `stepgraph.step.wait`,
 * `stepgraph.step.duration` (histograms, in seconds), `stepgraph.step.queued` and `stepgraph.step.busy` (gauges).
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

/**
 * Whether the logs of steps name their origin, with the annotations `stepgraph.workflow`, `stepgraph.step` and
 * `stepgraph.run`, named like the attributes of spans. Off by default, because it costs time for each invocation that is an
 * Effect.
 *
 * @example
 * ```ts
 * import { Effect, Logger, References } from "effect"
 * import { AnnotateLogs, defineEvent, defineStep, run, workflow } from "stepgraph"
 *
 * const Start = defineEvent("Start")
 * const Stop = defineEvent("Stop")
 * const flow = workflow({
 *   name: "greet", start: Start, stop: Stop,
 *   steps: { hello: defineStep({ accepts: Start, emits: Stop, run: () => Effect.as(Effect.log("Hello!"), Stop()) }) }
 * })
 *
 * const logger = Logger.make(({ fiber, message }) => {
 *   const at = fiber.getRef(References.CurrentLogAnnotations)
 *   console.log(at["stepgraph.workflow"], at["stepgraph.step"], message) // => greet hello [ 'Hello!' ]
 * })
 * await Effect.runPromise(
 *   run(flow).pipe(Effect.provideService(AnnotateLogs, true), Effect.provide(Logger.layer([logger])))
 * )
 * ```
 */
export const AnnotateLogs = /*#__PURE__*/ Context.Reference<boolean>("stepgraph/AnnotateLogs", {
  defaultValue: () => false
})
