import { join } from "node:path"
import { layerSql } from "@stepgraph/durable"
import * as SqliteClient from "@stepgraph/durable/sqlite"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { Candidate } from "../candidate.ts"
import { open } from "./stepgraph.ts"

/** As the other libraries' clients of SQLite are set: without a sync to the disk with each commit. */
const unsynced = Layer.effectDiscard(Effect.flatMap(SqlClient, (sql) => sql.unsafe("PRAGMA synchronous = NORMAL")))

export default {
  open: ({ folder }, hooks) => {
    const client = Layer.provideMerge(unsynced, SqliteClient.layer({ filename: join(folder, "runs.db") }))
    return open({ layer: Layer.provide(layerSql(), client) }, hooks)
  }
} satisfies Candidate
