/**
 * Who takes part in the durable benchmark.
 */
import { fileURLToPath } from "node:url"

export interface Contestant {
  readonly id: string
  readonly title: string
  readonly file: string
  readonly store: "memory" | "SQLite" | "Postgres" | "Restate"
  /** What a power cut may take, as measured by counting its syncs. */
  readonly powerCut: string
  /** Milliseconds after which runs that wait have left its memory. */
  readonly settles?: number
  /** It does not survive its process. */
  readonly forgets?: boolean
  /** Killing it means waiting for its lease: once is enough. */
  readonly leases?: boolean
}

const own = (name: string) => fileURLToPath(new URL(`./candidates/${name}.ts`, import.meta.url))
const peer = (name: string) => fileURLToPath(new URL(`../../durable-peers/${name}.ts`, import.meta.url))

const nothing = "nothing: a sync to the disk with each commit"
const last = "the last steps: no sync with a commit"

export const contestants: ReadonlyArray<Contestant> = [
  {
    id: "memory",
    title: "stepgraph, memory",
    file: own("stepgraph-memory"),
    store: "memory",
    powerCut: "everything",
    forgets: true
  },
  { id: "sqlite", title: "stepgraph, SQLite", file: own("stepgraph-sqlite"), store: "SQLite", powerCut: nothing },
  {
    id: "postgres",
    title: "stepgraph, Postgres",
    file: own("stepgraph-postgres"),
    store: "Postgres",
    powerCut: nothing
  },
  {
    id: "effect-sqlite",
    title: "effect/workflow, SQLite",
    file: own("effect-workflow-sqlite"),
    store: "SQLite",
    powerCut: nothing,
    settles: 12_000
  },
  {
    id: "effect-postgres",
    title: "effect/workflow, Postgres",
    file: own("effect-workflow-postgres"),
    store: "Postgres",
    powerCut: nothing,
    settles: 12_000
  },
  { id: "dbos", title: "DBOS, Postgres", file: peer("dbos"), store: "Postgres", powerCut: nothing },
  {
    id: "openworkflow-sqlite",
    title: "openworkflow, SQLite",
    file: peer("openworkflow-sqlite"),
    store: "SQLite",
    powerCut: nothing,
    leases: true
  },
  {
    id: "openworkflow-postgres",
    title: "openworkflow, Postgres",
    file: peer("openworkflow-postgres"),
    store: "Postgres",
    powerCut: nothing,
    leases: true
  },
  { id: "langgraph", title: "LangGraph, SQLite", file: peer("langgraph"), store: "SQLite", powerCut: last },
  { id: "mastra", title: "Mastra, libSQL", file: peer("mastra"), store: "SQLite", powerCut: last },
  { id: "restate", title: "Restate server", file: peer("restate"), store: "Restate", powerCut: nothing }
]
