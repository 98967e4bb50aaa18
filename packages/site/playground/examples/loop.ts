// A draft is revised until the review finds nothing. A loop is a step that emits an event which an earlier step accepts.
import { Schema } from "effect"
import { defineEvent, defineStep, workflow } from "stepgraph"

const Assignment = defineEvent("Assignment", { text: Schema.String })
const Draft = defineEvent("Draft", { text: Schema.String })
const Criticism = defineEvent("Criticism", { text: Schema.String, word: Schema.String })
const Published = defineEvent("Published", { text: Schema.String })

const fillers = ["very", "really", "quite", "just"]

const write = defineStep({ accepts: Assignment, emits: Draft, run: ({ text }) => Draft({ text }) })

const review = defineStep({
  accepts: Draft,
  emits: [Criticism, Published],
  run: ({ text }) => {
    const word = text.split(" ").find((word) => fillers.includes(word))
    return word === undefined ? Published({ text }) : Criticism({ text, word })
  }
})

const revise = defineStep({
  accepts: Criticism,
  emits: Draft,
  run: ({ text, word }) => Draft({ text: text.replace(`${word} `, "") })
})

export const flow = workflow({
  name: "editing",
  start: Assignment,
  stop: Published,
  steps: { write, review, revise }
})
export const input = { text: "It is really quite a very small example" }
