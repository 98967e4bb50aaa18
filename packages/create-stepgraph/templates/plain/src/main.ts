import { runPromise } from "stepgraph"
import { flow } from "./flow.ts"

const { quotes } = await runPromise(flow, { item: process.argv[2] ?? "tea" })
console.log(quotes.length > 0 ? quotes.join("\n") : "No shop has answered.")
