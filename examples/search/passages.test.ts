import { describe, expect, it } from "@effect/vitest"
import { split } from "./passages.ts"

const places = (file: string, text: string) => split(file, text).map(({ line, title }) => [line, title])

describe("split: Markdown", () => {
  it("starts a passage at each heading, with its parent headings", () => {
    const text = "# Guide\n\nHello.\n\n## Retries\n\nTry again.\n\n### Backoff\n\nWait longer.\n\n## Clocks\n\nTick.\n"
    expect(places("guide.md", text)).toEqual([
      [1, "Guide"],
      [5, "Guide › Retries"],
      [9, "Guide › Retries › Backoff"],
      [13, "Guide › Clocks"]
    ])
  })

  it("counts lines from 1, past blank lines and Windows line ends", () => {
    expect(places("a.md", "\r\n\r\n# First\r\n\r\ntext\r\n")).toEqual([[3, "First"]])
  })

  it("names the text before the first heading after the file", () => {
    expect(places("docs/notes.md", "hello\n\n# First\nthere\n")).toEqual([
      [1, "notes.md"],
      [3, "First"]
    ])
  })

  it("does not mistake a # in a code block for a heading", () => {
    expect(places("a.md", "# Shell\n```sh\n# a comment\nls\n```\n")).toEqual([[1, "Shell"]])
  })

  it("cuts a long section at a blank line, and records each piece's line", () => {
    const paragraph = (n: number) => Array.from({ length: 9 }, (_, line) => `paragraph ${n} line ${line}`).join("\n")
    const text = `# Long\n${Array.from({ length: 10 }, (_, n) => paragraph(n)).join("\n\n")}\n`
    const lines = text.split("\n")
    const passages = split("long.md", text)
    expect(passages.map(({ line }) => line)).toEqual([1, 42, 82])
    for (const { line, text } of passages) expect(text.split("\n")[0]).toBe(lines[line - 1])
  })
})

describe("split: code", () => {
  const text = [
    "/**", // 1
    " * Limits how many run at once.",
    " *",
    " * @since 1.0.0",
    " */",
    'import { x } from "./x.ts"', // 6
    "",
    "/** Makes one. */", // 8
    "export const make: {",
    "  /** Makes one. */",
    "  (n: number): Semaphore",
    "}",
    "",
    "export interface Semaphore {", // 14
    "  /** Takes a permit. */",
    "  readonly take: () => void",
    "}",
    "/** @internal */",
    "export const hidden = 1"
  ].join("\n")

  it("starts a passage at each doc comment, named after the module and the declaration", () => {
    expect(places("src/Semaphore.ts", text)).toEqual([
      [1, "Semaphore"],
      [8, "Semaphore.make"],
      [15, "Semaphore.take"]
    ])
  })

  it("drops comment marks and documentation tags", () => {
    expect(split("src/Semaphore.ts", text)[0]?.text).toMatch(/^Limits how many run at once\.\n\nimport/)
  })

  it("names the file by its @title", () => {
    expect(places("10_basics.ts", "/**\n * @title Getting started\n */\nimport x\n// Then go on.\n")).toEqual([
      [1, "Getting started"]
    ])
  })

  it("keeps code without doc comments as it is", () => {
    expect(places("plain.js", "const a = 1\n")).toEqual([[1, "plain.js"]])
  })
})

describe("split: any other text", () => {
  it("becomes a passage named after its file", () => {
    expect(places("notes.txt", "\nremember the milk\n")).toEqual([[2, "notes.txt"]])
  })

  it("yields nothing for empty text", () => {
    expect(split("empty.txt", "")).toEqual([])
    expect(split("blank.md", " \n\n\t\n")).toEqual([])
  })

  it("is cut even without a blank line", () => {
    const passages = split("log.txt", Array.from({ length: 1000 }, (_, n) => `line ${n + 1}`).join("\n"))
    expect(passages.length).toBe(9)
    for (const { line, text } of passages) expect(text.startsWith(`line ${line}\n`)).toBe(true)
  })
})
