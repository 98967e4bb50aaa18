// Runs the digest and shows its timeline in the terminal, or writes it as a page if you name a file.
//
//   node examples/digest/main.ts run.html
import { writeFile } from "node:fs/promises"
import { timeline, toHtml, toText } from "@stepgraph/viz"
import { runPromise, type TraceEntry } from "stepgraph"
import { digest } from "./workflow.ts"

const trace: Array<TraceEntry> = []
const { pages } = await runPromise(digest, { articles: 8 }, { observe: (entry) => trace.push(entry) })
const run = timeline(trace, { workflow: digest })

console.log(pages.join("\n"))
console.log(`\n${toText(run, { width: process.stdout.columns })}`)
const [file] = process.argv.slice(2)
if (file !== undefined) await writeFile(file, toHtml(run))
