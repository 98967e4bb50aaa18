// Real processes, most of them in a terminal: the command, and the example that shows its run.
import { exec } from "node:child_process"
import { promisify } from "node:util"
import { describe, expect, it, vi } from "@effect/vitest"
import { linkInto } from "@stepgraph/conformance/support/copies"
import { inTerminal, needsTerminal } from "@stepgraph/conformance/support/pty"
import { bin, example, inFolder, seed } from "./support/command-line.ts"

// Each test starts a program while other tests run.
vi.setConfig({ testTimeout: 60_000 })

const { place, file, flowFile, contents } = inFolder()

describe("as a program", () => {
  const sh = (command: string) =>
    promisify(exec)(command, { cwd: place.folder, env: { ...process.env, FORCE_COLOR: undefined } })

  it("ends when its work is done, even if the file left something running or the reader has gone", async () => {
    // Node would warn about a file whose module format it has to detect.
    await file("package.json", "{}")
    const name = await flowFile(
      "leaves.ts",
      `setInterval(() => {}, 1000)
process.stdout.write("loaded\\n")
await new Promise((resolve) => setImmediate(resolve))
export const flow = flowOf(only(() => Stop()))`
    )
    const command = `'${process.execPath}' '${bin}' draw ${name}`
    const { stdout, stderr } = await sh(`${command} | head -2; { ${command}; echo ended with $? >&2; } | true`)
    expect({ stdout, stderr }).toEqual({ stdout: "loaded\ngiven\n", stderr: "ended with 0\n" })
  })

  it("works on a Node that cannot read TypeScript", async () => {
    const { stdout } = await sh(
      `'${process.execPath}' --no-experimental-strip-types '${bin}' check '${seed("first-wins")}'`
    )
    expect(stdout).toBe("workflow 'first-wins' has no problems (2 steps)\n")
  })

  it("reads CommonJS TypeScript there with one copy of effect and no warnings", async () => {
    await linkInto(place.folder)
    await file(
      "flow.cts",
      `const Schema = require("effect/Schema")
const { defineEvent, defineStep, workflow } = require("stepgraph")
const Start = defineEvent("Start", { n: Schema.Number })
const Stop = defineEvent("Stop", { n: Schema.Number })
const next = ({ n }: { n: number }) => Stop({ n: n + 1 })
exports.flow = workflow({
  name: "next", start: Start, stop: Stop, steps: { next: defineStep({ accepts: Start, emits: Stop, run: next }) }
})`
    )
    const { stdout, stderr } = await sh(
      `'${process.execPath}' --no-experimental-strip-types '${bin}' run flow.cts --input '{ "n": 1 }'`
    )
    expect({ event: JSON.parse(stdout), stderr }).toEqual({ event: { _tag: "Stop", n: 2 }, stderr: "" })
  })
})

describe("in a terminal", () => {
  needsTerminal()
  const command = (...args: ReadonlyArray<string>) => inTerminal([bin, ...args], { cwd: place.folder })

  it("shows progress below what the steps print, at any width, and leaves the last state", async () => {
    const name = await flowFile(
      "shows.ts",
      `export const flow = flowOf({
  begin: defineStep({ accepts: Start, emits: Other, run: () => [1, 2, 3].map(() => Other()) }),
  work: defineStep({ accepts: Other, emits: Stop, run: async () => {
    console.log("at work")
    await new Promise((resolve) => process.once("SIGWINCH", () => setTimeout(resolve, 150)))
    return Stop()
  } })
})`
    )
    const { see, resize, ended } = command("run", name)
    const lines = await see(/^work .* 3$/)
    expect(lines.slice(0, 3)).toEqual(["at work", "at work", "at work"])
    expect(lines[3]).toMatch(/^given · \d\.\d s$/)
    expect(lines.slice(4)).toEqual([
      "                                    done  running   queued     rate    left",
      "begin  ━━━━━━━━━━━━━━━━━━━━━━━━        1",
      "work   ────────────────────────                 3"
    ])
    await resize(60)
    const { code, lines: last } = await ended()
    expect(code).toBe(0)
    expect(last.slice(0, 3)).toEqual(["at work", "at work", "at work"])
    expect(last[3]).toMatch(/^given · stopped after [\d.]+ m?s$/)
    expect(last.slice(4)).toEqual([
      "                                    done  dropped",
      "begin  ━━━━━━━━━━━━━━━━━━━━━━━━        1",
      "work   ━━━━━━━━────────────────        1        2",
      "{",
      '  "_tag": "Stop"',
      "}"
    ])
  })

  it("Ctrl-C interrupts the run, lets its steps clean up and writes the timeline", async () => {
    const name = await flowFile(
      "cleans.ts",
      `const clean = Effect.andThen(Effect.sleep(50), Effect.sync(() => console.log("cleaned up")))
export const flow = flowOf(only(() => Effect.onInterrupt(Effect.never, () => clean)))`
    )
    const { see, type, ended } = command("run", name, "-t", "cleans.txt")
    await see(/^a .* 1$/)
    type("\u0003")
    const { code, lines } = await ended()
    expect(code).toBe(130)
    expect(lines.filter((line) => /^\w.* /.test(line))).toEqual([
      "cleaned up",
      expect.stringMatching(/^given · interrupted after [\d.]+ m?s$/),
      expect.stringMatching(/^a {2}─+ +1$/),
      "Wrote the timeline to cleans.txt"
    ])
    expect(await contents("cleans.txt")).toContain("⊘")
  })

  it("a second Ctrl-C quits although a step does not end", async () => {
    const name = await flowFile(
      "hangs.ts",
      "export const flow = flowOf(only(() => Effect.uninterruptible(Effect.never)))"
    )
    const { see, type, ended } = command("run", name)
    await see(/^a .* 1$/)
    type("\u0003")
    await see(/^The steps are cleaning up\. Press Ctrl-C again to quit at once\.$/)
    type("\u0003")
    expect((await ended()).code).toBe(130)
  })
})

describe("examples/search in a terminal", () => {
  needsTerminal()
  it("shows each step's work and the answer below", async () => {
    for (const name of ["a", "b", "c"]) await file(`${name}.md`, "# Clock\n\nIt ticks.\n")
    const args = [example("search/main"), place.folder, "--files", "*.md", "clock"]
    const { code, lines } = await inTerminal(args, { cwd: place.folder }).ended()
    expect(code).toBe(0)
    expect(lines[0]).toMatch(/^search · stopped after [\d.]+ m?s$/)
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
