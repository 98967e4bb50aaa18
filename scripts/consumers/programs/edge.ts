// A worker of Cloudflare: the seed flow at `/`, and the server's routes below `/api`.
import { serve } from "@stepgraph/server"
import { flow, seed } from "./seed.ts"

let handler: ((request: Request) => Promise<Response>) | undefined

export default {
  fetch: async (request: Request) => {
    if (!new URL(request.url).pathname.startsWith("/api")) return new Response(await seed())
    // Outside a request, a worker may start no timer.
    handler ??= serve({ workflows: [flow], auth: "none" })
    return handler(request)
  }
}
