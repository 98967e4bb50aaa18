import { BackendPostgres } from "openworkflow/postgres"
import type { Candidate } from "../src/durable/candidate.ts"
import { open } from "./openworkflow.ts"

export default {
  open: async ({ postgres }, hooks) => open(await BackendPostgres.connect(postgres!), hooks)
} satisfies Candidate
