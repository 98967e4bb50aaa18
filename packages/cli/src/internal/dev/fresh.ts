/**
 * Imports a file again after it has changed, together with the files of the same project that it imports. What was imported
 * before stays as it is, for the runs that use it. Packages are never imported twice.
 */
import * as Module from "node:module"
import { sep } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { type Load, loadFrom } from "../load.ts"

/** All copies of these must be one: a workflow of another copy would not be known as one. */
const shared = /^(effect|stepgraph|@effect|@stepgraph)(\/|$)/

const isInstalled = (path: string): boolean => path.includes(`${sep}node_modules${sep}`)

/** Imported by its place beside the importing file. */
const isBeside = (specifier: string): boolean => /^\.{0,2}\//.test(specifier)

/** The files found so far, which a change should load again. */
const found = new Set<string>()
let tell: (path: string) => void = () => {}

/** Before the file is read, so that a later change of it is noticed. */
const find = (path: string): void => {
  found.add(path)
  tell(path)
}

/** The modules of each revision, by their URLs: they pass the revision on to what they import. */
const revisions = new Map<string, number>()

const stamped = (url: string, revision: number): string => {
  // The first has a plain URL, as in any other program.
  const own = revision === 0 ? url : `${url}${url.includes("?") ? "&" : "?"}v=${revision}`
  revisions.set(own, revision)
  return own
}

/** Node 20 has no such hooks, and reads no TypeScript: there, jiti reads everything. */
const { registerHooks } = Module as { readonly registerHooks?: typeof Module.registerHooks }

const hook = (): void => {
  registerHooks?.({
    resolve: (specifier, context, next) => {
      const { conditions, parentURL } = context
      const revision = parentURL === undefined ? undefined : revisions.get(parentURL)
      if (revision === undefined || shared.test(specifier) || specifier.startsWith("file:")) {
        return next(specifier, context)
      }
      // A file that is missing may come with the next save.
      if (isBeside(specifier)) find(fileURLToPath(new URL(specifier, parentURL)))
      const resolved = next(specifier, context)
      if (!resolved.url.startsWith("file:")) return resolved
      const path = fileURLToPath(resolved.url)
      if (isInstalled(path)) return resolved
      find(path)
      // `require` knows files by their paths, and forgets them below.
      if (conditions.includes("require")) revisions.set(resolved.url, revision)
      else resolved.url = stamped(resolved.url, revision)
      return resolved
    }
  })
}

let hooked = false
const { cache } = Module.createRequire(import.meta.url)

/**
 * Loads files as they are now, and tells of each file that it finds. All that are loaded in one revision share the modules that
 * they import.
 */
export const loadOf = (revision: number, toTell: (path: string) => void): Load => {
  tell = toTell
  if (!hooked) hook()
  hooked = true
  for (const path of found) delete cache[path]
  return async (path) => {
    find(path)
    const before = new Set(Object.keys(cache))
    try {
      return await loadFrom(path, stamped(pathToFileURL(path).href, revision), registerHooks !== undefined)
    } finally {
      for (const path of Object.keys(cache)) if (!before.has(path) && !isInstalled(path)) find(path)
    }
  }
}
