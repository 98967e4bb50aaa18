import type { Engine } from "./engine.ts"
import { memory } from "./memory.ts"

/** Every law applies to each of these engines. */
export const engines: ReadonlyArray<Engine> = [memory]
