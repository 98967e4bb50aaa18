/**
 * Reads and writes files. A file's extension selects its format.
 */
import { constants } from "node:fs"
import { access, readFile, stat, writeFile } from "node:fs/promises"
import { dirname, extname } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TraceEntry } from "stepgraph"
import { Misuse } from "./errors.ts"

export interface Destination<Kind extends string> {
  readonly file: string
  readonly kind: Kind
}

/** Checks the format and the permissions of an output file before any work is done. */
export const destination = <Kind extends string>(
  file: string,
  kinds: Readonly<Record<Kind, string>>
): Effect.Effect<Destination<Kind>, Misuse> =>
  Effect.gen(function* () {
    const kind = extname(file).toLowerCase() as Kind
    if (!Object.hasOwn(kinds, kind)) {
      const known = Object.entries(kinds).map(([end, what]) => `${end} (${what})`)
      return yield* new Misuse({ message: `Unknown format for ${file}: use ${known.join(", ")}.` })
    }
    yield* Effect.tryPromise({
      try: async () => {
        const there = await stat(file).catch(() => undefined)
        if (there?.isDirectory()) throw new Error("it is a folder")
        await access(there === undefined ? dirname(file) : file, constants.W_OK)
      },
      catch: (error) => cannotBeWritten(file, error)
    })
    return { file, kind }
  })

export const write = (file: string, text: string): Effect.Effect<void, Misuse> =>
  Effect.tryPromise({ try: () => writeFile(file, text), catch: (error) => cannotBeWritten(file, error) })

const cannotBeWritten = (file: string, error: unknown): Misuse => {
  const { code, message } = error as { readonly code?: string; readonly message: string }
  const why = code === "ENOENT" ? `the folder ${dirname(file)} does not exist` : message
  return new Misuse({ message: `Cannot write ${file}: ${why}.` })
}

export const read = (file: string): Effect.Effect<string, Misuse> =>
  Effect.tryPromise({
    try: () => readFile(file, "utf8"),
    catch: () => new Misuse({ message: `Cannot read ${file}.` })
  })

const Trace = Schema.Array(TraceEntry)

/** Reads a trace that was saved as JSON. */
export const readTrace = (file: string): Effect.Effect<ReadonlyArray<TraceEntry>, Misuse> =>
  Effect.flatMap(read(file), (text) =>
    Effect.try({
      try: () => Schema.decodeUnknownSync(Trace)(JSON.parse(text)),
      catch: () =>
        new Misuse({ message: `${file} is not a trace: create one with stepgraph run FILE --timeline ${file}.` })
    })
  )
