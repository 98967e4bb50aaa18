import { describe, expect, it } from "@effect/vitest"
import { reciprocalRank } from "./fuse.ts"

const order = (...rankings: ReadonlyArray<ReadonlyArray<number>>) => reciprocalRank(rankings).map(({ id }) => id)

describe("reciprocalRank", () => {
  it("keeps the order of a single list", () => {
    expect(order([7, 3, 5])).toEqual([7, 3, 5])
  })

  it("puts what two lists rank second before what one ranks first", () => {
    expect(order([1, 2], [3, 2])).toEqual([2, 1, 3])
  })

  it("does not depend on the order of the lists, and breaks ties by place", () => {
    expect(order([4, 2], [2, 4])).toEqual([2, 4])
    expect(order([2, 4], [4, 2])).toEqual([2, 4])
  })

  it("tells the rank in each list", () => {
    expect(reciprocalRank([[9, 8], [8], []])).toMatchObject([
      { id: 8, ranks: [2, 1, undefined] },
      { id: 9, ranks: [1, undefined, undefined] }
    ])
  })

  it("gives nothing for nothing", () => {
    expect(order()).toEqual([])
    expect(order([], [])).toEqual([])
  })
})
