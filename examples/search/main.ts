// The demo's command line: what is asked, one run of the workflow, and what is printed.
import { liveView } from "@stepgraph/viz"
import { runPromise } from "stepgraph"
import { Misuse, parse, usage } from "./arguments.ts"
import { count, printPassages, printTimeline, printUnreadable } from "./print.ts"
import { type Span, timed } from "./stopwatch.ts"
import { search } from "./workflow.ts"

// Ctrl-C interrupts the run: its steps see their signal aborted, and nothing is left running.
const interrupt = new AbortController()
process.once("SIGINT", () => interrupt.abort())

const main = async (): Promise<number> => {
  const asked = parse(process.argv.slice(2))
  if (asked === undefined) {
    console.log(usage)
    return 0
  }
  const { documents, question, top } = asked
  const { name, folder, patterns } = documents
  const spans: Array<Span> = []
  // While it works a terminal shows what each step is at; on stderr, so that an answer can go into a pipe.
  const observe = process.stderr.isTTY ? liveView(search).observe : undefined
  const { signal } = interrupt
  const answer = await runPromise(timed(search, spans), { question, folder, patterns }, { signal, observe })
  const unreadable = answer.unreadable.length > 0 ? `\n${printUnreadable(answer.unreadable)}` : ""
  if (answer._tag === "NoAnswer") {
    console.error(`${answer.reason}${unreadable}`)
    return 1
  }

  const { ranked, passages, files } = answer
  const shown = ranked.slice(0, top)
  console.log(`
${printPassages(question, shown)}

${shown.length} of ${count(ranked.length, "hit")} for “${question}”
in ${count(passages, "passage")} of ${count(files, "file")} of ${name}

${printTimeline(Object.keys(search.steps), spans)}`)
  if (unreadable !== "") console.error(unreadable)
  return 0
}

process.exitCode = await main().catch((error: unknown) => {
  if (interrupt.signal.aborted) return 130
  if (error instanceof Misuse) {
    console.error(`${error.message}\nSee --help.`)
    return 2
  }
  // Only the stack, which begins with the message: what the failed step was given may be thousands of passages.
  console.error(error instanceof Error ? error.stack : error)
  return 1
})
