/**
 * The runs of a kept trace, as a server shows them. They are over: nothing about them can change.
 */
import * as Effect from "effect/Effect"
import type { TraceEntry } from "stepgraph"
import { type RunModel, TraceModel } from "stepgraph/trace"
import type { RunDetail, RunSummary, ServedRun, StreamRecord } from "../Runs.ts"

type Json = RunDetail["input"]

/** So many records are read at once. */
const pageSize = 512

const feedOf =
  (records: ReadonlyArray<StreamRecord>): ServedRun["trace"] =>
  (asked) => {
    const after = asked < 0 ? Math.max(0, records.length + asked) : asked
    const page = records.slice(after, after + pageSize)
    return Effect.succeed({ records: page, over: after + page.length >= records.length })
  }

/** Numbers records, and adds the last. */
const recordsOf = (kind: "trace" | "output", all: ReadonlyArray<unknown>, end: unknown): ReadonlyArray<StreamRecord> =>
  [...all.map((data) => ({ kind, data })), { kind: "end" as const, data: end }].map(({ data, kind }, i) => ({
    number: i + 1,
    kind,
    json: JSON.stringify(data)
  }))

const eventOf = (model: RunModel, id: string | null | undefined): Json => {
  const event = id === null || id === undefined ? undefined : model.events.get(id)
  return event === undefined ? null : { _tag: event.tag, ...(event.data as Record<string, Json>) }
}

const statusOf = ({ state }: RunModel): RunSummary["status"] =>
  state === "stopped" || state === "failed" ? state : "interrupted"

const runOf = (id: string, user: string, model: RunModel, entries: ReadonlyArray<TraceEntry>): ServedRun => {
  const at = (millis: number) => new Date(millis).toISOString()
  const isCut = model.state === "running" || model.state === "pending"
  const error =
    model.error !== null ? { message: model.error } : isCut ? { message: "this trace ends before the run does" } : null
  const status = statusOf(model)
  const summary: RunSummary = {
    id,
    workflow: model.workflow ?? "unknown",
    status,
    user,
    startedAt: at(model.began),
    endedAt: at(model.began + model.last.at),
    rerunOf: null
  }
  const steps = [...model.steps.values()].map(({ name, queued, running }) => [name, { queued, running }] as const)
  const first = [...model.events.values()].find(({ cause }) => cause === null)
  const stop = eventOf(model, model.stop)
  const end = error === null ? { status } : { status, error }
  return {
    summary,
    detail: Effect.succeed({
      ...summary,
      parent: model.parent,
      input: eventOf(model, first?.id),
      state: "ended",
      inputs: "closed",
      steps: Object.fromEntries(steps),
      waiting: [],
      questions: [],
      stop,
      error
    }),
    events: feedOf(recordsOf("output", stop === null ? [] : [stop], end)),
    trace: feedOf(recordsOf("trace", entries, end)),
    ended: Effect.void,
    send: () => Effect.void,
    closeInputs: Effect.void,
    interrupt: Effect.void,
    forget: Effect.succeed(false),
    flow: undefined,
    startedWith: null
  }
}

/** All runs of a trace by their ids, in the order of their start: those that other runs have started are runs of their own. */
export const servedRuns = (trace: ReadonlyArray<TraceEntry>, user = ""): ReadonlyMap<string, ServedRun> => {
  const model = new TraceModel()
  const entries = new Map<string, Array<TraceEntry>>()
  for (const entry of trace) {
    model.add(entry)
    const own = entries.get(entry.run)
    if (own === undefined) entries.set(entry.run, [entry])
    else own.push(entry)
  }
  return new Map([...model.runs].map(([id, run]) => [id, runOf(id, user, run, entries.get(id)!)]))
}
