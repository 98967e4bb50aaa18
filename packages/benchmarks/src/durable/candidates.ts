/**
 * Who takes part in the durable benchmark.
 */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

export interface Contestant {
  readonly id: string
  readonly title: string
  readonly file: string
  /** It is installed by the benchmark. */
  readonly isPeer: boolean
  readonly store: "memory" | "SQLite" | "Postgres" | "Restate"
  /** What a power cut may take, as measured by counting its syncs. */
  readonly powerCut: string
  /** Milliseconds after which runs that wait have left its memory. */
  readonly settles?: number
  /** It does not survive its process. */
  readonly forgets?: boolean
}

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const own = (name: string) => ({ file: path(`./candidates/${name}.ts`), isPeer: false })
const peer = (name: string) => ({ file: path(`../../durable-peers/${name}.ts`), isPeer: true })

/** The engines that are not part of the workspace. */
export const peerVersions = (): Readonly<Record<string, string>> =>
  JSON.parse(readFileSync(path("../../durable-peers/package.json"), "utf8")).dependencies

const nothing = "nothing: a sync to the disk with each commit"
const last = "the last steps: no sync with a commit"

export const contestants: ReadonlyArray<Contestant> = [
  {
    id: "memory",
    title: "stepgraph, memory",
    ...own("stepgraph-memory"),
    store: "memory",
    powerCut: "everything",
    forgets: true
  },
  { id: "sqlite", title: "stepgraph, SQLite", ...own("stepgraph-sqlite"), store: "SQLite", powerCut: nothing },
  {
    id: "sqlite-unsynced",
    title: "stepgraph, SQLite without syncs",
    ...own("stepgraph-sqlite-unsynced"),
    store: "SQLite",
    powerCut: last
  },
  {
    id: "postgres",
    title: "stepgraph, Postgres",
    ...own("stepgraph-postgres"),
    store: "Postgres",
    powerCut: nothing
  },
  {
    id: "effect-sqlite",
    title: "effect/workflow, SQLite",
    ...own("effect-workflow-sqlite"),
    store: "SQLite",
    powerCut: nothing,
    settles: 12_000
  },
  {
    id: "effect-postgres",
    title: "effect/workflow, Postgres",
    ...own("effect-workflow-postgres"),
    store: "Postgres",
    powerCut: nothing,
    settles: 12_000
  },
  { id: "dbos", title: "DBOS, Postgres", ...peer("dbos"), store: "Postgres", powerCut: nothing },
  {
    id: "openworkflow-sqlite",
    title: "openworkflow, SQLite",
    ...peer("openworkflow-sqlite"),
    store: "SQLite",
    powerCut: nothing
  },
  {
    id: "openworkflow-postgres",
    title: "openworkflow, Postgres",
    ...peer("openworkflow-postgres"),
    store: "Postgres",
    powerCut: nothing
  },
  { id: "langgraph", title: "LangGraph, SQLite", ...peer("langgraph"), store: "SQLite", powerCut: last },
  { id: "mastra", title: "Mastra, libSQL", ...peer("mastra"), store: "SQLite", powerCut: last },
  { id: "restate", title: "Restate server", ...peer("restate"), store: "Restate", powerCut: nothing }
]
