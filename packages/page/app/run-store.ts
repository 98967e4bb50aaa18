/**
 * One run as the page sees it: its trace, the model of it, and the moment that is looked at.
 *
 * Entries come in batches and are taken in within a part of each frame, so that a run of many events never blocks the page.
 */
import type { Graph } from "stepgraph/graph"
import { type InvocationModel, RunModel } from "stepgraph/trace"
import { follow, type LogLine, type TraceEntry, type TraceRecord } from "./api.ts"

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

/** Milliseconds of a frame for taking in entries. */
const budget = 7
/** Shorter pauses are not worth folding. */
const shortestIdle = 1_000

export class RunStore {
  readonly id: string
  readonly entries: Array<TraceEntry> = []
  readonly rows: Array<EventRow> = []
  readonly idle: Array<Idle> = []
  /** What the calls have logged, by their ids. */
  readonly logs = new Map<string, Array<LogLine>>()
  /** How many entries the server no longer had. */
  missing = 0
  connection: "opening" | "open" | "broken" | "ended" = "opening"
  /** The model of the moment that is looked at. */
  model: RunModel
  private live: RunModel
  private taken = 0
  private shown: number | undefined
  private readonly graph: Graph | undefined
  private queue: Array<TraceRecord> = []
  private place = 0
  private scheduled = false
  private readonly listeners = new Set<() => void>()
  private readonly texts = new Map<string, string>()
  private readonly controller = new AbortController()

  constructor(id: string, graph: Graph | undefined) {
    this.id = id
    this.graph = graph
    this.live = this.empty()
    this.model = this.live
  }

  start(): void {
    follow(
      this.id,
      this.controller.signal,
      (records) => {
        for (const record of records) this.queue.push(record)
        this.schedule()
      },
      (is) => {
        if (this.connection !== "ended") this.connection = is
        this.schedule()
      }
    ).then(() => {
      this.connection = "ended"
      this.schedule()
    })
  }

  stop(): void {
    this.controller.abort()
    this.listeners.clear()
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Number of entries that are looked at. */
  get at(): number {
    return this.shown ?? this.entries.length
  }

  get isLive(): boolean {
    return this.shown === undefined
  }

  /** Whether more entries have come than could be taken in yet. */
  get isBehind(): boolean {
    return this.place < this.queue.length
  }

  /** Looks at the first so many entries; `undefined` for all, as they come. */
  show(at: number | undefined): void {
    this.shown = at
    this.schedule()
  }

  /** The data of an event as lower-case text, for the search. */
  text(id: string): string {
    let text = this.texts.get(id)
    if (text === undefined) {
      const event = this.live.events.get(id)
      text = event === undefined ? "" : `${event.tag} ${JSON.stringify(event.data)}`.toLowerCase()
      this.texts.set(id, text)
    }
    return text
  }

  /** The number of rows up to the moment that is looked at. */
  get rowCount(): number {
    if (this.shown === undefined) return this.rows.length
    const last = this.entries[this.shown - 1]?.seq ?? -1
    let [low, high] = [0, this.rows.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.rows[middle]!.seq <= last) low = middle + 1
      else high = middle
    }
    return low
  }

  private empty(): RunModel {
    return new RunModel(this.graph === undefined ? {} : { graph: this.graph })
  }

  private schedule(): void {
    if (this.scheduled || this.controller.signal.aborted) return
    this.scheduled = true
    // A hidden page gets no frames.
    if (document.hidden) setTimeout(this.frame, 200)
    else requestAnimationFrame(this.frame)
  }

  private readonly frame = (): void => {
    this.scheduled = false
    const until = performance.now() + budget
    while (this.place < this.queue.length && performance.now() < until) {
      const end = Math.min(this.queue.length, this.place + 64)
      while (this.place < end) this.take(this.queue[this.place++]!)
    }
    if (this.place === this.queue.length) {
      this.queue = []
      this.place = 0
    }
    this.rebuild(until)
    for (const listener of this.listeners) listener()
    if (this.isBehind || (this.shown !== undefined && this.taken !== this.target)) this.schedule()
  }

  private take({ data, kind }: TraceRecord): void {
    if (kind === "dropped") this.missing += (data as { dropped: number }).dropped
    else if (kind === "end") this.connection = "ended"
    else if (kind === "log") this.log(data as LogLine)
    if (kind !== "trace") return
    const entry = data as TraceEntry
    // A trace may have entries of runs that its steps started.
    if (this.live.id !== undefined && entry.run !== this.live.id) return
    const before = this.live.last.at
    const isIdle = entry.at - this.live.began - before >= shortestIdle && !this.isBusy()
    if (!this.live.add(entry)) return
    if (isIdle) this.idle.push({ from: before, to: this.live.last.at })
    this.entries.push(entry)
    if (entry._tag === "EventEmitted") this.rows.push({ id: entry.event, seq: entry.seq, tag: entry.tag })
  }

  private log(line: LogLine): void {
    if (this.live.id !== undefined && line.run !== this.live.id) return
    const lines = this.logs.get(line.invocation)
    if (lines === undefined) this.logs.set(line.invocation, [line])
    else lines.push(line)
  }

  /** What a call had logged by the moment that is looked at. */
  loggedBy(call: string): ReadonlyArray<LogLine> {
    const lines = this.logs.get(call) ?? []
    if (this.isLive) return lines
    const until = this.model.began + this.model.last.at
    return lines.filter(({ at }) => at <= until)
  }

  /** Whether a step is at work, and not only waiting for an answer. */
  isBusy(): boolean {
    for (const { paused, running } of this.live.steps.values()) if (running > paused) return true
    return false
  }

  private get target(): number {
    return Math.min(this.shown ?? 0, this.entries.length)
  }

  /** The model of an earlier moment: it goes on from the last one if it can. */
  private rebuild(until: number): void {
    if (this.shown === undefined) {
      this.model = this.live
      return
    }
    if (this.model === this.live || this.taken > this.target) {
      this.model = this.empty()
      this.taken = 0
    }
    // At least some, or a busy page would never get there.
    const most = Math.max(until, performance.now() + budget)
    while (this.taken < this.target) {
      this.model.add(this.entries[this.taken++]!)
      if ((this.taken & 255) === 0 && performance.now() > most) return
    }
  }
}

/** Whether an invocation waits for an answer now. */
export const isPaused = ({ end, questions }: InvocationModel): boolean =>
  end === null && questions.some((question) => question.end === null)
