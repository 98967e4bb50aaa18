// Runs the workflow in a terminal.
//
//   node examples/human-in-the-loop/main.ts Ada
import { askAndAnswer } from "./terminal.ts"

const interrupt = new AbortController()
process.once("SIGINT", () => interrupt.abort())

process.exitCode = await askAndAnswer(process.argv[2] ?? "all", process, interrupt.signal)
