/**
 * A run as its store has it, for tools that do not know its workflow: events and errors are JSON.
 */
import type { Batch, Json, StoredMessage, StoredRun } from "../Store.ts"
import { coreErrorFrom, type StoredReason } from "./codec.ts"
import type { Entry } from "./journal.ts"

/** An error as it is stored. */
export interface RecordedError {
  readonly name: string
  readonly message: string
}

/** Part of a run's journal, in the order in which it happened. */
export type JournalEntry = { readonly at: Date } & (
  | {
      readonly _tag: "CallEnded"
      /** The id of the invocation. */
      readonly call: string
      readonly step: string
      readonly attempt: number
      /** Whether it was a call of the step's `recover`. */
      readonly recovers: boolean
      readonly events: ReadonlyArray<Json>
      readonly errors: ReadonlyArray<RecordedError>
      readonly interrupted: boolean
    }
  | { readonly _tag: "TimerSet"; readonly timer: Timer; readonly due: Date }
  | { readonly _tag: "TimerFired"; readonly timer: Timer }
  | { readonly _tag: "MessageTaken"; readonly number: number; readonly message: StoredMessage["message"] }
  /** It had read a cell of state that was written meanwhile. Other calls are repeated without an entry. */
  | { readonly _tag: "CallRepeated"; readonly call: string; readonly step: string }
  | { readonly _tag: "QuestionAsked"; readonly call: string; readonly step: string; readonly question: Json }
  | { readonly _tag: "EventStreamed"; readonly call: string; readonly step: string; readonly event: Json }
  /** Of a later release. */
  | { readonly _tag: "Other"; readonly entry: Json }
)

/** What a run waits for: its whole `timeout`, a `within`, or the pause before a retry. */
export interface Timer {
  readonly why: string
  readonly of: string
}

/** A run as its journal tells it. */
export interface RunRecord {
  readonly id: string
  readonly workflow: string
  readonly version: string
  readonly state: StoredRun["state"]
  readonly createdAt: Date
  readonly endedAt: Date | undefined
  /** The start event. */
  readonly start: Json
  /** The stop event of a run that has succeeded. */
  readonly stop: Json | undefined
  /** What a run has failed with. */
  readonly errors: ReadonlyArray<RecordedError>
  /** The process that performs it now. */
  readonly owner: string | undefined
  /** When it goes on by itself, where nobody performs it. */
  readonly due: Date | undefined
  readonly messages: ReadonlyArray<StoredMessage>
  readonly journal: ReadonlyArray<JournalEntry>
}

export const recordOf = (
  run: StoredRun,
  history: ReadonlyArray<Batch>,
  messages: ReadonlyArray<StoredMessage>
): RunRecord => {
  const result = run.result as { readonly stop?: Json; readonly cause?: ReadonlyArray<StoredReason> } | undefined
  return {
    id: run.id,
    workflow: run.flow,
    version: run.version,
    state: run.state,
    createdAt: new Date(run.createdAt),
    endedAt: run.endedAt === undefined ? undefined : new Date(run.endedAt),
    start: run.start,
    stop: result?.stop,
    errors: errorsOf(result?.cause ?? []),
    owner: run.owner,
    due: run.wake === undefined || run.owner !== undefined ? undefined : new Date(run.wake),
    messages,
    journal: history.flatMap(({ at, entries }) =>
      entries.map((entry) => ({ at: new Date(at), ...entryOf(entry as unknown as Entry) }))
    )
  }
}

type WithoutTime<A> = A extends unknown ? Omit<A, "at"> : never

const entryOf = (entry: Entry): WithoutTime<JournalEntry> => {
  if ("i" in entry) {
    const { e: events = [], i, n = 1, r, x = [] } = entry
    const step = stepOf(i)
    const interrupted = x.includes("interrupted")
    return { _tag: "CallEnded", call: i, step, attempt: n, recovers: r === 1, events, errors: errorsOf(x), interrupted }
  }
  if ("g" in entry) return { _tag: "CallRepeated", call: entry.g, step: stepOf(entry.g) }
  if ("q" in entry) return { _tag: "QuestionAsked", call: entry.q, step: stepOf(entry.q), question: entry.v }
  if ("o" in entry) return { _tag: "EventStreamed", call: entry.o, step: stepOf(entry.o), event: entry.v }
  if ("t" in entry) return { _tag: "TimerSet", timer: timerOf(entry.t), due: new Date(entry.d) }
  if ("z" in entry) return { _tag: "TimerFired", timer: timerOf(entry.z) }
  if ("m" in entry)
    return { _tag: "MessageTaken", number: entry.m, message: entry.v as unknown as StoredMessage["message"] }
  return { _tag: "Other", entry: entry as unknown as Json }
}

const stepOf = (call: string): string => call.slice(0, call.lastIndexOf("#"))

const timerOf = (key: string): Timer => {
  const space = key.indexOf(" ")
  return { why: key.slice(0, space), of: key.slice(space + 1) }
}

const errorsOf = (reasons: ReadonlyArray<StoredReason>): ReadonlyArray<RecordedError> =>
  reasons.flatMap((reason) => {
    if (reason === "interrupted") return []
    if ("s" in reason) {
      const { message } = (coreErrorFrom(reason.s, reason.v) ?? reason.v) as { readonly message?: unknown }
      return [{ name: reason.s, message: typeof message === "string" ? message : JSON.stringify(reason.v) }]
    }
    const { message, name, tag } = "d" in reason ? reason.d : reason.f
    return [{ name: tag ?? name, message }]
  })
