/** The process behind `npm create stepgraph`: arguments, terminal, signals and exit codes. */
import { create } from "./internal/create.ts"

const interrupt = new AbortController()
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupt.abort())

process.exitCode = await create({
  args: process.argv.slice(2),
  cwd: process.cwd(),
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupt.signal
})
