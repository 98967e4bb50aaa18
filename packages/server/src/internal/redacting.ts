/**
 * Changes the traces of a home that knows nothing of `redact`, such as the durable one.
 */
import * as Effect from "effect/Effect"
import type { TraceEntry } from "stepgraph"
import type { Feed, Runs, ServedRun, StreamRecord } from "../Runs.ts"

type Redact = (entry: TraceEntry) => TraceEntry

const redactedRecord = (record: StreamRecord, redact: Redact): ReadonlyArray<StreamRecord> => {
  if (record.kind !== "trace") return [record]
  try {
    return [{ ...record, json: JSON.stringify(redact(JSON.parse(record.json))) }]
  } catch {
    // Better nothing than a secret.
    return []
  }
}

const redactedFeed =
  (feed: Feed, redact: Redact): Feed =>
  (after) =>
    Effect.flatMap(feed(after), ({ over, records }) => {
      const shown = records.flatMap((record) => redactedRecord(record, redact))
      const last = records.at(-1)
      // If nothing of a page is left, its reader goes on after it.
      return shown.length === 0 && last !== undefined && !over
        ? redactedFeed(feed, redact)(last.number)
        : Effect.succeed({ records: shown, over })
    })

const redactedRun = (run: ServedRun, redact: Redact): ServedRun => ({
  summary: run.summary,
  detail: run.detail,
  events: run.events,
  trace: redactedFeed((after) => run.trace(after), redact),
  ended: run.ended,
  send: (event, key) => run.send(event, key),
  closeInputs: run.closeInputs,
  interrupt: run.interrupt,
  forget: run.forget,
  flow: run.flow,
  startedWith: run.startedWith
})

export const redacted = (runs: Runs, redact: Redact | undefined): Runs =>
  redact === undefined
    ? runs
    : {
        list: (query) => runs.list(query),
        get: (id) => Effect.map(runs.get(id), (run) => run && redactedRun(run, redact)),
        start: (flow, starting) =>
          Effect.map(runs.start(flow, starting), ({ created, run }) => ({ created, run: redactedRun(run, redact) }))
      }
