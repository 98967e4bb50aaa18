/**
 * Packages that this command can do without.
 */
import { createRequire } from "node:module"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"

/** The URL of a package as the files with the workflows see it, then as this folder does, then as these modules do. */
export const urlOf = (
  name: string,
  files: ReadonlyArray<string>,
  modules: ReadonlyArray<string> = []
): string | undefined => {
  const places = [...files, join(process.cwd(), "package.json")].map((file) => pathToFileURL(resolve(file)).href)
  for (const from of [...places, ...modules]) {
    try {
      return pathToFileURL(createRequire(from).resolve(name)).href
    } catch {
      // Not from there.
    }
  }
  return undefined
}
