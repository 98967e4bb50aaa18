// Memory in use after a garbage collection, for tests of constant memory.
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose_gc")
const collectGarbage = runInNewContext("gc") as () => void

/** The used bytes of the heap after a garbage collection. */
export const heapInUse = (): number => {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
