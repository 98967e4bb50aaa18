import { setTimeout } from "node:timers/promises"
import { createStep, createWorkflow } from "@mastra/core/workflows"
import { z } from "zod"
import { awaiting, type Candidate } from "../src/candidate.ts"
import { aliveMillis, chainLength, itemsAtOnce, sleepersAtOnce, sleepMillis } from "../src/workloads.ts"

const defaultWorkers = 4

/** One run, up to its result. */
const once = async (workflow: any, inputData: unknown): Promise<any> => {
  const run = await workflow.createRun()
  const ended = await run.start({ inputData })
  if (ended.status !== "success") throw new Error(`ended as ${ended.status}: ${ended.error}`)
  return ended.result
}

const None = z.object({})
const Text = z.object({ text: z.string() })
const Count = z.object({ count: z.number() })
const Item = z.object({ n: z.number() })
const Sum = z.object({ sum: z.number() })

const start = createStep({
  id: "start",
  inputSchema: None,
  outputSchema: z.array(Text),
  execute: async () => [1, 2, 3].map((n) => ({ text: `Query ${n}` }))
})
const search = createStep({
  id: "search",
  inputSchema: Text,
  outputSchema: Text,
  execute: async ({ inputData: { text } }) => ({ text })
})
const finish = createStep({
  id: "finish",
  inputSchema: z.array(Text),
  outputSchema: Text,
  execute: async ({ inputData }) => ({ text: inputData.map(({ text }) => text).join(", ") })
})
const seedFlow = createWorkflow({ id: "seed", inputSchema: None, outputSchema: Text })
  .then(start)
  .foreach(search, { concurrency: defaultWorkers })
  .then(finish)
  .commit()
const seed = awaiting(async () => (await once(seedFlow, {})).text)

const split = createStep({
  id: "split",
  inputSchema: Count,
  outputSchema: z.array(Item),
  execute: async ({ inputData: { count } }) => Array.from({ length: count }, (_, n) => ({ n }))
})
// The types of a generic builder are known only at run time.
const sum: any = createStep({
  id: "sum",
  inputSchema: z.array(Item),
  outputSchema: Sum,
  execute: async ({ inputData }) => ({ sum: inputData.reduce((sum, { n }) => sum + n, 0) })
})
const fanned = (id: string, work: any, concurrency: number) =>
  createWorkflow({ id, inputSchema: Count, outputSchema: Sum })
    .then(split)
    .foreach(work, { concurrency })
    .then(sum)
    .commit()

const double = createStep({
  id: "double",
  inputSchema: Item,
  outputSchema: Item,
  execute: async ({ inputData: { n } }) => ({ n: 2 * n })
})
const doubling = fanned("fan", double, defaultWorkers)
const fan = awaiting(async (count) => (await once(doubling, { count })).sum)
const doublingMany = fanned("million", double, itemsAtOnce)

const sleep = createStep({
  id: "sleep",
  inputSchema: Item,
  outputSchema: Item,
  execute: async ({ inputData: { n } }) => ({ n: await setTimeout(sleepMillis, n) })
})
const sleeping = fanned("sleepers", sleep, sleepersAtOnce)

const Hop = z.object({ hops: z.number(), left: z.number() })
const hop = createStep({
  id: "hop",
  inputSchema: Hop,
  outputSchema: Hop,
  execute: async ({ inputData: { hops, left } }) => ({ hops: hops + 1, left: left - 1 })
})
const looping = createWorkflow({ id: "loop", inputSchema: Hop, outputSchema: Hop })
  .dountil(hop, async ({ inputData: { left } }: any) => left === 0)
  .commit()

let links: any = createWorkflow({ id: "links", inputSchema: Item, outputSchema: Item })
for (let i = 0; i < chainLength; i++) {
  links = links.then(
    createStep({
      id: `step${i}`,
      inputSchema: Item,
      outputSchema: Item,
      execute: async ({ inputData: { n } }) => ({ n: n + 1 })
    })
  )
}
const chaining = fanned("chain", links.commit(), defaultWorkers)

const letter = (id: string) =>
  createStep({ id, inputSchema: None, outputSchema: Text, execute: async () => ({ text: id }) })
const joining = createWorkflow({ id: "mixed", inputSchema: None, outputSchema: Text })
  .parallel([letter("a"), letter("b"), letter("c")])
  .then(
    createStep({
      id: "join",
      inputSchema: z.object({ a: Text, b: Text, c: Text }),
      outputSchema: Text,
      execute: async ({ inputData: { a, b, c } }) => ({ text: `${c.text}, ${a.text}, ${b.text}` })
    }) as any
  )
  .commit()

const words = createStep({
  id: "words",
  inputSchema: Item,
  outputSchema: Item,
  execute: async ({ inputData: { n } }) => ({ n: 2 * n })
})
const linksOf = createStep({
  id: "links-of",
  inputSchema: Item,
  outputSchema: Item,
  execute: async ({ inputData: { n } }) => ({ n: n + 1 })
})
const document = createWorkflow({ id: "document", inputSchema: Item, outputSchema: Item })
  .parallel([words, linksOf])
  .then(
    createStep({
      id: "pair",
      inputSchema: z.object({ words: Item, "links-of": Item }),
      outputSchema: Item,
      execute: async ({ inputData }) => ({ n: inputData.words.n + inputData["links-of"].n })
    })
  )
  .commit()
const documents = fanned("documents", document, defaultWorkers)

const napping = createWorkflow({ id: "nap", inputSchema: None, outputSchema: Item })
  .then(
    createStep({
      id: "nap",
      inputSchema: None,
      outputSchema: Item,
      execute: async () => ({ n: await setTimeout(aliveMillis, 1) })
    })
  )
  .commit()

export default {
  seed,
  promises: seed,
  fan,
  gather: fan,
  loop: awaiting(async (left) => (await once(looping, { hops: 0, left })).hops),
  chain: awaiting(async (count) => (await once(chaining, { count })).sum),
  sleepers: awaiting(async (count) => (await once(sleeping, { count })).sum),
  mixed: awaiting(async () => (await once(joining, {})).text),
  scopes: awaiting(async (count) => (await once(documents, { count })).sum),
  alive: awaiting(async (count) => {
    const naps = await Promise.all(Array.from({ length: count }, () => once(napping, {})))
    return naps.reduce((sum, { n }) => sum + n, 0)
  }),
  million: awaiting(async (count) => (await once(doublingMany, { count })).sum)
} satisfies Candidate
