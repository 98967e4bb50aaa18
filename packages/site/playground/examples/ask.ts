// A step asks a person, and goes on with the answer. Run it, and answer on the right.
import { Schema } from "effect"
import { defineEvent, defineStep, workflow } from "stepgraph"

const Draft = defineEvent("Draft", { text: Schema.String })
const Question = defineEvent("Question", { text: Schema.String })
const Approval = defineEvent("Approval", { by: Schema.String })
const Published = defineEvent("Published", { text: Schema.String })

const publish = defineStep({
  accepts: Draft,
  emits: [Question, Published],
  asks: Approval,
  run: async ({ text }, { ask }) => {
    const { by } = await ask(Question({ text: `Publish '${text}'?` }), Approval)
    return Published({ text: `${text} (approved by ${by})` })
  }
})

export const flow = workflow({
  name: "approval",
  start: Draft,
  stop: Published,
  inputs: [Approval],
  outputs: [Question],
  steps: { publish }
})
export const input = { text: "News" }

// What Explore sends: in each order, the answer comes at another moment.
export const sends = [Approval({ by: "Ada" })]
