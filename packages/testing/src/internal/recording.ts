/**
 * What a run records for its report: its trace, the choices, and what its steps do in between.
 */
import type { TraceEntry } from "stepgraph"
import { TraceModel } from "stepgraph/trace"
import type { Note } from "./executed.ts"
import { show } from "./show.ts"
import type { Touch } from "./ways.ts"

const inTouch = ({ cell, value, written }: Touch): string => `${written ? "writes" : "reads"} '${cell}': ${show(value)}`

export class Recording {
  trace: Array<TraceEntry> = []
  model = new TraceModel()
  readonly notes: Array<Note> = []
  /** The trace of a process that died. */
  private before: ReadonlyArray<TraceEntry> = []

  note(differs: string | undefined, invocation: string | undefined, touch?: Touch, again = false): void {
    // What a process did before it died stands before all that the next one does.
    const at = Math.max(this.trace.length, this.notes.at(-1)?.at ?? 0)
    this.notes.push({ at, differs, invocation, touch: touch && inTouch(touch), again })
  }

  entry(entry: TraceEntry): void {
    this.trace.push(entry)
    this.model.add(entry)
  }

  get running(): number {
    let running = 0
    for (const run of this.model.runs.values()) running += run.running.size
    return running
  }

  /** The run begins anew in another process. */
  beginAnew(): void {
    this.before = this.trace
    this.trace = []
    this.model = new TraceModel()
  }

  /** The trace to tell. A run that does not come to what its journal holds has no more to tell than the one before. */
  told(diverged: boolean): ReadonlyArray<TraceEntry> {
    return diverged ? this.before : this.trace
  }
}
