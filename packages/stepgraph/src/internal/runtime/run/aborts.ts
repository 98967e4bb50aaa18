/**
 * One listener for all runs that a signal interrupts. A process may give its shutdown signal to every run: with a listener
 * each, Node 20 warns of a leak from the eleventh on, and to add or remove one it looks at all the others.
 */
interface Waiting {
  /** In the order in which they were added. */
  readonly aborts: Set<() => void>
  readonly listener: () => void
}

const waiting = new WeakMap<AbortSignal, Waiting>()

/** Calls back once when the signal is aborted, unless what this returns is called before. */
export const whenAborted = (signal: AbortSignal, abort: () => void): (() => void) => {
  let here = waiting.get(signal)
  if (here === undefined) {
    const aborts = new Set<() => void>()
    here = { aborts, listener: () => abortAll(signal, aborts) }
    waiting.set(signal, here)
    signal.addEventListener("abort", here.listener, { once: true })
  }
  const { aborts, listener } = here
  aborts.add(abort)
  return () => {
    if (!aborts.delete(abort) || aborts.size > 0) return
    waiting.delete(signal)
    signal.removeEventListener("abort", listener)
  }
}

const abortAll = (signal: AbortSignal, aborts: Set<() => void>): void => {
  waiting.delete(signal)
  const thrown: Array<unknown> = []
  // A run that the abort of another one ends leaves the set, and is not visited.
  for (const abort of aborts) {
    aborts.delete(abort)
    try {
      abort()
    } catch (error) {
      // As with a listener each: none keeps the others from being called.
      thrown.push(error)
    }
  }
  if (thrown.length > 0) throw thrown[0]
}
