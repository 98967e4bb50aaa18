/**
 * The handler for Node's own HTTP server, Express and Fastify, and a server that listens on this machine alone.
 *
 * @module node
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { Readable } from "node:stream"
import type { ReadableStream as WebStream } from "node:stream/web"
import type { AnyWorkflow } from "stepgraph"
import { loopback } from "./internal/guard.ts"
import { problem } from "./Problems.ts"
import { type Handler, type ServeOptions, serve } from "./Serve.ts"

/** As Node's server, Express and Fastify's `reply.hijack()` call it. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => void

/** A body that nobody reads is left to Node, which drops it: read in part, it would block the next request of its connection. */
const bodyOf = (incoming: IncomingMessage): ReadableStream<Uint8Array> => {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  return new ReadableStream(
    {
      pull: async (controller) => {
        reader ??= (Readable.toWeb(incoming) as unknown as ReadableStream<Uint8Array>).getReader()
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader?.cancel(reason)
    },
    { highWaterMark: 0 }
  )
}

/** `/x/../api`, `\\api`: a URL takes these for another path than a proxy that guards it. */
const isDisguised = (path: string): boolean => /\\|(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path)

const requestOf = (incoming: IncomingMessage, signal: AbortSignal): Request => {
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (name.startsWith(":") || value === undefined) continue
    for (const one of [value].flat()) headers.append(name, one)
  }
  const method = incoming.method ?? "GET"
  // Express keeps the whole path here; `url` lacks the part that it is mounted at.
  const { originalUrl } = incoming as { readonly originalUrl?: string }
  // A path, whatever it looks like: not the authority of another host.
  const url = new URL(`http://${headers.get("host") ?? "localhost"}`)
  const [path = "/", ...search] = (originalUrl ?? incoming.url ?? "/").split("?")
  if (isDisguised(path)) throw new TypeError("a path that is another one")
  url.pathname = path
  url.search = search.join("?")
  return new Request(url, {
    method,
    headers,
    signal,
    ...(method === "GET" || method === "HEAD" ? undefined : { body: bodyOf(incoming), duplex: "half" })
  })
}

const send = async (response: Response, outgoing: ServerResponse): Promise<void> => {
  outgoing.writeHead(response.status, [...response.headers].flat())
  if (response.body === null) {
    outgoing.end()
    return
  }
  // A reader must know at once that the stream is open, though its first record may be long in coming.
  outgoing.flushHeaders()
  const body = Readable.fromWeb(response.body as unknown as WebStream)
  outgoing.on("close", () => body.destroy())
  body.on("error", () => outgoing.destroy())
  body.pipe(outgoing)
}

/**
 * A web-standard handler as a listener of Node: `http.createServer(toNodeListener(handler))`, or `app.use(…)` in Express.
 */
export const toNodeListener =
  (handler: (request: Request) => Promise<Response>): NodeListener =>
  (incoming, outgoing) => {
    const controller = new AbortController()
    outgoing.on("close", () => controller.abort())
    const answer = async () => {
      let request: Request
      try {
        request = requestOf(incoming, controller.signal)
      } catch {
        // Such as a method, a host or a path that no URL can have.
        await send(problem(400, "this server takes no such method, host or path"), outgoing)
        return
      }
      await send(await handler(request), outgoing)
    }
    // Nothing of the error: it may show what no stranger should see.
    answer().catch(() => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(500).end()))
  }

export interface ListenOptions<Flows extends ReadonlyArray<AnyWorkflow>> extends ServeOptions<Flows> {
  /** Default: 4270. With 0, any free port. */
  readonly port?: number | undefined
  /** The address to listen on. Default: 127.0.0.1 and ::1, which only this machine can reach. Others need a real `auth`. */
  readonly host?: string | undefined
}

export interface Listening extends AsyncDisposable {
  readonly port: number
  readonly url: string
  readonly handler: Handler
  /** Closes all connections, and interrupts the runs in memory. */
  readonly close: () => Promise<void>
}

const isLoopback = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host)

const opened = (listener: NodeListener, port: number, host: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000, maxHeaderSize: 16_384 }, listener)
    server.once("error", reject)
    server.listen(port, host, () => resolve(server))
  })

/**
 * Serves workflows on a port of this machine.
 *
 * Rejects with a `TypeError` if another address than this machine's own is to be listened on without `auth`, and with Node's
 * error if the port is taken.
 */
export const listen = async <const Flows extends ReadonlyArray<AnyWorkflow>>({
  host,
  port = 4270,
  ...options
}: ListenOptions<Flows>): Promise<Listening> => {
  if (host !== undefined && !isLoopback(host) && options.auth === "none") {
    throw new TypeError(
      `listen: on ${host}, everybody on the network could start runs and read them. Give auth: bearer("…"), or leave out host, so that only this machine can connect`
    )
  }
  const hosts = options.hosts ?? (host === undefined || isLoopback(host) ? loopback : [...loopback, host])
  const handler = serve({ ...options, hosts } as never)
  const listener = toNodeListener(handler)
  const servers: Array<Server> = []
  const close = async () => {
    await Promise.all(
      servers.map((server) => {
        const closed = new Promise((resolve) => server.close(resolve))
        server.closeAllConnections()
        return closed
      })
    )
    await handler.close()
  }
  try {
    const first = await opened(listener, port, host ?? "127.0.0.1")
    servers.push(first)
    const { port: taken } = first.address() as { readonly port: number }
    if (host === undefined) {
      // Not every machine has IPv6.
      const second = await opened(listener, taken, "::1").catch((error) => {
        if (error.code === "EADDRINUSE") throw error
      })
      if (second !== undefined) servers.push(second)
    }
    const name = host === undefined ? "localhost" : host.includes(":") ? `[${host}]` : host
    const path = (options.path ?? "").replace(/\/+$/, "")
    const url = `http://${name}:${taken}${path}`
    return { port: taken, url, handler, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
