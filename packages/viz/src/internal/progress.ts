/**
 * Tracks a run's progress from its trace entries.
 */
import type { TraceEntry } from "stepgraph"
import { type Graph, upstreamOf } from "stepgraph/graph"
import { RunModel } from "stepgraph/trace"
import { type Drawable, drawn } from "./drawable.ts"

export interface StepProgress {
  readonly name: string
  /** The number of events that its intake holds. */
  readonly held: number
  readonly queued: number
  readonly running: number
  readonly done: number
  readonly failed: number
  /** The number of interrupted invocations and of events dropped from its queue. */
  readonly dropped: number
}

export class Progress {
  readonly name: string
  readonly hasIntakes: boolean
  private readonly run: RunModel
  private readonly names: ReadonlyArray<string>
  private readonly graph: Graph
  /** The steps that accept an input, and all steps downstream of the requested ones. */
  private readonly fed: ReadonlySet<string>
  private readonly upstream = new Map<string, ReadonlySet<string>>()
  private readonly now: () => number
  private began = 0
  private ended: number | undefined
  /** When each step first began. */
  private readonly first = new Map<string, number>()

  constructor(workflow: Drawable, now: () => number) {
    const graph = drawn(workflow)
    this.name = graph.name
    this.names = graph.steps.map(({ name }) => name)
    this.hasIntakes = graph.steps.some(({ intake }) => intake !== null)
    this.run = new RunModel({ graph, keep: 0 })
    this.graph = graph
    const inputs = new Set(graph.inputs)
    this.fed = new Set(graph.events.flatMap(({ tag, acceptedBy }) => (inputs.has(tag) ? acceptedBy : [])))
    this.now = now
  }

  get state(): "pending" | "running" | "over" {
    const { state } = this.run
    return state === "pending" || state === "running" ? state : "over"
  }

  get outcome(): "stopped" | "failed" | "interrupted" | undefined {
    const { state } = this.run
    return state === "pending" || state === "running" ? undefined : state
  }

  /** Elapsed milliseconds. */
  get took(): number {
    return this.state === "pending" ? 0 : (this.ended ?? this.now()) - this.began
  }

  get status(): ReadonlyArray<StepProgress> {
    return this.names.map((name) => {
      const { held, queued, running, succeeded, failed, interrupted, unserved } = this.run.steps.get(name)!
      return { name, held, queued, running, done: succeeded, failed, dropped: interrupted + unserved }
    })
  }

  /** Adds an entry. Hot: called several times for each event of a run. */
  add(entry: TraceEntry): void {
    // Observers also receive the entries of nested runs.
    if (this.run.id === undefined && (entry._tag !== "RunStarted" || entry.workflow !== this.name)) return
    if (!this.run.add(entry)) return
    if (entry._tag === "RunStarted") this.began = this.now()
    else if (entry._tag === "RunFinished") this.ended = this.now()
    else if (entry._tag === "InvocationStarted" && !this.first.has(entry.step)) this.first.set(entry.step, this.now())
  }

  /** How often a step finishes per second since it first began; undefined if there is too little data. */
  rate(name: string): number | undefined {
    const began = this.first.get(name)
    const done = this.run.steps.get(name)!.succeeded
    if (began === undefined || done === 0) return undefined
    const span = (this.ended ?? this.now()) - began
    return span < 200 ? undefined : (done / span) * 1000
  }

  /** Whether a step can get no more events than those already queued. */
  isLast(name: string): boolean {
    const upstream = this.upstreamOf(name)
    if ([name, ...upstream].some((step) => this.fed.has(step))) return false
    return [...upstream].every((step) => isIdle(this.run.steps.get(step)!))
  }

  private upstreamOf(name: string): ReadonlySet<string> {
    let upstream = this.upstream.get(name)
    if (upstream === undefined) this.upstream.set(name, (upstream = upstreamOf(this.graph, name)))
    return upstream
  }
}

const isIdle = ({ held, queued, running }: { held: number; queued: number; running: number }): boolean =>
  held + queued + running === 0
