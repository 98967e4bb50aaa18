/** The built site behind the plainest of servers, in a folder of its host if it was built for one. */
import { createReadStream, statSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { extname, join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import { dist } from "./search.ts"

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".md": "text/markdown; charset=utf-8",
  ".txt": "text/plain; charset=utf-8"
}

const isThere = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isFile() === true

export const base = process.env.SITE_BASE ?? "/"

/** The address of the site, for one test file. */
export const served = (): (() => string) => {
  const server = createServer(({ url = "/" }, response) => {
    const path = decodeURI(new URL(url, "http://host").pathname)
    const file = [path, `${path}index.html`]
      .filter((name) => name.startsWith(base))
      .map((name) => join(dist, name.slice(base.length)))
      .find(isThere)
    response.writeHead(file === undefined ? 404 : 200, { "content-type": types[extname(file ?? ".html")] ?? "" })
    if (file === undefined) response.end()
    else createReadStream(file).pipe(response)
  })
  beforeAll(() => new Promise<void>((listening) => void server.listen(0, "localhost", () => listening())))
  afterAll(() => void server.close())
  return () => `http://localhost:${(server.address() as AddressInfo).port}${base}`
}
