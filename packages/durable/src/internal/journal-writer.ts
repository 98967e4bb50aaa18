/**
 * Writes the journal of a run, and holds back what must not begin before all that led to it is stored.
 */
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Json } from "../Store.ts"
import type { Entry } from "./journal.ts"

interface Gate {
  /** How many entries must be stored; NaN for all that there are. */
  readonly after: number
  readonly begin: () => void
}

/** Where a journal is written to. */
export interface Target {
  /** Whether a write is done before its Effect gives way. */
  readonly synchronous: boolean
  /** Appends where the journal has `from` entries and nobody else has written to it. */
  append(from: number, entries: ReadonlyArray<Json>): Effect.Effect<boolean>
  fork<A>(effect: Effect.Effect<A>): ReturnType<typeof Effect.runFork<A, never>>
  /** Whether nothing is to be written any more. */
  readonly abandoned: boolean
  stored(): void
  lost(failed: boolean): void
  /** A write has ended on its own. */
  advance(): void
}

export class JournalWriter {
  private readonly to: Target
  private readonly gates: Array<Gate> = []
  private buffer: Array<Entry> = []
  private numbered: number
  private stored: number
  private writing = false
  private scheduled = false

  constructor(to: Target, length: number) {
    this.to = to
    this.numbered = length
    this.stored = length
  }

  /** Gives its number. */
  record(entry: Entry): number {
    this.buffer.push(entry)
    return this.numbered++
  }

  /** Whether everything that was recorded is stored. */
  get done(): boolean {
    return this.stored === this.numbered && !this.writing
  }

  /** Whether it has nothing to write, and holds nothing back. */
  get idle(): boolean {
    return this.gates.length === 0 && this.buffer.length === 0 && !this.writing
  }

  /**
   * Holds something back until all that has been recorded is stored, or, during a replay, what the replay adds. Gives what
   * cancels it.
   */
  whenStored(begin: () => void, live = true): () => void {
    const gate = { after: live ? this.numbered : Number.NaN, begin }
    this.gates.push(gate)
    return () => {
      const at = this.gates.indexOf(gate)
      if (at >= 0) this.gates.splice(at, 1)
    }
  }

  /** Lets begin what is held back for nothing any more. */
  beginStored(): void {
    while (this.gates.length > 0) {
      const { after } = this.gates[0]!
      if ((Number.isNaN(after) ? this.numbered : after) > this.stored) return
      this.gates.shift()!.begin()
    }
  }

  /** Writes at the end of this turn of the process, with all that it still brings. */
  flushLater(): void {
    if (this.scheduled || this.writing || this.buffer.length === 0) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      this.flush()
    })
  }

  /** Stores what has been recorded; gives whether that is done already. */
  flush(): boolean {
    const { buffer, to } = this
    if (this.writing || to.abandoned || buffer.length === 0) return false
    this.buffer = []
    this.writing = true
    const fiber = to.fork(to.append(this.stored, buffer as unknown as ReadonlyArray<Json>))
    const done = (exit: Exit.Exit<boolean>) => {
      this.writing = false
      if (Exit.isFailure(exit) || !exit.value) {
        to.lost(Exit.isFailure(exit))
        return
      }
      this.stored += buffer.length
      to.stored()
    }
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) {
      done(exit)
      return true
    }
    fiber.addObserver((exit) => {
      done(exit)
      to.advance()
    })
    return false
  }
}
