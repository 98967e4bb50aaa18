/**
 * All candidates.
 */
const here = (file: string) => new URL(file, import.meta.url).href

export const candidates = [
  { id: "stepgraph", title: "stepgraph", file: here("./candidates/stepgraph.ts") },
  { id: "checked", title: "stepgraph, checked fields", file: here("./candidates/stepgraph-checked.ts") },
  { id: "compiled", title: "stepgraph, checked and compiled", file: here("./candidates/stepgraph-compiled.ts") },
  { id: "queues", title: "Effect queues by hand", file: here("./candidates/effect-queues.ts") },
  { id: "forEach", title: "Effect.forEach", file: here("./candidates/effect-for-each.ts") },
  { id: "pool", title: "promise pool", file: here("./candidates/promise-pool.ts") },
  { id: "loop", title: "bare loop", file: here("./candidates/bare-loop.ts") },
  { id: "p-queue", title: "p-queue", file: here("../peers/p-queue.ts") },
  { id: "rxjs", title: "rxjs", file: here("../peers/rxjs.ts") },
  { id: "xstate", title: "xstate", file: here("../peers/xstate.ts") },
  { id: "mastra", title: "Mastra", file: here("../peers/mastra.ts") },
  { id: "langgraph", title: "LangGraph", file: here("../peers/langgraph.ts") },
  { id: "llamaindex", title: "LlamaIndex workflows", file: here("../peers/llamaindex.ts") }
]
