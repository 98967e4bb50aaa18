/**
 * A model of a run, built entry by entry from its trace: the state of each step, the work and waits of every
 * invocation, and the cause and effects of each event.
 *
 * Each entry costs the same, however long the run. It accepts imperfect traces: one that begins in the middle, repeated
 * entries, and entry kinds of newer versions.
 *
 * @module trace
 */
import type { Graph } from "./Graph.ts"
import { RunModel, type RunModelOptions } from "./internal/trace/run-model.ts"
import type { TraceEntry } from "./Trace.ts"

export type {
  AttemptModel,
  DropModel,
  EventModel,
  FinalizerFailureModel,
  InvocationModel,
  Moment,
  QuestionModel,
  StepModel
} from "./internal/trace/model.ts"
export { RunModel, type RunModelOptions }

export interface TraceModelOptions {
  /** The graphs of the workflows that these runs may belong to. */
  readonly graphs?: Iterable<Graph> | undefined
  /** How much to keep of each run, as in {@link RunModelOptions}. */
  readonly keep?: number | undefined
}

/**
 * All runs of a trace: an observer also receives the entries of nested runs, and may observe many runs at once.
 */
export class TraceModel {
  private readonly all = new Map<string, RunModel>()
  private readonly graphs: ReadonlyMap<string, Graph>
  private readonly keep: number | undefined

  constructor({ graphs = [], keep }: TraceModelOptions = {}) {
    this.graphs = new Map([...graphs].map((graph) => [graph.name, graph]))
    this.keep = keep
  }

  /** In order of first appearance. */
  get runs(): ReadonlyMap<string, RunModel> {
    return this.all
  }

  /** Adds the next entry of any run, and returns the run; `undefined` for a repeated entry. */
  add(entry: TraceEntry): RunModel | undefined {
    let run = this.all.get(entry.run)
    if (run === undefined) {
      const graph = entry._tag === "RunStarted" ? this.graphs.get(entry.workflow) : undefined
      run = new RunModel({ graph, keep: this.keep })
      this.all.set(entry.run, run)
    }
    return run.add(entry) ? run : undefined
  }

  /** Forgets a run. */
  delete(id: string): void {
    this.all.delete(id)
  }
}
