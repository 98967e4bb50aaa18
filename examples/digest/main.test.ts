// The output of this program and the run behind it. In virtual time, the numbers are the same on every machine.
import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, it } from "@effect/vitest"
import { timeline } from "@stepgraph/viz"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Observer, run, type TraceEntry } from "stepgraph"
import { digest } from "./workflow.ts"

it("node main.ts prints the pages and the timeline", { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "digest-"))
  const main = fileURLToPath(new URL("./main.ts", import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [main, join(folder, "run.html")])
  expect(stdout).toContain("article 1 in a sentence, 6 links\narticle 2 in a sentence, ")
  expect(stdout).toMatch(/digest · stopped with Printed · [\d.]+ m?s · 34 invocations/)
  expect(await readFile(join(folder, "run.html"), "utf8")).toContain("<title>digest: a run</title>")
  await rm(folder, { recursive: true })
})

it.effect("has too few workers to summarise", () =>
  Effect.gen(function* () {
    const trace: Array<TraceEntry> = []
    const printing = yield* run(digest, { articles: 8 }).pipe(
      Effect.provideService(Observer, (entry) => void trace.push(entry)),
      Effect.forkChild
    )
    yield* TestClock.adjust("2 seconds")
    expect((yield* Fiber.join(printing)).pages.map((page) => page.slice(0, 9))).toEqual(
      Array.from({ length: 8 }, (_, n) => `article ${n + 1}`)
    )
    expect(timeline(trace, { workflow: digest }).hint).toMatch(/^More workers for 'summarise' would help most: /)
  })
)
