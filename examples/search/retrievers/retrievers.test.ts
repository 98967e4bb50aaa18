import { describe, expect, it } from "@effect/vitest"
import { split } from "../passages.ts"
import { fuzzy } from "./fuzzy.ts"
import { keyword } from "./keyword.ts"
import { symbols } from "./symbols.ts"

const corpus = [
  "# Limits\nNo more than four requests are bounded to run concurrently.",
  "# Backoff\nWait longer before each new attempt.",
  "# Clocks\nCall `TestClock.adjust(1000)` and let a minute go by.",
  "# Weather\nIt may rain on birds and bees."
].flatMap((text, n) => split(`${n}.md`, text))

const found = async (question: string) => {
  const by = async (search: typeof keyword) => (await search(question, corpus)).map((id) => corpus[id]?.title)
  return { keyword: await by(keyword), fuzzy: await by(fuzzy), symbols: await by(symbols) }
}

describe("each retriever finds something that the others miss", () => {
  it("keyword matches forms of a word: concurrency and concurrently", async () => {
    expect(await found("bound concurrency")).toMatchObject({ keyword: ["Limits"], symbols: [] })
  })

  it("fuzzy matches misspelt words", async () => {
    expect(await found("atempt")).toEqual({ keyword: [], fuzzy: ["Backoff"], symbols: [] })
  })

  it("symbols matches parts of a name", async () => {
    expect(await found("test clock")).toMatchObject({ symbols: ["Clocks"] })
    expect(await found("weather")).toMatchObject({ symbols: ["Weather"] })
  })

  it("all of them ignore stop words", async () => {
    expect(await found("how do I, and what is it?")).toEqual({ keyword: [], fuzzy: [], symbols: [] })
    expect(await found("")).toEqual({ keyword: [], fuzzy: [], symbols: [] })
  })

  it("all of them accept an empty corpus, and words such as constructor", async () => {
    for (const search of [keyword, fuzzy, symbols]) {
      expect(await search("anything", [])).toEqual([])
      expect(await search("constructor __proto__ hasOwnProperty", corpus)).toEqual([])
    }
  })
})

it("a retriever stops when its signal is aborted", async () => {
  const many = Array.from({ length: 500 }, (_, n) => split(`${n}.md`, `# Title ${n}\nbody`)).flat()
  for (const search of [keyword, fuzzy, symbols]) {
    await expect(search("title", many, AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough")
  }
})
