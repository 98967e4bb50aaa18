// Two processes keep one rate. Needs Debian's redis-server, which `.ci/run` installs.
import { execFile, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { beforeAll, expect, it } from "vitest"

const missing = "redis-server is not installed: apt-get install redis-server"
const found = spawnSync("redis-server", ["--version"]).status === 0
/** Without it, the test is skipped on a developer's machine, and fails in CI. */
const skipped = !found && process.env.CI !== "true"

const folder = mkdtempSync(join(tmpdir(), "limits-"))
const socket = join(folder, "redis.sock")

/** Whether something answers there. */
const answers = () =>
  new Promise<boolean>((resolve) => {
    const connection = connect(socket, () => {
      connection.end()
      resolve(true)
    })
    connection.on("error", () => resolve(false))
  })

beforeAll(async () => {
  if (skipped) return
  if (!found) throw new Error(missing)
  const server = spawn("redis-server", ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder])
  while (!(await answers())) await new Promise((resolve) => setTimeout(resolve, 20))
  return async () => {
    server.kill()
    await once(server, "exit")
    rmSync(folder, { recursive: true })
  }
}, 30_000)

it("two of it start no more calls than one may", { timeout: 60_000 }, async ({ skip }) => {
  skip(skipped, missing)
  const main = fileURLToPath(new URL("./main.ts", import.meta.url))
  const program = () => promisify(execFile)(process.execPath, [main, `unix://${socket}`, "12"])
  const all = (await Promise.all([program(), program()])).map(({ stdout }): Array<number> => JSON.parse(stdout))
  expect(all.map((starts) => starts.length)).toEqual([12, 12])
  const starts = all.flat().sort((a, b) => a - b)
  // 5 a second: in any time, 5 and what that time allows. A start is noted a moment after it is allowed.
  const late = 250
  for (const [first, from] of starts.entries()) {
    for (const [last, to] of starts.entries()) {
      if (last < first) continue
      expect(last - first + 1).toBeLessThanOrEqual(5 + Math.ceil(((to - from + late) / 1000) * 5))
    }
  }
  // Both alone would have been done in two seconds.
  expect(starts.at(-1)! - starts[0]!).toBeGreaterThanOrEqual(3_500)
})
