// Workflows that the tests serve.
import { Effect, Redacted, Schema } from "effect"
import { defineEvent, defineStep, join, workflow } from "stepgraph"

export const Draft = defineEvent("Draft", { text: Schema.String })
export const Approval = defineEvent("Approval", { by: Schema.String })
export const Progress = defineEvent("Progress", { n: Schema.Number })
export const Published = defineEvent("Published", { text: Schema.String })

/** Reports, and then waits for an approval. */
export const publish = workflow({
  name: "publish",
  start: Draft,
  stop: Published,
  inputs: [Approval],
  outputs: [Progress],
  steps: {
    report: defineStep({ accepts: Draft, emits: Progress, run: () => [Progress({ n: 1 }), Progress({ n: 2 })] }),
    publish: defineStep({
      accepts: join([Draft, Approval]),
      emits: Published,
      run: ([{ text }, { by }]) => Published({ text: `${text}, approved by ${by}` })
    })
  }
})

export const Count = defineEvent("Count", { to: Schema.Number, millis: Schema.Number })
export const Counted = defineEvent("Counted", { n: Schema.Number })
export const Total = defineEvent("Total", { total: Schema.Number, at: Schema.Date })

/** Emits numbers, one after the other. */
export const count = workflow({
  name: "count",
  start: Count,
  stop: Total,
  outputs: [Counted],
  steps: {
    count: defineStep({
      accepts: Count,
      emits: [Counted, Total],
      run: async function* ({ millis, to }) {
        for (let n = 1; n <= to; n++) {
          if (millis > 0) await new Promise((resolve) => setTimeout(resolve, millis))
          yield Counted({ n })
        }
        yield Total({ total: to, at: new Date(0) })
      }
    })
  }
})

export class TooExpensive extends Schema.TaggedError<TooExpensive>("TooExpensive")("TooExpensive", {
  price: Schema.Number
}) {}

export const Buy = defineEvent("Buy", { price: Schema.Number, card: Schema.optionalKey(Schema.String) })
export const Bought = defineEvent("Bought")

/** Fails, with a typed error or an exception. */
export const buy = workflow({
  name: "buy",
  start: Buy,
  stop: Bought,
  steps: {
    pay: defineStep({
      accepts: Buy,
      emits: Bought,
      run: ({ price }) =>
        Effect.gen(function* () {
          if (price > 100) return yield* new TooExpensive({ price })
          return Bought()
        })
    })
  }
})

export const Login = defineEvent("Login", { password: Schema.Redacted(Schema.String) })
export const LoggedIn = defineEvent("LoggedIn", { token: Schema.Redacted(Schema.String), user: Schema.String })

/** Holds secrets. */
export const login = workflow({
  name: "login",
  start: Login,
  stop: LoggedIn,
  steps: {
    enter: defineStep({
      accepts: Login,
      emits: LoggedIn,
      run: () => LoggedIn({ token: Redacted.make("hunter3"), user: "ada" })
    })
  }
})

export const Large = defineEvent("Large", { n: Schema.BigInt })
export const Done = defineEvent("Done")

/** Holds what JSON cannot. */
export const large = workflow({
  name: "large",
  start: Large,
  stop: Done,
  steps: { finish: defineStep({ accepts: Large, emits: Done, run: () => Done() }) }
})
