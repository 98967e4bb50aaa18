import { randomUUID } from "node:crypto"
import { start } from "./server.ts"

const { PORT = "4270", TOKEN } = process.env
// Without a token of yours, each start has another one.
const token = TOKEN || randomUUID()
const server = await start(token, Number(PORT))
console.log(`${server.url}/#token=${encodeURIComponent(token)}`)
console.log("Press Ctrl-C to stop.")

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void server.close())
