// The page and the routes on one port, as a program of one's own serves them.
import { page } from "@stepgraph/page"
import { bearer } from "@stepgraph/server"
import { type ListenOptions, listen } from "@stepgraph/server/node"
import type { AnyWorkflow } from "stepgraph"

export const token = "a-token-of-the-test"

export const served = async (
  workflows: () => ReadonlyArray<AnyWorkflow>,
  options: Pick<ListenOptions<ReadonlyArray<AnyWorkflow>>, "status" | "path" | "explore" | "logs"> = {}
) => {
  const server = await listen({ ...options, workflows, auth: bearer(token), page: await page(), port: 0 })
  const url = `${server.url}/`
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
    close: server.close
  }
}
