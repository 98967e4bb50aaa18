// The page and the routes on one port, as a program of one's own would serve them.
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assets } from "@stepgraph/page"
import { bearer, serve } from "@stepgraph/server"
import { toNodeListener } from "@stepgraph/server/node"
import type { AnyWorkflow } from "stepgraph"

export const token = "a-token-of-the-test"

export const served = async (workflows: ReadonlyArray<AnyWorkflow>) => {
  const files = await assets()
  const handler = serve({ workflows: () => workflows, auth: bearer(token) })
  const routes = toNodeListener(handler)
  const server = createServer((request, response) => {
    const file = files.get(request.url === "/" ? "index.html" : (request.url ?? "").slice(1))
    if (file === undefined) routes(request, response)
    else response.writeHead(200, file.headers).end(file.body)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return {
    url,
    start: async (workflow: string, input: unknown): Promise<string> => {
      const response = await fetch(`${url}api/workflows/${encodeURIComponent(workflow)}/runs`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(input)
      })
      return ((await response.json()) as { id: string }).id
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await handler.close()
    }
  }
}
