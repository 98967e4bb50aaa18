/**
 * The journal that a run is given when it is taken up, and how much of it has happened again.
 */
import type { Batch } from "../Store.ts"
import { type Entry, entriesOf, inWords, keyOfEntry } from "./journal.ts"

/** How many turns of the process a run gets to come to what its journal says: all that its fibers still do. */
const mostPatience = 8

/** What a journal says of a call: whether it has ended, and whether it asked or streamed something before. */
interface Known {
  ended: boolean
  early: boolean
}

export class History {
  readonly length: number
  /** When each time is due that the run has slept for. */
  readonly dues: ReadonlyMap<string, number>
  /** Number of the last message in it. */
  readonly messages: number = 0
  /** How many entries have happened again. */
  position = 0
  private readonly batches: ReadonlyArray<Batch>
  private readonly entries: ReadonlyArray<Entry>
  private readonly calls = new Map<string, Known>()
  /** The batch that `position` is in. */
  private batch = 0
  private patience = 0
  private waiting = false

  constructor(batches: ReadonlyArray<Batch>) {
    this.batches = batches
    this.entries = entriesOf(batches)
    this.length = this.entries.length
    const dues = new Map<string, number>()
    for (const entry of this.entries) {
      if ("t" in entry) dues.set(entry.t, entry.d)
      else if ("m" in entry) this.messages = entry.m
      else if (!("z" in entry)) {
        const known = this.known(keyOfEntry(entry))
        if ("i" in entry) known.ended = true
        else known.early = true
        if ("q" in entry && entry.d !== undefined) dues.set(`attempt ${entry.q}/${entry.n ?? 1}`, entry.d)
      }
    }
    this.dues = dues
  }

  private known(key: string): Known {
    let known = this.calls.get(key)
    if (known === undefined) {
      known = { ended: false, early: false }
      this.calls.set(key, known)
    }
    return known
  }

  /** The entry that is to happen next. */
  get next(): Entry | undefined {
    return this.entries[this.position]
  }

  /** It happens now; gives its number. */
  happens(): number {
    this.patience = 0
    return this.position++
  }

  /** Whether a call has ended in it. */
  ends(key: string): boolean {
    return this.calls.get(key)?.ended === true
  }

  /** Whether a call has asked or streamed something in it. */
  begins(key: string): boolean {
    return this.calls.get(key)?.early === true
  }

  /** The run has not come to the next entry: waits for it, or says that it never will. */
  awaits(again: () => void): boolean {
    if (this.waiting) return true
    if (++this.patience > mostPatience) return false
    this.waiting = true
    setImmediate(() => {
      this.waiting = false
      again()
    })
    return true
  }

  /** The first entry that has not happened, though something is due to. */
  get missing(): string | undefined {
    const entry = this.entries.slice(this.position).find((entry) => !("t" in entry))
    return entry && inWords(entry)
  }

  /**
   * When the last entry of a replay was stored; `undefined` before the first. The start of a run is stored with the times that
   * begin with it, which may be long after the run was created. Read for each entry of a trace, so it never starts over.
   */
  get time(): number | undefined {
    const { batches, entries } = this
    if (this.position === 0) return entries[0] !== undefined && "t" in entries[0] ? batches[0]!.at : undefined
    while (this.batch + 1 < batches.length && batches[this.batch + 1]!.from < this.position) this.batch++
    return batches[this.batch]!.at
  }
}
