/**
 * Sessions of MCP: each belongs to the user who began it, and nobody has more than some. The library underneath keeps them for ever,
 * and takes everybody who knows an id for its owner.
 */
import * as Context from "effect/Context"
import type { Identity } from "../Auth.ts"
import { problem } from "../Problems.ts"
import { CurrentIdentity } from "./access.ts"
import { rpcError } from "./guard.ts"

export type Handle = (request: Request, context: Context.Context<never>) => Promise<Response>

const header = "mcp-session-id"

const isRpcError = (json: any): boolean =>
  json?.jsonrpc === "2.0" && typeof json.error?.code === "number" && typeof json.error.message === "string"

/** An error as its client expects it: with what the protocol says, if it says something. */
const errorOf = async (response: Response): Promise<Response> => {
  const text = await response.text()
  try {
    if (isRpcError(JSON.parse(text))) {
      return new Response(text, { status: response.status, headers: { "content-type": rpcError } })
    }
  } catch {
    // No JSON.
  }
  return problem(response.status)
}

export const sessionsOf = (
  handle: Handle,
  most: number
): ((request: Request, identity: Identity) => Promise<Response>) => {
  /** The sessions of each user, the one not used for longest first. */
  const byUser = new Map<string, Set<string>>()

  const end = async (id: string): Promise<void> => {
    const request = new Request("http://localhost/mcp", { method: "DELETE", headers: { [header]: id } })
    await handle(request, Context.empty())
  }

  return async (request, identity) => {
    const id = request.headers.get(header)
    if (id !== null) {
      const own = byUser.get(identity.user)
      // A client that gets 404 begins a new session.
      if (own === undefined || !own.delete(id)) return problem(404, "there is no such session, or it is not yours")
      if (request.method !== "DELETE") own.add(id)
      else if (own.size === 0) byUser.delete(identity.user)
    }
    const response = await handle(request, Context.make(CurrentIdentity, identity))
    const begun = response.headers.get(header)
    if (begun !== null && begun !== id) {
      // Those of now: others may have begun or ended meanwhile.
      const own = byUser.get(identity.user) ?? new Set<string>()
      byUser.set(identity.user, own.add(begun))
      const [oldest] = own
      if (own.size > most) {
        own.delete(oldest!)
        await end(oldest!)
      }
    }
    return response.status >= 400 ? errorOf(response) : response
  }
}
