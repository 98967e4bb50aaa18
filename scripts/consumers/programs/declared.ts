// What a library exports: its types must have names that its users can import.
import { Effect, Schedule, Schema } from "effect"
import {
  around,
  asStep,
  collect,
  defineEvent,
  defineState,
  defineStep,
  gather,
  join,
  launchPromise,
  race,
  runPromise,
  stream,
  workflow
} from "stepgraph"

export const Start = defineEvent("Start", { n: Schema.Number })
export const Item = defineEvent("Item", { n: Schema.Number })
export const Question = defineEvent("Question")
export const Answer = defineEvent("Answer", { text: Schema.String })
export const Done = defineEvent("Done", { text: Schema.String })
export const Stop = defineEvent("Stop", { text: Schema.String })
export const total = defineState("total", Schema.Number, 0)
export class Broken extends Schema.TaggedError<Broken>()("Broken", { why: Schema.String }) {}

export const split = defineStep({
  accepts: Start,
  emits: Item,
  run: ({ n }) => Array.from({ length: n }, () => Item({ n }))
})
export const failing = defineStep({
  accepts: Item,
  emits: Done,
  retry: { times: 2 },
  recover: (error, item) => Done({ text: `${error} ${item}` }),
  run: ({ n }) => (n < 0 ? Effect.fail(new Broken({ why: "negative" })) : Effect.succeed(Done({ text: String(n) })))
})
export const scheduled = defineStep({
  accepts: Item,
  emits: Done,
  retry: Schedule.recurs(2),
  run: ({ n }) => (n < 0 ? Effect.fail(new Broken({ why: "negative" })) : Effect.succeed(Done({ text: String(n) })))
})
export const asking = defineStep({
  accepts: Item,
  emits: [Question, Done],
  asks: Answer,
  timeout: "1 second",
  run: async (_, { ask }) => Done({ text: (await ask(Question(), Answer)).text })
})
export const finish = defineStep({ accepts: gather(Done), emits: Stop, run: (all) => Stop({ text: all.join() }) })
export const joined = defineStep({
  accepts: join([Item, Answer], { within: "1 second" }),
  emits: Stop,
  run: () => Stop({ text: "" })
})
export const raced = defineStep({ accepts: race(Done), emits: Stop, run: (done) => Stop({ text: done.text }) })
export const collected = defineStep({
  accepts: collect(Done, 2),
  emits: Stop,
  run: (done) => Stop({ text: done[0]!.text })
})
export const flow = workflow({ name: "a", start: Start, stop: Stop, steps: { split, failing, finish } })
export const scheduledFlow = workflow({ name: "b", start: Start, stop: Stop, steps: { split, scheduled, finish } })
export const askingFlow = workflow({
  name: "c",
  start: Start,
  stop: Stop,
  inputs: [Answer],
  outputs: [Question],
  steps: { split, asking, finish }
})
export const whole = asStep(flow, {})
export const wrapped = around(flow, (_call, next) => next())
export const handle = () => launchPromise(askingFlow, { n: 1 })
export const result = () => runPromise(flow, { n: 1 })
export const streamed = () => stream(flow, { n: 1 })
