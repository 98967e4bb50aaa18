import { serve } from "@stepgraph/server"
import { flow } from "../../../../seed.js"

const handler = serve({ workflows: [flow], auth: "none", path: "/flows" })
export const GET = handler
export const POST = handler
export const DELETE = handler
