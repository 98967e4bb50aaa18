import { Effect, Schema } from "effect"
import { collect, defineEvent, defineState, defineStep, gather, join, race, run, runPromise, workflow } from "stepgraph"
import { awaiting, type Candidate } from "../candidate.ts"
import { aliveMillis, chainLength, itemsAtOnce, sleepersAtOnce, sleepMillis } from "../workloads.ts"
import { atOnce, inOneFiber } from "./effects.ts"
import { number, string } from "./fields.ts"

// ---------------------------------------------------------------- the seed flow

const Start = defineEvent("Start")
const Query = defineEvent("Query", { query: string })
const Answer = defineEvent("Answer", { result: string })
const Stop = defineEvent("Stop", { result: string })

const seed = workflow({
  name: "seed",
  start: Start,
  stop: Stop,
  steps: {
    start: defineStep({
      accepts: Start,
      emits: Query,
      run: () => [1, 2, 3].map((n) => Query({ query: `Query ${n}` }))
    }),
    search: defineStep({ accepts: Query, emits: Answer, run: ({ query }) => Answer({ result: query }) }),
    finish: defineStep({
      accepts: collect(Answer, 3),
      emits: Stop,
      run: (answers) => Stop({ result: answers.map(({ result }) => result).join(", ") })
    })
  }
})

// ---------------------------------------------------------------- fan-out and fan-in

const Count = defineEvent("Count", { count: number })
const Item = defineEvent("Item", { n: number })
const Done = defineEvent("Done", { n: number })
const Sum = defineEvent("Sum", { sum: number })

const items = (count: number) => Array.from({ length: count }, (_, n) => Item({ n }))
const sumOf = (done: ReadonlyArray<{ readonly n: number }>) => Sum({ sum: done.reduce((sum, { n }) => sum + n, 0) })

const split = defineStep({ accepts: Count, emits: Item, run: ({ count }) => items(count) })
const double = defineStep({ accepts: Item, emits: Done, run: ({ n }) => Done({ n: 2 * n }) })

// The collected count is part of the workflow, so each size needs its own.
const bySize = <W>(make: (size: number) => W) => {
  const made = new Map<number, W>()
  return (size: number): W => {
    let workflow = made.get(size)
    if (workflow === undefined) {
      workflow = make(size)
      made.set(size, workflow)
    }
    return workflow
  }
}

const fan = bySize((size) =>
  workflow({
    name: "fan",
    start: Count,
    stop: Sum,
    steps: { split, double, sum: defineStep({ accepts: collect(Done, size), emits: Sum, run: sumOf }) }
  })
)

const gathered = workflow({
  name: "gather",
  start: Count,
  stop: Sum,
  steps: { split, double, sum: defineStep({ accepts: gather(Done), emits: Sum, run: sumOf }) }
})

// ---------------------------------------------------------------- a loop

const Ping = defineEvent("Ping", { hops: number, left: number })
const Pong = defineEvent("Pong", { hops: number, left: number })
const Hops = defineEvent("Hops", { hops: number })

const loop = workflow({
  name: "loop",
  start: Ping,
  stop: Hops,
  steps: {
    ping: defineStep({
      accepts: Ping,
      emits: [Pong, Hops],
      run: ({ hops, left }) => (left === 0 ? Hops({ hops }) : Pong({ hops: hops + 1, left: left - 1 }))
    }),
    pong: defineStep({
      accepts: Pong,
      emits: [Ping, Hops],
      run: ({ hops, left }) => (left === 0 ? Hops({ hops }) : Ping({ hops: hops + 1, left: left - 1 }))
    })
  }
})

// ---------------------------------------------------------------- a chain

const links = Array.from({ length: chainLength + 1 }, (_, n) => defineEvent(`Link${n}`, { n: number }))
const chain = bySize((size) =>
  workflow({
    name: "chain",
    start: Count,
    stop: Sum,
    steps: {
      split: defineStep({
        accepts: Count,
        emits: links[0]!,
        run: ({ count }) => Array.from({ length: count }, (_, n) => links[0]!({ n }))
      }),
      // The tags of so many links are known only at run time.
      ...(Object.fromEntries(
        Array.from({ length: chainLength }, (_, i) => [
          `step${i}`,
          defineStep({ accepts: links[i]!, emits: links[i + 1]!, run: ({ n }) => links[i + 1]!({ n: n + 1 }) })
        ])
      ) as any),
      sum: defineStep({ accepts: collect(links[chainLength]!, size), emits: Sum, run: sumOf })
    }
  })
)

// ---------------------------------------------------------------- sleepers

const sleepers = bySize((size) =>
  workflow({
    name: "sleepers",
    start: Count,
    stop: Sum,
    steps: {
      split,
      sleep: defineStep({
        accepts: Item,
        emits: Done,
        workers: sleepersAtOnce,
        run: ({ n }) => Effect.as(Effect.sleep(sleepMillis), Done({ n }))
      }),
      sum: defineStep({ accepts: collect(Done, size), emits: Sum, run: sumOf })
    }
  })
)

// ---------------------------------------------------------------- a mixed join

const A = defineEvent("A", { text: string })
const B = defineEvent("B", { text: string })
const C = defineEvent("C", { text: string })

const mixed = workflow({
  name: "mixed",
  start: Start,
  stop: Stop,
  steps: {
    a: defineStep({ accepts: Start, emits: A, run: () => A({ text: "a" }) }),
    b: defineStep({ accepts: Start, emits: B, run: () => B({ text: "b" }) }),
    c: defineStep({ accepts: Start, emits: C, run: () => C({ text: "c" }) }),
    finish: defineStep({
      accepts: join([C, A, B]),
      emits: Stop,
      run: ([c, a, b]) => Stop({ result: `${c.text}, ${a.text}, ${b.text}` })
    })
  }
})

// ---------------------------------------------------------------- a join for each document

const Doc = defineEvent("Doc", { n: number })
const Words = defineEvent("Words", { n: number })
const Links = defineEvent("Links", { n: number })

const scopes = workflow({
  name: "scopes",
  start: Count,
  stop: Sum,
  steps: {
    list: defineStep({
      accepts: Count,
      emits: Doc,
      run: ({ count }) => Array.from({ length: count }, (_, n) => Doc({ n }))
    }),
    words: defineStep({ accepts: Doc, emits: Words, run: ({ n }) => Words({ n: 2 * n }) }),
    links: defineStep({ accepts: Doc, emits: Links, run: ({ n }) => Links({ n: n + 1 }) }),
    pair: defineStep({
      accepts: join([Words, Links], { per: Doc }),
      emits: Done,
      run: ([words, links]) => Done({ n: words.n + links.n })
    }),
    sum: defineStep({ accepts: gather(Done), emits: Sum, run: sumOf })
  }
})

// ---------------------------------------------------------------- a race

const Ask = defineEvent("Ask", { mirror: number })
const Reply = defineEvent("Reply", { mirror: number })

const mirrors = workflow({
  name: "race",
  start: Count,
  stop: Sum,
  steps: {
    fan: defineStep({
      accepts: Count,
      emits: Ask,
      run: ({ count }) => Array.from({ length: count }, (_, mirror) => Ask({ mirror }))
    }),
    ask: defineStep({
      accepts: Ask,
      emits: Reply,
      run: ({ mirror }) =>
        mirror === 1
          ? Effect.as(Effect.yieldNow, Reply({ mirror }))
          : Effect.as(Effect.sleep("1 hour"), Reply({ mirror }))
    }),
    first: defineStep({ accepts: race(Reply), emits: Sum, run: ({ mirror }) => Sum({ sum: mirror }) })
  }
})

// ---------------------------------------------------------------- runs alive at once

const Napped = defineEvent("Napped")
const alive = workflow({
  name: "alive",
  start: Start,
  stop: Napped,
  steps: {
    nap: defineStep({ accepts: Start, emits: Napped, run: () => Effect.as(Effect.sleep(aliveMillis), Napped()) })
  }
})

// ---------------------------------------------------------------- a million items

const total = defineState("total", Schema.Struct({ count: number, sum: number }), { count: 0, sum: 0 })
const million = bySize((size) =>
  workflow({
    name: "million",
    start: Count,
    stop: Sum,
    steps: {
      read: defineStep({
        accepts: Count,
        emits: Item,
        run: function* ({ count }) {
          for (let n = 0; n < count; n++) yield Item({ n })
        }
      }),
      double: defineStep({ accepts: Item, emits: Done, workers: itemsAtOnce, run: ({ n }) => Done({ n: 2 * n }) }),
      add: defineStep({
        accepts: Done,
        emits: Sum,
        workers: 1,
        run: ({ n }, { update }) => {
          const { count, sum } = update(total, ({ count, sum }) => ({ count: count + 1, sum: sum + n }))
          if (count === size) return Sum({ sum })
        }
      })
    }
  })
)

const sum = ({ sum }: { readonly sum: number }) => sum

export default {
  seed: inOneFiber(() => Effect.map(run(seed), ({ result }) => result)),
  promises: awaiting(async () => (await runPromise(seed)).result),
  fan: inOneFiber((count) => Effect.map(run(fan(count), { count }), sum)),
  gather: inOneFiber((count) => Effect.map(run(gathered, { count }), sum)),
  loop: inOneFiber((left) => Effect.map(run(loop, { hops: 0, left }), ({ hops }) => hops)),
  chain: inOneFiber((count) => Effect.map(run(chain(count) as any, { count }) as Effect.Effect<any>, sum)),
  sleepers: inOneFiber((count) => Effect.map(run(sleepers(count), { count }), sum)),
  mixed: inOneFiber(() => Effect.map(run(mixed), ({ result }) => result)),
  scopes: inOneFiber((count) => Effect.map(run(scopes, { count }), sum)),
  race: inOneFiber((count) => Effect.map(run(mirrors, { count }), sum)),
  alive: atOnce(Effect.as(run(alive), 1)),
  million: inOneFiber((count) => Effect.map(run(million(count), { count }), sum))
} satisfies Candidate
