/** Runs whose traces the tests use. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { defineEvent, defineStep, gather, join, race, run, runPromise, type TraceEntry, workflow } from "stepgraph"

const Start = defineEvent("Start", { docs: Schema.Number })
const Doc = defineEvent("Doc", { n: Schema.Number, text: Schema.String })
const Words = defineEvent("Words", { n: Schema.Number })
const Links = defineEvent("Links", { n: Schema.Number })
const Page = defineEvent("Page", { n: Schema.Number })
const Ask = defineEvent("Ask", { mirror: Schema.Number })
const Mirror = defineEvent("Mirror", { mirror: Schema.Number })
const Stop = defineEvent("Stop", { pages: Schema.Number })
const InnerStart = defineEvent("InnerStart")
const InnerStop = defineEvent("InnerStop")

export const inner = workflow({
  name: "inner",
  start: InnerStart,
  stop: InnerStop,
  steps: {
    nap: defineStep({ accepts: InnerStart, emits: InnerStop, run: () => Effect.as(Effect.sleep(5), InnerStop()) })
  }
})

/** Everything that a timeline shows: waits, retries, joins in scopes, a race with losers, a nested run. */
export const busyFlow = workflow({
  name: "busy",
  start: Start,
  stop: Stop,
  steps: {
    list: defineStep({
      accepts: Start,
      emits: [Doc, Ask],
      run: ({ docs }) => [
        ...[60, 15, 40].map((mirror) => Ask({ mirror })),
        ...Array.from({ length: docs }, (_, n) => Doc({ n, text: `document <b>${n}</b> of many` }))
      ]
    }),
    words: defineStep({
      accepts: Doc,
      emits: Words,
      workers: 2,
      run: ({ n }) => Effect.as(Effect.sleep(20 + (n % 3) * 10), Words({ n }))
    }),
    links: defineStep({
      accepts: Doc,
      emits: Links,
      retry: { times: 2 },
      run: ({ n }, { attempt }) =>
        Effect.andThen(
          Effect.sleep(8),
          n === 1 && attempt < 3 ? Effect.fail(new Error(`no links in ${n}`)) : Effect.succeed(Links({ n }))
        )
    }),
    page: defineStep({
      accepts: join([Words, Links], { per: Doc }),
      emits: Page,
      run: ([{ n }]) => Effect.as(run(inner), Page({ n }))
    }),
    ask: defineStep({
      accepts: Ask,
      emits: Mirror,
      run: ({ mirror }) => Effect.as(Effect.sleep(mirror), Mirror({ mirror }))
    }),
    nearest: defineStep({ accepts: race(Mirror), emits: Page, run: ({ mirror }) => Page({ n: mirror }) }),
    finish: defineStep({ accepts: gather(Page), emits: Stop, run: (pages) => Stop({ pages: pages.length }) })
  }
})

export const traced = async (
  start: (observe: (entry: TraceEntry) => void) => Promise<unknown>
): Promise<Array<TraceEntry>> => {
  const entries: Array<TraceEntry> = []
  await start((entry) => void entries.push(entry)).catch(() => {})
  return entries
}

export const busy = async (docs = 8) => ({
  flow: busyFlow,
  entries: await traced((observe) => runPromise(busyFlow, { docs }, { observe }))
})
