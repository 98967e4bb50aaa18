/**
 * The page, which starts runs, shows them live, and answers what they wait for. It calls the routes of `@stepgraph/server`.
 *
 * @module page
 */
import { contents } from "./internal/contents.ts"

/** A file of the page. */
export interface Asset {
  /** Its media type. */
  readonly type: string
  readonly body: string
  /** The headers to send with it. They include the media type, and a policy that lets the page load nothing else. */
  readonly headers: Readonly<Record<string, string>>
}

const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8"
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

/**
 * The files of the page, by their paths: `index.html`, `page.js` and `page.css`. Serve them, without the token, from the folder
 * that has the routes of `@stepgraph/server` in it: the page at `/`, the routes at `/api/…`; or at `/flows/` and `/flows/api/…`.
 *
 * Give the reader a link with the token in its fragment, `http://localhost:4270/#token=…`: the page keeps it for the tab, takes
 * it out of the address, and sends it as `Authorization: Bearer …`. Send the headers of each file; they include its
 * Content-Security-Policy.
 *
 * @example
 * ```ts
 * import { assets } from "@stepgraph/page"
 *
 * const files = await assets()
 * console.log([...files.keys()].sort()) // => [ 'index.html', 'page.css', 'page.js' ]
 * console.log(files.get("page.js")?.type) // => text/javascript; charset=utf-8
 * ```
 */
export const assets = async (): Promise<ReadonlyMap<string, Asset>> =>
  new Map(
    Object.entries(await contents()).map(([path, body]) => {
      const type = types[path.split(".").at(-1)!]!
      const headers = {
        "content-type": type,
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cache-control": "no-cache"
      }
      return [path, { type, body, headers }]
    })
  )

/**
 * The page as the `page` of `serve` and `listen` of `@stepgraph/server` takes it.
 *
 * @example
 * ```ts
 * import { page } from "@stepgraph/page"
 *
 * const answer = await page()
 * console.log(answer(new Request("http://localhost/")).headers.get("content-type")) // => text/html; charset=utf-8
 * console.log(answer(new Request("http://localhost/other")).status) // => 404
 * ```
 */
export const page = async (): Promise<(request: Request) => Response> => {
  const files = await assets()
  return ({ method, url }) => {
    const { pathname } = new URL(url)
    const file = files.get(pathname === "/" ? "index.html" : pathname.slice(1))
    if (file === undefined) return new Response(null, { status: 404 })
    return new Response(method === "HEAD" ? null : file.body, { headers: file.headers })
  }
}
