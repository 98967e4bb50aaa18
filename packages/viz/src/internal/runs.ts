/**
 * Separates the entries of several runs. An observer also receives the entries of runs that start inside steps, and may
 * observe many runs at once.
 */
import type { TraceEntry } from "stepgraph"
import { RunModel } from "stepgraph/trace"
import { type Drawable, drawn } from "./drawable.ts"

/** The runs of a trace, in the order in which they began. Entries of a run whose beginning is missing are dropped. */
export const runsOf = (trace: Iterable<TraceEntry>, workflow: Drawable | undefined): ReadonlyArray<RunModel> => {
  const entries = new Map<string, Array<TraceEntry>>()
  for (const entry of trace) {
    if (typeof entry?.run !== "string") continue
    const own = entries.get(entry.run)
    if (own === undefined) entries.set(entry.run, [entry])
    else own.push(entry)
  }
  return [...entries.values()].flatMap((own) => {
    const ordered = inOrder(own)
    const [first] = ordered
    if (first?._tag !== "RunStarted") return []
    const run = new RunModel({ graph: workflow?.name === first.workflow ? drawn(workflow) : undefined })
    for (const entry of ordered) run.add(entry)
    return [run]
  })
}

/** A trace collected from several sources may be in any order; entries are numbered. */
const inOrder = (entries: Array<TraceEntry>): ReadonlyArray<TraceEntry> =>
  entries.every(({ seq }, i) => i === 0 || entries[i - 1]!.seq <= seq) ? entries : entries.sort((a, b) => a.seq - b.seq)
