/**
 * One run as the page sees it: its trace, the model of it, and the moment that is looked at.
 *
 * Records come in batches and are taken in within a part of each frame, so that a run of many events never blocks the page. Of a
 * long run, the end is shown first; what was before it is loaded meanwhile, and takes its place once it is whole.
 */
import type { Graph } from "stepgraph/graph"
import { type InvocationModel, RunModel } from "stepgraph/trace"
import { follow, type LogLine, type TraceEntry, type TraceRecord } from "./api.ts"
import { type EventRow, type Idle, Tape } from "./tape.ts"

/** Milliseconds of a frame for taking in records. */
const budget = 7
/** So many records are shown first. */
const tail = 2_000
/** More than this are loaded only if somebody wants them. */
const mostUnasked = 200_000

export class RunStore {
  readonly id: string
  connection: "opening" | "open" | "broken" | "ended" = "opening"
  /** The model of the moment that is looked at. */
  model: RunModel
  private readonly graph: Graph | undefined
  private tape: Tape
  private queue: Array<TraceRecord> = []
  private place = 0
  /** What is shown, while that is only the end of the run. */
  private recent: Array<TraceRecord> = []
  /** The whole run, as far as it has been taken in: what came before, and then what is shown. */
  private whole:
    | { readonly tape: Tape; readonly earlier: Array<TraceRecord>; loaded: boolean; place: number }
    | undefined
  /** The model of an earlier moment, and the number of its entries. */
  private moment: RunModel | undefined
  private taken = 0
  private shown: number | undefined
  private scheduled = false
  private readonly listeners = new Set<() => void>()
  private readonly texts = new Map<string, string>()
  private readonly controller = new AbortController()

  constructor(id: string, graph: Graph | undefined) {
    this.id = id
    this.graph = graph
    this.tape = new Tape(graph)
    this.model = this.tape.model
  }

  /** Follows the run. A moment of the whole run is looked at with the whole run. */
  start(): void {
    const last = this.shown === undefined ? tail : undefined
    const { signal } = this.controller
    const take = (records: ReadonlyArray<TraceRecord>) => {
      for (const record of records) this.queue.push(record)
      this.schedule()
    }
    const connection = (is: "open" | "broken") => {
      if (this.connection !== "ended") this.connection = is
      this.schedule()
    }
    follow(this.id, { signal, take, connection, last }).then(() => {
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

  get entries(): ReadonlyArray<TraceEntry> {
    return this.tape.entries
  }

  get rows(): ReadonlyArray<EventRow> {
    return this.tape.rows
  }

  get idle(): ReadonlyArray<Idle> {
    return this.tape.idle
  }

  get logs(): ReadonlyMap<string, ReadonlyArray<LogLine>> {
    return this.tape.logs
  }

  /** How many records the server no longer had. */
  get missing(): number {
    return this.tape.missing
  }

  /** The number of records before those that are shown, which the server has. */
  get before(): number {
    return (this.tape.first ?? 1) - 1
  }

  get isLoadingEarlier(): boolean {
    return this.whole !== undefined
  }

  /** Number of entries that are looked at. */
  get at(): number {
    return this.shown ?? this.entries.length
  }

  /** An earlier moment can be looked at once the whole run is there. */
  get isLive(): boolean {
    return this.shown === undefined || this.before > 0
  }

  /** Whether more records have come than could be taken in yet. */
  get isBehind(): boolean {
    return this.place < this.queue.length
  }

  /** Looks at the first so many entries; `undefined` for all, as they come. */
  show(at: number | undefined): void {
    this.shown = at
    this.schedule()
  }

  /** What a call had logged by the moment that is looked at. */
  loggedBy(call: string): ReadonlyArray<LogLine> {
    const lines = this.logs.get(call) ?? []
    if (this.isLive) return lines
    const until = this.model.began + this.model.last.at
    return lines.filter(({ at }) => at <= until)
  }

  /** The data of an event as lower-case text, for the search. */
  text(id: string): string {
    let text = this.texts.get(id)
    if (text === undefined) {
      const event = this.tape.model.events.get(id)
      text = event === undefined ? "" : `${event.tag} ${JSON.stringify(event.data)}`.toLowerCase()
      this.texts.set(id, text)
    }
    return text
  }

  /** The number of rows up to the moment that is looked at. */
  get rowCount(): number {
    if (this.isLive) return this.rows.length
    const last = this.entries[this.at - 1]?.seq ?? -1
    let [low, high] = [0, this.rows.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.rows[middle]!.seq <= last) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Whether a step is at work, and not only waiting for an answer. */
  isBusy(): boolean {
    return this.tape.isBusy()
  }

  /** Loads what was before the records that are shown. */
  loadEarlier(): void {
    const { before } = this
    if (this.whole !== undefined || before === 0) return
    const whole = { tape: new Tape(this.graph), earlier: [] as Array<TraceRecord>, loaded: false, place: 0 }
    this.whole = whole
    const take = (records: ReadonlyArray<TraceRecord>) => {
      for (const record of records) if (record.number <= before) whole.earlier.push(record)
      this.schedule()
    }
    follow(this.id, { signal: this.controller.signal, take, until: before }).then(() => {
      whole.loaded = true
      this.schedule()
    })
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
      for (; this.place < end; this.place++) this.take(this.queue[this.place]!)
    }
    if (this.place === this.queue.length) {
      this.queue = []
      this.place = 0
    }
    this.takeEarlier(until)
    this.rebuild(until)
    for (const listener of this.listeners) listener()
    if (this.isBehind || this.hasEarlier || (!this.isLive && this.taken !== this.target)) this.schedule()
  }

  private take(record: TraceRecord): void {
    this.tape.add(record)
    if (this.tape.ended) this.connection = "ended"
    if (this.before === 0) return
    this.recent.push(record)
    // Somebody may look at a moment of the whole run.
    if (this.before <= mostUnasked || this.shown !== undefined) this.loadEarlier()
  }

  /** Whether records of the whole run can be taken in now. */
  private get hasEarlier(): boolean {
    const { whole } = this
    return whole !== undefined && (whole.place < whole.earlier.length || whole.loaded)
  }

  private takeEarlier(until: number): void {
    const { recent, whole } = this
    if (whole === undefined) return
    // At least some, or a busy run would never become whole.
    const most = Math.max(until, performance.now() + budget / 2)
    const { earlier, tape } = whole
    const length = earlier.length + (whole.loaded ? recent.length : 0)
    while (whole.place < length && performance.now() < most) {
      const end = Math.min(length, whole.place + 64)
      for (; whole.place < end; whole.place++) {
        tape.add(earlier[whole.place] ?? recent[whole.place - earlier.length]!)
      }
    }
    if (!whole.loaded || whole.place < length) return
    tape.first = 1
    this.tape = tape
    this.whole = undefined
    this.recent = []
  }

  private get target(): number {
    return Math.min(this.shown ?? 0, this.entries.length)
  }

  /** The model of an earlier moment: it goes on from the last one if it can. */
  private rebuild(until: number): void {
    if (this.isLive) {
      this.model = this.tape.model
      this.moment = undefined
      return
    }
    if (this.moment === undefined || this.taken > this.target) {
      this.moment = new RunModel(this.graph === undefined ? {} : { graph: this.graph })
      this.taken = 0
    }
    this.model = this.moment
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
