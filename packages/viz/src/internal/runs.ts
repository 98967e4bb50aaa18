/**
 * Tells the entries of several runs apart: whoever observes a run also observes those that are started inside its steps.
 */
import type { TraceEntry } from "stepgraph"
import { Builder } from "./timeline-builder.ts"

/** The runs of a trace, in the order in which they began. */
export const runsOf = (trace: Iterable<TraceEntry>): ReadonlyArray<Builder> => {
  const runs: Array<Builder> = []
  let open: Array<Builder> = []
  for (const entry of trace) {
    if (entry._tag === "RunStarted") {
      const run = new Builder(entry)
      runs.push(run)
      open.push(run)
      continue
    }
    const run = open.length === 1 ? open[0] : whose(entry, open)
    if (run === undefined) continue
    run.add(entry)
    if (entry._tag === "RunFinished") open = open.filter((other) => other !== run)
  }
  return runs
}

/** Each run counts its entries from 0, so the number says whose an entry is; where it fits several, the ids in it do. */
const whose = (entry: TraceEntry, open: ReadonlyArray<Builder>): Builder | undefined => {
  const possible = open.filter(({ next }) => next === entry.seq)
  if (possible.length < 2) return possible[0]
  const ids = mentioned(entry)
  return possible.findLast((run) => ids.every((id) => run.knows(id))) ?? possible.at(-1)
}

/** The ids an entry speaks of that its run must have heard of before. */
const mentioned = (entry: TraceEntry): ReadonlyArray<string> => {
  switch (entry._tag) {
    case "EventEmitted":
      return entry.cause === null ? [] : [entry.cause]
    case "EventDelivered":
    case "EventDropped":
      return [entry.event]
    case "IntakeFired":
    case "InvocationStarted":
      return entry.events
    case "InvocationEnded":
    case "FinalizerFailure":
      return [entry.invocation]
    default:
      return []
  }
}
