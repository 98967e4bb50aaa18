// Runs the workflow for one question and prints the answer.
import { Console } from "node:console"
import { type Durable, durable, openDurable } from "@stepgraph/durable"
import { liveView } from "@stepgraph/viz"
import { around, runPromise } from "stepgraph"
import { Misuse, parse, usage } from "./arguments.ts"
import { count, printPassages, printTimeline, printUnreadable } from "./print.ts"
import { measured, type Span, timed } from "./stopwatch.ts"
import { search } from "./workflow.ts"

/** The streams for answers and errors. */
export interface Streams {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

/** Answers the question on the command line and returns the exit code. */
export const demo = async (args: ReadonlyArray<string>, streams: Streams, signal: AbortSignal): Promise<number> => {
  const console = new Console(streams.stdout, streams.stderr)
  try {
    return await answer(args, streams, console, signal)
  } catch (error) {
    if (signal.aborted) return 130
    if (error instanceof Misuse) {
      console.error(`${error.message}\nSee --help.`)
      return 2
    }
    // Only the stack, which begins with the message: the failed step's input may be thousands of passages.
    console.error(error instanceof Error ? error.stack : error)
    return 1
  }
}

const answer = async (args: ReadonlyArray<string>, { stderr }: Streams, console: Console, signal: AbortSignal) => {
  const asked = parse(args)
  if (asked === undefined) {
    console.log(usage)
    return 0
  }
  const { documents, durable: file, question, top } = asked
  const { name, folder, patterns } = documents
  const spans: Array<Span> = []
  const input = { question, folder, patterns }
  // In a terminal, shows progress on stderr, so the answer can go into a pipe.
  const observe = stderr.isTTY ? liveView(search).observe : undefined
  const found =
    file === undefined
      ? await runPromise(timed(search, spans), input, { signal, observe })
      : await searchDurably(
          file,
          durable(around(search, ({ step }, next) => measured(step, spans, next))),
          input,
          signal
        )
  const unreadable = found.unreadable.length > 0 ? `\n${printUnreadable(found.unreadable)}` : ""
  if (found._tag === "NoAnswer") {
    console.error(`${found.reason}${unreadable}`)
    return 1
  }

  const { ranked, passages, files } = found
  const shown = ranked.slice(0, top)
  console.log(`
${printPassages(question, shown)}

${shown.length} of ${count(ranked.length, "hit")} for “${question}”
in ${count(passages, "passage")} of ${count(files, "file")} of ${name}

${spans.length === 0 ? `The answer was in ${file}.` : printTimeline(Object.keys(search.steps), spans)}`)
  if (unreadable !== "") console.error(unreadable)
  return 0
}

/** The same question about the same documents is the same run: a second process goes on with what the first has stored. */
const searchDurably = async (
  file: string,
  searches: Durable<typeof search>,
  input: { readonly question: string; readonly folder: string; readonly patterns: ReadonlyArray<string> },
  signal: AbortSignal
) => {
  await using runs = await openDurable({ sqlite: file }, [searches])
  const run = await runs.start(searches, JSON.stringify(Object.values(input)), input)
  // Ctrl-C does not end the run: it waits in its file.
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  })
  return await Promise.race([run.result, interrupted])
}
