/**
 * What a driver is given: a run, and whoever is to hear of it.
 */
import type * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import type { AnyWorkflow, Run } from "stepgraph"
import type { HistoryDiverged } from "../Errors.ts"
import type { Batch, Json, StoreService } from "../Store.ts"
import type { Codec } from "./codec.ts"

/** What a driver says to whoever runs it. */
export interface Watcher {
  /** It has ended, and all of its journal is stored. */
  ended(exit: Exit.Exit<{ readonly _tag: string }, unknown>): void
  /** Nothing of it runs and everything is stored: it waits for a message or a time. Of a dry one: its history is at its end. */
  rests(): void
  /** Somebody else has written to its journal, or the store has failed to write to it. */
  lost(failed: boolean): void
  /** It cannot go on with this graph. */
  diverged(error: HistoryDiverged): void
  /** Something has been stored. */
  stored(): void
}

export interface Driven {
  readonly id: string
  readonly epoch: number
  readonly flow: AnyWorkflow
  readonly codec: Codec
  readonly store: StoreService
  readonly start: Json
  /** In milliseconds, like all times of a store. */
  readonly createdAt: number
  readonly context: Context.Context<never>
  readonly history: ReadonlyArray<Batch>
  /** It stops at the end of its history: to look at it, or because it must not go on. */
  readonly dry?: boolean | undefined
}

/** What a driver needs of the handle of its run. */
export type Handle = Pick<
  Run<any, any, { readonly _tag: string }, unknown>,
  "send" | "closeInputs" | "interrupt" | "await"
>
