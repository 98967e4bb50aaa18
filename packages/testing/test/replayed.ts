// Prints the trace of one schedule of the seed flow; `process.test.ts` runs it in separate processes.
import { explore, type ScheduleFailure } from "@stepgraph/testing"
import { Effect } from "effect"
import { seed } from "./seed.ts"

const failure = (await Effect.runPromise(Effect.flip(explore(seed, { replay: process.argv[2]! })))) as ScheduleFailure
console.log(JSON.stringify({ trace: failure.trace, message: failure.message }))
