/**
 * How a run stands, counted from its trace as it is told.
 */
import type { TraceEntry } from "stepgraph"
import { upstreamOf } from "stepgraph/graph"
import { type Drawable, drawn } from "./drawable.ts"

export interface StepProgress {
  readonly name: string
  /** How many events its intake holds. */
  readonly held: number
  readonly queued: number
  readonly running: number
  readonly done: number
  readonly failed: number
  /** How many were interrupted, or dropped from its queue. */
  readonly dropped: number
}

interface Step {
  readonly name: string
  readonly intake: boolean
  /** The steps from which something can still come to it; nothing where it can come from outside, too. */
  readonly upstream: ReadonlyArray<Step> | undefined
  readonly held: Set<string>
  /** By the first event of what is queued, or the invocation's id where it is given none. */
  readonly queued: Set<string>
  readonly running: Set<string>
  done: number
  failed: number
  dropped: number
  /** When it first began. */
  began: number | undefined
}

export class Progress {
  readonly name: string
  private readonly steps: ReadonlyMap<string, Step>
  private readonly now: () => number
  /** An observer is told of the runs inside its run's steps, too. */
  private run: string | undefined
  private began = 0
  private ended: number | undefined
  outcome: "stopped" | "failed" | "interrupted" | undefined

  constructor(workflow: Drawable, now: () => number) {
    this.name = workflow.name
    this.now = now
    this.steps = stepsOf(workflow)
  }

  get state(): "to come" | "running" | "over" {
    if (this.run === undefined) return "to come"
    return this.outcome === undefined ? "running" : "over"
  }

  get hasIntakes(): boolean {
    return [...this.steps.values()].some(({ intake }) => intake)
  }

  /** How long it has taken, in milliseconds. */
  get took(): number {
    return this.run === undefined ? 0 : (this.ended ?? this.now()) - this.began
  }

  get status(): ReadonlyArray<StepProgress> {
    return [...this.steps.values()].map(({ name, held, queued, running, done, failed, dropped }) => ({
      name,
      held: held.size,
      queued: queued.size,
      running: running.size,
      done,
      failed,
      dropped
    }))
  }

  /** Takes an entry. Hot: it is called several times for each event of a run. */
  add(entry: TraceEntry): void {
    if (entry._tag === "RunStarted" && this.run === undefined && entry.workflow === this.name) {
      this.run = entry.run
      this.began = this.now()
    } else if (entry.run === this.run) this.count(entry)
  }

  /** How many of a step are done in a second, since it first began; nothing where too few are to tell. */
  rate(name: string): number | undefined {
    const { began, done } = this.steps.get(name)!
    if (began === undefined || done === 0) return undefined
    const span = (this.ended ?? this.now()) - began
    return span < 200 ? undefined : (done / span) * 1000
  }

  /** Whether nothing can come to a step any more but what is queued for it. */
  isLast(name: string): boolean {
    const { upstream } = this.steps.get(name)!
    return upstream?.every(({ held, queued, running }) => held.size + queued.size + running.size === 0) ?? false
  }

  private count(entry: TraceEntry): void {
    if (entry._tag === "RunFinished") {
      this.ended = this.now()
      this.outcome = entry.outcome
      return
    }
    const step = "step" in entry && entry.step !== null ? this.steps.get(entry.step) : undefined
    if (step === undefined) return
    switch (entry._tag) {
      case "EventDelivered":
        ;(step.intake ? step.held : step.queued).add(entry.event)
        break
      case "EventDropped":
        if (!step.held.delete(entry.event) && step.queued.delete(entry.event)) step.dropped++
        break
      case "IntakeFired":
        for (const event of entry.events) step.held.delete(event)
        step.queued.add(keyOf(entry))
        break
      case "InvocationStarted":
        step.queued.delete(keyOf(entry))
        step.running.add(entry.invocation)
        step.began ??= this.now()
        break
      case "InvocationEnded":
        if (entry.outcome === "to be retried") break
        step.running.delete(entry.invocation)
        if (entry.outcome === "succeeded") step.done++
        else if (entry.outcome === "failed") step.failed++
        else step.dropped++
    }
  }
}

const keyOf = (entry: { readonly events: ReadonlyArray<string>; readonly invocation: string }): string =>
  entry.events[0] ?? entry.invocation

const stepsOf = (workflow: Drawable): ReadonlyMap<string, Step> => {
  const graph = drawn(workflow)
  type Writable = { -readonly [K in keyof Step]: Step[K] }
  const steps = new Map(
    graph.steps.map(({ name, intake }): [string, Writable] => [
      name,
      {
        name,
        intake: intake !== null,
        upstream: undefined,
        held: new Set(),
        queued: new Set(),
        running: new Set(),
        done: 0,
        failed: 0,
        dropped: 0,
        began: undefined
      }
    ])
  )
  const accepts = new Map(graph.steps.map(({ name, accepts }) => [name, accepts]))
  const fed = (name: string) => accepts.get(name)!.some((tag) => graph.inputs.includes(tag))
  for (const step of steps.values()) {
    const upstream = upstreamOf(graph, step.name)
    if (![step.name, ...upstream].some(fed)) step.upstream = [...upstream].map((name) => steps.get(name)!)
  }
  return steps
}
