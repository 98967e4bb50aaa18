import { join } from "node:path"
import { Annotation, Command, END, interrupt, Send, START, StateGraph } from "@langchain/langgraph"
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite"
import { type Candidate, sideBySide } from "../src/durable/candidate.ts"

export default {
  open: async ({ folder }, { step, went }) => {
    const checkpointer = SqliteSaver.fromConnString(join(folder, "runs.db"))
    const Hop = Annotation.Root({ n: Annotation<number>, last: Annotation<number>, id: Annotation<string> })
    const hop = async ({ n }: typeof Hop.State) => {
      await step(n + 1)
      return { n: n + 1 }
    }
    const chain = new StateGraph(Hop)
      .addNode("hop", hop)
      .addEdge(START, "hop")
      .addConditionalEdges("hop", ({ last, n }) => (n === last ? END : "hop"), ["hop", END])
      .compile({ checkpointer })
    const numbers = Annotation<ReadonlyArray<number>>({
      reducer: (left, right) => left.concat(right),
      default: () => []
    })
    const Fan = Annotation.Root({ items: Annotation<number>, done: numbers, sum: Annotation<number> })
    const fan = new StateGraph(Fan)
      .addNode("work", async ({ n }: any) => {
        await step(n)
        return { done: [n] }
      })
      .addNode("all", ({ done }) => ({ sum: done.length }))
      .addConditionalEdges(
        START,
        ({ items }) => Array.from({ length: items }, (_, i) => new Send("work", { n: i + 1 })),
        ["work"]
      )
      .addEdge("work", "all")
      .addEdge("all", END)
      .compile({ checkpointer })
    const walk = new StateGraph(Hop)
      .addNode("hop", hop)
      .addNode("wait", () => {
        interrupt("answer")
        return {}
      })
      .addNode("went", ({ id }) => {
        went(id)
        return {}
      })
      .addConditionalEdges(START, ({ last, n }) => (n === last ? "wait" : "hop"), ["hop", "wait"])
      .addConditionalEdges("hop", ({ last, n }) => (n === last ? "wait" : "hop"), ["hop", "wait"])
      .addEdge("wait", "went")
      .addEdge("went", END)
      .compile({ checkpointer })
    // A checkpoint is written before the next step begins.
    const config = (id: string, steps = 10) => ({
      configurable: { thread_id: id },
      durability: "sync" as const,
      recursionLimit: steps + 10
    })
    return {
      chain: async (id, last) => (await chain.invoke({ n: 0, last, id }, config(id, last))).n,
      goOn: (id, last) => chain.invoke(null, config(id, last)),
      fan: async (id, items) => (await fan.invoke({ items }, { ...config(id), maxConcurrency: sideBySide })).sum,
      wait: (id, last) => walk.invoke({ n: 0, last, id }, config(id, last)),
      answer: (id) => walk.invoke(new Command({ resume: "Ada" }), config(id)),
      close: async () => void (checkpointer as any).db.close()
    }
  }
} satisfies Candidate
