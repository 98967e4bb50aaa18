/**
 * The model's data of one step.
 */
import type { Moment, StepModel } from "./model.ts"

/** A batch of an intake, until a worker takes it. */
export interface Batch {
  readonly invocation: string
  readonly events: ReadonlyArray<string>
  readonly at: Moment
  /** When its first event came; `undefined` for an empty batch. */
  readonly since: Moment | undefined
  readonly quietAfter: string | null
}

export class Step implements StepModel {
  readonly name: string
  intake: boolean
  readonly waiting = new Map<string, Moment>()
  /** By invocation; and by event once one has been dropped, which is rare. */
  private readonly batches = new Map<string, Batch>()
  private batchOf: Map<string, Batch> | undefined
  /** The busy workers, and the lowest one that may be free, which takes the next work. */
  private readonly workers: Array<boolean> = []
  private lowest = 0
  running = 0
  paused = 0
  busiest = 0
  fired = 0
  invocations = 0
  succeeded = 0
  failed = 0
  interrupted = 0
  retried = 0
  dropped = 0
  unserved = 0
  busy = 0
  waited = 0
  longestWait = 0

  constructor(name: string, intake: boolean) {
    this.name = name
    this.intake = intake
  }

  get held(): number {
    return this.intake ? this.waiting.size : 0
  }

  get queued(): number {
    return this.intake ? this.batches.size : this.waiting.size
  }

  get most(): number {
    return this.workers.length
  }

  /** The intake is complete. */
  fire(invocation: string, events: ReadonlyArray<string>, at: Moment, quietAfter: string | null): void {
    this.intake = true
    this.fired++
    const batch = { invocation, events, at, since: this.take(events).first, quietAfter }
    this.batches.set(invocation, batch)
    if (this.batchOf !== undefined) for (const event of events) this.batchOf.set(event, batch)
  }

  /** An invocation begins with its events. */
  begin(invocation: string, events: ReadonlyArray<string>, at: Moment) {
    const batch = this.batches.get(invocation)
    if (batch !== undefined) {
      this.batches.delete(invocation)
      if (this.batches.size === 0) this.batchOf = undefined
      else if (this.batchOf !== undefined) for (const event of batch.events) this.batchOf.delete(event)
    }
    const { first, latest } = this.take(events)
    const ready = batch?.at ?? latest ?? at
    const since = batch?.since ?? first ?? ready
    let worker = this.lowest
    while (this.workers[worker]) worker++
    this.workers[worker] = true
    this.lowest = worker + 1
    this.invocations++
    this.running++
    this.count()
    this.wait(at.at - ready.at)
    return { row: worker, since, ready, intake: batch !== undefined, quietAfter: batch?.quietAfter ?? null }
  }

  pause(): void {
    this.paused++
  }

  resume(): void {
    this.paused--
    this.count()
  }

  private count(): void {
    const busy = this.running - this.paused
    if (busy > this.busiest) this.busiest = busy
  }

  end(worker: number, busy: number): void {
    this.workers[worker] = false
    if (worker < this.lowest) this.lowest = worker
    this.running--
    this.busy += busy
  }

  /** An event is dropped. Returns since when it waited for a worker; events in an intake do not. */
  drop(event: string, at: Moment, leftOver: boolean): Moment | null {
    this.dropped++
    const came = this.waiting.get(event)
    const batch = came === undefined ? this.dropBatched(event) : undefined
    this.waiting.delete(event)
    if (batch !== undefined) {
      // A batch is dropped as a whole, event by event.
      if (this.batches.delete(batch.invocation)) this.unserved++
    } else if (came !== undefined && !this.intake) this.unserved++
    const since = leftOver ? undefined : (batch?.at ?? (this.intake ? undefined : came))
    if (since === undefined) return null
    this.wait(at.at - since.at)
    return since
  }

  /** The run is over: nothing waits any more, whether or not the trace says so. */
  clear(): void {
    this.waiting.clear()
    this.batches.clear()
    this.batchOf = undefined
  }

  private dropBatched(event: string): Batch | undefined {
    if (this.batchOf === undefined) {
      this.batchOf = new Map()
      for (const batch of this.batches.values()) for (const event of batch.events) this.batchOf.set(event, batch)
    }
    const batch = this.batchOf.get(event)
    this.batchOf.delete(event)
    return batch
  }

  /** Removes waiting events; returns the arrival times of the first and the last. */
  private take(events: ReadonlyArray<string>) {
    let first: Moment | undefined
    let latest: Moment | undefined
    for (const event of events) {
      const came = this.waiting.get(event)
      if (came === undefined) continue
      this.waiting.delete(event)
      if (first === undefined || came.seq < first.seq) first = came
      if (latest === undefined || came.seq > latest.seq) latest = came
    }
    return { first, latest }
  }

  private wait(millis: number): void {
    this.waited += millis
    if (millis > this.longestWait) this.longestWait = millis
  }
}
