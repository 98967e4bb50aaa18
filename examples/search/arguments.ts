// Parses the command line: which documents, which question.
import { statSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { plainWords } from "./words.ts"

export const usage = `Answers a question from a folder of documents.

  pnpm demo                            a question about Effect, from the documentation that it ships
  pnpm demo -- "question"              your question about Effect
  pnpm demo -- <folder> "question"     your question about the files of a folder

  --files <pattern>   search only files like this, such as "**/*.md"; may be given several times
  --top <number>      how many passages to show (default: 5)
  --durable <file>    keep the search in this SQLite file: killed and started again, it goes on where it was
  --help              show this`

/** The documentation in the effect package: its guides, and the comments in its public modules. */
export const shipped = {
  name: "the documentation that effect ships",
  folder: dirname(fileURLToPath(import.meta.resolve("effect/package.json"))),
  patterns: ["README.md", "AGENTS.md", "ai-docs/**/*.{md,ts}", "src/*.ts", "src/testing/*.ts"]
}

/** The command line is invalid; the message says why. */
export class Misuse extends Error {}

const options = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({
      // The package manager passes its own -- on.
      args: args[0] === "--" ? args.slice(1) : [...args],
      allowPositionals: true,
      options: {
        files: { type: "string", multiple: true },
        top: { type: "string", default: "5" },
        durable: { type: "string" },
        help: { type: "boolean", default: false }
      }
    })
  } catch (error) {
    // The first sentence says what is wrong; the rest is about arguments that begin with a dash.
    throw new Misuse(error instanceof Error ? error.message.split(". ", 1)[0] : String(error))
  }
}

/** Returns nothing if help was requested, and throws `Misuse` if the arguments are invalid. */
export const parse = (args: ReadonlyArray<string>) => {
  const { values, positionals } = options(args)
  if (values.help) return undefined
  if (positionals.length > 2) {
    throw new Misuse(
      `A folder and a question are enough, but here are ${positionals.length} words: quote the question.`
    )
  }
  const [last = "how do I bound concurrency", folder] = positionals.toReversed()
  const question = last.trim()
  if (positionals.length === 1 && statSync(question, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Misuse(`What is the question? It goes behind the folder: pnpm demo -- ${question} "your question"`)
  }
  if (question === "") throw new Misuse("The question is empty.")
  if (plainWords(question).length === 0) throw new Misuse(`“${question}” has no word in it to search for.`)
  const top = Number(values.top)
  if (!Number.isInteger(top) || top < 1)
    throw new Misuse(`--top takes a whole number of at least 1, not '${values.top}'.`)
  const documents = folder === undefined ? shipped : { name: folder, folder, patterns: ["**/*"] }
  if (values.durable === "") throw new Misuse("--durable takes the name of a file.")
  return {
    question,
    top,
    durable: values.durable,
    documents: values.files ? { ...documents, patterns: values.files } : documents
  }
}
