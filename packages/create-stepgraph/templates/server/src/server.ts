// The workflows over HTTP, with the page that starts, shows and answers their runs.
import { page } from "@stepgraph/page"
import { bearer } from "@stepgraph/server"
import { listen } from "@stepgraph/server/node"
import { flow } from "./flow.ts"

/** Listens on this machine alone. Whoever knows the token may do everything. */
export const start = async (token: string, port: number) =>
  listen({ workflows: [flow], auth: bearer(token), page: await page(), port })
