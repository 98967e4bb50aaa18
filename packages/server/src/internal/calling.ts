/**
 * Requests of the client: with a token, tried again if the server cannot be reached, and with errors that say what happened.
 */

/** A run failed: with the tag and the fields of its workflow's own error. */
export class RunFailed extends Error {
  readonly _tag: string
  constructor({ _tag, message, name, ...fields }: { readonly [field: string]: unknown }) {
    super(String(message))
    this._tag = typeof _tag === "string" ? _tag : "RunFailed"
    Object.defineProperty(this, "name", { value: typeof name === "string" ? name : this._tag, configurable: true })
    // Own properties, whatever their names.
    for (const [key, value] of Object.entries(fields)) {
      Object.defineProperty(this, key, { value, enumerable: true, configurable: true, writable: true })
    }
  }
}

/** The server refused a request. */
export class RequestFailed extends Error {
  readonly _tag = "RequestFailed"
  override readonly name = "RequestFailed"
  readonly status: number
  /** The problem as the server described it: `type`, `title`, `detail`. */
  readonly problem: { readonly [member: string]: unknown }
  constructor(what: string, status: number, problem: { readonly [member: string]: unknown }) {
    super(`${what}: the server answered ${status}: ${problem.detail ?? problem.title ?? "it did not say why"}`)
    this.status = status
    this.problem = problem
  }
}

/** The server could not be reached, however often it was tried. */
export class ServerUnreachable extends Error {
  readonly _tag = "ServerUnreachable"
  override readonly name = "ServerUnreachable"
  constructor(what: string, tries: number, cause: unknown) {
    super(`${what}: the server could not be reached in ${tries} tries: ${(cause as Error)?.message ?? cause}`, {
      cause
    })
  }
}

/** The server no longer keeps the first events of the run. */
export class EventsDropped extends Error {
  readonly _tag = "EventsDropped"
  override readonly name = "EventsDropped"
  readonly dropped: number
  constructor(dropped: number) {
    super(
      `${dropped} events of the run are no longer kept by the server: read them earlier, or let it keep more (runs: { size })`
    )
    this.dropped = dropped
  }
}

export const failureOf = (error: { readonly [field: string]: unknown }): RunFailed => new RunFailed(error)

export const interruptedOf = (workflow: string): DOMException =>
  new DOMException(`workflow '${workflow}' was interrupted`, "AbortError")

export const keyOf = (): string =>
  // A page that is not served over HTTPS has no `randomUUID`.
  crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-")

interface Options {
  readonly url: string
  readonly token?: string | (() => string | Promise<string>) | undefined
  readonly fetch?: typeof fetch | undefined
  readonly retries?: number | undefined
}

interface Request {
  readonly body?: unknown
  readonly key?: string | undefined
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal | undefined
}

export interface Caller {
  /** A response with a good status. Everything that is sent may be sent again: it has a key, or does nothing twice. */
  readonly response: (method: string, path: string, request?: Request) => Promise<Response>
  readonly json: (method: string, path: string, request?: Request) => Promise<unknown>
  /** Waits before the next try; throws if there were enough. */
  readonly pause: (what: string, failures: number, cause: unknown, signal?: AbortSignal) => Promise<void>
}

const wait = (millis: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      // The signal may live much longer.
      signal?.removeEventListener("abort", end)
      resolve()
    }
    const timer = setTimeout(end, millis)
    signal?.addEventListener("abort", end)
  })

/** What can be asked of any value, even one that throws. */
const asked = (of: () => unknown): string | undefined => {
  try {
    const value = of()
    return typeof value === "string" ? value : undefined
  } catch {
    return undefined
  }
}

/** An event that cannot be written as JSON does not arrive as it is, however often it is sent. */
const written = (event: any): string => {
  try {
    return JSON.stringify(event)
  } catch (error: any) {
    const tag = asked(() => event._tag)
    const problem = `it cannot be written as JSON: ${asked(() => error.message) ?? "it cannot be read"}`
    const message = `event ${tag === undefined ? "" : `'${tag}' `}cannot be sent: ${problem}`
    throw new RunFailed({ _tag: "InvalidEvent", tag: tag ?? "unknown", problem, message })
  }
}

/** A request that cannot be sent, however often it is tried. What `fetch` says of it would show the token. */
class Unsendable extends TypeError {}

const headersOf = (headers: Record<string, string>): Headers => {
  try {
    return new Headers(headers)
  } catch {
    throw new Unsendable("connect: the token or the key of a request has characters that no HTTP header may have")
  }
}

/** The server, or a proxy before it, is not there now. */
const isPassing = (status: number): boolean => status === 502 || status === 503 || status === 504

export const callerOf = ({ fetch: given, retries = 8, token, url }: Options): Caller => {
  if (/^\w+:\/\/[^/]*@/.test(url)) {
    throw new Unsendable("connect: the URL has a name or a password, which no request may have: use token")
  }
  const base = url.replace(/\/+$/, "")
  const pause: Caller["pause"] = async (what, failures, cause, signal) => {
    if (signal?.aborted) throw signal.reason
    if (failures > retries) {
      throw cause instanceof RequestFailed ? cause : new ServerUnreachable(what, failures, cause)
    }
    const longest = Math.min(5_000, 25 * 2 ** failures)
    // Not all clients at once.
    await wait(longest * (0.5 + Math.random() / 2), signal)
    if (signal?.aborted) throw signal.reason
  }
  const once = async (
    what: string,
    method: string,
    path: string,
    body: string | undefined,
    request: Request
  ): Promise<Response> => {
    const { headers, key, signal } = request
    const secret = typeof token === "function" ? await token() : token
    const response = await (given ?? fetch)(`${base}${path}`, {
      method,
      headers: headersOf({
        ...headers,
        ...(method === "POST" ? { "content-type": "application/json" } : undefined),
        ...(secret === undefined ? undefined : { authorization: `Bearer ${secret}` }),
        ...(key === undefined ? undefined : { "idempotency-key": key })
      }),
      ...(body === undefined ? undefined : { body }),
      ...(signal === undefined ? undefined : { signal })
    })
    if (response.ok) return response
    const problem: any = await response.json().catch(() => ({}))
    if (problem.type === "urn:stepgraph:problem:invalid-event") {
      throw new RunFailed({ _tag: "InvalidEvent", tag: problem.tag, problem: problem.problem, message: problem.detail })
    }
    if (problem.type === "urn:stepgraph:problem:run-ended") {
      throw new RunFailed({ _tag: "RunEnded", workflow: problem.workflow, message: problem.detail })
    }
    throw new RequestFailed(what, response.status, problem)
  }
  const tried = async <A>(
    method: string,
    path: string,
    request: Request,
    use: (response: Response) => Promise<A>
  ): Promise<A> => {
    const what = `${method} ${path.replace(/\?.*/, "")}`
    const body = method === "POST" ? written(request.body ?? {}) : undefined
    for (let failures = 0; ; ) {
      try {
        return await use(await once(what, method, path, body, request))
      } catch (error) {
        const isFinal =
          error instanceof RequestFailed
            ? !isPassing(error.status)
            : error instanceof RunFailed || error instanceof Unsendable
        if (isFinal) throw error
        await pause(what, ++failures, error, request.signal)
      }
    }
  }
  return {
    pause,
    response: (method, path, request = {}) => tried(method, path, request, async (response) => response),
    // The connection may break in the middle of the body, too.
    json: (method, path, request = {}) =>
      tried(method, path, request, async (response) => {
        const text = await response.text()
        return text === "" ? undefined : JSON.parse(text)
      })
  }
}
