/**
 * Who asks, and what they may see.
 */
import { isSame } from "./internal/constant-time.ts"
import type { RunSummary } from "./Runs.ts"

/** A user, as `auth` has recognised them. */
export interface Identity {
  /** Their name: a run remembers who started it. */
  readonly user: string
  /** The runs that they may see and act on. Default: those that they have started. */
  readonly sees?: "own" | "all" | ((run: RunSummary) => boolean) | undefined
  /** The workflows that they may see and start, by name. Default: all. */
  readonly workflows?: ReadonlyArray<string> | undefined
}

/**
 * Says who sends a request: `undefined` for somebody unknown, who gets 401. What it throws becomes a 500 without a text.
 */
export type Auth = (request: Request) => Identity | undefined | Promise<Identity | undefined>

const anybody: Identity = { user: "", sees: "all" }

/** `"none"`: everybody may do everything. */
export const authOf = (auth: Auth | "none"): Auth => (auth === "none" ? () => anybody : auth)

export const maySee = ({ sees = "own", user, workflows }: Identity, run: RunSummary): boolean =>
  (workflows === undefined || workflows.includes(run.workflow)) &&
  (sees === "all" || (sees === "own" ? user !== "" && run.user === user : sees(run)))

const digest = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))

/**
 * Recognises users by a token in the `Authorization` header, compared in constant time. A single token is for one user, who sees
 * all runs; an object has an identity for each token.
 *
 * @example
 * ```ts
 * import { bearer } from "@stepgraph/server"
 *
 * const auth = bearer({ "a-long-secret": { user: "ada" }, "another-secret": { user: "ops", sees: "all" } })
 * const request = new Request("http://localhost/", { headers: { authorization: "Bearer a-long-secret" } })
 * console.log((await auth(request))?.user) // => ada
 * ```
 */
export const bearer = (tokens: string | Readonly<Record<string, Identity>>): Auth => {
  const all = typeof tokens === "string" ? [[tokens, anybody] as const] : Object.entries(tokens)
  if (all.length === 0 || all.some(([token]) => token === "")) {
    throw new TypeError("bearer needs non-empty tokens: generate each with crypto.randomUUID()")
  }
  const known = Promise.all(all.map(async ([token, identity]) => ({ hash: await digest(token), identity })))
  return async (request) => {
    const given = /^bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "")?.[1]
    if (given === undefined) return undefined
    const hash = await digest(given)
    // All of them, so that the time does not say which one came close.
    return (await known).reduce<Identity | undefined>(
      (found, one) => (isSame(one.hash, hash) ? one.identity : found),
      undefined
    )
  }
}
