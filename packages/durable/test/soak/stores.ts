// The stores that the soak can run on.
import { type DurableRuns, openDurable } from "../../src/index.ts"
import { layerPostgres } from "../../src/Postgres.ts"

const options = { crashes: 1000, warm: 4 }

export const openStore = (place: string, durables: ReadonlyArray<any>): Promise<DurableRuns> =>
  openDurable(
    place.startsWith("postgres:")
      ? { layer: layerPostgres({ url: place, maxConnections: 4, lease: 1500, poll: 50, ...options }) }
      : { sqlite: place, ...options },
    durables as []
  )
