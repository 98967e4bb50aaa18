import { join } from "node:path"
import type { Candidate } from "../candidate.ts"
import { open } from "./stepgraph.ts"

export default {
  open: ({ folder }, hooks) => open({ sqlite: join(folder, "runs.db") }, hooks)
} satisfies Candidate
