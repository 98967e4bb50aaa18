// Runs the agent in a terminal, on a folder of yours or on a few notes of its own.
//
//   node examples/agent/main.ts [folder] [task]
import { prepared } from "./prepare.ts"
import { converse } from "./terminal.ts"

const interrupt = new AbortController()
process.once("SIGINT", () => interrupt.abort())

const [folder, task = "Summarise my notes in summary.md, a line for each."] = process.argv.slice(2)

await using agent = await prepared({ folder, pause: 40, faults: [undefined, "cut"] })
process.exitCode = await converse(agent.flow, task, process, { signal: interrupt.signal })
