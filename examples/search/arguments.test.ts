import { describe, expect, it } from "@effect/vitest"
import { Misuse, parse, shipped } from "./arguments.ts"

describe("parse", () => {
  it("searches Effect's documentation unless a folder is given", () => {
    expect(parse([])).toEqual({ question: "how do I bound concurrency", top: 5, documents: shipped })
    expect(parse(["why retry?"])).toEqual({ question: "why retry?", top: 5, documents: shipped })
    expect(parse(["./docs", " why retry? "])).toEqual({
      question: "why retry?",
      top: 5,
      documents: { name: "./docs", folder: "./docs", patterns: ["**/*"] }
    })
  })

  it("accepts patterns for both", () => {
    expect(parse(["--files", "*.md", "--files=*.txt", "retry"])?.documents).toEqual({
      ...shipped,
      patterns: ["*.md", "*.txt"]
    })
    expect(parse(["docs", "retry", "--files", "*.md"])?.documents.patterns).toEqual(["*.md"])
  })

  it("skips the -- that a package manager passes on", () => {
    expect(parse(["--", "docs", "retry", "--top", "3"])).toMatchObject({ question: "retry", top: 3 })
  })

  it("returns nothing if help is requested", () => {
    expect(parse(["--help"])).toBeUndefined()
    expect(parse(["--", "--help"])).toBeUndefined()
  })

  const misuses: ReadonlyArray<[string, ReadonlyArray<string>, string]> = [
    ["an empty question", ["docs", ""], "The question is empty."],
    ["a question of stop words", ["how do I?"], "“how do I?” has no word in it to search for."],
    [
      "a folder and no question",
      ["."],
      'What is the question? It goes behind the folder: pnpm demo -- . "your question"'
    ],
    ["an unknown flag", ["--colour"], "Unknown option '--colour'"],
    ["a flag without its value", ["retry", "--top"], "Option '--top <value>' argument missing"],
    ["half a number", ["retry", "--top", "2.5"], "--top takes a whole number of at least 1, not '2.5'."],
    ["none at all", ["retry", "--top", "0"], "--top takes a whole number of at least 1, not '0'."],
    [
      "a question without quotes",
      [".", "how", "do", "I", "retry"],
      "A folder and a question are enough, but here are 5 words: quote the question."
    ]
  ]
  for (const [what, args, message] of misuses) {
    it(`refuses ${what}`, () => {
      expect(() => parse(args)).toThrow(new Misuse(message))
    })
  }
})
