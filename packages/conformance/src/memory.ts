// `run` and `launch` of stepgraph, which keep a run in memory. The laws check how much a run still holds at its end.
import { launch, run } from "stepgraph"
// biome-ignore lint/style/noRestrictedImports: no public entry says how many places an order keeps.
import { Position } from "../../stepgraph/src/internal/runtime/scope/position.ts"
import type { Engine } from "./engine.ts"
import { type Doors, type Ran, runWith } from "./world.ts"

/** The end of the order of emission of the latest run. */
let end: Position | undefined
const makeEnd = Position.end
Position.end = () => {
  end = makeEnd()
  return end
}

/** The number of positions in an order, without its end. */
const placesBefore = (end: Position): number => {
  let count = -1
  for (let bucket = end.bucket; bucket !== undefined; bucket = bucket.previous) count += bucket.living
  return count
}

// Nothing is known of a generated workflow's types.
const doors = { run, launch } as unknown as Doors

/** Counts the places that the latest run in here leaves. */
export const counted = async (running: () => Promise<Ran>): Promise<Ran> => {
  end = undefined
  const ran = await running()
  return { ...ran, places: end && placesBefore(end) }
}

export const memory: Engine = {
  name: "memory",
  run: (spec, timing) => counted(() => runWith(doors, spec, timing))
}
