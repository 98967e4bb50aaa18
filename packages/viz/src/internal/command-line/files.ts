/**
 * What is written where: the name of a file says what is to be in it.
 */
import { readFile, writeFile } from "node:fs/promises"
import { extname } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TraceEntry } from "stepgraph"
import { Misuse } from "./errors.ts"

/** Looks at a file's name before any work is done. */
export const kindOf = <Kind extends string>(
  file: string,
  kinds: Readonly<Record<Kind, string>>
): Effect.Effect<Kind, Misuse> => {
  const kind = extname(file) as Kind
  if (Object.hasOwn(kinds, kind)) return Effect.succeed(kind)
  const known = Object.entries(kinds).map(([end, what]) => `${end} (${what})`)
  return Effect.fail(new Misuse({ message: `${file} does not say what to write: let it end in ${known.join(", ")}.` }))
}

export const write = (file: string, text: string): Effect.Effect<void, Misuse> =>
  Effect.tryPromise({
    try: () => writeFile(file, text),
    catch: (error) => new Misuse({ message: `${file} cannot be written: ${(error as Error).message}.` })
  })

const Trace = Schema.Array(TraceEntry)

/** A trace that was kept as JSON. */
export const readTrace = (file: string): Effect.Effect<ReadonlyArray<TraceEntry>, Misuse> =>
  Effect.gen(function* () {
    const text = yield* Effect.tryPromise({
      try: () => readFile(file, "utf8"),
      catch: () => new Misuse({ message: `There is no file ${file} that can be read.` })
    })
    return yield* Effect.try({
      try: () => Schema.decodeUnknownSync(Trace)(JSON.parse(text)),
      catch: () => new Misuse({ message: `${file} is no trace: make one with stepgraph run FILE --timeline ${file}.` })
    })
  })
