// Workflows with one mistake each that only a crash shows, beside the same workflow without it. `crash.test.ts` explores them.
import type { ExploreOptions } from "@stepgraph/testing"
import { Effect, Random, Schema } from "effect"
import { type AnyWorkflow, collect, defineEvent, defineState, defineStep, type TraceEntry, workflow } from "stepgraph"

const Order = defineEvent("Order")
const Item = defineEvent("Item", { n: Schema.Number })
const Done = defineEvent("Done", { n: Schema.Number })
const Paid = defineEvent("Paid", { receipt: Schema.Number })
const Stop = defineEvent("Stop", { value: Schema.Unknown })

export interface Twins {
  readonly name: string
  readonly make: (right: boolean) => AnyWorkflow
  readonly options?: ExploreOptions<any>
  /** Whether each process makes the workflow anew. */
  readonly anew?: boolean
  /** The rule that the mistake breaks, and the steps that ran twice. */
  readonly breaks: string
  readonly twice: ReadonlyArray<string>
}

/** What the world keeps, whatever process dies. */
const world = {
  charges: new Map<string, number>(),
  refunds: new Set<string>(),
  files: new Map<string, string>(),
  locks: new Map<string, string>(),
  sent: 0
}
const setup = () => {
  for (const kept of [world.charges, world.refunds, world.files, world.locks]) kept.clear()
  world.sent = 0
  counted = 0
}
const charge = (key: string): number => {
  if (!world.charges.has(key)) world.charges.set(key, world.charges.size + 1)
  return world.charges.get(key)!
}
const chargedOnce = { "is charged once": () => world.charges.size === 1 || `${world.charges.size} charges` }

const paying = (key: (runId: string) => string | Effect.Effect<string>) =>
  workflow({
    name: "payment",
    start: Order,
    stop: Stop,
    steps: {
      pay: defineStep({
        accepts: Order,
        emits: Paid,
        run: (_, { runId }) =>
          Effect.gen(function* () {
            yield* Effect.sleep(10)
            const made = key(runId)
            return Paid({ receipt: charge(typeof made === "string" ? made : yield* made) })
          })
      }),
      ship: defineStep({ accepts: Paid, emits: Stop, run: async () => Stop({ value: "shipped" }) })
    }
  })

/** The memory of a module. */
let counted = 0
const total = defineState("total", Schema.Number, 0)

const items = (...of: ReadonlyArray<number>) =>
  defineStep({ accepts: Order, emits: Item, run: () => of.map((n) => Item({ n })) })
const work = defineStep({ accepts: Item, emits: Done, run: ({ n }) => Effect.as(Effect.sleep(n), Done({ n })) })

const counting = (right: boolean) =>
  workflow({
    name: "counting",
    start: Order,
    stop: Stop,
    steps: {
      items: items(1, 2),
      count: defineStep({
        accepts: Item,
        emits: Done,
        run: ({ n }, { update }) => {
          if (right) update(total, (total) => total + n)
          else counted += n
          return Done({ n })
        }
      }),
      end: defineStep({
        accepts: collect(Done, 2),
        emits: Stop,
        run: (_, { get }) => Stop({ value: right ? get(total) : counted })
      })
    }
  })

const inPairs = (right: boolean) =>
  workflow({
    name: "pairs",
    start: Order,
    stop: Stop,
    steps: {
      items: items(1, 2, 3, 4),
      work: { ...work, workers: 1 },
      pair: defineStep({
        accepts: collect(Done, 2, { by: ({ n }) => (right ? n <= 2 : counted++ < 2) }),
        emits: Paid,
        run: ([a, b]) => Paid({ receipt: a!.n * b!.n })
      }),
      end: defineStep({
        accepts: collect(Paid, 2),
        emits: Stop,
        run: (pairs) => Stop({ value: pairs.map(({ receipt }) => receipt).sort() })
      })
    }
  })

/** Items of one day belong together; the second comes a day later. */
const byDay = (right: boolean) =>
  workflow({
    name: "days",
    start: Order,
    stop: Stop,
    steps: {
      items: defineStep({ accepts: Order, emits: Item, run: () => [0, 1500].map((n) => Item({ n })) }),
      work,
      pair: defineStep({
        accepts: collect(Done, 2, { by: ({ n }) => Math.floor((right ? n : Date.now()) / 1000) }),
        emits: Stop,
        run: () => Stop({ value: "a pair" })
      }),
      end: defineStep({
        accepts: Order,
        emits: Stop,
        run: () => Effect.as(Effect.sleep(9000), Stop({ value: "no pair" }))
      })
    }
  })

const writing = (right: boolean) =>
  workflow({
    name: "files",
    start: Order,
    stop: Stop,
    steps: {
      write: defineStep({
        accepts: Order,
        emits: Stop,
        run: (_, { runId }) => {
          const by = world.files.get("report")
          world.files.set("report", runId)
          return Stop({ value: by === undefined || (right && by === runId) ? "written" : "already there" })
        }
      })
    }
  })

const prices = defineState("prices", Schema.Record(Schema.String, Schema.Number), {})

const caching = (right: boolean) => {
  const cache = new Map<string, number>()
  return workflow({
    name: "cache",
    start: Order,
    stop: Stop,
    steps: {
      load: defineStep({
        accepts: Order,
        emits: Item,
        run: (_, { set }) => {
          if (right) set(prices, { pen: 3 })
          else cache.set("pen", 3)
          return Item({ n: 2 })
        }
      }),
      price: defineStep({
        accepts: Item,
        emits: Stop,
        run: async ({ n }, { get }) => Stop({ value: n * ((right ? get(prices).pen : cache.get("pen")) ?? 0) })
      })
    }
  })
}

const refunding = (right: boolean) =>
  workflow({
    name: "refunds",
    start: Order,
    stop: Stop,
    steps: {
      pay: defineStep({
        accepts: Order,
        emits: Stop,
        retry: { times: 1 },
        run: () => Effect.fail("no stock" as const),
        recover: (_error, _order, { runId }) => {
          world.refunds.add(right ? runId : String(world.refunds.size))
          return Effect.as(Effect.sleep(5), Stop({ value: "given back" }))
        }
      })
    }
  })

const locking = (right: boolean) =>
  workflow({
    name: "locks",
    start: Order,
    stop: Stop,
    steps: {
      work: defineStep({
        accepts: Order,
        emits: Stop,
        run: (_, { runId }) => {
          const take = Effect.sync(() => {
            const owner = world.locks.get("stock")
            if (owner !== undefined && !(right && owner === runId)) return false
            world.locks.set("stock", runId)
            return true
          })
          const free = Effect.sync(() => void world.locks.delete("stock"))
          const held = (taken: boolean) => Effect.as(Effect.sleep(10), Stop({ value: taken ? "done" : "locked out" }))
          return Effect.acquireUseRelease(take, held, () => free)
        }
      })
    }
  })

const sending = (right: boolean) =>
  workflow({
    name: "mails",
    start: Order,
    stop: Stop,
    steps: {
      send: defineStep({
        accepts: Order,
        emits: Stop,
        run: (_, { runId }) => {
          if (!right || world.files.get("sent") !== runId) world.sent++
          world.files.set("sent", runId)
          return Stop({ value: "sent" })
        }
      })
    }
  })

const Question = defineEvent("Question", { text: Schema.String })
const Yes = defineEvent("Yes")
const Word = defineEvent("Word", { text: Schema.String, place: Schema.optional(Schema.Number) })
const sends = [Yes()]

const asking = (run: (order: any, ctx: any) => Promise<any>) =>
  workflow({
    name: "approvals",
    start: Order,
    stop: Stop,
    inputs: [Yes],
    outputs: [Question],
    steps: { approve: defineStep({ accepts: Order, emits: [Question, Stop], asks: Yes, run }) }
  })

const chargingFirst = (right: boolean) =>
  asking(async (_, { ask, runId }) => {
    charge(right ? runId : String(world.charges.size))
    await ask(Question({ text: "may it be sent?" }), Yes)
    return Stop({ value: "sent" })
  })

const askingWithTime = (right: boolean) =>
  asking(async (_, { ask }) => {
    await ask(Question({ text: right ? "today?" : `at ${Date.now()}?` }), Yes)
    return Stop({ value: "agreed" })
  })

const text = ["Once", "upon"]

const streaming = (right: boolean) =>
  workflow({
    name: "stories",
    start: Order,
    stop: Stop,
    outputs: [Word],
    steps: {
      tell: defineStep({
        accepts: Order,
        emits: [Word, Stop],
        stream: Word,
        run: (_, { send }) =>
          Effect.gen(function* () {
            for (const [n, word] of text.entries()) {
              send(Word(right ? { text: word, place: n } : { text: word }))
              yield* Effect.sleep(5)
            }
            return Stop({ value: text.join(" ") })
          })
      })
    }
  })

/** A page that shows each word where it belongs, or else after the last. */
const shown = (trace: ReadonlyArray<TraceEntry>) => {
  const words: Array<string> = []
  for (const entry of trace) {
    if (entry._tag !== "EventEmitted" || entry.tag !== "Word") continue
    const { place = words.length, text } = entry.data as { readonly text: string; readonly place?: number }
    words[place] = text
  }
  return words.join(" ") === text.join(" ") || words.join(" ")
}

const all: ReadonlyArray<Twins> = [
  {
    name: "a payment without a key",
    make: (right) => paying((runId) => (right ? runId : String(world.charges.size))),
    options: { check: chargedOnce },
    breaks: "is charged once",
    twice: ["pay"]
  },
  {
    name: "a key of the time",
    make: (right) => paying((runId) => (right ? runId : String(Date.now()))),
    options: { check: chargedOnce, timers: "virtual" },
    breaks: "is charged once",
    twice: ["pay"]
  },
  {
    name: "a key by chance",
    make: (right) => paying((runId) => (right ? runId : String(Math.random()))),
    options: { check: chargedOnce },
    breaks: "is charged once",
    twice: ["pay"]
  },
  {
    name: "a key by Effect's chance",
    make: (right) => paying((runId) => (right ? runId : Effect.map(Random.next, String))),
    options: { check: chargedOnce },
    breaks: "is charged once",
    twice: ["pay"]
  },
  { name: "a count in a module", make: counting, breaks: "safeToCrash", twice: ["count"] },
  {
    name: "a `by` that counts its calls",
    make: inPairs,
    options: { time: "ordered" },
    breaks: "neverStalls",
    twice: ["work"]
  },
  {
    name: "a `by` of the time",
    make: byDay,
    options: { time: "ordered", timers: "virtual" },
    breaks: "safeToCrash",
    twice: ["end"]
  },
  { name: "a file that is there already", make: writing, breaks: "safeToCrash", twice: ["write"] },
  { name: "a cache outside the state", make: caching, anew: true, breaks: "safeToCrash", twice: ["price"] },
  {
    name: "a refund in `recover` without a key",
    make: refunding,
    options: { check: { "is refunded once": () => world.refunds.size === 1 || `${world.refunds.size} refunds` } },
    breaks: "is refunded once",
    twice: ["pay"]
  },
  { name: "a lock that a finalizer frees", make: locking, breaks: "safeToCrash", twice: ["work"] },
  {
    name: "a mail, without a note that it was sent",
    make: sending,
    options: { check: { "is sent once": () => world.sent === 1 || `sent ${world.sent} times` } },
    breaks: "is sent once",
    twice: ["send"]
  },
  {
    name: "a payment before a question, without a key",
    make: chargingFirst,
    options: { sends, check: chargedOnce },
    breaks: "is charged once",
    twice: ["approve"]
  },
  {
    name: "a question with the time",
    make: askingWithTime,
    options: { sends, timers: "virtual" },
    breaks: "safeToCrash",
    twice: ["approve"]
  },
  {
    name: "streamed words without their places",
    make: streaming,
    options: { check: { "the page shows the text": shown } },
    breaks: "the page shows the text",
    twice: ["tell"]
  }
]

export const twins = all.map((one) => ({ ...one, options: { setup, ...one.options } }))
