import { setTimeout } from "node:timers/promises"
import { Annotation, END, Send, START, StateGraph } from "@langchain/langgraph"
import { awaiting, type Candidate } from "../src/candidate.ts"
import { aliveMillis, chainLength, sleepersAtOnce, sleepMillis } from "../src/workloads.ts"

const defaultWorkers = 4

const texts = Annotation<ReadonlyArray<string>>({ reducer: (left, right) => left.concat(right), default: () => [] })
const numbers = Annotation<ReadonlyArray<number>>({ reducer: (left, right) => left.concat(right), default: () => [] })
const sumOf = (values: ReadonlyArray<number>) => values.reduce((sum, n) => sum + n, 0)

const Seed = Annotation.Root({ answers: texts, result: Annotation<string> })
const seedGraph = new StateGraph(Seed)
  .addNode("search", ({ query }: any) => ({ answers: [query] }))
  .addNode("finish", ({ answers }) => ({ result: answers.join(", ") }))
  .addConditionalEdges(START, () => [1, 2, 3].map((n) => new Send("search", { query: `Query ${n}` })), ["search"])
  .addEdge("search", "finish")
  .addEdge("finish", END)
  .compile()
const seed = awaiting(async () => (await seedGraph.invoke({}, { maxConcurrency: defaultWorkers })).result)

const Fan = Annotation.Root({ count: Annotation<number>, done: numbers, sum: Annotation<number> })
const fanned = (node: any) =>
  new StateGraph(Fan)
    .addNode("work", node)
    .addNode("finish", ({ done }) => ({ sum: sumOf(done) }))
    .addConditionalEdges(START, ({ count }) => Array.from({ length: count }, (_, n) => new Send("work", { n })), [
      "work"
    ])
    .addEdge("work", "finish")
    .addEdge("finish", END)
    .compile()

const doubling = fanned(({ n }: any) => ({ done: [2 * n] }))
const fan = awaiting(async (count) => (await doubling.invoke({ count }, { maxConcurrency: defaultWorkers })).sum)

const sleeping = fanned(async ({ n }: any) => ({ done: [await setTimeout(sleepMillis, n)] }))

const Hop = Annotation.Root({ hops: Annotation<number>, left: Annotation<number> })
const hop = ({ hops, left }: { hops: number; left: number }) => ({ hops: hops + 1, left: left - 1 })
const looping = new StateGraph(Hop)
  .addNode("ping", hop)
  .addNode("pong", hop)
  .addEdge(START, "ping")
  .addConditionalEdges("ping", ({ left }) => (left === 0 ? END : "pong"), ["pong", END])
  .addConditionalEdges("pong", ({ left }) => (left === 0 ? END : "ping"), ["ping", END])
  .compile()

const Link = Annotation.Root({ n: Annotation<number>, done: numbers })
let links: any = new StateGraph(Link)
for (let i = 0; i < chainLength; i++) {
  links = links
    .addNode(`step${i}`, ({ n }: any) => ({ n: n + 1 }))
    .addEdge(i === 0 ? START : `step${i - 1}`, `step${i}`)
}
links = links
  .addNode("last", ({ n }: any) => ({ done: [n] }))
  .addEdge(`step${chainLength - 1}`, "last")
  .addEdge("last", END)
const chaining = fanned(links.compile())

const Mixed = Annotation.Root({
  a: Annotation<string>,
  b: Annotation<string>,
  c: Annotation<string>,
  result: Annotation<string>
})
const joining = new StateGraph(Mixed)
  .addNode("forA", () => ({ a: "a" }))
  .addNode("forB", () => ({ b: "b" }))
  .addNode("forC", () => ({ c: "c" }))
  .addNode("finish", ({ a, b, c }) => ({ result: `${c}, ${a}, ${b}` }))
  .addEdge(START, "forA")
  .addEdge(START, "forB")
  .addEdge(START, "forC")
  .addEdge(["forA", "forB", "forC"], "finish")
  .addEdge("finish", END)
  .compile()

const Document = Annotation.Root({
  n: Annotation<number>,
  words: Annotation<number>,
  links: Annotation<number>,
  done: numbers
})
const document = new StateGraph(Document)
  .addNode("forWords", ({ n }) => ({ words: 2 * n }))
  .addNode("forLinks", ({ n }) => ({ links: n + 1 }))
  .addNode("pair", ({ words, links }) => ({ done: [words + links] }))
  .addEdge(START, "forWords")
  .addEdge(START, "forLinks")
  .addEdge(["forWords", "forLinks"], "pair")
  .addEdge("pair", END)
  .compile()
const documents = fanned(document)

const Nap = Annotation.Root({ one: Annotation<number> })
const napping = new StateGraph(Nap)
  .addNode("nap", async () => ({ one: await setTimeout(aliveMillis, 1) }))
  .addEdge(START, "nap")
  .addEdge("nap", END)
  .compile()

export default {
  seed,
  promises: seed,
  fan,
  // The results of the branches are merged in branch order.
  gather: fan,
  loop: awaiting(async (left) => (await looping.invoke({ hops: 0, left }, { recursionLimit: left + 10 })).hops),
  chain: awaiting(
    async (count) =>
      (await chaining.invoke({ count }, { maxConcurrency: defaultWorkers, recursionLimit: chainLength + 10 })).sum
  ),
  sleepers: awaiting(async (count) => (await sleeping.invoke({ count }, { maxConcurrency: sleepersAtOnce })).sum),
  mixed: awaiting(async () => (await joining.invoke({})).result),
  scopes: awaiting(async (count) => (await documents.invoke({ count }, { maxConcurrency: defaultWorkers })).sum),
  alive: awaiting(async (count) =>
    sumOf(await Promise.all(Array.from({ length: count }, async () => (await napping.invoke({})).one)))
  )
} satisfies Candidate
