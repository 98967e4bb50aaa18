// The workflows in the pictures of the page.
import { Effect, Schema } from "effect"
import { collect, defineEvent, defineStep, gather, join, workflow } from "stepgraph"

const Topic = defineEvent("Topic", { topic: Schema.String, sources: Schema.Int })
const Source = defineEvent("Source", { n: Schema.Number, title: Schema.String })
const Notes = defineEvent("Notes", { n: Schema.Number, text: Schema.String })
const Draft = defineEvent("Draft", { title: Schema.String, words: Schema.Number })
const Checked = defineEvent("Checked", { title: Schema.String, remarks: Schema.Number })
const Approval = defineEvent("Approval", { by: Schema.String, note: Schema.optionalKey(Schema.String) })
const Published = defineEvent("Published", { title: Schema.String, by: Schema.String })

/** Reads sources side by side, writes, checks, and waits for a person. */
export const article = workflow({
  name: "article",
  start: Topic,
  stop: Published,
  inputs: [Approval],
  steps: {
    search: defineStep({
      accepts: Topic,
      emits: Source,
      run: ({ sources, topic }) =>
        Effect.as(
          Effect.sleep(250),
          Array.from({ length: sources }, (_, n) => Source({ n: n + 1, title: `${topic}, volume ${n + 1}` }))
        )
    }),
    read: defineStep({
      accepts: Source,
      emits: Notes,
      workers: 3,
      retry: { times: 2 },
      run: ({ n, title }, { attempt }) =>
        Effect.sleep(300 + ((n * 137) % 350)).pipe(
          Effect.andThen(n === 2 && attempt === 1 ? Effect.fail(new Error("the library did not answer")) : Effect.void),
          Effect.as(Notes({ n, text: `What ${title} says` }))
        )
    }),
    write: defineStep({
      accepts: gather(Notes),
      emits: Draft,
      run: (notes) => Effect.as(Effect.sleep(650), Draft({ title: "How tides turn", words: notes.length * 140 }))
    }),
    check: defineStep({
      accepts: Draft,
      emits: Checked,
      run: ({ title, words }) =>
        Effect.gen(function* () {
          yield* Effect.log(`reading ${words} words of "${title}"`)
          yield* Effect.sleep(350)
          yield* Effect.logWarning("two numbers have no source")
          yield* Effect.sleep(150)
          return Checked({ title, remarks: 2 })
        })
    }),
    publish: defineStep({
      accepts: join([Checked, Approval]),
      emits: Published,
      run: ([{ title }, { by }]) => Published({ title, by })
    })
  }
})

const Cart = defineEvent("Cart", { items: Schema.Array(Schema.String) })
const Item = defineEvent("Item", { name: Schema.String })
const Priced = defineEvent("Priced", { name: Schema.String, cents: Schema.Number })
const Bill = defineEvent("Bill", { items: Schema.Array(Schema.String), cents: Schema.Number })

/** Has a bug: the bill lists the items in the order in which their prices came. */
export const checkout = workflow({
  name: "checkout",
  start: Cart,
  stop: Bill,
  steps: {
    split: defineStep({ accepts: Cart, emits: Item, run: ({ items }) => items.map((name) => Item({ name })) }),
    price: defineStep({
      accepts: Item,
      emits: Priced,
      run: ({ name }) => Effect.as(Effect.sleep(100 * name.length), Priced({ name, cents: 90 * name.length }))
    }),
    bill: defineStep({
      accepts: collect(Priced, 2),
      emits: Bill,
      run: (all) => Bill({ items: all.map(({ name }) => name), cents: all.reduce((sum, { cents }) => sum + cents, 0) })
    })
  }
})
