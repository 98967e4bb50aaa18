/**
 * What the laws of this workspace test: the driver of one run, without the runner that takes runs up and gives them back. Not
 * published.
 *
 * @module durable/internal
 */
export { type Codec, codecOf, type StoredSettlement } from "./internal/codec.ts"
export { type Driven, Driver, type Entry, type Handle, type Watcher } from "./internal/driver.ts"
export { memoryStore } from "./internal/memory-store.ts"
export type { Batch, Json, Message, StoredMessage, StoreService } from "./Store.ts"
