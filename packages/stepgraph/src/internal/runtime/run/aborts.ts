/**
 * One listener for all runs that a signal interrupts. A process may pass its shutdown signal to every run: with a
 * listener each, Node 20 warns of a leak from the eleventh on, and adding or removing one is linear.
 */
interface Waiting {
  /** In order of registration. */
  readonly aborts: Set<() => void>
  readonly listener: () => void
}

const waiting = new WeakMap<AbortSignal, Waiting>()

/** Calls back once when the signal is aborted, unless the returned function is called before. */
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
  // A run that ends because another was aborted leaves the set, and is not visited.
  for (const abort of aborts) {
    aborts.delete(abort)
    try {
      abort()
    } catch (error) {
      // As with separate listeners, an exception in one does not stop the others.
      thrown.push(error)
    }
  }
  if (thrown.length > 0) throw thrown[0]
}
