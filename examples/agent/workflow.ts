// An agent: a model that calls tools until it can answer. The calls of one turn run side by side, dangerous ones only
// after a person's yes.
//
//   Task → begin → Turn → think ┬→ Call → approve → Allowed → use → Result → review (per Turn) → Turn …
//                               └→ Answer                                             └→ GaveUp
//
// `think` streams its Tokens. `approve` asks a Question and waits for an Approval, which comes from outside.
import { Schema } from "effect"
import { defineEvent, defineLimit, defineState, defineStep, gather, workflow } from "stepgraph"
import { call, Message, type Model, Refused, type Tool } from "./conversation.ts"

/** `earlier` is what was said before: begin with the conversation of the last run, and it goes on. */
export const Task = defineEvent("Task", { text: Schema.String, earlier: Schema.optionalKey(Schema.Array(Message)) })
const Turn = defineEvent("Turn", { n: Schema.Number })
export const Token = defineEvent("Token", { turn: Schema.Number, attempt: Schema.Number, text: Schema.String })
export const Call = defineEvent("Call", call)
export const Question = defineEvent("Question", call)
export const Approval = defineEvent("Approval", { id: Schema.String, yes: Schema.Boolean })
const Allowed = defineEvent("Allowed", call)
const Result = defineEvent("Result", { id: Schema.String, text: Schema.String })
export const Answer = defineEvent("Answer", { text: Schema.String, conversation: Schema.Array(Message) })
export const GaveUp = defineEvent("GaveUp", { turns: Schema.Number, conversation: Schema.Array(Message) })

/** The memory of a run. */
const messages = defineState("messages", Schema.Array(Message), [])

/** All runs of the process share it. */
const modelCalls = defineLimit("model", { concurrent: 8 })

/** An agent of a model and tools that gives up after `turns` turns, or five minutes. */
export const agent = (model: Model, tools: Readonly<Record<string, Tool>>, turns = 8) => {
  const begin = defineStep({
    accepts: Task,
    emits: Turn,
    run: ({ text, earlier = [] }, { set }) => {
      set(messages, [...earlier, { role: "user", text }])
      return Turn({ n: 1 })
    }
  })

  const think = defineStep({
    accepts: Turn,
    emits: [Token, Call, Answer],
    // Heard at once: all else that an attempt emits is held until it has succeeded.
    stream: Token,
    limit: modelCalls,
    timeout: "1 minute",
    run: async ({ n }, { get, update, send, signal, attempt }) => {
      const onToken = (text: string) => send(Token({ turn: n, attempt, text }))
      const { text, calls } = await model(get(messages), { onToken, signal })
      // What an attempt writes stays, so write only once it has succeeded.
      const conversation = update(messages, (before) => [...before, { role: "assistant", text, calls }])
      return calls.length === 0 ? Answer({ text, conversation }) : calls.map((call) => Call(call))
    },
    retry: {
      times: 3,
      delay: "200 millis",
      factor: 2,
      jitter: true,
      while: (error) => !(error._tag === "StepRejected" && error.cause instanceof Refused)
    }
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

  // A step of its own, so that its limit does not count the time in which a person thinks.
  const use = defineStep({
    accepts: Allowed,
    emits: Result,
    workers: 8,
    timeout: "20 seconds",
    run: async ({ id, tool, input }, { signal }) => {
      const used = tools[tool]
      return Result({ id, text: used ? await used.run(input, { signal }) : `There is no tool '${tool}'.` })
    },
    // The model learns that a call failed, and may try something else.
    recover: (error, { id }) =>
      Result({ id, text: `Failed: ${error._tag === "StepTimedOut" ? "it took too long" : error.reason}` })
  })

  const review = defineStep({
    accepts: gather(Result, { per: Turn }),
    emits: [Turn, GaveUp],
    run: (results, { per, update }) => {
      const heard = results.map(({ id, text }) => ({ role: "tool" as const, call: id, text }))
      const conversation = update(messages, (before) => [...before, ...heard])
      return per.n < turns ? Turn({ n: per.n + 1 }) : GaveUp({ turns, conversation })
    }
  })

  return workflow({
    name: "agent",
    start: Task,
    stop: [Answer, GaveUp],
    inputs: [Approval],
    outputs: [Token, Call, Question],
    timeout: "5 minutes",
    steps: { begin, think, approve, use, review }
  })
}
