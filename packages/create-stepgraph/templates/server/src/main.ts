import { randomUUID } from "node:crypto"
import { start } from "./server.ts"

const { PORT = "4270", TOKEN } = process.env
// If there is none, each start makes a new one.
const token = TOKEN || randomUUID()
const server = await start(token, Number(PORT)).catch((error) => {
  console.error(error.code === "EADDRINUSE" ? `Port ${PORT} is taken: set PORT to another one.` : error.message)
  process.exit(1)
})
console.log(`${server.url}/#token=${encodeURIComponent(token)}`)
console.log("Press Ctrl-C to stop.")

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void server.close())
