import type { Engine } from "./engine.ts"
import { memory } from "./memory.ts"

/** Every law holds for each of them. */
export const engines: ReadonlyArray<Engine> = [memory]
