/**
 * Explains what was not under control, the possible cause, and what to do.
 */
import type { Modes } from "./modes.ts"

/** The outside world, a different outcome of the same run, or none. */
export type Cause = "outside" | "again" | "endless"

/** The findings and their causes. */
export type Uncontrolled = ReadonlyMap<string, Cause>

export const onlyOutside = (step: string): string =>
  `step '${step}' waits for a promise that only the outside world can settle`
export const inVain = (millis: number, steps: ReadonlyArray<string>): string => {
  const promises = steps.map((step) => `the promise of step '${step}'`).join(" and ")
  return `a run waited ${millis.toLocaleString("en")} ms ('patience') in vain for ${promises || "a timer, a file or a socket"}`
}
export const somethingOutside = "something in the outside world (a timer, a file, a socket) woke the run"
export const notAgain = "the workflow behaves differently when the same choices are repeated"
export const wentOn = "a run that went on and on was given up"

const advice = {
  outside: {
    real: 'To explore timers, set timers: "virtual"; use stubs for files, sockets and other processes.',
    virtual:
      "A timer function captured earlier, such as promisify(setTimeout) in a module, is a real one. Virtual timers, such as " +
      "a time limit of fetch, do not wait for files, sockets and other processes: use stubs for them."
  },
  again: "Provide services that keep data in memory as a layer."
}

/** All findings in one line, with advice. */
export const inOneLine = (uncontrolled: Uncontrolled, timers: Modes["timers"]): string => {
  const causes = new Set(uncontrolled.values())
  const toDo = [
    ...(causes.has("outside") ? [advice.outside[timers]] : []),
    ...(causes.has("again") ? [advice.again] : [])
  ]
  return [`${[...uncontrolled.keys()].join("; ")}.`, ...toDo].join(" ")
}
