import { describe, expect, it } from "vitest"
import { fill } from "../src/page.ts"
import { digits } from "../src/report.ts"
import { median, quantile, spread } from "../src/statistics.ts"

describe("figures", () => {
  it("a median is the middle one, or half way between the two in the middle", () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([4, 1, 2, 9])).toBe(3)
  })

  it("a quantile lies between two values in proportion", () => {
    expect(quantile([0, 10], 0.25)).toBe(2.5)
  })

  it("a spread is the farther quartile's distance from the median, as a share of it", () => {
    expect(spread([8, 9, 10, 12, 20])).toBe(0.2)
    expect(spread([5])).toBe(0)
  })

  it("are told with two or three digits", () => {
    expect([0.0321, 1.234, 12.34, 1234.5].map(digits)).toEqual(["0.032", "1.2", "12.3", "1,235"])
  })
})

describe("a page", () => {
  it("gets new figures between its marks, and keeps the rest", () => {
    const page = "before\n<!-- bench:a -->\nold\n<!-- /bench:a -->\nafter"
    expect(fill(page, "a", "new")).toBe("before\n<!-- bench:a -->\nnew\n<!-- /bench:a -->\nafter")
  })

  it("without a place for figures is an error", () => {
    expect(() => fill("nothing", "a", "new")).toThrow("no place for 'a'")
  })
})
