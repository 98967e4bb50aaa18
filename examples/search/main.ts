// The entry point of the demo.
import { demo } from "./demo.ts"

// Ctrl-C interrupts the run: its steps see their signal aborted, and nothing keeps running.
const interrupt = new AbortController()
process.once("SIGINT", () => interrupt.abort())

process.exitCode = await demo(process.argv.slice(2), process, interrupt.signal)
