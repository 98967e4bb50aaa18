// What is in use after a garbage collection, so that a test can say that memory stays flat.
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose_gc")
const collectGarbage = runInNewContext("gc") as () => void

/** The bytes of the heap that are in use once what nobody holds is gone. */
export const heapInUse = (): number => {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
