// Finds files and reads them as text.
import type { Dirent } from "node:fs"
import { access, constants, readdir, readFile, stat } from "node:fs/promises"
import { join, matchesGlob } from "node:path"

/** Explains why this is not a searchable folder; undefined if it is. */
export const whyNotSearchable = async (folder: string): Promise<string | undefined> => {
  try {
    if (!(await stat(folder)).isDirectory()) return `${folder} is a file; a folder is needed.`
    await access(folder, constants.R_OK | constants.X_OK)
  } catch (error) {
    return codeOf(error) === "ENOENT"
      ? `There is no folder ${folder}.`
      : `The folder ${folder} ${whyUnreadable(error)}.`
  }
  return undefined
}

/** The files in a folder whose relative path matches one of the patterns, sorted by name. */
export async function* findFiles(
  folder: string,
  patterns: ReadonlyArray<string>,
  inside = ""
): AsyncGenerator<string, void, void> {
  for (const entry of await list(join(folder, inside))) {
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue
    const path = inside === "" ? entry.name : `${inside}/${entry.name}`
    if (entry.isDirectory() && (await isOpen(join(folder, path)))) yield* findFiles(folder, patterns, path)
    else if (patterns.some((pattern) => matchesGlob(path, pattern))) yield path
  }
}

/** Lists an unreadable folder like a file: reading it then says why. */
const isOpen = (folder: string) =>
  access(folder, constants.R_OK | constants.X_OK).then(
    () => true,
    () => false
  )

const list = async (folder: string): Promise<ReadonlyArray<Dirent>> => {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Larger files are logs, dumps or bundles rather than documents. */
const largest = 8 * 1024 * 1024

/** Fails if the file cannot be read or is not text; `whyUnreadable` says why. */
export const readText = async (path: string): Promise<string> => {
  const about = await stat(path)
  if (about.isDirectory()) throw new Error("is a folder that was not searched: a link, or closed to you")
  if (!about.isFile()) throw new Error("is not an ordinary file")
  if (about.size > largest) throw new Error(`is larger than ${largest / 1024 / 1024} MB`)
  const bytes = await readFile(path)
  // Like git: text has no zero byte near its start.
  if (bytes.subarray(0, 8000).includes(0)) throw new Error("is binary, not text")
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
}

/** Explains why a file or folder could not be read, to follow its name. */
export const whyUnreadable = (error: unknown): string =>
  reasons[codeOf(error)] ?? (error instanceof Error ? error.message : String(error))

const codeOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "")

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no longer exists, or is a broken link",
  EACCES: "cannot be read: permission denied",
  EPERM: "cannot be read: permission denied",
  ELOOP: "is a circular link",
  ERR_ENCODING_INVALID_ENCODED_DATA: "is not UTF-8 text"
}
