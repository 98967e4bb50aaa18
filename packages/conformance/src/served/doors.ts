// `launch` and `launchPromise` as the core's own tests call them where their runs are on a server: each call serves its workflow
// over HTTP, and gives the handle of a client.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { makeHandler } from "@stepgraph/server"
import type { Connection as PromiseConnection } from "@stepgraph/server/client"
import type { Connection as EffectConnection } from "@stepgraph/server/client-effect"
import { type NodeListener, toNodeListener } from "@stepgraph/server/node"
import { Context, Effect, Exit, Scope } from "effect"

/** Clients in this process, or in a browser. */
export interface Clients {
  readonly promise: (options: ConnectOptions) => PromiseConnection<any>
  readonly effect: (options: ConnectOptions) => EffectConnection<any>
}
export interface ConnectOptions {
  readonly url: string
  readonly workflow: string
}

let clients: Clients | undefined
export const useClients = (those: Clients | undefined): void => {
  clients = those
}

const listeners = new Map<string, NodeListener>()
const scopes = new Set<Scope.Closeable>()
let served = 0

/** What a page is that a browser's client runs in. */
const page = (response: ServerResponse) =>
  response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>client</title>")

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const [, place = ""] = request.url!.split("/")
  const listener = listeners.get(place)
  if (listener === undefined) page(response)
  else listener(request, response)
})

export const url = (): string => `http://localhost:${(server.address() as AddressInfo).port}`

export const openServer = (): Promise<void> => new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))

/** Ends all runs: some wait for a clock that nobody moves any more. */
export const endRuns = (): void => {
  for (const scope of scopes) Effect.runFork(Scope.close(scope, Exit.void))
  scopes.clear()
  listeners.clear()
}

export const closeServer = (): void => {
  server.close()
  server.closeAllConnections()
}

/** Serves a workflow in some context: its runs have the clock and the services of the test. */
const serve = (flow: { readonly name: string }, context: Context.Context<never>): ConnectOptions => {
  const place = `${++served}`
  const scope = Scope.makeUnsafe()
  scopes.add(scope)
  const handler = Effect.runSyncWith(
    Context.omit(Scope.Scope)(context as Context.Context<any>) as Context.Context<never>
  )(
    Scope.provide(makeHandler({ workflows: [flow as never], auth: "none", path: `/${place}` }), scope) as Effect.Effect<
      (request: Request) => Promise<Response>
    >
  )
  listeners.set(place, toNodeListener(handler))
  return { url: `${url()}/${place}`, workflow: flow.name }
}

export const launch = (flow: never, input: unknown = {}) =>
  Effect.flatMap(Effect.context<never>(), (context) => clients!.effect(serve(flow, context)).launch(input as never))

export const launchPromise = async (flow: never, input: unknown = {}) =>
  clients!.promise(serve(flow, Context.empty())).start(input as never)
