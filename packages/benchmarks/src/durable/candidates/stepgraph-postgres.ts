import { layerPostgres } from "@stepgraph/durable/postgres"
import type { Candidate } from "../candidate.ts"
import { open } from "./stepgraph.ts"

export default {
  open: ({ postgres }, hooks) => open({ layer: layerPostgres({ url: postgres! }) }, hooks)
} satisfies Candidate
