// Finds files and reads them as text.
import type { Dirent } from "node:fs"
import { access, constants, open, readdir } from "node:fs/promises"
import { join, matchesGlob } from "node:path"

/** The files of a folder whose path inside it fits one of the patterns, in the order of their names. */
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

/** A folder that cannot be listed is given out like a file: reading it says why. */
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

/** Fails with a sentence, in words that follow the file's name. */
export const readText = async (path: string): Promise<string> => {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    if (size > largest) throw new Error(`is larger than ${largest / 1024 / 1024} MB`)
    const bytes = await file.readFile()
    // As git does: text has no zero byte near its start.
    if (bytes.subarray(0, 8000).includes(0)) throw new Error("is binary, not text")
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch (error) {
    throw new Error(inWords(error), { cause: error })
  }
}

/** Why a file or folder could not be read, in words that follow its name. */
export const inWords = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  return reasons[code] ?? (error instanceof Error ? error.message : String(error))
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "is gone, or a link to nothing",
  EACCES: "may not be read by you",
  EPERM: "may not be read by you",
  EISDIR: "is a link to a folder, which is not followed",
  ELOOP: "is a link that leads back to itself",
  ERR_ENCODING_INVALID_ENCODED_DATA: "is not UTF-8 text"
}
