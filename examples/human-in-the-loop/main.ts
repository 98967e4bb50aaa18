// The workflow in a terminal: its questions are printed, and what is typed is its answers.
//
//   node examples/human-in-the-loop/main.ts Ada
import { createInterface } from "node:readline/promises"
import { launchPromise, WorkflowStalled } from "stepgraph"
import { letter } from "./workflow.ts"

const interrupt = new AbortController()
process.once("SIGINT", () => interrupt.abort())

const live = await launchPromise(letter, { to: process.argv[2] ?? "all" }, { signal: interrupt.signal })

// Each line is an answer, also one that was typed before anything was asked. When there are no more, the run is told so.
const lines = createInterface({ input: process.stdin })
lines.on("line", (text) => {
  live.send({ _tag: "Answer", text: text.trim() }).catch((error: Error) => console.error(`Not taken: ${error.message}`))
})
lines.on("close", () => void live.closeInputs())

try {
  for await (const event of live.events) {
    if (event._tag === "Question") console.log(event.text)
    if (event._tag === "Sent") console.log(`Sent: ${event.text}`)
    if (event._tag === "Discarded")
      console.log(`Discarded after ${event.drafts} draft${event.drafts === 1 ? "" : "s"}.`)
  }
} catch (error) {
  if (interrupt.signal.aborted) process.exitCode = 130
  else if (error instanceof WorkflowStalled) {
    // Nobody will answer any more, and the run knows what it was waiting for.
    for (const { step, intake, needs } of error.waiting) {
      console.error(`Unanswered: '${step}' waits for ${intake} and still needs ${Object.keys(needs).join(" and ")}.`)
    }
    process.exitCode = 1
  } else throw error
} finally {
  lines.close()
  // A terminal that is still open would keep the program waiting for what nobody will read.
  process.stdin.destroy()
}
