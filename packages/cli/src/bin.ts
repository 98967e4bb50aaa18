/**
 * The process behind the `stepgraph` command: arguments, signals and exit codes.
 */
import { readFileSync } from "node:fs"
import { runMain } from "@effect/platform-node-shared/NodeRuntime"
import * as Runtime from "effect/Runtime"
import { program } from "./internal/program.ts"
import { withoutWarningsOfLoading } from "./internal/warnings.ts"

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))

// A reader that stops early, such as `head`, is not an error.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})

withoutWarningsOfLoading()

/** A package manager forwards the signal as well, so one key press can arrive twice. */
const twiceMillis = 300
let interrupted = Number.POSITIVE_INFINITY
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    const now = performance.now()
    if (now > interrupted + twiceMillis) process.exit(130)
    if (interrupted < now) return
    interrupted = now
    setTimeout(() => console.error("The steps are cleaning up. Press Ctrl-C again to quit at once."), 1000).unref()
  })
}

runMain(program(process.argv.slice(2), version), {
  // The loaded file may have left something running, and a pipe may not have drained yet.
  teardown: (exit) =>
    Runtime.defaultTeardown(exit, (code) => {
      process.stdout.write("", () => process.stderr.write("", () => process.exit(code)))
    })
})
