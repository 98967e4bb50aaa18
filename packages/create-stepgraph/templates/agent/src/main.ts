// Gives the agent a task, and asks in the terminal before each dangerous call.
import { createInterface } from "node:readline"
import { launchPromise } from "stepgraph"
import { Approval } from "./agent.ts"
import { flow } from "./flow.ts"

const text = process.argv[2] ?? "Summarise my notes in summary.md, a line for each."
const interrupt = new AbortController()
process.once("SIGINT", () => interrupt.abort())

const lines = createInterface({ input: process.stdin })
const answers = lines[Symbol.asyncIterator]()
try {
  const live = await launchPromise(flow, { text }, { signal: interrupt.signal })
  // A run that ends must not leave the user with an open question.
  live.result.then(
    () => lines.close(),
    () => lines.close()
  )
  for await (const event of live.events) {
    if (event._tag === "Said" || event._tag === "Answer") console.log(event.text)
    if (event._tag === "Call") console.log(`  ${event.tool} ${event.input}`)
    if (event._tag === "GaveUp") throw new Error(`Gave up after ${event.turns} turns.`)
    if (event._tag === "Question") {
      console.log(`  Allow ${event.tool}? (yes or no)`)
      const { done, value } = await answers.next()
      // After the last line, nobody can be asked.
      if (done) await live.closeInputs()
      else await live.send(Approval({ id: event.id, yes: /^\s*y(es)?\s*$/i.test(value) }))
    }
  }
} catch (error) {
  console.error(interrupt.signal.aborted ? "Interrupted." : (error as Error).message)
  process.exitCode = interrupt.signal.aborted ? 130 : 1
} finally {
  lines.close()
}
