// Every intake in one workflow: whatever the timing, one result.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { collect, defineEvent, defineStep, gather, join, race, run, workflow } from "stepgraph"
import { random, result } from "../support/virtual.ts"

const Start = defineEvent("Start", { docs: Schema.Array(Schema.Number) })
const Doc = defineEvent("Doc", { doc: Schema.Number, pages: Schema.Number })
const Page = defineEvent("Page", { doc: Schema.Number, page: Schema.Number })
const Ask = defineEvent("Ask", { page: Schema.String, mirror: Schema.Number })
const Text = defineEvent("Text", { page: Schema.String })
const Read = defineEvent("Read", { page: Schema.String })
const Body = defineEvent("Body", { doc: Schema.Number, text: Schema.String })
const Title = defineEvent("Title", { doc: Schema.Number, title: Schema.String })
const Vote = defineEvent("Vote", { doc: Schema.Number, yes: Schema.Boolean })
const Verdict = defineEvent("Verdict", { doc: Schema.Number, yes: Schema.Boolean })
const Entry = defineEvent("Entry", { entry: Schema.String })
const Stop = defineEvent("Stop", { text: Schema.String })

class Down extends Schema.TaggedError<Down>()("Down", {}) {}

/** Documents are split into pages, each page is read at the quickest of three mirrors, each document is titled and voted on. */
const library = (below: (n: number) => number) => {
  const wait = <A>(value: A) => Effect.as(Effect.sleep(below(30)), value)
  return workflow({
    name: "library",
    start: Start,
    stop: Stop,
    steps: {
      list: defineStep({
        accepts: Start,
        emits: Doc,
        run: async function* ({ docs }) {
          for (const [doc, pages] of docs.entries()) yield Doc({ doc, pages })
        }
      }),
      split: defineStep({
        accepts: Doc,
        emits: Page,
        run: ({ doc, pages }) => wait(Array.from({ length: pages }, (_, page) => Page({ doc, page })))
      }),
      ask: defineStep({
        accepts: Page,
        emits: Ask,
        run: function* ({ doc, page }) {
          for (const mirror of [1, 2, 3]) yield Ask({ page: `${doc}.${page}`, mirror })
        }
      }),
      // A mirror may be down and answer on a second try, or not at all: then it drops the page, unless it is the last one.
      mirror: defineStep({
        accepts: Ask,
        emits: Text,
        workers: 2,
        retry: { times: 1 },
        run: ({ page, mirror }) =>
          Effect.flatMap(Effect.sleep(below(40)), () =>
            mirror < 3 && below(3) === 0 ? Effect.fail(new Down()) : Effect.succeed(Text({ page }))
          ),
        recover: () => undefined
      }),
      quickest: defineStep({
        accepts: race(Text, { per: Page }),
        emits: Read,
        run: ({ page }) => wait(Read({ page }))
      }),
      body: defineStep({
        accepts: gather(Read, { per: Doc }),
        emits: Body,
        run: (reads, { per }) => Body({ doc: per.doc, text: reads.map(({ page }) => page).join("+") })
      }),
      title: defineStep({ accepts: Doc, emits: Title, run: ({ doc }) => wait(Title({ doc, title: `t${doc}` })) }),
      vote: defineStep({
        accepts: Doc,
        emits: Vote,
        run: ({ doc }, { send }) =>
          Effect.forEach(
            [true, false, true],
            (yes) => wait(undefined).pipe(Effect.map(() => send(Vote({ doc, yes })))),
            {
              concurrency: "unbounded",
              discard: true
            }
          )
      }),
      verdict: defineStep({
        accepts: collect(Vote, 3, { by: ({ doc }) => doc }),
        emits: Verdict,
        run: (votes) => Verdict({ doc: votes[0]!.doc, yes: votes.filter(({ yes }) => yes).length > 1 })
      }),
      entry: defineStep({
        accepts: join([Title, Body, Verdict], { per: Doc, within: "1 minute" }),
        emits: Entry,
        run: ([title, body, verdict]) => Entry({ entry: `${title?.title}(${body?.text}) ${verdict?.yes}` })
      }),
      catalogue: defineStep({
        accepts: gather(Entry),
        emits: Stop,
        run: (entries) => Stop({ text: entries.map(({ entry }) => entry).join("; ") })
      })
    }
  })
}

describe("intakes together", () => {
  it.effect("give one result in every timing", () =>
    Effect.gen(function* () {
      for (let seed = 1; seed <= 80; seed++) {
        const next = random(seed)
        const docs = Array.from({ length: Math.floor(next() * 4) }, () => Math.floor(next() * 4))
        const { text } = yield* result(
          run(
            library((n) => Math.floor(next() * n)),
            { docs }
          )
        )
        const entries = docs.map((pages, doc) => {
          const names = Array.from({ length: pages }, (_, page) => `${doc}.${page}`)
          return `t${doc}(${names.join("+")}) true`
        })
        expect(text, `seed ${seed}`).toBe(entries.join("; "))
      }
    })
  )
})
