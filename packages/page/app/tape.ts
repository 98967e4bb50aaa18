/**
 * The entries of a run that have come, from some moment on: the model of them, the rows of its events, its idle times and its logs.
 */
import type { Graph } from "stepgraph/graph"
import { RunModel } from "stepgraph/trace"
import type { LogLine, TraceEntry, TraceRecord } from "./api.ts"

/** A time in which nothing was at work, in milliseconds since the run began. */
export interface Idle {
  readonly from: number
  readonly to: number
}

/** An event's place in the trace. */
export interface EventRow {
  readonly id: string
  readonly seq: number
  readonly tag: string
}

/** Shorter pauses are not worth folding. */
const shortestIdle = 1_000

export class Tape {
  readonly entries: Array<TraceEntry> = []
  readonly rows: Array<EventRow> = []
  readonly idle: Array<Idle> = []
  /** What the calls have logged, by their ids. */
  readonly logs = new Map<string, Array<LogLine>>()
  readonly model: RunModel
  /** How many records the server no longer had. */
  missing = 0
  /** The number of its first record. */
  first: number | undefined
  ended = false

  constructor(graph: Graph | undefined) {
    this.model = new RunModel(graph === undefined ? {} : { graph })
  }

  /** Takes in the next record. */
  add({ data, kind, number }: TraceRecord): void {
    this.first ??= number
    if (kind === "dropped") {
      this.first = 1
      this.missing += (data as { dropped: number }).dropped
    } else if (kind === "end") this.ended = true
    else if (kind === "log") this.log(data as LogLine)
    else this.entry(data as TraceEntry)
  }

  private entry(entry: TraceEntry): void {
    const { model } = this
    // A trace may have entries of runs that its steps started.
    if (model.id !== undefined && entry.run !== model.id) return
    const before = model.last.at
    const isIdle = entry.at - model.began - before >= shortestIdle && !this.isBusy()
    if (!model.add(entry)) return
    if (isIdle) this.idle.push({ from: before, to: model.last.at })
    this.entries.push(entry)
    if (entry._tag === "EventEmitted") this.rows.push({ id: entry.event, seq: entry.seq, tag: entry.tag })
  }

  private log(line: LogLine): void {
    if (this.model.id !== undefined && line.run !== this.model.id) return
    const lines = this.logs.get(line.invocation)
    if (lines === undefined) this.logs.set(line.invocation, [line])
    else lines.push(line)
  }

  /** Whether a step is at work, and not only waiting for an answer. */
  isBusy(): boolean {
    for (const { paused, running } of this.model.steps.values()) if (running > paused) return true
    return false
  }
}
