/**
 * Finds the workflows that a file exports. TypeScript needs no build step: Node reads it if it can, otherwise jiti
 * does.
 */
import { stat } from "node:fs/promises"
import { createRequire } from "node:module"
import { basename, extname, relative, resolve, sep } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { inspect } from "node:util"
import { isNativeError, isProxy } from "node:util/types"
import type { AnyDurable } from "@stepgraph/durable"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { type AnyWorkflow, isWorkflow } from "stepgraph/graph"
import { Failed, Misuse } from "./errors.ts"

/** Whether jiti may succeed where Node failed: enums, imports without an extension, imports of types. */
const isNotNative = (error: unknown): boolean =>
  isNativeError(error) &&
  // What is no TypeScript at all is none for jiti either.
  (error as { readonly code?: unknown }).code !== "ERR_INVALID_TYPESCRIPT_SYNTAX" &&
  (error.name === "SyntaxError" ||
    ("code" in error && /^ERR_(MODULE|UNKNOWN_FILE|UNSUPPORTED|IMPORT|PACKAGE|REQUIRE)/.test(String(error.code))))

/** Extensions that jiti reads when Node cannot. */
const typed = [".ts", ".mts", ".cts", ".tsx", ".jsx"]

/** Node loads these even for jiti, which would otherwise create a second copy of each. */
const nativeModules = ["effect", "@effect", "stepgraph", "@stepgraph"]

/** A linked stepgraph is outside `node_modules`, where jiti would not leave it to Node: Node loads it first, and jiti finds it. */
const loadLinked = (path: string): void => {
  const require = createRequire(path)
  try {
    const linked = require.resolve("stepgraph")
    if (!linked.split(sep).includes("node_modules")) require(linked)
  } catch {
    // The file needs none, or this Node cannot read its sources.
  }
}

/** Imports the file at a path, in whatever way. */
export type Load = (path: string) => Promise<Record<string, unknown>>

const loadOnce: Load = (path) => loadFrom(path, pathToFileURL(path).href)

/** Imports a file under a URL of it: another query makes it another module. `native` is whether Node may try it first. */
export const loadFrom = async (path: string, url: string, native = true): Promise<Record<string, unknown>> => {
  const end = extname(path).toLowerCase()
  const isTyped = typed.includes(end)
  if (native && (!isTyped || (process.features as { typescript?: unknown }).typescript)) {
    try {
      return await import(url)
    } catch (error) {
      if (!isTyped || !isNotNative(error)) throw error
    }
  }
  const { createJiti } = await import("jiti")
  loadLinked(path)
  const jsx = end.endsWith("x") && { runtime: "automatic" as const }
  return await createJiti(pathToFileURL(path).href, { fsCache: false, tsconfigPaths: true, jsx, nativeModules }).import(
    path
  )
}

const escaped = (text: string): string => text.replace(/[^\w]/g, "\\$&")

/** The line number in an error, if it is in the file itself. */
const lineOf = (file: string, words: string): string => {
  const at = words.search(new RegExp(`${escaped(basename(file))}(\\?v=\\d+)?:`))
  return at < 0 ? "" : (/^(?:\?v=\d+)?(:\d+)/.exec(words.slice(at + basename(file).length))?.[1] ?? "")
}

/** The first place in an error, if it is in another file: one that this file imports. */
const importedIn = (file: string, words: string): string | undefined => {
  const [, path, line] = /((?:file:\/\/)?[^\s()]+\.[cm]?[jt]sx?)(?:\?v=\d+)?:(\d+)/.exec(words) ?? []
  if (path === undefined || basename(path) === basename(file) || /node_modules|^node:/.test(path)) return undefined
  return `${relative(process.cwd(), path.startsWith("file:") ? fileURLToPath(path) : path)}:${line}`
}

/** Explains in one sentence why a file could not be loaded. It may have thrown anything. */
const loadError = (file: string, thrown: unknown): Misuse | Failed => {
  const threw = (what: string) => new Misuse({ message: `Loading ${file} failed: it threw ${what}.` })
  try {
    return isNativeError(thrown) ? ofError(file, thrown) : threw(inspect(thrown, { depth: 1, breakLength: Infinity }))
  } catch {
    return threw("an error that cannot be shown")
  }
}

const ofError = (file: string, error: any): Misuse | Failed => {
  if (error._tag === "InvalidWorkflow") return new Failed({ message: String(error.message) })
  const text = String(error.message)
  const said = `${text}\n${error.stack}`
  const first = (text.split("\n").find((line) => line.trim() !== "") ?? "").replace(/^ParseError: /, "").trim()
  const place = `${file}${lineOf(file, said)}`
  const ofSyntax = error.name === "SyntaxError" || error.code === "ERR_INVALID_TYPESCRIPT_SYNTAX"
  if (ofSyntax || text.startsWith("ParseError:")) {
    return new Misuse({ message: `${importedIn(file, said) ?? place} has a syntax error: ${first}` })
  }
  if (error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND") {
    return new Misuse({ message: `${file} imports something that does not exist: ${first}` })
  }
  if (error.code === "ERR_UNKNOWN_FILE_EXTENSION") {
    const ends = typed.join(", ")
    return new Misuse({ message: `Cannot load ${file}: use the extension ${ends}, .js, .mjs or .cjs.` })
  }
  return new Misuse({ message: `Loading ${place} failed: ${error.name ?? "Error"}: ${first}` })
}

/** Imports a file. Its top-level await gets 30 seconds. */
const exportsOf = (file: string, load: Load): Effect.Effect<Record<string, unknown>, Misuse | Failed> => {
  const loading = Effect.tryPromise({ try: () => load(resolve(file)), catch: (error) => loadError(file, error) })
  const waiting = Console.error(`Still loading ${file}. Press Ctrl-C to quit.`).pipe(
    Effect.delay("5 seconds"),
    Effect.andThen(Effect.never)
  )
  return Effect.timeoutOrElse(Effect.raceFirst(loading, waiting), {
    duration: "30 seconds",
    orElse: () =>
      new Misuse({ message: `Loading ${file} took more than 30 seconds: one of its top-level awaits does not finish.` })
  })
}

/** A workflow that a file exports, and whether it exports it as the result of `durable()`. */
export interface Exported {
  readonly flow: AnyWorkflow
  readonly durable: AnyDurable | undefined
}

const exportedAs = (value: unknown): Exported | undefined => {
  if (isWorkflow(value)) return { flow: value, durable: undefined }
  if (typeof value !== "object" || value === null || isProxy(value) || !("~definition" in value)) return undefined
  const durable = value as AnyDurable
  return isWorkflow(durable.flow) ? { flow: durable.flow, durable } : undefined
}

const flowsIn = (exported: unknown): ReadonlyMap<string, Exported> => {
  if (typeof exported !== "object" || exported === null || isProxy(exported)) return new Map()
  return new Map(
    Object.entries(exported).flatMap(([name, value]) => {
      const found = exportedAs(value)
      return found === undefined ? [] : [[name, found] as const]
    })
  )
}

/** All workflows that a file exports, by export name. */
export const workflowsOf = (file: string): Effect.Effect<ReadonlyMap<string, AnyWorkflow>, Misuse | Failed> =>
  Effect.map(exportedBy(file), (found) => new Map([...found].map(([name, { flow }]) => [name, flow])))

/** The same, with those that are durable as such. */
export const exportedBy = (
  file: string,
  load: Load = loadOnce
): Effect.Effect<ReadonlyMap<string, Exported>, Misuse | Failed> =>
  Effect.gen(function* () {
    const there = yield* Effect.promise(() => stat(file).catch(() => undefined))
    if (there === undefined) return yield* new Misuse({ message: `The file ${file} does not exist.` })
    if (there.isDirectory())
      return yield* new Misuse({ message: `${file} is a folder: name a file that exports a workflow.` })
    const module = yield* exportsOf(file, load)
    const found = flowsIn(module)
    if (found.size > 0) return found
    // `module.exports = { flow }` is the default export of a CommonJS module, and Node does not always detect its
    // parts.
    const inDefault = flowsIn(module.default)
    if (inDefault.size > 0) return inDefault
    const names = Object.keys(module)
    const others = names.length === 0 ? "it exports nothing" : `it exports ${list(names)}`
    return yield* new Misuse({ message: `${file} exports no workflow (${others}): export the result of workflow().` })
  })

/** The requested workflow, by its export name or by its own name. */
export const workflowOf = (file: string, wanted: string | undefined): Effect.Effect<AnyWorkflow, Misuse | Failed> =>
  Effect.gen(function* () {
    const found = yield* workflowsOf(file)
    const exported = wanted === undefined ? undefined : found.get(wanted)
    if (exported !== undefined) return exported
    const named = wanted === undefined ? found : new Map([...found].filter(([, { name }]) => name === wanted))
    const possible = distinct(named)
    if (possible.size === 1) return [...possible.values()][0]!
    return yield* new Misuse({
      message:
        possible.size > 1
          ? `${file} exports ${possible.size} workflows, ${list([...possible.keys()])}: choose one with --workflow.`
          : `${file} exports no workflow '${wanted}': it exports ${list([...found.keys()])}.`
    })
  })

/** Each workflow once, under its first export name. */
export const distinct = (found: ReadonlyMap<string, AnyWorkflow>): ReadonlyMap<string, AnyWorkflow> =>
  new Map([...found].filter(([, flow], i, all) => all.findIndex(([, other]) => other === flow) === i))

export const list = (names: ReadonlyArray<string>): string => {
  const shown = names.slice(0, 6).map((name) => `'${name}'`)
  if (names.length > 6) return `${shown.join(", ")} and ${names.length - 6} more`
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`
}
