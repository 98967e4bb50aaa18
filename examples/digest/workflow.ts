// A digest of articles: the workflow fetches each article, summarises it and looks up its links, joins both results per
// article, and prints all pages in order.
//
//   Edition → list → Article → fetch → Text ┬→ summarise → Summary ┐
//                                           └→ links → Links ──────┴→ page (per Article) → Page → print → Printed
import { Effect, Schedule, Schema } from "effect"
import { defineEvent, defineStep, gather, join, workflow } from "stepgraph"

const Edition = defineEvent("Edition", { articles: Schema.Number })
const Article = defineEvent("Article", { n: Schema.Number })
const Text = defineEvent("Text", { n: Schema.Number, words: Schema.Number })
const Summary = defineEvent("Summary", { n: Schema.Number, text: Schema.String })
const Links = defineEvent("Links", { n: Schema.Number, links: Schema.Number })
const Page = defineEvent("Page", { n: Schema.Number, text: Schema.String })
const Printed = defineEvent("Printed", { pages: Schema.Array(Schema.String) })

const list = defineStep({
  accepts: Edition,
  emits: Article,
  run: ({ articles }) => Array.from({ length: articles }, (_, n) => Article({ n: n + 1 }))
})

// Simulates a request: some articles take longer, and the third fails at first.
const fetch = defineStep({
  accepts: Article,
  emits: Text,
  workers: 4,
  retry: { times: 2, schedule: Schedule.spaced("40 millis") },
  run: ({ n }, { attempt }) =>
    Effect.sleep(50 + ((n * 37) % 60)).pipe(
      Effect.andThen(n === 3 && attempt === 1 ? Effect.fail(new Error(`article ${n} is not available`)) : Effect.void),
      Effect.as(Text({ n, words: 100 + ((n * 53) % 90) }))
    )
})

// Simulates a call to a model: more words take longer, and only two calls may run at once.
const summarise = defineStep({
  accepts: Text,
  emits: Summary,
  workers: 2,
  run: ({ n, words }) => Effect.as(Effect.sleep(words), Summary({ n, text: `article ${n} in a sentence` }))
})

const links = defineStep({
  accepts: Text,
  emits: Links,
  run: ({ n, words }) => Effect.as(Effect.sleep(30), Links({ n, links: words % 7 }))
})

const page = defineStep({
  accepts: join([Summary, Links], { per: Article }),
  emits: Page,
  run: ([{ n, text }, { links }]) => Page({ n, text: `${text}, ${links} links` })
})

const print = defineStep({
  accepts: gather(Page),
  emits: Printed,
  run: (pages) => Printed({ pages: pages.map(({ text }) => text) })
})

export const digest = workflow({
  name: "digest",
  start: Edition,
  stop: Printed,
  steps: { list, fetch, summarise, links, page, print }
})
