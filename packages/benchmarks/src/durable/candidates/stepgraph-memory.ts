import type { Candidate } from "../candidate.ts"
import { open } from "./stepgraph.ts"

export default { open: (_, hooks) => open({ memory: true }, hooks) } satisfies Candidate
