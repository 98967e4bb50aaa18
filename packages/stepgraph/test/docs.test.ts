import { globSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { compile, type Problem, workspace } from "@stepgraph/conformance/support/compile"
import { fileOf, runSnippet, type Snippet, snippetsOf, statedBy } from "@stepgraph/conformance/support/snippets"
import { beforeAll, describe, expect, it, vi } from "vitest"

// A compiler needs a while if other programs keep the machine busy, and cannot hang.
vi.setConfig({ testTimeout: 240_000 })

const documents = globSync(["README.md", "docs/**/*.md", "packages/*/README.md", "packages/*/src/**/*.ts"], {
  cwd: workspace
}).sort()
const snippets = documents.flatMap((source) => snippetsOf(source, readFileSync(join(workspace, source), "utf8")))

const fence = "```"
const compiled = (all: ReadonlyArray<Snippet>) =>
  compile(Object.fromEntries(all.map((snippet) => [fileOf(snippet), snippet.code]))).problems

let problems: ReadonlyArray<Problem> = []

beforeAll(() => {
  rmSync(join(workspace, ".snippets"), { recursive: true, force: true })
  problems = compiled(snippets)
  vi.spyOn(console, "log").mockImplementation(() => {})
  return () => vi.restoreAllMocks()
}, 240_000)

it.for(snippets)("$source:$line", { timeout: 30_000 }, async (snippet) => {
  const wrong = problems.filter((problem) => problem.file === fileOf(snippet))
  expect(wrong.map(({ line, message }) => `${snippet.source}:${line} ${message}`)).toEqual([])
  if (!snippet.runs) return
  const { expected, printed } = await runSnippet(snippet)
  expect(printed, `what ${snippet.source} prints`).toEqual(expected)
})

it.for(snippets.filter(({ original }) => original))("$source:$line has a port that prints the same", (original) => {
  const port = snippets[snippets.indexOf(original) + 1]
  expect(port).toMatchObject({ source: original.source, runs: true, original: false })
  expect(port!.code).toContain('"stepgraph"')
  expect(statedBy(original)).not.toEqual([])
  expect(statedBy(port!)).toEqual(statedBy(original))
})

describe("a documentation test", () => {
  const page = (...lines: ReadonlyArray<string>) => snippetsOf("page.md", lines.join("\n"))

  it("finds the fences of a page and of docstrings, with their lines", () => {
    const blocks = [`${fence}ts`, "1", fence, `${fence}sh`, "ls", fence, `${fence}ts no-run`, "2", fence]
    const text = ["# Page", ...blocks, `${fence}ts original`, "3", fence]
    const found = page(...text)
    expect(found.map((snippet) => ({ ...snippet, code: snippet.code.trim() }))).toEqual([
      { source: "page.md", line: 2, runs: true, original: false, code: "1" },
      { source: "page.md", line: 8, runs: false, original: false, code: "2" },
      { source: "page.md", line: 11, runs: true, original: true, code: "3" }
    ])
    const module = snippetsOf(
      "Module.ts",
      ["const a = 1", "/**", ...text.map((line) => ` * ${line}`), " */"].join("\n")
    )
    expect(module.map(({ line, code }) => ({ line, code: code.trim() }))).toEqual([
      { line: 4, code: "1" },
      { line: 10, code: "2" },
      { line: 13, code: "3" }
    ])
  })

  it("reports a mistake at its line in the page", () => {
    const [problem] = compiled(page("text", `${fence}ts`, 'import { Effect } from "effect"', "Effect.nothing()", fence))
    expect(problem).toMatchObject({ line: 4, message: expect.stringContaining("'nothing' does not exist") })
  })

  it("compares what is printed with the comment beside or below", async () => {
    const [snippet] = page(
      `${fence}ts`,
      "console.log({ a: [1] }) // => { a: [ 1 ] }",
      "for (const n of [1, 2]) {",
      "  console.log(",
      '    "n", n',
      "  )",
      "  // => n 1",
      "  //    n 2",
      "}",
      '[1].forEach(() => console.log("right")) // => wrong',
      'console.log("not asserted")',
      fence
    )
    const { expected, printed } = await runSnippet(snippet!)
    expect(printed).toEqual([
      { line: 2, text: "{ a: [ 1 ] }" },
      { line: 4, text: "n 1 n 2" },
      { line: 10, text: "right" }
    ])
    expect(expected).toEqual([...printed.slice(0, 2), { line: 10, text: "wrong" }])
  })

  it("fails if a stated value has no output", async () => {
    const [snippet] = page(`${fence}ts`, "const three = 1 + 2 // => 3", fence)
    await expect(runSnippet(snippet!)).rejects.toThrow('page.md:2 not every "// =>" comment follows a console.log')
  })

  it("fails if a snippet fails", async () => {
    const [snippet] = page("text", "", `${fence}ts`, 'throw new Error("no")', fence)
    await expect(runSnippet(snippet!)).rejects.toThrow("page.md:4 no")
  })
})
