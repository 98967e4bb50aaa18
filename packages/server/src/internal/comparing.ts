/**
 * Compares two runs by their traces.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { TraceEntry } from "stepgraph"
import type { ServedRun } from "../Runs.ts"
import { plain } from "./json.ts"

/** So long a run that goes on is asked for more, in milliseconds: what it has comes at once. */
const patience = 50
/** So long in all: a run may bring more and more for ever. */
const patienceInAll = 1_000

/** The trace as far as it has come. */
const traceOf = (run: ServedRun): Effect.Effect<ReadonlyArray<TraceEntry>> =>
  Effect.gen(function* () {
    const entries: Array<TraceEntry> = []
    const began = performance.now()
    let after = 0
    for (;;) {
      const page =
        hasEnded(run) || after === 0
          ? Option.some(yield* run.trace(after))
          : yield* Effect.timeoutOption(run.trace(after), patience)
      if (Option.isNone(page)) return entries
      const { over, records } = page.value
      for (const { json, kind } of records) if (kind === "trace") entries.push(JSON.parse(json))
      if (over || (!hasEnded(run) && performance.now() - began > patienceInAll)) return entries
      after = records.at(-1)?.number ?? after
    }
  })

const hasEnded = ({ summary }: ServedRun): boolean => summary.endedAt !== null

export const compared = (one: ServedRun, other: ServedRun) =>
  Effect.gen(function* () {
    const ended = hasEnded(one) && hasEnded(other)
    const [left, right] = [yield* traceOf(one), yield* traceOf(other)]
    // Drawing libraries come with it, so it is loaded only by who compares.
    const { compare, timeline } = yield* Effect.promise(() => import("@stepgraph/viz"))
    const { durations, events, order, parted, same, sameOutcome, steps } = compare(timeline(left), timeline(right))
    return {
      ended,
      same: same && ended,
      sameOutcome: sameOutcome && ended,
      events: plain(events),
      parted: plain(parted),
      order: plain(order),
      steps: plain(steps),
      durations: plain(durations)
    }
  })
