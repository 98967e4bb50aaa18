/**
 * Durable runs: the same workflow, surviving its process.
 *
 * @module durable
 */
export { type AnyDurable, type Durable, type DurableOptions, durable, type StartInput } from "./Durable.ts"
export type { DurableError, DurableRun } from "./DurableRun.ts"
export * from "./Errors.ts"
export type { JournalEntry, RecordedError, RunRecord, Timer } from "./internal/record.ts"
export {
  type DurableHandle,
  type DurableRuns,
  type OpenOptions,
  openDurable,
  type StoredHandle
} from "./OpenDurable.ts"
export type { ForgetOptions, ListOptions, RunSummary } from "./RunList.ts"
export { layerMemory, layerSql, layerSqlite, layerStore, type RunnerOptions, Runs } from "./Runs.ts"
export {
  type Batch,
  type Creation,
  type EndedState,
  type FlowKey,
  type ForgetQuery,
  type ListQuery,
  type Message,
  type RunState,
  Store,
  type StoredMessage,
  type StoredRun,
  type StoreService
} from "./Store.ts"
