// The command line as a user meets it: its output and its exit codes.
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it, vi } from "@effect/vitest"
import { copyInto, linkInto } from "@stepgraph/conformance/support/copies"
import { inFolder, inSession, seed } from "./support/command-line.ts"

// These tests start a process while other tests run.
vi.setConfig({ testTimeout: 60_000 })

const { place, file, flowFile, contents } = inFolder()
const { stepgraph, inVirtualTime } = inSession(place)

describe("stepgraph draw", () => {
  it("draws in the terminal", async () => {
    const { code, out } = await stepgraph("draw", seed("first-wins"))
    expect({ code, lines: out.split("\n").slice(0, 5) }).toEqual({
      code: 0,
      lines: ["first-wins", "", "start", "  → ask by Start", ""]
    })
  })

  for (const [end, begin] of Object.entries({
    svg: "<svg ",
    html: "<!doctype html>",
    mmd: "flowchart LR",
    dot: "digraph",
    txt: "first-wins\n"
  })) {
    it(`writes a file that ends in .${end}`, async () => {
      expect(await stepgraph("draw", seed("first-wins"), "-o", `flow.${end}`)).toEqual({
        code: 0,
        out: "",
        err: `Drew first-wins in flow.${end}\n`
      })
      expect((await contents(`flow.${end}`)).slice(0, begin.length)).toBe(begin)
    })
  }

  it("draws in the requested direction", async () => {
    await stepgraph("draw", seed("first-wins"), "-o", "down.mmd", "--direction", "down")
    expect(await contents("down.mmd")).toMatch(/^flowchart TD/)
  })

  it("draws the workflow that is named by its export name or its own name", async () => {
    expect((await stepgraph("draw", seed("collect-three"), "-w", "byHand")).out).toMatch(/^collect-by-hand\n/)
    expect((await stepgraph("draw", seed("collect-three"), "-w", "collect")).out).toMatch(/^collect\n/)
  })

  it("treats a workflow that is exported twice as one, under either name", async () => {
    const name = await flowFile(
      "twice.ts",
      "export const one = flowOf(only(() => Stop()))\nexport { one as two, one as default }"
    )
    for (const args of [[], ["-w", "one"], ["-w", "two"]]) {
      expect(await stepgraph("draw", name, ...args)).toMatchObject({ code: 0, err: "" })
    }
  })
})

describe("stepgraph check", () => {
  it("reports that there are no problems", async () => {
    expect(await stepgraph("check", seed("collect-three"))).toEqual({
      code: 0,
      out: "workflow 'collect-by-hand' has no problems (3 steps)\nworkflow 'collect' has no problems (3 steps)\n",
      err: ""
    })
  })

  it("lists every problem", async () => {
    const name = await flowFile(
      "bad.ts",
      "export const flow = flowOf({ a: defineStep({ accepts: Start, emits: Other, run: () => Other() }) })"
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

describe("stepgraph run", () => {
  it("prints the stop event, and no live view outside a terminal", async () => {
    const input = JSON.stringify({ text: "It is really small", revisions: 3 })
    const { code, out, err } = await stepgraph("run", seed("loop-and-branch"), "--input", input)
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(JSON.parse(out)).toEqual({ _tag: "Published", text: "It is small", revisions: 1 })
  })

  it("decodes the input and encodes the stop event with their schemas", async () => {
    const name = await flowFile(
      "dates.ts",
      `const Ask = defineEvent("Ask", { since: Schema.Date, days: Schema.optional(Schema.Number) })
const Until = defineEvent("Until", { when: Schema.Date, millis: Schema.BigInt })
const later = (since: Date, days: number) => new Date(since.getTime() + days * 86_400_000)
export const flow = workflow({ name: "dates", start: Ask, stop: Until, steps: { count: defineStep({
  accepts: Ask,
  emits: Until,
  run: ({ since, days = 1 }) => Until({ when: later(since, days), millis: BigInt(days) * 86_400_000n })
}) } })`
    )
    await file("input.json", '{ "since": "2026-02-28T00:00:00Z" }')
    const { out } = await stepgraph("run", name, "-i", "@input.json")
    expect(JSON.parse(out)).toEqual({ _tag: "Until", when: "2026-03-01T00:00:00.000Z", millis: "86400000" })
    const refused = await stepgraph("run", name, "-i", '{ "since": "soon", "days": "two", "hours": 3 }')
    expect(refused).toEqual({
      code: 2,
      out: "",
      err: `The input does not fit 'Ask': ${[
        'Expected no excess property at ["hours"]',
        'Expected a valid Date at ["since"]',
        'Expected a number at ["days"]'
      ].join("; ")}.\n`
    })
  })

  it("writes timelines and compares two of them", async () => {
    const input = (revisions: number) => JSON.stringify({ text: "It is really very small", revisions })
    const run = (revisions: number, to: string) =>
      stepgraph("run", seed("loop-and-branch"), "-i", input(revisions), "--timeline", to)
    for (const end of ["json", "svg", "html"]) {
      expect(await run(1, `one.${end}`)).toMatchObject({ code: 0, err: `Wrote the timeline to one.${end}\n` })
    }
    await run(3, "three.json")
    expect(await contents("one.html")).toContain("<title>editing: a run</title>")
    expect(await contents("one.svg")).toMatch(/^<svg /)
    const { code, out } = await stepgraph("compare", "one.json", "three.json")
    expect(code).toBe(0)
    expect(out).toContain("The outcomes differ:\n  left   stopped with GivenUp ")
    expect(out).toMatch(/only right {2}Published \{"text":"It is small","revisions":2\}/)
    expect(await stepgraph("compare", "one.json", "three.json", "-o", "both.html")).toEqual({
      code: 0,
      out: "",
      err: "Wrote the differences to both.html\n"
    })
    expect(await contents("both.html")).toContain("<title>editing: two runs</title>")
    expect((await stepgraph("compare", "one.json", "one.json")).out).toContain("Both had the same events")
  })

  it("says why and where a run failed, and still writes the timeline", async () => {
    const name = await flowFile(
      "fails.ts",
      'export const flow = flowOf(only(async () => { throw new Error("no luck") }))'
    )
    const { code, out, err } = await stepgraph("run", name, "--timeline", "failed.txt")
    expect({ code, out }).toEqual({ code: 1, out: "" })
    const [kept, why, where, ...more] = err.trim().split("\n")
    expect(kept).toBe("Wrote the timeline to failed.txt")
    expect(why).toBe("The run failed: step 'a' of workflow 'given' rejected, given Start: no luck")
    expect(where).toMatch(/^ {4}at .*fails\.ts:\d+:\d+\)?$/)
    expect(more).toEqual([])
    expect(await contents("failed.txt")).toContain("✕")
  })

  it("names the step of any kind of error", async () => {
    const name = await flowFile(
      "errors.ts",
      `class Missing extends Schema.TaggedError<Missing>("Missing")("Missing", { page: Schema.Number }) {}
const failing = (error: unknown) => flowOf(only(() => Effect.fail(error)))
export const words = failing("no luck"), error = failing(new Error("no page")), tagged = failing(new Missing({ page: 7 })),
  plain = failing({ page: 7 })`
    )
    const why = async (which: string) => (await stepgraph("run", name, "-w", which)).err.split("\n")[0]
    expect(await why("words")).toBe("The run failed: step 'a' failed: no luck")
    expect(await why("error")).toBe("The run failed: step 'a' failed: no page")
    expect(await why("tagged")).toBe("The run failed: step 'a' failed: { _tag: 'Missing', page: 7 }")
    expect(await why("plain")).toBe("The run failed: step 'a' failed: { page: 7 }")
  })

  it("says that only a program can provide services and inputs", async () => {
    const name = await flowFile(
      "lacks.ts",
      `class Database extends Context.Service<Database, {}>()("app/Database") {}
export const services = flowOf(only(() => Effect.map(Database, () => Stop())))
export const inputs = flowOf(
  { a: defineStep({ accepts: join([Start, Other]), emits: Stop, run: () => Stop() }) }, { inputs: [Other] })`
    )
    expect(await stepgraph("run", name, "-w", "services")).toEqual({
      code: 1,
      out: "",
      err: `The run failed: step 'a' of workflow 'given' failed, given Start: Service not found: app/Database
The command line provides no services: run this workflow from a program that provides it.
`
    })
    const { code, err } = await stepgraph("run", name, "-w", "inputs")
    expect(code).toBe(1)
    expect(err).toMatch(/^The run failed: workflow 'given' stalled: /)
    expect(err).toMatch(
      /\nThe command line sends no inputs \('Other'\): launch this workflow from a program that sends them\.\n$/
    )
  })

  it("logs to stderr and keeps the result clean", async () => {
    const name = await flowFile(
      "logs.ts",
      'export const flow = flowOf(only(() => Effect.as(Effect.log("a note"), Stop())))'
    )
    const { out, err } = await stepgraph("run", name)
    expect(JSON.parse(out)).toEqual({ _tag: "Stop" })
    expect(err).toMatch(/ a note\n$/)
  })
})

describe("explains a usage error in one sentence, with exit code 2", () => {
  const refuses = (what: string, args: () => Promise<ReadonlyArray<string>>, err: RegExp) =>
    it(what, async () => {
      const told = await stepgraph(...(await args()))
      expect(told).toEqual({ code: 2, out: "", err: expect.stringMatching(err) })
      expect(told.err.trim().split("\n").length).toBeLessThanOrEqual(2)
    })
  const editing = seed("loop-and-branch")

  refuses("a missing file", async () => ["draw", "nope.ts"], /^The file nope\.ts does not exist\.\n$/)
  refuses("a folder", async () => ["check", "."], /^\. is a folder: name a file that exports a workflow\.\n$/)
  refuses(
    "a file without a workflow",
    async () => ["draw", await file("none.ts", "export const a: number = 1\n")],
    /^none\.ts exports no workflow \(it exports 'a'\): export the result of workflow\(\)\.\n$/
  )
  refuses(
    "a file with two",
    async () => ["draw", seed("collect-three")],
    /exports 2 workflows, 'byHand' and 'declared': choose one with --workflow\.\n$/
  )
  refuses(
    "an unknown workflow name",
    async () => ["draw", seed("collect-three"), "-w", "nope"],
    /exports no workflow 'nope': it exports 'byHand' and 'declared'\.\n$/
  )
  refuses(
    "an ambiguous name",
    async () => [
      "draw",
      await flowFile("same.ts", "export const a = flowOf(only(() => [])), b = { ...a }"),
      "-w",
      "given"
    ],
    /^same\.ts exports 2 workflows, 'a' and 'b': choose one with --workflow\.\n$/
  )
  refuses(
    "a syntax error",
    async () => ["draw", await file("wrong.ts", "export const a = 1\nexport const b: number = (\n")],
    /^wrong\.ts:[23] has a syntax error: .+\n$/
  )
  refuses(
    "a file that throws",
    async () => ["draw", await file("throws.ts", '\nthrow new Error("on purpose")\n')],
    /^Loading throws\.ts:2 failed: Error: on purpose\n$/
  )
  const throws = (what: string, name: string, thrown: string, said: RegExp) =>
    refuses(`a file that throws ${what}`, async () => ["check", await file(name, `throw ${thrown}\n`)], said)
  throws("an object", "object.ts", "{ code: 5 }", /^Loading object\.ts failed: it threw { code: 5 }\.\n$/)
  throws("nothing", "null.ts", "null", /^Loading null\.ts failed: it threw null\.\n$/)
  throws(
    "an error that throws",
    "hostile.ts",
    'Object.defineProperty(new Error(""), "message", { get() { throw 1 } })',
    /^Loading hostile\.ts failed: it threw an error that cannot be shown\.\n$/
  )
  throws("a proxy", "thrown.ts", "new Proxy({}, { get() { throw 1 } })", /^Loading thrown\.ts failed: .+\n$/)
  refuses(
    "a proxy instead of a workflow",
    async () => [
      "check",
      await file(
        "proxy.cjs",
        'const no = () => { throw new Error("no") }\nmodule.exports = new Proxy({}, { get: no, ownKeys: no })\n'
      )
    ],
    /^(Loading proxy\.cjs:1 failed: Error: no|proxy\.cjs exports no workflow .+)\n$/
  )
  refuses(
    "an upper-case extension, which Node does not recognise",
    async () => ["check", await file("flow.TS", "export {}\n")],
    /^Cannot load flow\.TS: use the extension \.ts, .+\.\n$/
  )
  refuses(
    "JSX without a JSX library",
    // Not React, which another package here has installed.
    async () => [
      "check",
      await file("alone.tsx", "/** @jsxImportSource no-library */\nexport const view = <b>no</b>\n")
    ],
    /^alone\.tsx imports something that does not exist: Cannot find module 'no-library\/jsx-runtime'\n$/
  )
  refuses(
    "a file with a missing import",
    async () => ["draw", await file("lost.ts", 'import "./nowhere.ts"\n')],
    /^lost\.ts imports something that does not exist: .+\n$/
  )
  refuses("an input that is not JSON", async () => ["run", editing, "--input", "{"], /^The input is not JSON: .+\n$/)
  refuses(
    "an input that is not an object",
    async () => ["run", editing, "-i", "[1]"],
    /^The input must be an object with the fields of 'Assignment': write --input '{ … }'\.\n$/
  )
  refuses(
    "an input in a missing file",
    async () => ["run", editing, "-i", "@nope.json"],
    /^Cannot read nope\.json\.\n$/
  )
  refuses(
    "a missing input",
    async () => ["run", editing],
    /^The input does not fit 'Assignment': Missing key at \["text"\]; Missing key at \["revisions"\]\.\n$/
  )
  refuses(
    "an unknown output format",
    async () => ["draw", editing, "-o", "flow.png"],
    /^Unknown format for flow\.png: use \.svg \(a picture\), /
  )
  refuses(
    "a missing output folder, before the run starts",
    async () => [
      "run",
      await flowFile("never.ts", "export const flow = flowOf(only(() => Effect.never))"),
      "-t",
      "a/b.html"
    ],
    /^Cannot write a\/b\.html: the folder a does not exist\.\n$/
  )
  refuses(
    "a folder instead of a file",
    async () => ["draw", editing, "-o", await mkdir(join(place.folder, "folder.svg")).then(() => "folder.svg")],
    /^Cannot write folder\.svg: it is a folder\.\n$/
  )
  refuses(
    "a file that is not a trace",
    async () => ["compare", await file("a.json", "[1]"), "a.json"],
    /^a\.json is not a trace: create one with stepgraph run FILE --timeline a\.json\.\n$/
  )
  refuses(
    "a trace without a run",
    async () => ["compare", await file("empty.json", "[]"), "empty.json"],
    /^empty\.json contains no run\.\n$/
  )
  refuses(
    "an unknown command",
    async () => ["drw"],
    /^Unknown subcommand "drw" for "stepgraph". Did you mean this\? draw\.\nSee stepgraph --help\.\n$/
  )
  refuses(
    "an unknown flag",
    async () => ["draw", editing, "--colour"],
    /^Unrecognized flag: --colour in command stepgraph draw\.\nSee stepgraph draw --help\.\n$/
  )

  it("a file whose top-level await never finishes", async () => {
    const name = await file("waits.ts", "await new Promise(() => {})\nexport {}\n")
    expect(await inVirtualTime("check", name)).toEqual({
      code: 2,
      out: "",
      err: `Still loading waits.ts. Press Ctrl-C to quit.
Loading waits.ts took more than 30 seconds: one of its top-level awaits does not finish.
`
    })
  })
})

describe("help", () => {
  it("lists the commands", async () => {
    const { code, out } = await stepgraph()
    expect(code).toBe(0)
    expect(out).toMatch(/SUBCOMMANDS\n {2}draw .+\n {2}check .+\n {2}run .+\n {2}dev .+\n {2}open .+\n {2}compare /)
  })
})

describe("decodes and encodes with the file's own copy of effect:", () => {
  /** Creates a program in its own folder, laid out as a package manager would. */
  const program = (required: string) => `
const Ask = defineEvent("Ask", { n: Schema.Number, at: Schema.Date })
const Told = defineEvent("Told", { n: Schema.Number, at: Schema.Date, long: Schema.Duration })
${required} workflow({ name: "own", start: Ask, stop: Told, steps: { tell: defineStep({
  accepts: Ask, emits: Told, run: ({ n, at }) => Told({ n: n + 1, at, long: Duration.seconds(n) })
}) } })
`
  const imported = `import { Duration } from "effect"
import * as Schema from "effect/Schema"
import { defineEvent, defineStep, workflow } from "stepgraph"
${program("export const flow =")}`
  // jiti can read some modules of effect as well, which creates another copy of them.
  const required = `const Duration = require("effect/Duration"), Schema = require("effect/Schema")
const { defineEvent, defineStep, workflow } = require("stepgraph")
${program("exports.flow =")}`
  const files = {
    "flow.ts": imported,
    "flow.mts": imported,
    "flow.cts": imported,
    "flow.tsx": imported,
    "enums.ts": `${imported}\nenum Mode { A }\n`,
    "required.cts": required,
    "required.cjs": required,
    "equals.cts": `import effect = require("effect")\nconst { Schema, Duration } = effect\n${required.split("\n").slice(1).join("\n")}`,
    "chain.ts": 'export { flow } from "./required.cts"\nexport enum Mode { A }\n'
  }
  beforeAll(async () => {
    for (const [folder, put] of [
      ["linked", linkInto],
      ["apart", copyInto]
    ] as const) {
      await put(join(place.folder, folder))
      for (const [name, text] of Object.entries(files)) await file(`${folder}/${name}`, text)
    }
    await mkdir(join(place.folder, "lost"))
    await file("lost/lost.ts", 'export { flow } from "../apart/flow.ts"\n')
  })
  const input = '{ "n": 1, "at": "2026-01-01T00:00:00Z" }'

  it.each(["linked", "apart"].flatMap((folder) => Object.keys(files).map((name) => `${folder}/${name}`)))(
    "%s",
    async (name) => {
      const { code, out, err } = await stepgraph("run", name, "--input", input)
      expect({ code, err }).toEqual({ code: 0, err: "" })
      expect(JSON.parse(out)).toEqual({
        _tag: "Told",
        n: 2,
        at: "2026-01-01T00:00:00.000Z",
        long: { _tag: "Millis", value: 1000 }
      })
      expect(await stepgraph("run", name, "-i", '{ "n": "1", "at": "soon" }')).toMatchObject({
        code: 2,
        err: 'The input does not fit \'Ask\': Expected a number at ["n"]; Expected a valid Date at ["at"].\n'
      })
    }
  )

  it("shares a linked stepgraph with Node, even in a file that only jiti reads", async () => {
    const text = `import { createRequire } from "node:module"
import { types } from "node:util"
enum Mode { A }
const found = createRequire(import.meta.url)("stepgraph")
console.error(types.isModuleNamespaceObject(found) && found.workflow === workflow)
`
    await file("linked/shares.ts", imported + text)
    expect(await stepgraph("check", "linked/shares.ts")).toMatchObject({ code: 0, err: "true\n" })
  })

  it("reports a copy that it cannot find", async () => {
    expect(await stepgraph("run", "lost/lost.ts", "--input", input)).toEqual({
      code: 2,
      out: "",
      err: "lost/lost.ts has a workflow made with another copy of effect than the one installed next to it. Install effect only once: `npm ls effect` lists the copies.\n"
    })
  })
})

describe("reads TypeScript as people write it:", () => {
  const reads = (what: string, name: string, text: string) =>
    it(what, async () => {
      await flowFile("inner.ts", "export const flow = flowOf(only(() => Stop()))")
      expect(await stepgraph("check", await file(name, text))).toEqual({
        code: 0,
        out: "workflow 'given' has no problems (1 step)\n",
        err: ""
      })
    })

  reads("enums", "enums.ts", 'enum Mode { A }\nexport const mode = Mode.A\nexport { flow } from "./inner.ts"\n')
  reads("imports without an extension", "ends.ts", 'export { flow } from "./inner"\n')
  reads(
    "imports of types",
    "types.ts",
    'import { Only } from "./only.ts"\nexport const a: Only = 1\nexport { flow } from "./inner.ts"\n'
  )
  reads("JSON", "json.ts", 'import data from "./data.json"\nexport { data }\nexport { flow } from "./inner.ts"\n')
  reads("a tsconfig's paths", "paths.ts", 'export { flow } from "@/inner"\n')
  reads("a default export", "default.mts", 'export { flow as default } from "./inner.ts"\n')
  reads("JSX", "view.tsx", 'export const view = () => <b>yes</b>\nexport { flow } from "./inner.ts"\n')
  reads("module.exports", "common.cjs", 'const { flow } = require("./inner.ts")\nmodule.exports = flow\n')
  reads(
    "module.exports whose parts Node does not detect",
    "parts.cjs",
    'const parts = {}\nparts.flow = require("./inner.ts").flow\nmodule.exports = parts\n'
  )
  reads(
    "beside a proxy that throws",
    "beside.ts",
    'export const proxy = new Proxy({}, { get() { throw 1 } })\nexport { flow } from "./inner.ts"\n'
  )
  beforeAll(async () => {
    await file("only.ts", "export type Only = number\n")
    await file("data.json", "{}")
    await mkdir(join(place.folder, "node_modules/react"), { recursive: true })
    await file("node_modules/react/jsx-runtime.js", "exports.jsx = () => {}\n")
    await file("tsconfig.json", '{ "compilerOptions": { "paths": { "@/*": ["./*"] } } }')
  })
})
