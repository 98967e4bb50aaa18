/**
 * Changes the traces and errors of a home that knows nothing of `redact`, such as the durable one.
 */
import * as Effect from "effect/Effect"
import type { TraceEntry } from "stepgraph"
import type { Feed, RunFailure, Runs, ServedRun, StreamRecord } from "../Runs.ts"

export type Redact = (entry: TraceEntry) => TraceEntry

/** What is shown of an entry; `undefined` if `redact` throws, or returns nothing: better nothing than a secret. */
export const shownBy = (redact: Redact | undefined, entry: TraceEntry): TraceEntry | undefined => {
  if (redact === undefined) return entry
  try {
    return redact(entry) ?? undefined
  } catch {
    return undefined
  }
}

const redactedRecord = (record: StreamRecord, redact: Redact): ReadonlyArray<StreamRecord> => {
  if (record.kind !== "trace") return [record]
  const shown = shownBy(redact, JSON.parse(record.json))
  return shown === undefined ? [] : [{ ...record, json: JSON.stringify(shown) }]
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

type Finished = Extract<TraceEntry, { readonly _tag: "RunFinished" }>

/** The error of a run, as far as `redact` shows it where the trace has it. */
export const redactedFailure = (failure: RunFailure, finished: Finished | undefined, redact: Redact): RunFailure => {
  const { _tag, name } = failure
  const known = { ...(_tag === undefined ? undefined : { _tag }), ...(name === undefined ? undefined : { name }) }
  try {
    const { error } = redact(finished!) as Finished
    return error === finished!.error ? failure : { ...known, message: error ?? "the error is not shown" }
  } catch {
    return { ...known, message: "the error is not shown" }
  }
}

/** The last entry of the trace of a run that has ended. */
const finishedOf = (run: ServedRun): Effect.Effect<Finished | undefined> => {
  const look = (after: number): Effect.Effect<Finished | undefined> =>
    Effect.flatMap(run.trace(after), ({ over, records }) => {
      const entries = records.flatMap(({ json, kind }) => (kind === "trace" ? [JSON.parse(json) as TraceEntry] : []))
      const found = entries.find((entry) => entry._tag === "RunFinished" && entry.run === run.summary.id)
      const last = records.at(-1)
      return found !== undefined || over || last === undefined
        ? Effect.succeed(found as Finished | undefined)
        : look(last.number)
    })
  return look(0)
}

/** Of a feed, the last record. */
const redactedEnd =
  (feed: Feed, shown: (failure: RunFailure) => Effect.Effect<RunFailure>): Feed =>
  (after) =>
    Effect.flatMap(feed(after), ({ over, records }) => {
      const last = records.at(-1)
      const end = last?.kind === "end" ? JSON.parse(last.json) : undefined
      if (last === undefined || end?.error === undefined) return Effect.succeed({ over, records })
      return Effect.map(shown(end.error), (error) => ({
        over,
        records: [...records.slice(0, -1), { ...last, json: JSON.stringify({ ...end, error }) }]
      }))
    })

const redactedRun = (run: ServedRun, redact: Redact): ServedRun => {
  const shown = (failure: RunFailure) =>
    Effect.map(finishedOf(run), (finished) => redactedFailure(failure, finished, redact))
  return {
    summary: run.summary,
    detail: Effect.flatMap(run.detail, (detail) =>
      detail.error === null
        ? Effect.succeed(detail)
        : Effect.map(shown(detail.error), (error) => ({ ...detail, error }))
    ),
    events: redactedEnd((after) => run.events(after), shown),
    trace: redactedEnd(
      redactedFeed((after) => run.trace(after), redact),
      shown
    ),
    ended: run.ended,
    send: (event, key) => run.send(event, key),
    closeInputs: run.closeInputs,
    interrupt: run.interrupt,
    forget: run.forget,
    flow: run.flow,
    startedWith: run.startedWith
  }
}

export const redacted = (runs: Runs, redact: Redact | undefined): Runs =>
  redact === undefined
    ? runs
    : {
        list: (query) => runs.list(query),
        get: (id) => Effect.map(runs.get(id), (run) => run && redactedRun(run, redact)),
        start: (flow, starting) =>
          Effect.map(runs.start(flow, starting), ({ created, run }) => ({ created, run: redactedRun(run, redact) }))
      }
