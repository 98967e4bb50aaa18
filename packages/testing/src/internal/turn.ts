/**
 * Yields to other work: microtasks and the event loop.
 */

// Captured when the module loads, so a test's fake timers cannot stop an exploration.
const { performance, process, setImmediate, setTimeout } = globalThis as {
  performance: { now(): number }
  process?: { nextTick?(then: () => void): void; getActiveResourcesInfo?(): ReadonlyArray<string> }
  setImmediate?: (then: () => void) => unknown
  setTimeout: (then: () => void, millis: number) => unknown
}
const nextTick = process?.nextTick?.bind(process)

export const now = (): number => performance.now()

/** Lets all microtasks run, and nothing else: no timer, file or socket. */
export const microtasks = (): Promise<void> =>
  nextTick === undefined ? eventLoop() : Promise.resolve().then(() => new Promise((then) => nextTick(then)))

/** Gives the event loop one turn. */
export const eventLoop = (): Promise<void> =>
  new Promise((then) => (setImmediate === undefined ? setTimeout(then, 0) : setImmediate(then)))

export const realSleep = (millis: number): Promise<void> => new Promise((then) => setTimeout(then, millis))

/** The kinds of open handles that could still wake something; `undefined` if unknown. */
export const activeOutside = (): ReadonlyArray<string> | undefined => process?.getActiveResourcesInfo?.()
