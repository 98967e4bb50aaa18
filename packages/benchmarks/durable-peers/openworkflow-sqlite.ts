import { join } from "node:path"
import { BackendSqlite } from "openworkflow/sqlite"
import type { Candidate } from "../src/durable/candidate.ts"
import { open } from "./openworkflow.ts"

export default {
  open: async ({ folder }, hooks) => open(BackendSqlite.connect(join(folder, "runs.db")), hooks)
} satisfies Candidate
