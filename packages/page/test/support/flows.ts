// Workflows for the page to show.
import { Effect, Logger, Schema } from "effect"
import { collect, defineEvent, defineStep, gather, join, workflow } from "stepgraph"

const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const Order = defineEvent("Order", {
  customer: Schema.String,
  size: Schema.Literals(["small", "large"]),
  pieces: Schema.Int,
  note: Schema.optionalKey(Schema.String),
  gift: Schema.Boolean,
  tags: Schema.Array(Schema.String)
})
const Piece = defineEvent("Piece", { n: Schema.Number })
const Packed = defineEvent("Packed", { n: Schema.Number })
const Approval = defineEvent("Approval", { by: Schema.String })
const Shipped = defineEvent("Shipped", { customer: Schema.String, pieces: Schema.Number, by: Schema.String })
const Parcel = defineEvent("Parcel", { pieces: Schema.Number })
let tries = 0

/** Packs in parallel, retries once, and waits for an approval. */
export const orders = workflow({
  name: "orders",
  start: Order,
  stop: Shipped,
  inputs: [Approval],
  steps: {
    split: defineStep({
      accepts: Order,
      emits: Piece,
      run: ({ pieces }) => Array.from({ length: pieces }, (_, n) => Piece({ n }))
    }),
    pack: defineStep({
      accepts: Piece,
      emits: Packed,
      workers: 2,
      retry: { times: 2 },
      run: async ({ n }) => {
        await sleep(20)
        if (n === 1 && tries++ % 2 === 0) throw new Error("the tape broke")
        return Packed({ n })
      }
    }),
    bundle: defineStep({ accepts: gather(Packed), emits: Parcel, run: (all) => Parcel({ pieces: all.length }) }),
    ship: defineStep({
      accepts: join([Order, Parcel, Approval]),
      emits: Shipped,
      run: ([{ customer }, { pieces }, { by }]) => Shipped({ customer, pieces, by })
    })
  }
})

const Plan = defineEvent("Plan", { city: Schema.String })
const Ask = defineEvent("Ask", { id: Schema.String, text: Schema.String })
const Reply = defineEvent("Reply", { id: Schema.String, yes: Schema.Boolean })
const Planned = defineEvent("Planned", { go: Schema.Boolean })

/** Asks a question. */
export const trip = workflow({
  name: "trip",
  start: Plan,
  stop: Planned,
  inputs: [Reply],
  outputs: [Ask],
  steps: {
    plan: defineStep({
      accepts: Plan,
      emits: [Ask, Planned],
      asks: Reply,
      run: async ({ city }, ctx) => {
        const question = Ask({ id: "q1", text: `Shall we go to ${city}?` })
        const { yes } = await ctx.ask(question, Reply, ({ id }) => id === "q1")
        return Planned({ go: yes })
      }
    })
  }
})

export const nasty = `<script>alert(1)</script><img src=x onerror="alert(2)">`
const Bad = defineEvent(`Bad${nasty}`, { text: Schema.String })
const Worse = defineEvent(`Worse${nasty}`, { text: Schema.String })

/** Names and payloads that would like to be elements. */
export const hostile = workflow({
  name: `hostile ${nasty}`,
  start: Bad,
  stop: Worse,
  steps: {
    [`step ${nasty}`]: defineStep({
      accepts: Bad,
      emits: Worse,
      run: ({ text }) => {
        if (text === "fail") throw new Error(nasty)
        return Worse({ text })
      }
    })
  }
})

/** The terminal of the tests stays empty. */
const unseen = <A>(effect: Effect.Effect<A>) =>
  Effect.updateService(
    effect,
    Logger.CurrentLoggers,
    (all) => new Set([...all].filter((logger) => logger !== Logger.defaultLogger))
  )

const Cart = defineEvent("Cart", { items: Schema.Array(Schema.String) })
const Item = defineEvent("Item", { name: Schema.String })
const Priced = defineEvent("Priced", { name: Schema.String })
const Bill = defineEvent("Bill", { first: Schema.String })

/** Has a bug: what it returns depends on which call ends first. */
export const bill = workflow({
  name: "bill",
  start: Cart,
  stop: Bill,
  steps: {
    split: defineStep({ accepts: Cart, emits: Item, run: ({ items }) => items.map((name) => Item({ name })) }),
    price: defineStep({
      accepts: Item,
      emits: Priced,
      run: async ({ name }) => {
        await sleep(20)
        return Priced({ name })
      }
    }),
    sum: defineStep({
      accepts: collect(Priced, 2),
      emits: Bill,
      run: ([one]) => unseen(Effect.as(Effect.logWarning("the first is", one!.name), Bill({ first: one!.name })))
    })
  }
})

const Many = defineEvent("Many", { n: Schema.Number })
const Job = defineEvent("Job", { n: Schema.Number, text: Schema.String })
const Done = defineEvent("Done", { n: Schema.Number })
const All = defineEvent("All", { n: Schema.Number })

/** `2n + 2` events. */
export const many = workflow({
  name: "many",
  start: Many,
  stop: All,
  steps: {
    plan: defineStep({
      accepts: Many,
      emits: Job,
      run: ({ n }) => Array.from({ length: n }, (_, n) => Job({ n, text: `document ${n} of many` }))
    }),
    work: defineStep({ accepts: Job, emits: Done, workers: 16, run: async ({ n }) => Done({ n }) }),
    finish: defineStep({ accepts: gather(Done), emits: All, run: (all) => All({ n: all.length }) })
  }
})
