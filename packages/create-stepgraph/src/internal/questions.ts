/** Asks on the terminal for what no option says. */
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import { Cancelled, Misuse } from "./errors.ts"

export interface Questions extends Disposable {
  /** Asks until `read` takes the answer. An empty answer is the default. A `Misuse` that it throws is shown. */
  readonly ask: <A>(question: string, byDefault: string, read: (answer: string) => A | Promise<A>) => Promise<A>
  readonly confirm: (question: string) => Promise<boolean>
}

/** All questions are asked before the first file is written, so that whoever gives up leaves nothing. */
export const questions = (input: Readable, output: Writable, signal: AbortSignal): Questions => {
  const lines = createInterface({ input, output })
  const over = new AbortController()
  // Ctrl-C on a terminal is no signal while a line is read, and Ctrl-D closes.
  for (const event of ["SIGINT", "close"]) lines.once(event, () => over.abort())
  const cancelled = AbortSignal.any([signal, over.signal])
  const line = (prompt: string) =>
    new Promise<string>((resolve, reject) => {
      const cancel = () => reject(new Cancelled())
      if (cancelled.aborted) return cancel()
      cancelled.addEventListener("abort", cancel, { once: true })
      lines.question(prompt, (answer) => {
        cancelled.removeEventListener("abort", cancel)
        resolve(answer)
      })
    })
  const ask: Questions["ask"] = async (question, byDefault, read) => {
    for (;;) {
      const answer = (await line(`${question} (${byDefault}) `)).trim()
      try {
        return await read(answer === "" ? byDefault : answer)
      } catch (error) {
        if (!(error instanceof Misuse)) throw error
        output.write(`${error.message}\n`)
      }
    }
  }
  return {
    ask,
    confirm: (question) =>
      ask(question, "yes", (answer) => {
        if (/^y(es)?$/i.test(answer)) return true
        if (/^no?$/i.test(answer)) return false
        throw new Misuse("Answer yes or no.")
      }),
    [Symbol.dispose]: () => lines.close()
  }
}
