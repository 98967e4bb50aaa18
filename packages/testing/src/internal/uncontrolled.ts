/**
 * What went its own way, in words: what was not under control, why that may be, and what to do about it.
 */
import type { Modes } from "./modes.ts"

/** The world outside, another end of the same run, or none. */
export type Cause = "outside" | "again" | "endless"

/** What there was, and the cause of each. */
export type Uncontrolled = ReadonlyMap<string, Cause>

export const onlyOutside = (step: string): string =>
  `step '${step}' waits for a promise that only the world outside can settle`
export const inVain = (millis: number, steps: ReadonlyArray<string>): string => {
  const promises = steps.map((step) => `the promise of step '${step}'`).join(" and ")
  return `a run waited ${millis.toLocaleString("en")} ms ('patience') in vain for ${promises || "a timer, a file or a socket"}`
}
export const somethingOutside = "something in the world outside (a timer, a file, a socket) woke the run"
export const notAgain = "the workflow does not do the same when the same choices are taken again"
export const wentOn = "a run that went on and on was given up"

const advice = {
  outside: {
    real: 'What waits for a timer is explored with timers: "virtual"; give stubs for files, sockets and other processes.',
    virtual:
      "A timer function kept from before, as by promisify(setTimeout) in a module, is a real one. No virtual timer, such as " +
      "a time limit of fetch, waits for files, sockets and other processes: give stubs for them."
  },
  again: "Give what keeps something in memory as a layer."
}

/** All of it in one line, with what to do. */
export const inOneLine = (uncontrolled: Uncontrolled, timers: Modes["timers"]): string => {
  const causes = new Set(uncontrolled.values())
  const toDo = [
    ...(causes.has("outside") ? [advice.outside[timers]] : []),
    ...(causes.has("again") ? [advice.again] : [])
  ]
  return [`${[...uncontrolled.keys()].join("; ")}.`, ...toDo].join(" ")
}
