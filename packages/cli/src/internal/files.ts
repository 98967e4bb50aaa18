/**
 * Reads and writes files. A file's extension selects its format.
 */
import { constants } from "node:fs"
import { access, readFile, stat, writeFile } from "node:fs/promises"
import { dirname, extname } from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
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

const known: ReadonlySet<string> = new Set(TraceEntry.members.map((member) => member.fields._tag.schema.literal))

export interface Kept {
  readonly entries: ReadonlyArray<TraceEntry>
  /** The kinds of entries that this version does not know. */
  readonly unknown: ReadonlyArray<string>
}

/** The same, of any version: leaves out kinds of entries that this one does not know. */
export const readKept = (file: string): Effect.Effect<Kept, Misuse> =>
  Effect.gen(function* () {
    const notTrace = new Misuse({
      message: `${file} is not a trace: create one with stepgraph run FILE --timeline ${file}.`
    })
    const text = yield* read(file)
    const all: unknown = yield* Effect.try({ try: () => JSON.parse(text), catch: () => notTrace })
    if (!Array.isArray(all) || !all.every(isEntry)) return yield* notTrace
    if (all.length === 0) return yield* new Misuse({ message: `${file} contains no run.` })
    const unknown = new Set<string>()
    const entries: Array<TraceEntry> = []
    for (const [i, entry] of all.entries()) {
      if (!known.has(entry._tag)) {
        unknown.add(entry._tag)
        continue
      }
      const decoded = decode(entry)
      if (Option.isNone(decoded)) {
        return yield* new Misuse({
          message: `${file} is from another version of stepgraph, or damaged: entry ${i + 1} of ${all.length} (${entry._tag}) lacks what this version needs. Open it with the version that wrote it.`
        })
      }
      entries.push(decoded.value)
    }
    if (entries.length === 0) return yield* notTrace
    return { entries, unknown: [...unknown] }
  })

const decode = Schema.decodeUnknownOption(TraceEntry)

/** What entries have in any version. */
const isEntry = (value: any): value is Pick<TraceEntry, "_tag" | "run" | "seq" | "at"> =>
  typeof value?._tag === "string" &&
  typeof value.run === "string" &&
  Number.isInteger(value.seq) &&
  Number.isFinite(value.at)
