/**
 * Durable runs: the same workflow, surviving its process.
 *
 * @module durable
 */
export {
  type AnyDurable,
  type Durable,
  type DurableError,
  type DurableOptions,
  type DurableRun,
  durable,
  layerMemory,
  layerSql,
  layerSqlite,
  layerStore,
  type RunnerOptions,
  type RunSummary,
  Runs,
  type StartInput
} from "./Durable.ts"
export * from "./Errors.ts"
export type { JournalEntry, RecordedError, RunRecord, Timer } from "./internal/record.ts"
export {
  type DurableHandle,
  type DurableRuns,
  type OpenOptions,
  openDurable,
  type StoredHandle
} from "./OpenDurable.ts"
export {
  type Batch,
  type FlowKey,
  type ListOptions,
  type Message,
  type RunState,
  Store,
  type StoredMessage,
  type StoredRun,
  type StoreService
} from "./Store.ts"
