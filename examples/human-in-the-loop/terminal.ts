// Prints a letter's questions and reads the answers.
import { Console } from "node:console"
import { createInterface } from "node:readline/promises"
import type { Readable, Writable } from "node:stream"
import { launchPromise, WorkflowStalled } from "stepgraph"
import { letter } from "./workflow.ts"

/** The terminal that the user types into and reads. */
export interface Streams {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
}

/** Writes a letter with the user's help and returns the exit code. */
export const askAndAnswer = async (to: string, { stdin, stdout, stderr }: Streams, signal: AbortSignal) => {
  const console = new Console(stdout, stderr)
  const live = await launchPromise(letter, { to }, { signal })

  // Each line is an answer, even if typed before the question. After the last line, the inputs are closed.
  const lines = createInterface({ input: stdin })
  lines.on("line", (text) => {
    live
      .send({ _tag: "Answer", text: text.trim() })
      .catch((error: Error) => console.error(`Not taken: ${error.message}`))
  })
  lines.on("close", () => void live.closeInputs())

  try {
    for await (const event of live.events) {
      if (event._tag === "Question") console.log(event.text)
      if (event._tag === "Sent") console.log(`Sent: ${event.text}`)
      if (event._tag === "Discarded")
        console.log(`Discarded after ${event.drafts} draft${event.drafts === 1 ? "" : "s"}.`)
    }
    return 0
  } catch (error) {
    if (signal.aborted) return 130
    if (!(error instanceof WorkflowStalled)) throw error
    // No more answers will come, and the error lists what the run was waiting for.
    for (const { step, intake, needs } of error.waiting) {
      console.error(`Unanswered: '${step}' waits for ${intake} and still needs ${Object.keys(needs).join(" and ")}.`)
    }
    return 1
  } finally {
    lines.close()
    // An open terminal would keep the program alive for input that nobody reads.
    stdin.destroy()
  }
}
