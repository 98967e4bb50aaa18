// The tools of the agent: it lists, reads and writes the files of one folder.
import { readdir, readFile, realpath, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { Schema } from "effect"
import type { Tool } from "./conversation.ts"

/** A tool whose input is checked against its schema: a model may write anything. */
const tool = <Input>(definition: {
  readonly about: string
  readonly input: Schema.Codec<Input>
  readonly dangerous?: boolean
  readonly run: (input: Input, signal: AbortSignal) => Promise<string>
}): Tool => {
  const decode = Schema.decodeUnknownPromise(definition.input)
  return {
    about: definition.about,
    parameters: Schema.toJsonSchemaDocument(definition.input).schema,
    dangerous: definition.dangerous ?? false,
    run: async (input, signal) => definition.run(await decode(JSON.parse(input)), signal)
  }
}

/** The tools for a folder. A name is that of a file in the folder itself, so none leads out of it. */
export const fileTools = (folder: string) => {
  const pathOf = async (name: string) => {
    if (name !== basename(name) || name.startsWith(".")) throw new Error(`'${name}' is not a file of this folder`)
    const path = join(await realpath(folder), name)
    // A link would lead out of it, too.
    const real = await realpath(path).catch(() => path)
    if (real !== path) throw new Error(`'${name}' is not a file of this folder`)
    return path
  }
  return {
    list_files: tool({
      about: "Lists the files of the folder.",
      input: Schema.Struct({}),
      run: async () => {
        const entries = await readdir(folder, { withFileTypes: true })
        const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith("."))
        return files
          .map(({ name }) => name)
          .sort()
          .join("\n")
      }
    }),
    read_file: tool({
      about: "Reads a file of the folder.",
      input: Schema.Struct({ name: Schema.String }),
      run: async ({ name }, signal) => readFile(await pathOf(name), { encoding: "utf8", signal })
    }),
    write_file: tool({
      about: "Writes a file of the folder. The user is asked first.",
      input: Schema.Struct({ name: Schema.String, text: Schema.String }),
      dangerous: true,
      run: async ({ name, text }, signal) => {
        await writeFile(await pathOf(name), text, { signal })
        return `${name} is written.`
      }
    })
  }
}
