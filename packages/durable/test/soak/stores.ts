// The stores that the soak can run on.
import { type DurableRuns, openDurable } from "../../src/index.ts"

export const openStore = (place: string, durables: ReadonlyArray<any>): Promise<DurableRuns> =>
  openDurable({ sqlite: place, crashes: 1000, warm: 4 }, durables as [])
