// The messages of a live run, and a run that waits for some.
import { Schema } from "effect"
import { defineEvent, defineStep, workflow } from "stepgraph"
import { Start, Stop, stop } from "./flow.ts"

export const Note = defineEvent("Note", { n: Schema.Number })
export const Told = defineEvent("Told", { n: Schema.Number })
export const note = (n: number) => Note({ n })

/** Ends with its first note. */
export const waiting = workflow({
  name: "waiting",
  start: Start,
  stop: Stop,
  inputs: [Note],
  outputs: [Told],
  steps: {
    tell: defineStep({ accepts: Start, emits: Told, run: () => Told({ n: 1 }) }),
    end: defineStep({ accepts: Note, emits: Stop, run: ({ n }) => stop(n) })
  }
})
