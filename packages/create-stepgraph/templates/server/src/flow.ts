// Publishes an article once somebody has approved it.
//
//   Draft → review → Published, or Rejected
//
// `review` asks a Question and waits for an Approval, which comes from the page or from a client.
import { Schema } from "effect"
import { defineEvent, defineStep, workflow } from "stepgraph"

const Draft = defineEvent("Draft", { title: Schema.String, text: Schema.String })
const Question = defineEvent("Question", { title: Schema.String, words: Schema.Number })
const Approval = defineEvent("Approval", { by: Schema.String, yes: Schema.Boolean })
const Published = defineEvent("Published", { title: Schema.String, by: Schema.String })
const Rejected = defineEvent("Rejected", { title: Schema.String, by: Schema.String })

const review = defineStep({
  accepts: Draft,
  emits: [Question, Published, Rejected],
  asks: Approval,
  run: async ({ title, text }, { ask }) => {
    const words = text.split(/\s+/).filter((word) => word !== "").length
    const { by, yes } = await ask(Question({ title, words }), Approval)
    return yes ? Published({ title, by }) : Rejected({ title, by })
  }
})

export const flow = workflow({
  name: "publish",
  start: Draft,
  stop: [Published, Rejected],
  inputs: [Approval],
  outputs: [Question],
  timeout: "1 hour",
  steps: { review }
})
