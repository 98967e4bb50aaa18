/** The templates, and how one becomes a project. */
import { cp, readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Manager } from "./manager.ts"

/** Each template, with what it shows. */
export const templates = {
  plain: "steps that run side by side and come together again",
  agent: "a model that uses tools, and asks you before it writes",
  server: "workflows over HTTP, with a page and a client"
} as const

export type Template = keyof typeof templates

export const isTemplate = (name: string): name is Template => Object.hasOwn(templates, name)

// This file is bundled into `dist/bin.js` when published.
const root = new URL(import.meta.url.endsWith(".ts") ? "../../" : "../", import.meta.url)

interface Manifest {
  readonly version: string
  readonly devDependencies: Readonly<Record<string, string>>
}

/** Of this package. Packing puts the versions of the release in place of `workspace:^`, here but not in the templates. */
export const manifest = async (): Promise<Manifest> => JSON.parse(await readFile(new URL("package.json", root), "utf8"))

/** Text is replaced in these alone: all else is copied as it is. */
const rewritten = async (file: string, change: (text: string) => string) =>
  writeFile(file, change(await readFile(file, "utf8")))

/** Writes a template into a folder, as a project with this name. */
export const write = async (template: Template, folder: string, name: string, manager: Manager): Promise<void> => {
  const source = fileURLToPath(new URL(`templates/${template}/`, root))
  // In this repository, the packages that the template needs are installed in it.
  await cp(source, folder, { recursive: true, filter: (path) => !path.slice(source.length).startsWith("node_modules") })
  // npm leaves .gitignore out of packages.
  await rename(join(folder, "_gitignore"), join(folder, ".gitignore"))
  const { devDependencies: versions } = await manifest()
  await rewritten(join(folder, "package.json"), (text) => {
    const project = JSON.parse(text)
    for (const dependencies of [project.dependencies, project.devDependencies]) {
      for (const [name, range] of Object.entries<string>(dependencies)) {
        if (range.startsWith("workspace:")) dependencies[name] = versions[name]
      }
    }
    return `${JSON.stringify({ ...project, name }, null, 2)}\n`
  })
  await rewritten(join(folder, "README.md"), (text) =>
    text
      .replace(/^# .*$/m, `# ${name}`)
      .replace(/\bnpm install\b/g, `${manager.name} install`)
      // npm alone needs -- before what a script is given.
      .replace(/\bnpm (?:run )?(dev|start|test|client|typecheck)\b( --(?= ))?/g, (_, script, dashes = "") =>
        manager.name === "npm" ? manager.script(script) + dashes : manager.script(script)
      )
  )
}
