/**
 * The size of a program bundled for a browser: minified, tree-shaken and compressed.
 */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url))

const bundled = async (entry: { entryPoints: Array<string> } | { contents: string }): Promise<number> => {
  const { outputFiles } = await build({
    ...("contents" in entry
      ? { stdin: { contents: entry.contents, resolveDir: path("."), loader: "ts" as const } }
      : { entryPoints: entry.entryPoints }),
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false
  })
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length
}

/** The compressed size of a program under `programs/`, in bytes. */
export const programSize = (name: string): Promise<number> => bundled({ entryPoints: [path(`./programs/${name}.ts`)] })

/** The compressed size of all exports of a module, in bytes. Rejects if it cannot run in a browser. */
export const moduleSize = (module: string): Promise<number> =>
  bundled({ contents: `import * as all from ${JSON.stringify(module)}; globalThis.all = all` })

/** stepgraph's entry points, as its package.json lists them. */
export const entries = (): ReadonlyArray<string> => {
  const { exports } = JSON.parse(readFileSync(path("../node_modules/stepgraph/package.json"), "utf8"))
  return Object.keys(exports).filter((entry) => !entry.endsWith(".json"))
}
