// Computing in turns. The retrievers share one thread: each gives way after a while, so that they advance side by side,
// and so that a run which is interrupted ends at once instead of after the last of them.
import { setImmediate } from "node:timers/promises"

const atATime = 200

/** The items with their places, giving way to others after every 200; fails once the signal is aborted. */
export async function* inTurns<Item>(items: ReadonlyArray<Item>, signal?: AbortSignal) {
  for (const [place, item] of items.entries()) {
    if (place % atATime === atATime - 1) {
      await setImmediate()
      signal?.throwIfAborted()
    }
    yield [place, item] as const
  }
}
