/**
 * What the laws of this workspace test: the driver of one run, without the runner that takes runs up and gives them back. Not
 * published.
 *
 * @module durable/internal
 */
export { type Codec, codecOf, type StoredSettlement } from "./internal/codec.ts"
export type { Driven, Handle, Watcher } from "./internal/driven.ts"
export { Driver } from "./internal/driver.ts"
export type { Entry } from "./internal/journal.ts"
export { memoryStore } from "./internal/memory-store.ts"
export type { Batch, Json, Message, StoredMessage, StoreService } from "./Store.ts"
