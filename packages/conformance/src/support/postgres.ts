// A Postgres of its own for a test, of what Debian installs.
import { execFileSync } from "node:child_process"
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = "/usr/lib/postgresql"
const version = existsSync(root) ? readdirSync(root).sort().at(-1) : undefined
const bin = (name: string) => join(root, version!, "bin", name)
export const hasPostgres = version !== undefined && existsSync(bin("initdb"))

const isRoot = process.getuid?.() === 0
/** It does not run as root. */
const as = (command: string, args: ReadonlyArray<string>) =>
  isRoot
    ? execFileSync("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", command, ...args], {
        stdio: "ignore"
      })
    : execFileSync(command, args, { stdio: "ignore" })

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer()
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { readonly port: number }
      server.close(() => resolve(port))
    })
  })

export interface Postgres {
  readonly url: string
  /** A program of the same installation. */
  readonly bin: (name: string) => string
  /** Of the server's first process. */
  readonly pid: () => number
  /** Ends it at once, as a crash would, and starts it again. */
  readonly crash: () => void
  readonly stop: () => void
}

export const startPostgres = async (): Promise<Postgres> => {
  const folder = mkdtempSync(join(tmpdir(), "postgres-"))
  if (isRoot) {
    const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
    chownSync(folder, id("-u"), id("-g"))
  }
  const data = join(folder, "data")
  const port = await freePort()
  as(bin("initdb"), ["-D", data, "-U", "postgres", "--auth=trust", "--no-sync"])
  const options = `-p ${port} -h 127.0.0.1 -k ${folder}`
  const start = () => as(bin("pg_ctl"), ["-D", data, "-o", options, "-l", join(folder, "log"), "-w", "start"])
  const stop = () => as(bin("pg_ctl"), ["-D", data, "-m", "immediate", "-w", "stop"])
  start()
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    bin,
    pid: () => Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0]),
    crash: () => {
      stop()
      start()
    },
    stop: () => {
      stop()
      rmSync(folder, { recursive: true })
    }
  }
}
