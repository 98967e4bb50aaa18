import { join } from "node:path"
import * as SqliteClient from "@stepgraph/durable/sqlite"
import type { Candidate } from "../candidate.ts"
import { open } from "./effect-workflow.ts"

export default {
  open: ({ folder }, hooks) => open(SqliteClient.layer({ filename: join(folder, "runs.db") }), hooks)
} satisfies Candidate
