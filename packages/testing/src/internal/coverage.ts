/**
 * Which ways through the graph the schedules have taken: each emission to each step that accepts it, and each intake.
 */
import type { TraceEntry } from "stepgraph"
import { type Edge, edgesOf, type Graph } from "stepgraph/graph"

export type { Edge }

export interface Coverage {
  /** How many edges and intakes the graph has, and how many of them some schedule took. */
  readonly all: number
  readonly taken: number
  /** From 0 to 1. */
  readonly ratio: number
  /** The edges that no schedule took. */
  readonly missed: ReadonlyArray<Edge>
  /** The steps whose intake never fired. */
  readonly neverFired: ReadonlyArray<string>
}

const keyOf = ({ from, event, to }: Edge): string => JSON.stringify([from, event, to])

export class Tally {
  private readonly edges: ReadonlyMap<string, Edge>
  private readonly intakes: ReadonlySet<string>
  private readonly taken = new Set<string>()
  private readonly fired = new Set<string>()

  constructor(graph: Graph) {
    const accepted = new Set(graph.steps.flatMap(({ accepts }) => accepts))
    // What is listened to and also accepted takes its way with the accepted event.
    const edges = edgesOf(graph).filter(({ event, to }) => to !== null || !accepted.has(event))
    this.edges = new Map(edges.map((edge) => [keyOf(edge), edge]))
    this.intakes = new Set(graph.steps.flatMap(({ name, intake }) => (intake === null ? [] : [name])))
  }

  add(trace: ReadonlyArray<TraceEntry>): void {
    if (this.taken.size === this.edges.size && this.fired.size === this.intakes.size) return
    const steps = new Map<string, string>()
    const emitted = new Map<string, { readonly from: string | null; readonly tag: string }>()
    for (const entry of trace) {
      if (entry._tag === "InvocationStarted") steps.set(`${entry.run} ${entry.invocation}`, entry.step)
      else if (entry._tag === "IntakeFired") this.fired.add(entry.step)
      else if (entry._tag === "EventEmitted") {
        const from = entry.cause === null ? null : (steps.get(`${entry.run} ${entry.cause}`) ?? null)
        emitted.set(`${entry.run} ${entry.event}`, { from, tag: entry.tag })
        this.taken.add(keyOf({ from, event: entry.tag, to: null }))
      } else if (entry._tag === "EventDelivered") {
        const { from, tag } = emitted.get(`${entry.run} ${entry.event}`) ?? { from: null, tag: "" }
        this.taken.add(keyOf({ from, event: tag, to: entry.step }))
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
