/**
 * Serves the routes and the page on a port of this machine.
 */
import { randomBytes } from "node:crypto"
import { hostname, networkInterfaces } from "node:os"
import type { ServeOptions } from "@stepgraph/server"
import type { Listening } from "@stepgraph/server/node"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Misuse } from "../errors.ts"

export interface Address {
  /** `undefined`: 4270 or the next free one. */
  readonly port: number | undefined
  /** `undefined`: only this machine. */
  readonly host: string | undefined
  /** `undefined`: a new one. */
  readonly token: string | undefined
}

const firstPort = 4270
const mostPorts = 100
/** So many characters cannot be guessed, if they are random. */
const shortestToken = 16

export interface Served {
  /** The page, with the token in the fragment, which a browser sends to nobody. */
  readonly url: string
  /** The port that was taken, if another had to be. */
  readonly instead: number | undefined
  readonly port: number
}

const isThisMachine = (host: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host)
const isEverywhere = (host: string): boolean => host === "0.0.0.0" || host === "::"

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host)

/** The addresses of this machine that others can reach. */
const addresses = (): ReadonlyArray<string> =>
  Object.values(networkInterfaces()).flatMap((all = []) =>
    all.filter(({ internal }) => !internal).map(({ address }) => bracketed(address.replace(/%.*$/, "")))
  )

const checked = ({ host, port, token }: Address): Effect.Effect<void, Misuse> => {
  const problem =
    port !== undefined && !(port >= 0 && port <= 65_535)
      ? `--port takes a number up to 65535, not ${port}.`
      : token !== undefined && !/^\S+$/.test(token)
        ? "--token takes characters other than spaces."
        : host === undefined || isThisMachine(host)
          ? undefined
          : token === undefined
            ? `On ${host}, everybody on the network could reach your workflows: add --token with a secret of at least ${shortestToken} characters, or leave out --host.`
            : token.length < shortestToken
              ? `On ${host}, the token is all that keeps others out: --token needs at least ${shortestToken} characters.`
              : undefined
  return problem === undefined ? Effect.void : Effect.fail(new Misuse({ message: problem }))
}

/** Serves until its scope is closed, which interrupts the runs in memory. */
export const served = (
  options: Omit<ServeOptions, "auth" | "hosts" | "page">,
  address: Address,
  /** The run to show first. */
  run?: string | undefined
): Effect.Effect<Served, Misuse, Scope.Scope> =>
  Effect.gen(function* () {
    yield* checked(address)
    const { host, port = firstPort, token = randomBytes(24).toString("base64url") } = address
    // They take time to load, and only these commands need them.
    const [{ bearer }, { listen }, { page: pageOf }] = yield* Effect.promise(() =>
      Promise.all([import("@stepgraph/server"), import("@stepgraph/server/node"), import("@stepgraph/page")])
    )
    const page = yield* Effect.promise(pageOf)
    const more =
      host === undefined || isThisMachine(host)
        ? []
        : isEverywhere(host)
          ? [...addresses(), hostname()]
          : [bracketed(host)]
    const hosts = ["localhost", "127.0.0.1", "[::1]", ...more]
    const opened = (at: number): Effect.Effect<Listening, Misuse> =>
      Effect.tryPromise({
        try: () => listen({ ...options, auth: bearer(token), hosts, page, host, port: at }),
        catch: (error) => error as Error & { readonly code?: string }
      }).pipe(
        Effect.catch((error) => {
          if (error.code === "EADDRINUSE" && address.port === undefined && at < firstPort + mostPorts)
            return opened(at + 1)
          const where = `port ${at}${host === undefined ? "" : ` of ${host}`}`
          const message =
            error.code === "EADDRINUSE"
              ? `Cannot listen on ${where}: it is taken. Choose another, or leave out --port to take the next free one.`
              : `Cannot listen on ${where}: ${error.message}.`
          return Effect.fail(new Misuse({ message }))
        })
      )
    const listening = yield* Effect.acquireRelease(opened(port), ({ close }) => Effect.promise(close))
    const shown =
      host === undefined ? "localhost" : isEverywhere(host) ? (addresses()[0] ?? "localhost") : bracketed(host)
    const first = run === undefined ? "" : `&/runs/${encodeURIComponent(run)}`
    return {
      url: `http://${shown}:${listening.port}/#token=${encodeURIComponent(token)}${first}`,
      instead: address.port === undefined && listening.port !== firstPort ? firstPort : undefined,
      port: listening.port
    }
  })
