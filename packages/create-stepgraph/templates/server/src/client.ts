// Starts a run on the server, says yes to its question, and prints the result.
import { connect } from "@stepgraph/server/client"
import type { flow } from "./flow.ts"

const { PORT = "4270", TOKEN: token } = process.env
if (!token) throw new Error("Set TOKEN to the server's token: it is in the URL that the server prints")

const remote = connect<typeof flow>({ url: `http://localhost:${PORT}`, workflow: "publish", token })
const run = await remote.start({ title: "News", text: "It works." })
for await (const event of run.events) {
  console.log(event)
  if (event._tag === "Question") await run.send({ _tag: "Approval", by: "Ada", yes: true })
}
