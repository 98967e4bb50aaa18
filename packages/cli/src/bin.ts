/**
 * The process of the command `stepgraph`: its arguments, its signals and how it ends.
 */
import { readFileSync } from "node:fs"
import { runMain } from "@effect/platform-node-shared/NodeRuntime"
import * as Runtime from "effect/Runtime"
import { program } from "./internal/program.ts"
import { withoutWarningsOfLoading } from "./internal/warnings.ts"

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))

// That nobody reads on, such as `head`, is no error.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})

withoutWarningsOfLoading()

/** A package manager hands the signal of a key that was pressed once on, so that it comes twice. */
const twiceMillis = 300
let interrupted = Number.POSITIVE_INFINITY
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    const now = performance.now()
    if (now > interrupted + twiceMillis) process.exit(130)
    if (interrupted < now) return
    interrupted = now
    setTimeout(() => console.error("Its steps are cleaning up: Ctrl-C again ends it at once."), 1000).unref()
  })
}

runMain(program(process.argv.slice(2), version), {
  // A file that was loaded may have left something running, and a pipe may still have to take what was written.
  teardown: (exit) =>
    Runtime.defaultTeardown(exit, (code) => {
      process.stdout.write("", () => process.stderr.write("", () => process.exit(code)))
    })
})
