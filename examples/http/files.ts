// The files of the pages, bundled when the server starts.
import { readFile } from "node:fs/promises"
import { extname } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const pathOf = (name: string): string => fileURLToPath(new URL(`./page/${name}`, import.meta.url))

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8"
}

/** Scripts and requests only from and to this server, no script in the HTML, no frame around it. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const bundled = async (): Promise<ReadonlyMap<string, string>> => {
  const { outputFiles } = await build({
    entryPoints: [pathOf("chat.tsx"), pathOf("plain.ts")],
    outdir: "/",
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "silent"
  })
  const byPath = new Map<string, string>(outputFiles.map(({ path, text }) => [`/${path.split(/[\\/]/).at(-1)}`, text]))
  for (const name of ["chat.html", "plain.html", "style.css"]) {
    byPath.set(`/${name}`, await readFile(pathOf(name), "utf8"))
  }
  return byPath
}

let bundling: ReturnType<typeof bundled> | undefined

/** Answers with the files, which are bundled once. */
export const files = async (): Promise<(request: Request) => Response> => {
  bundling ??= bundled()
  const byPath = await bundling
  return (request) => {
    const { pathname } = new URL(request.url)
    const path = pathname === "/" ? "/chat.html" : pathname
    const text = byPath.get(path)
    if (text === undefined) return new Response("There is no such page.", { status: 404 })
    return new Response(text, {
      headers: {
        "content-type": types[extname(path)]!,
        "content-security-policy": policy,
        "referrer-policy": "no-referrer"
      }
    })
  }
}
