/**
 * Where durable runs are kept: for each run one ordered journal, the messages sent to it, and who owns it.
 *
 * A store orders and fences. It knows nothing of workflows: entries, events and results are JSON to it.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"

export type Json = Schema.Json

/** A flow as the store knows it: a run is given to none but a process that has registered exactly this. */
export interface FlowKey {
  readonly flow: string
  readonly version: string
  /** Of the graph: names, events, schemas, intakes. */
  readonly fingerprint: string
}

/** `active` until it has ended; `stuck` where it cannot go on with the graph that it was given. */
export type RunState = "active" | "stuck" | EndedState

/** How a run has ended. */
export type EndedState = "succeeded" | "failed" | "interrupted"

/** A run as its store knows it. */
export interface StoredRun extends FlowKey {
  readonly id: string
  readonly state: RunState
  readonly start: Json
  /** What it ended with, or why it is stuck. */
  readonly result: Json | undefined
  readonly createdAt: number
  readonly endedAt: number | undefined
  /** The process that performs it now. */
  readonly owner: string | undefined
  /** Number of times that it has been claimed: the token of its writer. */
  readonly epoch: number
  /** When somebody should take it up, where nobody owns it; undefined where it waits for a message. */
  readonly wake: number | undefined
  /** Number of messages sent to it. */
  readonly messages: number
  /** How many of its owners in a row have died before anything of it was stored. */
  readonly crashes: number
  /** In how many of these crashes it was the only suspect at work. */
  readonly trials: number
}

/**
 * A run with so many crashes is a suspect. A process that dies takes all of its runs with it, so one crash proves nothing: from
 * here on, suspects are tried one after another.
 */
export const suspicious = 2

/** What a run is created from. */
export type Creation = FlowKey & { readonly id: string; readonly start: Json }

/** A run that has just been created: owned by a process, or due for any that has its workflow. */
export const createdRun = (
  { fingerprint, flow, id, start, version }: Creation,
  owner: string | undefined,
  at: number
): StoredRun => ({
  id,
  flow,
  version,
  fingerprint,
  state: "active",
  start,
  result: undefined,
  createdAt: at,
  endedAt: undefined,
  owner,
  epoch: 1,
  wake: owner === undefined ? 0 : undefined,
  messages: 0,
  crashes: 0,
  trials: 0
})

/** Part of a journal: what was stored at once. */
export interface Batch {
  /** The number of its first entry. */
  readonly from: number
  readonly at: number
  /** The token of its writer. */
  readonly epoch: number
  readonly entries: ReadonlyArray<Json>
}

/** What is sent to a run from outside. */
export type Message =
  | { readonly _tag: "event"; readonly event: Json }
  | { readonly _tag: "close" }
  | { readonly _tag: "interrupt" }

export interface StoredMessage {
  /** Its place, from 1 on. */
  readonly number: number
  readonly key: string
  readonly message: Message
}

/** Runs by the time of their creation, the newest first; of one time, by their ids. */
export interface ListQuery {
  readonly flow?: string | undefined
  readonly state?: RunState | undefined
  /** The place after which to go on. */
  readonly after?: { readonly createdAt: number; readonly id: string } | undefined
  readonly limit: number
}

export interface ForgetQuery {
  readonly flow?: string | undefined
  readonly state?: EndedState | undefined
  readonly endedBefore: number
  readonly limit: number
}

/** A failure of the store itself is a defect: the run goes on elsewhere, or here once the store works again. */
export interface StoreService {
  /** Whether a write is done before its Effect gives way. */
  readonly synchronous: boolean
  /** Creates a run, owned by `owner` or due for anybody; gives the one that there is where the id is taken. */
  readonly create: (
    run: Creation,
    owner: string | undefined
  ) => Effect.Effect<{ readonly created: boolean; readonly run: StoredRun }>
  /** Keeps what the graph of a fingerprint looks like. */
  readonly keepGraph: (fingerprint: string, graph: Json) => Effect.Effect<void>
  readonly graph: (fingerprint: string) => Effect.Effect<Json | undefined>
  readonly get: (id: string) => Effect.Effect<StoredRun | undefined>
  readonly list: (query: ListQuery) => Effect.Effect<ReadonlyArray<StoredRun>>
  /** The whole journal, or what follows the entry of a number. */
  readonly load: (id: string, from?: number) => Effect.Effect<ReadonlyArray<Batch>>
  /** Appends to the journal where it has `from` entries and the writer has the latest epoch; `false` otherwise. */
  readonly append: (id: string, epoch: number, from: number, entries: ReadonlyArray<Json>) => Effect.Effect<boolean>
  /**
   * Sends a message, once for each key. Gives its place; `undefined` if the run is unknown or has ended, and for an event
   * after a `close`.
   */
  readonly send: (id: string, key: string, message: Message) => Effect.Effect<number | undefined>
  readonly messages: (id: string, after: number) => Effect.Effect<ReadonlyArray<StoredMessage>>
  /** Gives the run back until `wake`; `false` if a message has come after the first `seen`, or another owns it. */
  readonly suspend: (id: string, epoch: number, seen: number, wake: number | undefined) => Effect.Effect<boolean>
  /** Ends the run, or gives it up as stuck; `false` if another owns it. */
  readonly end: (id: string, epoch: number, state: RunState, result: Json | undefined) => Effect.Effect<boolean>
  /** Lets a run that is stuck be taken up again; `false` if it is not. */
  readonly resume: (id: string) => Effect.Effect<boolean>
  /** Ends a run that is stuck, as interrupted; `false` if it is not. */
  readonly abort: (id: string) => Effect.Effect<boolean>
  /** Forgets a run that has ended, with its journal and messages; `false` if it has not, or is unknown. */
  readonly forget: (id: string) => Effect.Effect<boolean>
  /** Forgets up to `limit` runs that have ended; gives how many there were. */
  readonly forgetEnded: (query: ForgetQuery) => Effect.Effect<number>
  /**
   * Takes up to `limit` runs that are due, or whose owner is dead. One suspect at most is among them, and only where `suspects`
   * says so: it is on trial, until it is acquitted or stores something.
   */
  readonly claim: (
    owner: string,
    flows: ReadonlyArray<FlowKey>,
    limit: number,
    suspects: boolean
  ) => Effect.Effect<ReadonlyArray<StoredRun>>
  /** The process has survived the trial of a suspect: a later crash is not its fault more than that of others. */
  readonly acquit: (id: string, epoch: number) => Effect.Effect<void>
  /** Of the runs of an owner, those that have been sent messages by somebody else, with their number. */
  readonly signalled: (
    owner: string
  ) => Effect.Effect<ReadonlyArray<{ readonly id: string; readonly messages: number }>>
  /** The ids of the runs of an owner. */
  readonly owned: (owner: string) => Effect.Effect<ReadonlyArray<string>>
  /** The first time at which a run that nobody owns is due, among suspects or not. */
  readonly nextWake: (flows: ReadonlyArray<FlowKey>, suspects: boolean) => Effect.Effect<number | undefined>
  /** Says that an owner is alive for the next `lease` milliseconds. */
  readonly beat: (owner: string, lease: number) => Effect.Effect<void>
  /** All owners that somebody has seen alive. */
  readonly owners: Effect.Effect<ReadonlyArray<string>>
  /** An owner that is alive gives back all that it has. */
  readonly release: (owner: string) => Effect.Effect<void>
  /** An owner is known to be dead before its time is over: what it had may be claimed at once. */
  readonly bury: (owner: string) => Effect.Effect<void>
  /** A number that changes whenever another process may have written; `undefined` if nobody can say. */
  readonly changes: Effect.Effect<number | undefined>
}

/** The store of durable runs. */
export class Store extends Context.Service<Store, StoreService>()("stepgraph/durable/Store") {}
