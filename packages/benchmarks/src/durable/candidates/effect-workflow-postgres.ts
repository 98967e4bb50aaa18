import * as PgClient from "@effect/sql-pg/PgClient"
import { Redacted } from "effect"
import type { Candidate } from "../candidate.ts"
import { open } from "./effect-workflow.ts"

export default {
  open: ({ postgres }, hooks) => open(PgClient.layer({ url: Redacted.make(postgres!), maxConnections: 10 }), hooks)
} satisfies Candidate
