// Cooperative computing. The retrievers share one thread. Each yields regularly, so all of them advance side by side
// and an interrupted run ends at once.
import { setImmediate } from "node:timers/promises"

const atATime = 200

/** The items with their indices. Yields to other work after every 200 items, and fails once the signal is aborted. */
export async function* inTurns<Item>(items: ReadonlyArray<Item>, signal?: AbortSignal) {
  for (const [place, item] of items.entries()) {
    if (place % atATime === atATime - 1) {
      await setImmediate()
      signal?.throwIfAborted()
    }
    yield [place, item] as const
  }
}
