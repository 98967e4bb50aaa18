/**
 * The records of a stream, numbered and bounded. Readers pull: a slow one costs nothing but its own place.
 */
import * as Effect from "effect/Effect"
import type { Feed, Page, StreamRecord } from "../Runs.ts"

/** A page is at most so many records and about so many characters: what one write to a connection takes. */
const mostRecords = 512
const mostCharacters = 64 * 1024

export class Log {
  private records: Array<StreamRecord> = []
  /** Number of dropped records that are still at the front of the array. */
  private head = 0
  private last = 0
  private over = false
  private readonly waiters = new Set<() => void>()
  private waking = false
  private readonly most: number
  /** Characters kept. */
  size = 0

  /** `most` is the number of characters to keep: beyond it, the oldest records are dropped. */
  constructor(most: number) {
    this.most = most
  }

  get ended(): boolean {
    return this.over
  }

  append(kind: StreamRecord["kind"], json: string): void {
    if (this.over) return
    this.records.push({ number: ++this.last, kind, json })
    this.size += json.length
    if (this.size > this.most) this.trim(this.most)
    this.wake()
  }

  /** Appends the last record. */
  end(json: string): void {
    if (this.over) return
    this.append("end", json)
    this.over = true
  }

  /** Drops the oldest records, but never the last, until so many characters are left. */
  trim(size: number): void {
    while (this.size > size && this.head < this.records.length - 1) this.size -= this.records[this.head++]!.json.length
    if (this.head * 2 < this.records.length) return
    this.records = this.records.slice(this.head)
    this.head = 0
  }

  readonly read: Feed = (after) =>
    Effect.suspend(() => {
      const page = this.page(after)
      if (page !== undefined) return Effect.succeed(page)
      return Effect.flatMap(this.changed, () => this.read(after))
    })

  private readonly changed = Effect.callback<void>((resume) => {
    const waiter = () => resume(Effect.void)
    this.waiters.add(waiter)
    return Effect.sync(() => this.waiters.delete(waiter))
  })

  private page(asked: number): Page | undefined {
    const kept = this.records.length - this.head
    // The last ones, as far as they are kept.
    const after = asked < 0 ? Math.max(0, this.last - Math.min(-asked, kept)) : asked
    if (after >= this.last) return this.over ? { records: [], over: true } : undefined
    const first = this.last - kept + 1
    const records: Array<StreamRecord> = []
    let size = 0
    if (after < first - 1) {
      const dropped = first - 1 - after
      records.push({ number: first - 1, kind: "dropped", json: JSON.stringify({ dropped }) })
    }
    let at = this.head + Math.max(0, after - first + 1)
    while (at < this.records.length && records.length < mostRecords && size < mostCharacters) {
      const record = this.records[at++]!
      records.push(record)
      size += record.json.length
    }
    return { records, over: this.over && at === this.records.length }
  }

  /** Once for all records of a turn: there may be a thousand readers. */
  private wake(): void {
    if (this.waking || this.waiters.size === 0) return
    this.waking = true
    queueMicrotask(() => {
      this.waking = false
      const waiters = [...this.waiters]
      this.waiters.clear()
      for (const waiter of waiters) waiter()
    })
  }
}
