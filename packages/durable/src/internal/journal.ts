/**
 * What the journal of a run consists of: everything that entered it, in order. See `codec.ts` for how it is written.
 */
import type { AnyWorkflow } from "stepgraph"
import type { Call } from "stepgraph/host"
import type { Batch, Json } from "../Store.ts"
import type { StoredSettlement } from "./codec.ts"

/** Something of a call. */
interface OfCall {
  /** Its attempt, where that is not the first. */
  readonly n?: number
  /** It was a call of `recover`. */
  readonly r?: 1
}
/** A call that was settled. */
export interface Settled extends StoredSettlement, OfCall {
  readonly i: string
  /** How many of its outputs were delivered, if not all of them. */
  k?: number
}
/** A question that a call has asked. */
export interface Asked extends OfCall {
  readonly q: string
  /** The question. */
  readonly v: Json
  /** The types of its answers. */
  readonly w: ReadonlyArray<string>
  /** Only some events of these types answer it: its call says which. */
  readonly f?: 1
  /** When the time of its call is over. */
  readonly d?: number
  /** The event that answered it at once, since it had come before. */
  a?: Json
  /** What asking whether an event answers it has failed with. */
  x?: Json
}
/** A call that has asked was repeated, and may ask something else. */
export interface Repeated extends OfCall {
  readonly g: string
}
/** An event that a call let out before its end. */
export interface Streamed extends OfCall {
  readonly o: string
  readonly v: Json
}
/** A time that the run sleeps for, and when it is due. */
export interface TimerSet {
  readonly t: string
  readonly d: number
}
export interface TimerFired {
  readonly z: string
}
/** A message from outside, which is kept here once more: a journal alone is the run. */
export interface MessageTaken {
  readonly m: number
  readonly v: Json
  /** The number of the entry of the question that it has answered. */
  a?: number
  /** The questions that have failed when asked whether it answers them. */
  x?: ReadonlyArray<readonly [number, Json]>
}
export type CallEntry = Settled | Asked | Repeated | Streamed
export type Entry = CallEntry | TimerSet | TimerFired | MessageTaken

/** Names a call in its run. */
export const keyOf = ({ attempt, id, recovers }: Pick<Call, "attempt" | "id" | "recovers">): string =>
  attempt === 1 && !recovers ? id : `${id} ${attempt}${recovers ? " r" : ""}`

export const invocationOf = (entry: CallEntry): string =>
  "i" in entry ? entry.i : "q" in entry ? entry.q : "g" in entry ? entry.g : entry.o

export const keyOfEntry = (entry: CallEntry): string =>
  keyOf({ id: invocationOf(entry), attempt: entry.n ?? 1, recovers: entry.r !== undefined })

export const ofCall = ({ attempt, recovers }: Call): OfCall => ({
  ...(attempt === 1 ? {} : { n: attempt }),
  ...(recovers ? { r: 1 as const } : {})
})

export const inWords = (entry: Entry): string => {
  if ("z" in entry) return `that the time of '${entry.z}' has passed`
  if ("t" in entry) return `the time of '${entry.t}'`
  if ("m" in entry) return `message ${entry.m}`
  const call = `call '${keyOfEntry(entry)}'`
  if ("q" in entry) return `question ${JSON.stringify(entry.v)} of ${call}`
  if ("o" in entry) return `event ${JSON.stringify(entry.v)}, streamed by ${call}`
  return "g" in entry ? `that ${call} was repeated` : `the end of ${call}`
}

export const entriesOf = (batches: ReadonlyArray<Batch>): ReadonlyArray<Entry> =>
  batches.flatMap(({ entries }) => entries) as unknown as ReadonlyArray<Entry>

export const outputTags = ({ outputs }: AnyWorkflow): ReadonlySet<string> =>
  new Set(outputs.map(({ tag }: { readonly tag: string }) => tag))

/** The outputs that left a run with an entry. */
export const outputsOf = (entry: Entry, tags: ReadonlySet<string>): ReadonlyArray<Json> => {
  const isOutput = (event: Json) => tags.has((event as { readonly _tag: string })._tag)
  if ("q" in entry || "o" in entry) return [entry.v].filter(isOutput)
  if (!("i" in entry) || entry.e === undefined) return []
  const outputs = entry.e.filter(isOutput)
  return outputs.slice(0, entry.k ?? outputs.length)
}
