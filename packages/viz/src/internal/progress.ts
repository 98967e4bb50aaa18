/**
 * How a run stands, counted from its trace as it is told.
 */
import type { TraceEntry } from "stepgraph"
import { pictureOf } from "./model.ts"
import { painter } from "./terminal.ts"
import { shorten, time } from "./text.ts"
import { type Drawable, flowOf, intakeOf } from "./workflow.ts"

export interface StepProgress {
  readonly name: string
  /** How many events its intake holds. */
  readonly held: number
  readonly queued: number
  readonly running: number
  readonly done: number
  readonly failed: number
}

interface Counts {
  readonly name: string
  readonly intake: boolean
  held: number
  queued: number
  running: number
  done: number
  failed: number
  /** When the latest of them were done, to tell the rate. */
  readonly latest: Array<number>
}

const rateOver = 3000
const mostLatest = 4096

export class Progress {
  private readonly steps: ReadonlyMap<string, Counts>
  private readonly upstream: ReadonlyMap<string, ReadonlySet<string>>
  private readonly name: string
  private readonly now: () => number
  private began: number | undefined
  private run: string | undefined
  private ended: string | undefined

  constructor(workflow: Drawable, now: () => number) {
    const flow = flowOf(workflow)
    this.name = flow.name
    this.now = now
    this.steps = new Map(
      Object.entries(flow.steps).map(([name, step]) => [
        name,
        { name, intake: intakeOf(step) !== undefined, held: 0, queued: 0, running: 0, done: 0, failed: 0, latest: [] }
      ])
    )
    this.upstream = upstreamOf(workflow)
  }

  /** Takes an entry of the run; those of runs inside its steps are passed over. */
  add(entry: TraceEntry): void {
    if (entry._tag === "RunStarted") {
      if (this.began !== undefined) return
      this.began = this.now()
      this.run = entry.run
      return
    }
    if (entry.run !== this.run) return
    const step = "step" in entry && entry.step !== null ? this.steps.get(entry.step) : undefined
    if (entry._tag === "RunFinished") this.ended = entry.outcome
    else if (step !== undefined) this.count(entry, step)
  }

  private count(entry: TraceEntry, step: Counts): void {
    switch (entry._tag) {
      case "EventDelivered":
        if (step.intake) step.held++
        else step.queued++
        break
      case "EventDropped":
        if (step.intake && step.held > 0) step.held--
        else if (step.queued > 0) step.queued--
        break
      case "IntakeFired":
        step.held = Math.max(0, step.held - entry.events.length)
        step.queued++
        break
      case "InvocationStarted":
        if (entry.attempt > 1) break
        step.queued = Math.max(0, step.queued - 1)
        step.running++
        break
      case "InvocationEnded":
        if (entry.outcome === "to be retried") break
        step.running--
        if (entry.outcome === "failed") step.failed++
        if (entry.outcome === "succeeded") {
          step.done++
          step.latest.push(this.now())
          if (step.latest.length > 2 * mostLatest) step.latest.splice(0, mostLatest)
        }
    }
  }

  get status(): ReadonlyArray<StepProgress> {
    return [...this.steps.values()].map(({ name, held, queued, running, done, failed }) => ({
      name,
      held,
      queued,
      running,
      done,
      failed
    }))
  }

  /** How many are done in a second; undefined where too few have been to tell. */
  rate(name: string): number | undefined {
    const { latest } = this.steps.get(name)!
    const since = this.now() - rateOver
    const first = latest.findIndex((at) => at >= since)
    if (first < 0 || latest.length - first < 3) return undefined
    const span = this.now() - latest[first]!
    return span < 100 ? undefined : ((latest.length - first) / span) * 1000
  }

  /** How long a step will go on, in milliseconds: known when nothing can come to it any more. */
  left(name: string): number | undefined {
    const above = this.upstream.get(name)!
    const { queued, running } = this.steps.get(name)!
    if (above.has(name) || queued + running === 0) return undefined
    for (const other of above) {
      const { held, queued, running } = this.steps.get(other)!
      if (held + queued + running > 0) return undefined
    }
    const rate = this.rate(name)
    return rate === undefined ? undefined : ((queued + running) / rate) * 1000
  }

  lines(width: number, colour: boolean): ReadonlyArray<string> {
    const paint = painter(colour)
    const took = this.began === undefined ? 0 : this.now() - this.began
    const longest = Math.min(24, Math.max(...this.status.map(({ name }) => shorten(name, 24).length)))
    const bar = Math.max(8, Math.min(24, width - longest - 60))
    const head = `${shorten(this.name)} · ${time(Math.round(took))}${this.ended === undefined ? "" : ` · ${this.ended}`}`
    const steps = this.status.map(({ name, held, queued, running, done, failed }) => {
      const all = done + failed + running + queued
      const full = all === 0 ? 0 : Math.round(((done + failed) / all) * bar)
      const rate = this.rate(name)
      const left = this.left(name)
      const busy = running + queued > 0
      const told = [
        `${done.toLocaleString("en")} done`,
        ...(failed > 0 ? [`${failed.toLocaleString("en")} failed`] : []),
        ...(running > 0 ? [`${running.toLocaleString("en")} running`] : []),
        ...(queued > 0 ? [`${queued.toLocaleString("en")} queued`] : []),
        ...(held > 0 ? [`${held.toLocaleString("en")} held`] : []),
        ...(busy && rate !== undefined ? [`${Number(rate.toPrecision(2)).toLocaleString("en")}/s`] : []),
        ...(left === undefined
          ? []
          : [`${time(Math.max(1000, Math.round(left / 1000) * 1000)).replace(/\.\d+/, "")} left`])
      ].join(" · ")
      const room = width - longest - bar - 4
      const cut = told.length <= room ? told : `${told.slice(0, Math.max(0, room - 1))}…`
      return `${shorten(name, 24).padEnd(longest)}  ${paint("green", "━".repeat(full))}${paint("dim", "─".repeat(bar - full))}  ${cut}`
    })
    return [paint("bold", head.slice(0, width)), ...steps]
  }
}

/** From which steps events can still come to each step; itself where it is part of a loop. */
const upstreamOf = (workflow: Drawable): ReadonlyMap<string, ReadonlySet<string>> => {
  const { nodes, edges } = pictureOf(workflow)
  const stepOf = new Map(nodes.map(({ id, step }) => [id, step]))
  const before = new Map<string, Set<string>>()
  for (const { from, to } of edges) {
    const [one, other] = [stepOf.get(from), stepOf.get(to)]
    if (
      one === undefined ||
      other === undefined ||
      (one === other && from !== to && edges.some((edge) => edge.from === from && edge.events.length === 0))
    )
      continue
    before.set(other, (before.get(other) ?? new Set()).add(one))
  }
  return new Map(
    Object.keys(workflow.steps).map((name) => {
      const found = new Set(before.get(name))
      for (const other of found) for (const further of before.get(other) ?? []) found.add(further)
      return [name, found]
    })
  )
}
