// Shows an agent's tokens as they come, and asks the user before each dangerous call.
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import { launchPromise, type Observer, WorkflowTimedOut } from "stepgraph"
import { Approval, type agent } from "./workflow.ts"

/** The terminal that the user reads and types into. */
export interface Streams {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
}

const short = (text: string) => (text.length > 60 ? `${text.slice(0, 59)}…` : text)

/** Gives the agent a task and returns the exit code. */
export const converse = async (
  flow: ReturnType<typeof agent>,
  text: string,
  { stdin, stdout, stderr }: Streams,
  options: { readonly signal: AbortSignal; readonly observe?: Observer }
): Promise<number> => {
  const live = await launchPromise(flow, { text }, options)
  const lines = createInterface({ input: stdin })
  const answers = lines[Symbol.asyncIterator]()
  // A run that ends must not leave the user with an open question.
  live.result.then(
    () => lines.close(),
    () => lines.close()
  )
  let last: { readonly turn: number; readonly attempt: number } | undefined
  try {
    for await (const event of live.events) {
      switch (event._tag) {
        case "Token":
          if (last && last.turn < event.turn) stdout.write("\n")
          else if (last && last.attempt < event.attempt) stdout.write("… the line was cut, again:\n")
          last = event
          stdout.write(event.text)
          break
        case "Call":
          stdout.write(`\n  ${event.tool} ${short(event.input)}`)
          break
        case "Question": {
          stdout.write(`\n  Allow ${event.tool} ${event.input}? (yes or no)\n`)
          const { done, value } = await answers.next()
          // After the last line, nobody can be asked.
          if (done) await live.closeInputs()
          else await live.send(Approval({ id: event.id, yes: /^\s*y(es)?\s*$/i.test(value) })).catch(() => {})
          break
        }
        case "GaveUp":
          stderr.write(`\nGave up after ${event.turns} turns.\n`)
          return 1
        case "Answer":
          stdout.write("\n")
      }
    }
    return 0
  } catch (error) {
    if (options.signal.aborted) return 130
    stderr.write(`\n${error instanceof WorkflowTimedOut ? "It took too long." : (error as Error).message}\n`)
    return 1
  } finally {
    lines.close()
    // An open terminal would keep the program alive for input that nobody reads.
    stdin.destroy()
  }
}
