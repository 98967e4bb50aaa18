/**
 * Bundles the page: one HTML, one JS and one CSS file.
 */
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const pathOf = (name: string): string => fileURLToPath(new URL(`./app/${name}`, import.meta.url))

export const bundle = async (): Promise<Readonly<Record<string, string>>> => {
  const { outputFiles } = await build({
    entryPoints: ["main.tsx", "style.css"].map((name) => ({ in: pathOf(name), out: "page" })),
    outdir: "out",
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "silent"
  })
  const text = (extension: string) => outputFiles.find(({ path }) => path.endsWith(extension))!.text
  return {
    "index.html": await readFile(pathOf("index.html"), "utf8"),
    "page.js": text(".js"),
    "page.css": text(".css")
  }
}
