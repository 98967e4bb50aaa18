import { describe, expect, it } from "@effect/vitest"
import { printPassages, printUnreadable } from "./print.ts"

describe("printPassages", () => {
  const print = (text: string) =>
    printPassages("retry", [
      { file: "a.md", line: 7, title: "Title", text, words: [], ranks: { one: 1, two: undefined } }
    ])
      .split("\n")
      .map((line) => line.trim())

  it("shows the start of the passage, and the lines with the searched words", () => {
    const text = "## Title\n\nIt begins.\n\nThen it goes on.\n\n    indented, it retries\n      and more\n\nIt ends."
    expect(print(text).slice(1)).toEqual(["It begins.", "…", "indented, it retries", "and more", "one 1 · two –"])
  })

  it("shows no excerpt for a bare heading", () => {
    expect(print("## Title").slice(1)).toEqual(["one 1 · two –"])
  })

  it("fits title and location into the line, however long the title", () => {
    const [line = ""] = print("")
    expect(line).toMatch(/^1 Title {82,}a\.md:7$/)
  })
})

describe("printUnreadable", () => {
  const files = (n: number) => Array.from({ length: n }, (_, i) => ({ file: `${i}.bin`, reason: "is binary" }))

  it("lists each file with its reason", () => {
    expect(printUnreadable(files(1))).toBe("1 file could not be searched:\n  0.bin is binary")
  })

  it("limits the list", () => {
    expect(printUnreadable(files(1200)).split("\n")).toEqual([
      "1,200 files could not be searched:",
      ...files(5).map(({ file, reason }) => `  ${file} ${reason}`),
      "  and 1195 more"
    ])
  })
})
