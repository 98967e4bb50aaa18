import { describe, expect, it } from "@effect/vitest"
import { onePerTitle, reciprocalRank } from "./fuse.ts"

const passages = Array.from({ length: 10 }, (_, n) => ({ file: "a.md", line: n, title: `${n}`, text: "", words: [] }))
const order = (rankings: Record<string, ReadonlyArray<number>>) =>
  reciprocalRank(passages, rankings).map(({ line }) => line)

describe("reciprocalRank", () => {
  it("keeps the order of a single list", () => {
    expect(order({ one: [7, 3, 5] })).toEqual([7, 3, 5])
  })

  it("ranks second in two lists above first in one", () => {
    expect(order({ one: [1, 2], two: [3, 2] })).toEqual([2, 1, 3])
  })

  it("ignores the order of the lists, and breaks ties by position", () => {
    expect(order({ one: [4, 2], two: [2, 4] })).toEqual([2, 4])
    expect(order({ one: [2, 4], two: [4, 2] })).toEqual([2, 4])
  })

  it("reports the rank in each list", () => {
    expect(reciprocalRank(passages, { one: [9, 8], two: [8], three: [] })).toMatchObject([
      { title: "8", ranks: { one: 2, two: 1, three: undefined } },
      { title: "9", ranks: { one: 1, two: undefined, three: undefined } }
    ])
  })

  it("returns nothing for empty lists", () => {
    expect(order({})).toEqual([])
    expect(order({ one: [], two: [] })).toEqual([])
  })
})

it("onePerTitle keeps the best passage for each file and title", () => {
  const at = (file: string, title: string, line: number) => ({ file, title, line, text: "", words: [], ranks: {} })
  const ranked = [at("a.md", "Retry", 9), at("b.md", "Retry", 1), at("a.md", "Retry", 2), at("a.md", "Clock", 5)]
  expect(onePerTitle(ranked).map(({ file, line }) => `${file}:${line}`)).toEqual(["a.md:9", "b.md:1", "a.md:5"])
})
