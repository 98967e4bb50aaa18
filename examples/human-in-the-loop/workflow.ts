// A workflow with a human in the loop: it writes a letter, asks whether to send it, waits for the answer, and
// continues.
//
//   Task → write → Draft ┬→ ask → Question   (an output: out to the person)
//                        └→ decide ← Answer  (an input: back from the person)
//                             ├→ Feedback → write …
//                             └→ Sent or Discarded
import { Schema } from "effect"
import { defineEvent, defineState, defineStep, join, workflow } from "stepgraph"

export const Task = defineEvent("Task", { to: Schema.String })
export const Draft = defineEvent("Draft", { text: Schema.String })
export const Question = defineEvent("Question", { text: Schema.String })
export const Answer = defineEvent("Answer", { text: Schema.NonEmptyString })
export const Feedback = defineEvent("Feedback", { wish: Schema.String })
export const Sent = defineEvent("Sent", { text: Schema.String })
export const Discarded = defineEvent("Discarded", { drafts: Schema.Number })

const addressee = defineState("addressee", Schema.String, "")
const wishes = defineState("wishes", Schema.Array(Schema.String), [])

const write = defineStep({
  accepts: [Task, Feedback],
  emits: Draft,
  // Your own program would call a model here.
  run: (event, { get, set, update }) => {
    if (event._tag === "Task") set(addressee, event.to)
    else update(wishes, (before) => [...before, event.wish])
    return Draft({ text: [`Dear ${get(addressee)}, the release is out.`, ...get(wishes)].join(" ") })
  }
})

const ask = defineStep({
  accepts: Draft,
  emits: Question,
  run: ({ text }) => Question({ text: `${text}\nSend it? (yes, no, or what to add)` })
})

const decide = defineStep({
  // Runs once both a draft and an answer are there. An early answer is kept.
  accepts: join([Draft, Answer]),
  emits: [Sent, Discarded, Feedback],
  run: ([draft, { text }], { get }) => {
    if (text === "yes") return Sent({ text: draft.text })
    if (text === "no") return Discarded({ drafts: 1 + get(wishes).length })
    return Feedback({ wish: text })
  }
})

export const letter = workflow({
  name: "letter",
  start: Task,
  stop: [Sent, Discarded],
  inputs: [Answer],
  outputs: [Question],
  steps: { write, ask, decide }
})
