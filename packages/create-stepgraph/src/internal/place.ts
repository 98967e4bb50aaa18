/** Where a project goes: a folder that is empty or does not exist, with a name that npm takes. */
import { mkdir, readdir, rm } from "node:fs/promises"
import { basename, join, resolve } from "node:path"
import { Misuse } from "./errors.ts"

export interface Place {
  readonly folder: string
  /** The name of the project's package. */
  readonly name: string
  /** Makes the folder. The result removes it again, with all that is in it by then. */
  readonly make: () => Promise<() => Promise<void>>
}

/** npm refuses the last two, and installs no package in a project of the same name. */
const taken = ["effect", "jiti", "stepgraph", "typescript", "node_modules", "favicon.ico"]

const checkName = (name: string): void => {
  if (taken.includes(name)) {
    throw new Misuse(
      `'${name}' cannot be the name of your project, because npm needs that name for something else. Choose another.`
    )
  }
  if (/^[a-z0-9][a-z0-9._~-]*$/.test(name) && name.length <= 214) return
  const better = name
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9._~-]+/g, "-")
    .replace(/^[^a-z0-9]+|-+$/g, "")
    .slice(0, 214)
  const rule = "it may have up to 214 lower-case letters, digits and -._~, and must begin with a letter or a digit"
  throw new Misuse(
    `'${name}' cannot be the name of your project: ${rule}. Try '${better === "" || taken.includes(better) ? "my-app" : better}'.`
  )
}

/** What is in a folder: `undefined` if there is none. */
const contents = async (folder: string, given: string): Promise<ReadonlyArray<string> | undefined> => {
  try {
    return await readdir(folder)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === "ENOENT") return undefined
    if (code === "ENOTDIR")
      throw new Misuse(`'${given}' is a file or is inside one: name a folder that does not exist yet.`)
    throw new Misuse(`'${given}' cannot be read: ${message}`)
  }
}

export const placeOf = async (given: string, cwd: string): Promise<Place> => {
  const folder = resolve(cwd, given)
  const name = basename(folder)
  checkName(name)
  const before = await contents(folder, given)
  // A repository may have been cloned before there was anything in it.
  const other = before?.filter((entry) => entry !== ".git") ?? []
  if (other.length > 0) {
    const some = `${other.slice(0, 3).join(", ")}${other.length > 3 ? ", …" : ""}`
    throw new Misuse(`The folder '${given}' exists and is not empty (${some}). Choose another name, or empty it first.`)
  }
  return {
    folder,
    name,
    make: async () => {
      // The first of the folders that did not exist.
      const made = await mkdir(folder, { recursive: true })
      return async () => {
        if (made !== undefined) return rm(made, { recursive: true, force: true })
        for (const entry of await readdir(folder)) {
          if (!before?.includes(entry)) await rm(join(folder, entry), { recursive: true, force: true })
        }
      }
    }
  }
}
