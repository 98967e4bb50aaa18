import { crashed, durable } from "./durable.ts"
import type { Engine } from "./engine.ts"
import { memory } from "./memory.ts"

/** Every law applies to each of these engines. */
export const engines: ReadonlyArray<Engine> = [memory, durable, crashed]

/** Those that run steps which ask, or let something out before they end: see `refuses` of the others. */
export const askingEngines = engines.filter(({ refuses }) => refuses === undefined)
