import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { explore, type ScheduleFailure } from "@stepgraph/testing"
import { Effect } from "effect"
import { expect, it } from "vitest"
import { seed } from "./seed.ts"

const schedule = "0.2.3_1.1.2~dg0jc"

const inAnotherProcess = async () => {
  const file = join(import.meta.dirname, "replayed.ts")
  const { stdout } = await promisify(execFile)(process.execPath, ["--no-warnings", file, schedule])
  return JSON.parse(stdout)
}

it("replays the same trace in another process", { timeout: 30_000 }, async () => {
  const here = (await Effect.runPromise(Effect.flip(explore(seed, { replay: schedule })))) as ScheduleFailure
  const there = await Promise.all([inAnotherProcess(), inAnotherProcess()])
  for (const { trace, message } of there) {
    expect(trace).toEqual(here.trace)
    expect(message).toBe(here.message)
  }
})

it("works under Node's own test runner", { timeout: 30_000 }, async () => {
  const file = join(import.meta.dirname, "node-runner.ts")
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--no-warnings",
    "--test",
    "--test-reporter=tap",
    file
  ])
  expect(stdout).toMatch(/# pass 2\n# fail 0/)
})
