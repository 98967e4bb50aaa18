/**
 * The trace of a run, folded entry by entry into what it says: how each step stands, what every invocation did and waited
 * for, where each event came from and what it led to.
 *
 * Each entry costs the same, however long the run. It takes what there is: a trace that begins in the middle, entries twice,
 * and entries of kinds that a newer version has.
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
  StepModel
} from "./internal/trace/model.ts"
export { RunModel, type RunModelOptions }

export interface TraceModelOptions {
  /** The graphs of the workflows whose runs these may be. */
  readonly graphs?: Iterable<Graph> | undefined
  /** How much is kept of each run: as {@link RunModelOptions} has it. */
  readonly keep?: number | undefined
}

/**
 * All runs of a trace: whoever observes a run also observes those that are started inside its steps, and may observe many at
 * once.
 */
export class TraceModel {
  private readonly all = new Map<string, RunModel>()
  private readonly graphs: ReadonlyMap<string, Graph>
  private readonly keep: number | undefined

  constructor({ graphs = [], keep }: TraceModelOptions = {}) {
    this.graphs = new Map([...graphs].map((graph) => [graph.name, graph]))
    this.keep = keep
  }

  /** In the order in which they were first heard of. */
  get runs(): ReadonlyMap<string, RunModel> {
    return this.all
  }

  /** Takes the next entry of any run, and gives the run; `undefined` for an entry that it has had. */
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
