// A draft is written, reviewed and revised until the review finds nothing or the revisions run out. A loop is a step
// that emits an event which an earlier step accepts; a branch is a step that emits one event or another. Neither needs
// anything else, nor Effect.
//
//   Assignment → write → Draft → review ┬→ Published, a stop event
//                          ↑            ├→ GivenUp, a stop event
//                          └── revise ←─┴ Criticism
import { Schema } from "effect"
import { defineEvent, defineState, defineStep, runPromise, workflow } from "stepgraph"

const Assignment = defineEvent("Assignment", { text: Schema.String, revisions: Schema.Number })
const Draft = defineEvent("Draft", { text: Schema.String })
const Criticism = defineEvent("Criticism", { text: Schema.String, word: Schema.String })
const Published = defineEvent("Published", { text: Schema.String, revisions: Schema.Number })
const GivenUp = defineEvent("GivenUp", { text: Schema.String, because: Schema.String })

// Each run has its own copy of this state.
const left = defineState("left", Schema.Number, 0)
const done = defineState("done", Schema.Number, 0)

const write = defineStep({
  accepts: Assignment,
  emits: Draft,
  run: ({ text, revisions }, { set }) => {
    set(left, revisions)
    return Draft({ text })
  }
})

const fillers = ["very", "really", "quite", "just"]

/** A real program would ask a person, a service or a model here. */
const askReviewer = async (text: string) => text.split(" ").find((word) => fillers.includes(word))

const review = defineStep({
  accepts: Draft,
  emits: [Criticism, Published, GivenUp],
  run: async ({ text }, { get }) => {
    const word = await askReviewer(text)
    if (word === undefined) return Published({ text, revisions: get(done) })
    if (get(left) === 0) return GivenUp({ text, because: `it still says '${word}'` })
    return Criticism({ text, word })
  }
})

const revise = defineStep({
  accepts: Criticism,
  emits: Draft,
  run: ({ text, word }, { update }) => {
    update(left, (n) => n - 1)
    update(done, (n) => n + 1)
    return Draft({ text: text.replace(`${word} `, "") })
  }
})

export const editing = workflow({
  name: "editing",
  start: Assignment,
  stop: [Published, GivenUp],
  steps: { write, review, revise }
})

const main = async () => {
  const text = "It is really quite a very small example"
  for (const revisions of [5, 2]) {
    // The result is one of the two stop events; `_tag` says which.
    const end = await runPromise(editing, { text, revisions })
    console.log(
      end._tag === "Published"
        ? `Published after ${end.revisions} revisions: ${end.text}.`
        : `Given up, as ${end.because}: ${end.text}.`
    )
  }
}

if (import.meta.main) await main()
