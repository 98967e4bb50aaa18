/**
 * The servers that candidates need: one Postgres for all of them, and a Restate server each time.
 */
import { execFileSync, spawn } from "node:child_process"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { startPostgres } from "@stepgraph/conformance/support/postgres"

/** Of a process: its parent, and the ticks of itself and of the children that it has outlived. */
const statOf = (
  pid: number | string
): { readonly parent: number; readonly ticks: ReadonlyArray<number> } | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number)
    return { parent: fields[1]!, ticks: fields.slice(11, 15) }
  } catch {
    return undefined
  }
}

/** Microseconds of CPU that a process and all of its children have used, as far as Linux tells. */
const cpuOf = (pid: number): number => {
  const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((sum, n) => sum + n, 0)
  const children = readdirSync("/proc")
    .filter((id) => /^\d+$/.test(id))
    .map(statOf)
    .filter((stat) => stat?.parent === pid)
  // Ticks are hundredths of a second on every Linux that Node runs on.
  return 10_000 * sum([...(statOf(pid)?.ticks ?? []), ...children.flatMap((stat) => stat!.ticks)])
}

export interface Server {
  readonly cpu: () => number
  readonly stop: () => void
}

export interface Postgres extends Server {
  readonly version: string
  /** An empty database. */
  readonly database: (name: string) => string
  /** Bytes of a database, after it was tidied up. */
  readonly size: (name: string) => number
}

export const postgres = async (): Promise<Postgres> => {
  const server = await startPostgres()
  const sql = (text: string, database = "postgres") =>
    execFileSync(server.bin("psql"), ["-qAt", "-c", text, new URL(database, server.url).href], {
      encoding: "utf8"
    }).trim()
  return {
    version: sql("SHOW server_version").split(" ")[0]!,
    cpu: () => cpuOf(server.pid()),
    stop: server.stop,
    database: (name) => {
      sql(`CREATE DATABASE ${name}`)
      return new URL(name, server.url).href
    },
    size: (name) => {
      sql("VACUUM FULL", name)
      return Number(
        sql(
          `SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
           WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema')`,
          name
        )
      )
    }
  }
}

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer()
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { readonly port: number }
      server.close(() => resolve(port))
    })
  })

export interface RestateServer extends Server {
  readonly ingress: string
  readonly admin: string
  readonly port: number
}

/** All as a plain `restate-server` has it, but for the ports. */
export const restate = async (bin: string, folder: string): Promise<RestateServer> => {
  const [ingress, admin, node, port] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const at = (port: number) => `127.0.0.1:${port}`
  const child = spawn(bin, ["--no-logo", "--base-dir", join(folder, "restate"), "--node-name", "benchmark"], {
    stdio: "ignore",
    env: {
      ...process.env,
      RESTATE_LISTEN_MODE: "tcp",
      RESTATE_BIND_ADDRESS: at(node!),
      RESTATE_ADVERTISED_ADDRESS: `http://${at(node!)}/`,
      RESTATE_INGRESS__BIND_ADDRESS: at(ingress!),
      RESTATE_ADMIN__BIND_ADDRESS: at(admin!),
      RESTATE_DISABLE_TELEMETRY: "true"
    }
  })
  const url = (port: number) => `http://${at(port)}`
  const healthy = async () => {
    const answers = await Promise.all(
      [`${url(admin!)}/health`, `${url(ingress!)}/restate/health`].map((url) =>
        fetch(url).then(
          ({ ok }) => ok,
          () => false
        )
      )
    )
    return answers.every((ok) => ok)
  }
  for (let tries = 0; !(await healthy()); tries++) {
    if (tries > 300 || child.exitCode !== null) throw new Error("the Restate server does not start")
    await sleep(100)
  }
  process.once("exit", () => child.kill("SIGKILL"))
  return {
    ingress: url(ingress!),
    admin: url(admin!),
    port: port!,
    cpu: () => cpuOf(child.pid!),
    stop: () => {
      child.kill("SIGKILL")
    }
  }
}

/** Bytes of all files in a folder. */
export const sizeOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { name, parentPath }) => sum + statSync(join(parentPath, name)).size, 0)
