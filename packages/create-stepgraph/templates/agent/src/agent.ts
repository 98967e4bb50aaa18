// An agent: a model that calls tools until it can answer. The calls of one turn run side by side, dangerous ones only
// after a person's yes.
//
//   Task → begin → Turn → think ┬→ Call → approve → Allowed → use → Result → review (per Turn) → Turn …
//                               └→ Answer                                             └→ GaveUp
//
// `approve` asks a Question and waits for an Approval, which comes from outside.
import { Schema } from "effect"
import { defineEvent, defineState, defineStep, gather, workflow } from "stepgraph"
import { call, Message, type Model, type Tools } from "./conversation.ts"

const Task = defineEvent("Task", { text: Schema.String })
const Turn = defineEvent("Turn", { n: Schema.Number })
const Said = defineEvent("Said", { text: Schema.String })
const Call = defineEvent("Call", call)
const Question = defineEvent("Question", call)
export const Approval = defineEvent("Approval", { id: Schema.String, yes: Schema.Boolean })
const Allowed = defineEvent("Allowed", call)
const Result = defineEvent("Result", { id: Schema.String, text: Schema.String })
const Answer = defineEvent("Answer", { text: Schema.String })
const GaveUp = defineEvent("GaveUp", { turns: Schema.Number })

/** What was said in a run so far. */
const messages = defineState("messages", Schema.Array(Message), [])

/** An agent of a model and tools that gives up after `turns` turns. */
export const agent = (model: Model, tools: Tools, turns = 8) => {
  const begin = defineStep({
    accepts: Task,
    emits: Turn,
    run: ({ text }, { update }) => {
      update(messages, (before) => [...before, { role: "user", text }])
      return Turn({ n: 1 })
    }
  })

  const think = defineStep({
    accepts: Turn,
    emits: [Said, Call, Answer],
    timeout: "1 minute",
    run: async (_, { get, update, signal }) => {
      const { text, calls } = await model(get(messages), signal)
      // What an attempt writes stays, so write only once it has succeeded.
      update(messages, (before) => [...before, { role: "assistant", text, calls }])
      return calls.length === 0 ? Answer({ text }) : [Said({ text }), ...calls.map((call) => Call(call))]
    },
    retry: { times: 2, delay: "1 second", factor: 2, jitter: true }
  })

  const approve = defineStep({
    accepts: Call,
    emits: [Question, Allowed, Result],
    asks: Approval,
    run: async (call, { ask }) => {
      if (!tools[call.tool]?.dangerous) return Allowed(call)
      const { yes } = await ask(Question(call), Approval, ({ id }) => id === call.id)
      return yes ? Allowed(call) : Result({ id: call.id, text: "The user said no." })
    },
    // The inputs are closed: nobody is there to answer.
    recover: (_, { id }) => Result({ id, text: "Nobody could be asked, so it was not done." })
  })

  const use = defineStep({
    accepts: Allowed,
    emits: Result,
    workers: 8,
    timeout: "20 seconds",
    run: async ({ id, tool, input }, { signal }) => {
      const used = tools[tool]
      return Result({ id, text: used ? await used.run(input, signal) : `There is no tool '${tool}'.` })
    },
    // The model learns that a call failed, and may try something else.
    recover: (error, { id }) =>
      Result({ id, text: `Failed: ${error._tag === "StepTimedOut" ? "it took too long" : error.reason}` })
  })

  const review = defineStep({
    // All results of one turn, in the order of its calls.
    accepts: gather(Result, { per: Turn }),
    emits: [Turn, GaveUp],
    run: (results, { per, update }) => {
      const heard = results.map(({ id, text }) => ({ role: "tool" as const, call: id, text }))
      update(messages, (before) => [...before, ...heard])
      return per.n < turns ? Turn({ n: per.n + 1 }) : GaveUp({ turns })
    }
  })

  return workflow({
    name: "agent",
    start: Task,
    stop: [Answer, GaveUp],
    inputs: [Approval],
    outputs: [Said, Call, Question],
    timeout: "5 minutes",
    steps: { begin, think, approve, use, review }
  })
}
