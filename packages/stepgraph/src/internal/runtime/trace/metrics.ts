/**
 * The metrics of a workflow and of its steps, shared by all its runs.
 */
import * as Metric from "effect/Metric"
import type { CompiledGraph } from "../../graph/graph.ts"

/** Bucket bounds in seconds: OpenTelemetry's proposal for durations, plus some for very short ones. */
const boundaries = [0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

const seconds = (name: string, description: string, attributes: Record<string, string>) =>
  Metric.histogram(name, { description, boundaries, attributes: { ...attributes, unit: "s" } })

type Outcomes = Map<string, Metric.Histogram<number>>

/** A histogram for each outcome, created on first use. */
const byOutcome = (made: Outcomes, outcome: string, make: () => Metric.Histogram<number>): Metric.Histogram<number> => {
  let histogram = made.get(outcome)
  if (histogram === undefined) {
    histogram = make()
    made.set(outcome, histogram)
  }
  return histogram
}

/** The metrics of one step, in all runs. */
export class StepMetrics {
  readonly wait: Metric.Histogram<number>
  readonly queued: Metric.Gauge<number>
  readonly busy: Metric.Gauge<number>
  private readonly durations: Outcomes = new Map()
  private readonly attributes: Record<string, string>

  constructor(workflow: string, step: string) {
    const attributes = { workflow, step }
    this.attributes = attributes
    this.wait = seconds("stepgraph.step.wait", "How long events or batches waited for a worker of the step", attributes)
    this.queued = Metric.gauge("stepgraph.step.queued", { description: "How many wait for a worker", attributes })
    this.busy = Metric.gauge("stepgraph.step.busy", { description: "How many workers are at work", attributes })
  }

  duration(outcome: string): Metric.Histogram<number> {
    const description = "How long the step's function took, by its outcome"
    return byOutcome(this.durations, outcome, () =>
      seconds("stepgraph.step.duration", description, { ...this.attributes, outcome })
    )
  }
}

/** The metrics of one workflow, in all its runs. Expensive to create, cheap to update: cached. */
export class WorkflowMetrics {
  readonly steps: ReadonlyArray<StepMetrics>
  private readonly workflow: string
  private readonly durations: Outcomes = new Map()

  constructor({ name, nodes }: CompiledGraph) {
    this.workflow = name
    this.steps = nodes.map((node) => new StepMetrics(name, node.name))
  }

  duration(outcome: string): Metric.Histogram<number> {
    const attributes = { workflow: this.workflow, outcome }
    const description = "How long a run took, by its outcome"
    return byOutcome(this.durations, outcome, () => seconds("stepgraph.run.duration", description, attributes))
  }
}

const kept = new WeakMap<CompiledGraph, WorkflowMetrics>()

export const metricsOf = (graph: CompiledGraph): WorkflowMetrics => {
  let metrics = kept.get(graph)
  if (metrics === undefined) {
    metrics = new WorkflowMetrics(graph)
    kept.set(graph, metrics)
  }
  return metrics
}
