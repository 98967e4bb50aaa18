/**
 * Finds the workflows that a file exports. TypeScript is read as it is: by Node itself where it can, else by jiti.
 */
import { existsSync, statSync } from "node:fs"
import { basename, extname, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import type { Workflow } from "stepgraph"
import { Misuse, NotWell } from "./errors.ts"

export type AnyFlow = Workflow<any, any, any, any, any, any>

const isFlow = (value: any): value is AnyFlow =>
  typeof value === "object" &&
  value !== null &&
  typeof value.name === "string" &&
  typeof value.start?.tag === "string" &&
  typeof value.steps === "object" &&
  Array.isArray(value.inputs)

/** What Node says of a file that it cannot read as it is, and jiti may. */
const forJiti = new Set([
  "ERR_UNKNOWN_FILE_EXTENSION",
  "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX",
  "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING",
  "ERR_MODULE_NOT_FOUND",
  "ERR_UNSUPPORTED_DIR_IMPORT"
])

const load = async (path: string): Promise<Record<string, unknown>> => {
  const typed = [".ts", ".mts", ".cts", ".tsx"].includes(extname(path))
  const native = !typed || Boolean((process.features as { typescript?: unknown }).typescript)
  if (native && extname(path) !== ".tsx") {
    try {
      return await import(pathToFileURL(path).href)
    } catch (error) {
      if (!typed || !forJiti.has((error as { code?: string }).code ?? "")) throw error
    }
  }
  const { createJiti } = await import("jiti")
  return await createJiti(import.meta.url, { fsCache: false }).import(path)
}

/** The line that an error speaks of, where it is one of the file itself. */
const lineOf = (file: string, words: string): string => {
  const at = words.indexOf(`${basename(file)}:`)
  return at < 0 ? "" : (/^:\d+/.exec(words.slice(at + basename(file).length))?.[0] ?? "")
}

/** Whatever a file that is being loaded can be wrong with, in a sentence. */
const inWords = (file: string, error: any): Misuse | NotWell => {
  if (error?._tag === "InvalidWorkflow") return new NotWell({ message: String(error.message) })
  const text = error instanceof Error ? error.message : String(error)
  const first = (text.split("\n").find((line) => line.trim() !== "") ?? "").replace(/^ParseError: /, "").trim()
  const ofSyntax = error?.name === "SyntaxError" || error?.code === "ERR_INVALID_TYPESCRIPT_SYNTAX"
  if (ofSyntax || text.startsWith("ParseError:")) {
    return new Misuse({ message: `${file}${lineOf(file, `${text}\n${error?.stack}`)} has a syntax error: ${first}` })
  }
  if (error?.code === "ERR_MODULE_NOT_FOUND" || error?.code === "MODULE_NOT_FOUND") {
    return new Misuse({ message: `${file} imports something that is not there: ${first}` })
  }
  return new Misuse({ message: `${file} failed while it was loaded: ${error?.name ?? "Error"}: ${first}` })
}

/** All workflows that a file exports, by the names they are exported with. */
export const workflowsOf = (file: string): Effect.Effect<ReadonlyMap<string, AnyFlow>, Misuse | NotWell> =>
  Effect.gen(function* () {
    const path = resolve(file)
    if (!existsSync(path)) return yield* new Misuse({ message: `There is no file ${file}.` })
    if (statSync(path).isDirectory())
      return yield* new Misuse({ message: `${file} is a folder: name a file that exports a workflow.` })
    const module = yield* Effect.tryPromise({ try: () => load(path), catch: (error) => inWords(file, error) })
    const found = new Map<string, AnyFlow>()
    for (const [name, value] of Object.entries(module)) {
      if (isFlow(value) && ![...found.values()].includes(value)) found.set(name, value)
    }
    if (found.size > 0) return found
    const names = Object.keys(module)
    const others = names.length === 0 ? "it exports nothing" : `it exports ${list(names)}`
    return yield* new Misuse({ message: `${file} exports no workflow (${others}): export what workflow() returned.` })
  })

/** The one workflow that is meant. */
export const workflowOf = (file: string, wanted: string | undefined): Effect.Effect<AnyFlow, Misuse | NotWell> =>
  Effect.gen(function* () {
    const found = yield* workflowsOf(file)
    const all = [...found]
    if (wanted !== undefined) {
      const chosen = found.get(wanted) ?? all.find(([, flow]) => flow.name === wanted)?.[1]
      if (chosen !== undefined) return chosen
      return yield* new Misuse({
        message: `${file} exports no workflow '${wanted}': it exports ${list([...found.keys()])}.`
      })
    }
    if (all.length === 1) return all[0]![1]
    return yield* new Misuse({
      message: `${file} exports ${all.length} workflows, ${list([...found.keys()])}: say which with --workflow.`
    })
  })

const list = (names: ReadonlyArray<string>): string => {
  const shown = names.slice(0, 6).map((name) => `'${name}'`)
  if (names.length > 6) return `${shown.join(", ")} and ${names.length - 6} more`
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`
}
