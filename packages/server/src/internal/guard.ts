/**
 * What every request passes before anything else looks at it: host, origin, user, media type, and size.
 */
import { type Auth, authOf, type Identity } from "../Auth.ts"
import { problem } from "../Problems.ts"

export interface GuardOptions {
  /** Who asks. `"none"`: everybody may do everything. */
  readonly auth: Auth | "none"
  /**
   * The names, without ports, under which the server is reached, or `"any"`. Another `Host` gets 403, or a foreign page could
   * reach a server on this machine by a name of its own (DNS rebinding). Default: localhost, 127.0.0.1 and [::1].
   */
  readonly hosts?: ReadonlyArray<string> | "any" | undefined
  /** Other origins whose pages may call the server, such as `https://app.example.com`. Default: none, and no CORS headers. */
  readonly origins?: ReadonlyArray<string> | undefined
  /** The path that all routes are under, such as `/flows`. Default: none. */
  readonly path?: string | undefined
  /** The largest body, in bytes. Default: 1 MB. */
  readonly maxBody?: number | undefined
  /** How long a body may take to come, in milliseconds. Default: 10 seconds. */
  readonly bodyTimeout?: number | undefined
  /**
   * Answers each GET outside `/api`, such as for the files of a page. Host and origin have been checked, but not `auth`: a
   * browser asks for a page before it has a token. Default: none.
   */
  readonly page?: ((request: Request) => Response | Promise<Response>) | undefined
}

export const loopback = ["localhost", "127.0.0.1", "[::1]"]
/** Deeper JSON is refused: whoever walks it would run out of stack. */
const deepest = 100

const hostnameOf = (host: string): string => host.replace(/:\d+$/, "").replace(/\.$/, "").toLowerCase()

/** How deep brackets go in a text, whether or not it is JSON. */
const isTooDeep = (text: string): boolean => {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (inString) {
      if (char === 92) i++
      else if (char === 34) inString = false
    } else if (char === 34) inString = true
    else if (char === 91 || char === 123) {
      if (++depth > deepest) return true
    } else if (char === 93 || char === 125) depth--
  }
  return false
}

/** `/%61pi`, or `/api;x`, of which the router reads no more than `/api`: nobody writes this but to pass a proxy that guards it. */
const isDisguised = (path: string): boolean =>
  path.includes(";") ||
  [...path.matchAll(/%[0-9a-f]{2}/gi)].some(([code]) =>
    /[\w.~-]/.test(String.fromCharCode(Number(`0x${code.slice(1)}`)))
  )

/** Somebody remembers each: a longer one would fill the memory. */
const longestKey = 255

/** What has an answer of its own, and asks for a user. */
const isRoute = (path: string): boolean => /^\/(api(\/|$)|openapi\.json$|mcp$)/.test(path)

const isLookedAt = (header: string): boolean =>
  header === "accept" || header === "idempotency-key" || header === "last-event-id" || header.startsWith("mcp-")

/** The media types of errors: those of all routes, and those of MCP, which says nothing that its client has not. */
export const rpcError = "application/json; profile=json-rpc-error"
const inOwnWords = new Set(["application/problem+json", rpcError])

const isJson = (contentType: string | null): boolean =>
  /^application\/(json|[\w.-]+\+json)\s*(;|$)/i.test((contentType ?? "").trim())

class Rejected {
  readonly response: Response
  constructor(response: Response) {
    this.response = response
  }
}

/** The whole body as text, unless it is too long or too slow. */
const bodyOf = async (request: Request, most: number, millis: number): Promise<string> => {
  const tooLarge = () => new Rejected(problem(413, `the body may have at most ${most} bytes`, { connection: "close" }))
  if (Number(request.headers.get("content-length")) > most) throw tooLarge()
  if (request.body === null) return ""
  const reader = request.body.getReader()
  let timer: ReturnType<typeof setTimeout> | undefined
  const slow = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Rejected(problem(408, undefined, { connection: "close" }))), millis)
  })
  const decoder = new TextDecoder("utf-8", { fatal: true })
  try {
    let text = ""
    for (let size = 0; ; ) {
      const { done, value } = await Promise.race([reader.read(), slow])
      if (done) return text + decoder.decode()
      size += value.length
      if (size > most) throw tooLarge()
      text += decoder.decode(value, { stream: true })
    }
  } catch (error) {
    void reader.cancel().catch(() => {})
    throw error instanceof TypeError ? new Rejected(problem(400, "the body is not UTF-8")) : error
  } finally {
    clearTimeout(timer)
  }
}

/** Checks each request, and gives what is left of it to `handle`: its path without the prefix, and a body that has come. */
export const guarded = (
  options: GuardOptions,
  handle: (request: Request, identity: Identity) => Promise<Response>
): ((request: Request) => Promise<Response>) => {
  const { bodyTimeout = 10_000, hosts = loopback, maxBody = 1_000_000, origins = [], page, path = "" } = options
  if (options.auth !== "none" && typeof options.auth !== "function") {
    throw new TypeError(
      'serve needs auth: a function that says who sends a request, such as bearer("…"), or "none" to let everybody do everything'
    )
  }
  const auth = authOf(options.auth)
  const allowed = hosts === "any" ? undefined : new Set(hosts.map((host) => host.toLowerCase()))
  const prefix = path.replace(/\/+$/, "")

  const cors = (origin: string | null): Record<string, string> =>
    origin !== null && origins.includes(origin)
      ? {
          "access-control-allow-origin": origin,
          "access-control-expose-headers": "location, mcp-session-id",
          vary: "origin"
        }
      : {}

  const check = async (request: Request): Promise<Response> => {
    const url = new URL(request.url)
    const { headers, method } = request
    const host = headers.get("host") ?? url.host
    if (allowed !== undefined && !allowed.has(hostnameOf(host))) {
      return problem(403, "this host name is not among the server's `hosts`")
    }
    const origin = headers.get("origin")
    const isOwn = origin !== null && URL.canParse(origin) && new URL(origin).host === host
    const site = headers.get("sec-fetch-site")
    // A page of another site can make some requests without saying its origin.
    const isForeign =
      origin === null
        ? (site === "cross-site" || site === "same-site") && headers.get("sec-fetch-mode") !== "navigate"
        : !isOwn && !origins.includes(origin)
    if (isForeign) return problem(403, "pages of other origins may not call this server")
    if (method === "OPTIONS" && origin !== null && origins.includes(origin)) {
      return new Response(null, {
        status: 204,
        headers: {
          "access-control-allow-methods": "GET, POST, DELETE",
          "access-control-allow-headers":
            "authorization, content-type, idempotency-key, last-event-id, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name",
          "access-control-max-age": "600"
        }
      })
    }
    const isInside = `${url.pathname}/`.startsWith(`${prefix}/`) && !isDisguised(url.pathname)
    // A path, whatever it looks like: not the authority of another host.
    const inner = new URL("http://localhost")
    inner.pathname = url.pathname.slice(prefix.length)
    inner.search = url.search
    if (page !== undefined && isInside && !isRoute(inner.pathname) && (method === "GET" || method === "HEAD")) {
      // Its files are relative to its folder. So is this: a proxy may serve it under another path, but no other host.
      if (prefix !== "" && url.pathname === prefix) {
        const location = `./${prefix.slice(prefix.lastIndexOf("/") + 1)}/${url.search}`
        return new Response(null, { status: 308, headers: { location } })
      }
      const file = await page(new Request(inner, { method }))
      // The headers of a redirect, or of what `fetch` has brought, cannot be changed.
      return new Response(file.body, file)
    }
    const identity = await auth(request)
    if (identity === undefined || identity === null) {
      return problem(401, undefined, { "www-authenticate": "Bearer" })
    }
    if (typeof identity.user !== "string") throw new TypeError("auth returned an identity without a user")
    if (!isInside) return problem(404)
    if ((headers.get("idempotency-key") ?? "").length > longestKey) {
      return problem(400, `an Idempotency-Key may have at most ${longestKey} characters`)
    }
    let body: string | undefined
    if (method !== "GET" && method !== "HEAD") {
      if (method === "POST" && !isJson(headers.get("content-type"))) {
        return problem(415, "send JSON, with the header Content-Type: application/json")
      }
      body = await bodyOf(request, maxBody, bodyTimeout)
      if (isTooDeep(body)) return problem(400, `the JSON is nested more than ${deepest} levels deep`)
      if (body === "" && method === "POST") body = "{}"
    }
    // Of the headers, only those that a route looks at.
    const kept = new Headers({ "content-type": "application/json" })
    for (const [name, value] of headers) if (isLookedAt(name)) kept.set(name, value)
    return handle(
      new Request(inner, {
        method,
        headers: kept,
        signal: request.signal,
        ...(body === undefined || body === "" ? undefined : { body })
      }),
      identity
    )
  }

  return async (request) => {
    let response: Response
    try {
      response = await check(request)
      // Whatever has no words of ours has none at all: neither an exception's nor a library's.
      if (response.status >= 400 && !inOwnWords.has(response.headers.get("content-type") ?? "")) {
        response = problem(response.status)
      }
    } catch (error) {
      response = error instanceof Rejected ? error.response : problem(500)
    }
    response.headers.set("x-content-type-options", "nosniff")
    response.headers.set("cache-control", "no-store")
    for (const [name, value] of Object.entries(cors(request.headers.get("origin")))) response.headers.set(name, value)
    return response
  }
}
