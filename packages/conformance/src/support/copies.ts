/** A second copy of effect and of stepgraph, as a program with two installs has them. */
import { cp, mkdir, symlink } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const stepgraph = fileURLToPath(new URL("../../../stepgraph", import.meta.url))

/** Copies both to where a program in this folder resolves them. */
export const copyInto = async (folder: string): Promise<void> => {
  const modules = join(folder, "node_modules")
  const effect = dirname(fileURLToPath(import.meta.resolve("effect/package.json")))
  const code = (path: string) => !/\.(map|d\.ts)$/.test(path)
  const copy = (from: string, to: string) => cp(from, to, { recursive: true, dereference: true, filter: code })
  await copy(join(effect, "dist"), join(modules, "effect", "dist"))
  await copy(join(effect, "package.json"), join(modules, "effect", "package.json"))
  // Node refuses TypeScript inside node_modules, so use a link, as a workspace does.
  await copy(join(stepgraph, "src"), join(folder, "stepgraph", "src"))
  await copy(join(stepgraph, "package.json"), join(folder, "stepgraph", "package.json"))
  await symlink(join(folder, "stepgraph"), join(modules, "stepgraph"), "junction")
}

/** Lets a program in this folder resolve this workspace's copies. */
export const linkInto = async (folder: string): Promise<void> => {
  const modules = join(folder, "node_modules")
  await mkdir(modules, { recursive: true })
  for (const [name, path] of [
    ["effect", dirname(fileURLToPath(import.meta.resolve("effect/package.json")))],
    ["stepgraph", stepgraph]
  ] as const) {
    await symlink(path, join(modules, name), "junction")
  }
}
