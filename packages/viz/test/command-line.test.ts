// The command line as a person meets it: what it prints, and its exit codes.
import { execFile, execFileSync } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { stripVTControlCharacters } from "node:util"
import { afterAll, beforeAll, describe, expect, it, vi } from "@effect/vitest"

// Each test starts a program, and other tests run beside these.
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 2 })

const bin = fileURLToPath(new URL("../bin.js", import.meta.url))
const seed = (name: string) => fileURLToPath(new URL(`../../../examples/seed/${name}.ts`, import.meta.url))
/** A folder in which `stepgraph` and `effect` are found. */
const home = fileURLToPath(new URL("..", import.meta.url))
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepgraph-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const stepgraph = (...args: ReadonlyArray<string>) =>
  new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
    const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined }
    execFile(process.execPath, [bin, ...args], { cwd: folder, env }, (error, out, err) =>
      resolve({ code: error ? error.code : 0, out, err })
    )
  })

const file = async (name: string, text: string): Promise<string> => {
  await writeFile(join(folder, name), text)
  return name
}

/** A file with a workflow, wherever it lies. */
const flowFile = (name: string, steps: string, more = "") =>
  file(
    name,
    `import { defineEvent, defineStep, workflow } from ${JSON.stringify(import.meta.resolve("stepgraph"))}
const Start = defineEvent("Start")
const Stop = defineEvent("Stop")
const Other = defineEvent("Other")
export const flow = workflow({ name: "given", start: Start, stop: Stop, steps: { ${steps} } }${more})
`
  )

describe.concurrent("stepgraph draw", () => {
  it("draws in the terminal", async () => {
    const { code, out } = await stepgraph("draw", seed("first-wins"))
    expect({ code, lines: out.split("\n").slice(0, 5) }).toEqual({
      code: 0,
      lines: ["first-wins", "", "start", "  → ask by Start", ""]
    })
  })

  for (const [end, begin] of Object.entries({
    svg: "<svg ",
    mmd: "flowchart LR"
  })) {
    it(`writes a file that ends in .${end}`, async () => {
      expect(await stepgraph("draw", seed("first-wins"), "-o", `flow.${end}`)).toEqual({
        code: 0,
        out: "",
        err: `first-wins is drawn in flow.${end}\n`
      })
      expect((await readFile(join(folder, `flow.${end}`), "utf8")).startsWith(begin)).toBe(true)
    })
  }

  it("draws the one that is named, where there are several", async () => {
    expect((await stepgraph("draw", seed("collect-three"), "-w", "byHand")).out).toMatch(/^collect-by-hand\n/)
    expect((await stepgraph("draw", seed("collect-three"), "-w", "collect")).out).toMatch(/^collect\n/)
  })
})

describe.concurrent("stepgraph check", () => {
  it("says that all is well", async () => {
    expect(await stepgraph("check", seed("collect-three"))).toEqual({
      code: 0,
      out: "workflow 'collect-by-hand' has no problems (3 steps)\nworkflow 'collect' has no problems (3 steps)\n",
      err: ""
    })
  })

  it("lists every problem", async () => {
    const name = await flowFile(
      "bad.ts",
      "a: defineStep({ accepts: Start, emits: Other, run: () => Other() })",
      " as any"
    )
    expect(await stepgraph("check", name)).toEqual({
      code: 1,
      out: "",
      err: `workflow 'given' has 2 problems:
  - no step emits the stop event 'Stop'
  - step 'a' emits 'Other', but no step accepts it and it is neither a stop nor an output event
`
    })
  })
})

describe.concurrent("stepgraph run", () => {
  it("prints the stop event, and is quiet where nobody watches", async () => {
    const input = JSON.stringify({ text: "It is really small", revisions: 3 })
    const { code, out, err } = await stepgraph("run", seed("loop-and-branch"), "--input", input)
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(JSON.parse(out)).toEqual({ _tag: "Published", text: "It is small", revisions: 1 })
  })

  it("writes what happened, and compares two runs of it", async () => {
    const input = (revisions: number) => JSON.stringify({ text: "It is really very small", revisions })
    const run = (revisions: number, to: string) =>
      stepgraph("run", seed("loop-and-branch"), "-i", input(revisions), "--timeline", to)
    const [, , page] = await Promise.all([run(1, "one.json"), run(3, "three.json"), run(3, "three.html")])
    expect(page).toMatchObject({ code: 0, err: "What happened is in three.html\n" })
    expect(await readFile(join(folder, "three.html"), "utf8")).toContain("<title>editing: a run</title>")
    const { code, out } = await stepgraph("compare", "one.json", "three.json")
    expect(code).toBe(0)
    expect(out).toContain("They ended otherwise:\n  left   stopped with GivenUp ")
    expect(out).toMatch(/only right {2}Published \{"text":"It is small","revisions":2\}/)
  })

  it("says why a run failed, and still writes what happened", async () => {
    const name = await flowFile(
      "fails.ts",
      'a: defineStep({ accepts: Start, emits: Stop, run: async () => { throw new Error("no luck") } })'
    )
    const { code, err } = await stepgraph("run", name, "--timeline", "failed.txt")
    expect(code).toBe(1)
    expect(err).toContain("What happened is in failed.txt\nThe run failed: ")
    expect(err).toContain("no luck")
    expect(await readFile(join(folder, "failed.txt"), "utf8")).toContain("✕")
  })
})

describe.concurrent("what cannot be done is said in a sentence, with exit code 2", () => {
  const refuses = (what: string, args: () => Promise<ReadonlyArray<string>>, err: RegExp) =>
    it(what, async () => {
      const told = await stepgraph(...(await args()))
      expect(told).toEqual({ code: 2, out: "", err: expect.stringMatching(err) })
      expect(told.err.trim().split("\n")).toHaveLength(1)
    })
  const editing = seed("loop-and-branch")

  refuses("a file that is not there", async () => ["draw", "nope.ts"], /^There is no file nope\.ts\.\n$/)
  refuses("a folder", async () => ["check", "."], /^\. is a folder: name a file that exports a workflow\.\n$/)
  refuses(
    "a file without a workflow",
    async () => ["draw", await file("none.ts", "export const a: number = 1\n")],
    /^none\.ts exports no workflow \(it exports 'a'\): export what workflow\(\) returned\.\n$/
  )
  refuses(
    "a file with two",
    async () => ["draw", seed("collect-three")],
    /exports 2 workflows, 'byHand' and 'declared': say which with --workflow\.\n$/
  )
  refuses(
    "a workflow of another name",
    async () => ["draw", seed("collect-three"), "-w", "nope"],
    /exports no workflow 'nope': it exports 'byHand' and 'declared'\.\n$/
  )
  refuses(
    "a syntax error",
    async () => ["draw", await file("wrong.ts", "export const a = 1\nexport const b: number = (\n")],
    /^wrong\.ts:[23] has a syntax error: .+\n$/
  )
  refuses(
    "a file that throws",
    async () => ["draw", await file("throws.ts", 'throw new Error("on purpose")\n')],
    /^throws\.ts failed while it was loaded: Error: on purpose\n$/
  )
  refuses(
    "a file that imports what is not there",
    async () => ["draw", await file("lost.ts", 'import "./nowhere.ts"\n')],
    /^lost\.ts imports something that is not there: .+\n$/
  )
  refuses(
    "an input that does not fit",
    async () => ["run", editing, "--input", '{ "text": 1 }'],
    /^The input does not fit: event 'Assignment' does not fit its schema: .+\n$/
  )
  refuses("an input that is no JSON", async () => ["run", editing, "--input", "{"], /^The input is no JSON: .+\n$/)
  refuses(
    "a file of a kind that is not known",
    async () => ["draw", editing, "-o", "flow.png"],
    /^flow\.png does not say what to write: /
  )
  refuses(
    "a trace that is none",
    async () => ["compare", await file("a.json", "[1]"), "a.json"],
    /^a\.json is no trace: /
  )

  it("an unknown command, with help", async () => {
    const { code, err } = await stepgraph("dance")
    expect(code).toBe(2)
    expect(err).toContain('Unknown subcommand "dance"')
  })
})

describe.concurrent("TypeScript as people write it", () => {
  it("enums, and imports without an end, are read too", async () => {
    await flowFile("inner.ts", "a: defineStep({ accepts: Start, emits: Stop, run: () => Stop() })")
    const name = await file(
      "outer.ts",
      'import { flow } from "./inner"\nenum Mode { A, B }\nexport const mode = Mode.B\nexport { flow }\n'
    )
    expect(await stepgraph("check", name)).toEqual({
      code: 0,
      out: "workflow 'given' has no problems (1 step)\n",
      err: ""
    })
  })
})

const terminal = (() => {
  try {
    return execFileSync("script", ["--version"], { encoding: "utf8" }).includes("util-linux")
  } catch {
    return false
  }
})()

describe.skipIf(!terminal)("in a terminal", () => {
  it("shows how a run goes, above it what the steps print, and leaves the last state", async () => {
    const screen = await new Promise<string>((resolve, reject) => {
      const command = `stty cols 90 rows 30; ${process.execPath} ${bin} run ${seed("first-wins")}`
      const env = { ...process.env, TERM: "xterm", NO_COLOR: "1", FORCE_COLOR: undefined }
      execFile("script", ["-qec", command, "/dev/null"], { cwd: home, env }, (error, out) =>
        error ? reject(error) : resolve(out)
      )
    })
    // Drawn more than once, each time over the last.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is how a terminal is told to.
    expect(screen).toMatch(/\u001b\[3A\u001b\[0J/)
    const plain = stripVTControlCharacters(screen)
    expect(plain).toMatch(/search {2}─+ {2}0 done · 3 running/)
    const last = plain.slice(plain.lastIndexOf("first-wins · "))
    expect(last).toMatch(/^first-wins · \d+ ms · stopped\s+ask {5}━+ {2}1 done\s+search {2}━+ {2}1 done/)
    expect(last).toContain('"the answer to Query 2"')
  })
})
