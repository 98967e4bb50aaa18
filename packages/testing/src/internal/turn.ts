/**
 * Letting others go on: what promises have set off, and the event loop.
 */

// Taken when the module is loaded, so that a test's fake timers do not stop an exploration.
const { performance, process, setImmediate, setTimeout } = globalThis as {
  performance: { now(): number }
  process?: { nextTick?(then: () => void): void; getActiveResourcesInfo?(): ReadonlyArray<string> }
  setImmediate?: (then: () => void) => unknown
  setTimeout: (then: () => void, millis: number) => unknown
}
const nextTick = process?.nextTick?.bind(process)

export const now = (): number => performance.now()

/** Lets all microtasks run, and nothing else: no timer, no file, no socket. */
export const microtasks = (): Promise<void> =>
  nextTick === undefined ? eventLoop() : Promise.resolve().then(() => new Promise((then) => nextTick(then)))

/** Gives the event loop one turn. */
export const eventLoop = (): Promise<void> =>
  new Promise((then) => (setImmediate === undefined ? setTimeout(then, 0) : setImmediate(then)))

export const realSleep = (millis: number): Promise<void> => new Promise((then) => setTimeout(then, millis))

/** The kinds of what in the world outside could still wake somebody; `undefined` where that cannot be known. */
export const activeOutside = (): ReadonlyArray<string> | undefined => process?.getActiveResourcesInfo?.()
