/**
 * The paths through the graph that schedules took: each emission to each step that accepts it, and each intake.
 */
import { type Edge, edgesOf, type Graph } from "stepgraph/graph"
import type { TraceModel } from "stepgraph/trace"

export type { Edge }

export interface Coverage {
  /** The number of edges and intakes in the graph, and of those taken. */
  readonly all: number
  readonly taken: number
  /** From 0 to 1. */
  readonly ratio: number
  /** Edges that no schedule took. */
  readonly missed: ReadonlyArray<Edge>
  /** Steps whose intake never fired. */
  readonly neverFired: ReadonlyArray<string>
}

const keyOf = ({ from, event, to }: Edge): string => JSON.stringify([from, event, to])

export class Tally {
  private readonly workflow: string
  private readonly edges: ReadonlyMap<string, Edge>
  private readonly intakes: ReadonlySet<string>
  private readonly taken = new Set<string>()
  private readonly fired = new Set<string>()

  constructor(graph: Graph) {
    this.workflow = graph.name
    const accepted = new Set(graph.steps.flatMap(({ accepts }) => accepts))
    // An output event that a step accepts counts with the accepted event.
    const edges = edgesOf(graph).filter(({ event, to }) => to !== null || !accepted.has(event))
    this.edges = new Map(edges.map((edge) => [keyOf(edge), edge]))
    this.intakes = new Set(graph.steps.flatMap(({ name, intake }) => (intake === null ? [] : [name])))
  }

  add({ runs }: TraceModel): void {
    if (this.taken.size === this.edges.size && this.fired.size === this.intakes.size) return
    for (const { workflow, events, invocations, steps } of runs.values()) {
      if (workflow !== undefined && workflow !== this.workflow) continue
      for (const { name, fired } of steps.values()) if (fired > 0) this.fired.add(name)
      for (const { questions, step } of invocations.values()) {
        for (const { answer } of questions) {
          const event = answer === null ? undefined : events.get(answer)?.tag
          if (event !== undefined) this.taken.add(keyOf({ from: null, event, to: step }))
        }
      }
      for (const { cause, tag: event, to } of events.values()) {
        const from = cause === null ? null : (invocations.get(cause)?.step ?? null)
        for (const step of [null, ...to]) this.taken.add(keyOf({ from, event, to: step }))
      }
    }
  }

  get coverage(): Coverage {
    const missed = [...this.edges].filter(([key]) => !this.taken.has(key)).map(([, edge]) => edge)
    const neverFired = [...this.intakes].filter((step) => !this.fired.has(step))
    const all = this.edges.size + this.intakes.size
    const taken = all - missed.length - neverFired.length
    return { all, taken, ratio: all === 0 ? 1 : taken / all, missed, neverFired }
  }
}
