// The live view in a program: the search example, as a person sees it.
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it, onTestFinished } from "@effect/vitest"
import { inTerminal, noTerminal } from "./support/pty.ts"

const main = fileURLToPath(new URL("../../../examples/search/main.ts", import.meta.url))

describe.skipIf(noTerminal)("examples/search in a terminal", () => {
  it("shows what each step did, and the answer below", { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "search-"))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    await Promise.all(["a", "b", "c"].map((name) => writeFile(join(folder, `${name}.md`), "# Clock\n\nIt ticks.\n")))
    const { code, lines } = await inTerminal([main, folder, "clock"], { cwd: folder }).ended()
    expect(code).toBe(0)
    expect(lines[0]).toMatch(/^search · stopped after \d+ ms$/)
    const bar = "━".repeat(24)
    expect(lines.slice(1, 10)).toEqual([
      "                                      done",
      `find     ${bar}        1`,
      `read     ${bar}        3`,
      ...["index", "keyword", "fuzzy", "symbols", "fuse"].map((step) => `${step.padEnd(7)}  ${bar}        1`),
      ""
    ])
    expect(lines[10]).toMatch(/^ 1 Clock +a\.md:1$/)
  })
})
