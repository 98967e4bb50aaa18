// `gather` gives the events as if every step ran at once and in turn, whatever the steps return and however long they
// take.
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { defineEvent, defineStep, gather, run, type StepContext, workflow } from "stepgraph"
import { random, result } from "../support/virtual.ts"

const ways = [
  "array",
  "generator",
  "async generator",
  "promise",
  "Effect",
  "stream",
  "send",
  "send and return"
] as const

/** What one step emits: leaves with a name, and further trees. */
interface Tree {
  readonly way: (typeof ways)[number]
  /** Which step takes it: one, one that is retried and recovered, or two at once. */
  readonly by: "Grow" | "Shaky" | "Twice"
  readonly delays: ReadonlyArray<number>
  readonly emits: ReadonlyArray<string | Tree>
}

const Start = defineEvent("Start", { trees: Schema.Array(Schema.Unknown) })
const Leaf = defineEvent("Leaf", { name: Schema.String })
const Grow = defineEvent("Grow", { tree: Schema.Unknown })
const Shaky = defineEvent("Shaky", { tree: Schema.Unknown })
const Twice = defineEvent("Twice", { tree: Schema.Unknown })
const Stop = defineEvent("Stop", { names: Schema.Array(Schema.String) })

const makers = { Grow, Shaky, Twice }
type Out = ReturnType<(typeof makers)[Tree["by"]] | typeof Leaf>
const eventOf = (item: string | Tree): Out =>
  typeof item === "string" ? Leaf({ name: item }) : makers[item.by]({ tree: item })

const turns = async (n: number) => {
  for (let turn = 0; turn < n % 4; turn++) await new Promise<void>((resume) => setImmediate(resume))
}

type Many = Iterable<Out> | AsyncIterable<Out>
type Grown = Many | Promise<Many> | Effect.Effect<ReadonlyArray<Out> | void> | Stream.Stream<Out>

/** Emits what a tree holds in its way, waiting between. */
const grow = ({ way, emits, delays }: Tree, ctx: StepContext<any, Out>): Grown => {
  const events = emits.map(eventOf)
  const delay = (n: number) => delays[n % delays.length]!
  const sending = (of: ReadonlyArray<Out>) =>
    Effect.forEach(of, (event, n) =>
      Effect.andThen(
        Effect.sleep(delay(n)),
        Effect.sync(() => ctx.send(event))
      )
    )
  switch (way) {
    case "array":
      return events
    case "generator":
      return events.values()
    case "async generator":
      return (async function* () {
        for (const [n, event] of events.entries()) {
          await turns(delay(n))
          yield event
        }
        await turns(delay(events.length))
      })()
    case "promise":
      return turns(delay(0)).then(() => events)
    case "Effect":
      return Effect.as(Effect.sleep(delay(0)), events)
    case "stream":
      return Stream.fromIterable(events.entries()).pipe(
        Stream.mapEffect(([n, event]) => Effect.as(Effect.sleep(delay(n)), event))
      )
    case "send":
      return Effect.andThen(sending(events), Effect.sleep(delay(events.length)))
    case "send and return":
      return Effect.as(sending(events.slice(0, -1)), events.slice(-1))
  }
}

/** The leaves as they would come if every step ran at once, and all that came of it before anything else. */
const namesOf = (trees: ReadonlyArray<string | Tree>): ReadonlyArray<string> =>
  trees.flatMap((item) => {
    if (typeof item === "string") return [item]
    const names = namesOf(item.emits)
    return item.by === "Twice" ? [...names, ...names] : names
  })

const planted = (seed: number): ReadonlyArray<Tree> => {
  const next = random(seed)
  const below = (n: number) => Math.floor(next() * n)
  let leaves = 0
  const tree = (depth: number): Tree => ({
    way: ways[below(ways.length)]!,
    by: (["Grow", "Grow", "Grow", "Shaky", "Twice"] as const)[below(5)]!,
    delays: Array.from({ length: 3 }, () => below(40)),
    emits: Array.from({ length: below(4) }, () => (depth > 3 || next() < 0.4 ? `${leaves++}` : tree(depth + 1)))
  })
  return Array.from({ length: 2 + below(3) }, () => tree(0))
}

const start = defineStep({
  accepts: Start,
  emits: [Leaf, Grow, Shaky, Twice],
  run: ({ trees }) => (trees as ReadonlyArray<Tree>).map(eventOf)
})
const emits = [Leaf, Grow, Shaky, Twice] as const
const growing = defineStep({
  accepts: Grow,
  emits,
  workers: 3,
  run: ({ tree }, ctx) => grow(tree as Tree, ctx)
})
const retried = defineStep({
  accepts: Shaky,
  emits,
  retry: { times: 2 },
  run: ({ tree }, ctx): Grown | Effect.Effect<never, string> => {
    const grown = grow(tree as Tree, ctx)
    if (ctx.attempt > 1) return grown
    for (const item of (tree as Tree).emits) ctx.send(eventOf(item))
    return Effect.andThen(Effect.sleep(5), Effect.fail("not yet"))
  }
})
const left = defineStep({ accepts: Twice, emits, run: ({ tree }, ctx) => grow(tree as Tree, ctx) })
const right = defineStep({ accepts: Twice, emits, workers: 1, run: ({ tree }, ctx) => grow(tree as Tree, ctx) })
const all = defineStep({
  accepts: gather(Leaf),
  emits: Stop,
  run: (leaves) => Stop({ names: leaves.map(({ name }) => name) })
})
const flow = workflow({ name: "trees", start: Start, stop: Stop, steps: { start, growing, retried, left, right, all } })

describe("the order of a gather", () => {
  it.effect("is that of emission for any nest of steps, whatever they return and however long they take", () =>
    Effect.gen(function* () {
      let leaves = 0
      for (let seed = 1; seed <= 150; seed++) {
        const trees = planted(seed)
        const { names } = yield* result(run(flow, { trees }))
        expect(names, `seed ${seed}`).toEqual(namesOf(trees))
        leaves += names.length
      }
      expect(leaves).toBeGreaterThan(2000)
    })
  )

  it.effect.each(ways)("is kept for events emitted by %s", (way) =>
    Effect.gen(function* () {
      for (const delays of [[0], [1, 3, 2], [30, 20, 10]]) {
        const leaf = (name: string): Tree => ({ way, by: "Grow", delays, emits: [name] })
        const twig = (name: string): Tree => ({
          way,
          by: "Grow",
          delays: [5],
          emits: [leaf(`${name}a`), leaf(`${name}b`)]
        })
        const trees = [twig("a"), twig("b"), { way, by: "Grow" as const, delays, emits: ["c", twig("d"), "e"] }]
        const { names } = yield* result(run(flow, { trees }))
        expect(names).toEqual(["aa", "ab", "ba", "bb", "c", "da", "db", "e"])
      }
    })
  )
})
