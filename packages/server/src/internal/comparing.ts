/**
 * Compares two runs by their traces.
 */
import * as Effect from "effect/Effect"
import type { TraceEntry } from "stepgraph"
import { BadQuery } from "../Problems.ts"
import type { ServedRun } from "../Runs.ts"
import { plain } from "./json.ts"

/** The trace as far as it has come. */
const traceOf = (run: ServedRun): Effect.Effect<ReadonlyArray<TraceEntry>, BadQuery> =>
  Effect.gen(function* () {
    if (run.summary.endedAt === null) return yield* new BadQuery({ detail: `run '${run.summary.id}' has not ended` })
    const entries: Array<TraceEntry> = []
    let after = 0
    for (;;) {
      const { over, records } = yield* run.trace(after)
      for (const { json, kind } of records) if (kind === "trace") entries.push(JSON.parse(json))
      if (over) return entries
      after = records.at(-1)?.number ?? after
    }
  })

export const compared = (one: ServedRun, other: ServedRun) =>
  Effect.gen(function* () {
    const [left, right] = [yield* traceOf(one), yield* traceOf(other)]
    // Drawing libraries come with it, so it is loaded only by who compares.
    const { compare, timeline } = yield* Effect.promise(() => import("@stepgraph/viz"))
    const { durations, events, order, parted, same, sameOutcome, steps } = compare(timeline(left), timeline(right))
    return {
      same,
      sameOutcome,
      events: plain(events),
      parted: plain(parted),
      order: plain(order),
      steps: plain(steps),
      durations: plain(durations)
    }
  })
