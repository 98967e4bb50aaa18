/**
 * What is written where: the name of a file says what is to be in it.
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

/** Looks before any work is done at what is to be written and whether it can be. */
export const destination = <Kind extends string>(
  file: string,
  kinds: Readonly<Record<Kind, string>>
): Effect.Effect<Destination<Kind>, Misuse> =>
  Effect.gen(function* () {
    const kind = extname(file).toLowerCase() as Kind
    if (!Object.hasOwn(kinds, kind)) {
      const known = Object.entries(kinds).map(([end, what]) => `${end} (${what})`)
      return yield* new Misuse({ message: `${file} does not say what to write: let it end in ${known.join(", ")}.` })
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
  const why = code === "ENOENT" ? `there is no folder ${dirname(file)}` : message
  return new Misuse({ message: `${file} cannot be written: ${why}.` })
}

export const read = (file: string): Effect.Effect<string, Misuse> =>
  Effect.tryPromise({
    try: () => readFile(file, "utf8"),
    catch: () => new Misuse({ message: `There is no file ${file} that can be read.` })
  })

const Trace = Schema.Array(TraceEntry)

/** A trace that was kept as JSON. */
export const readTrace = (file: string): Effect.Effect<ReadonlyArray<TraceEntry>, Misuse> =>
  Effect.flatMap(read(file), (text) =>
    Effect.try({
      try: () => Schema.decodeUnknownSync(Trace)(JSON.parse(text)),
      catch: () =>
        new Misuse({ message: `${file} is not a trace: make one with stepgraph run FILE --timeline ${file}.` })
    })
  )
