import { describe, expect, it } from "vitest"
import { fill } from "../src/page.ts"
import { digits } from "../src/report.ts"
import { median, quantile, spread } from "../src/statistics.ts"

describe("figures", () => {
  it("a median is the middle value, or the mean of the two middle values", () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([4, 1, 2, 9])).toBe(3)
  })

  it("a quantile is interpolated linearly", () => {
    expect(quantile([0, 10], 0.25)).toBe(2.5)
  })

  it("a spread is the farther quartile's distance from the median, relative to the median", () => {
    expect(spread([8, 9, 10, 12, 20])).toBe(0.2)
    expect(spread([5])).toBe(0)
  })

  it("have two or three significant digits", () => {
    expect([0.0321, 1.234, 12.34, 1234.5].map(digits)).toEqual(["0.032", "1.2", "12.3", "1,235"])
  })
})

describe("a page", () => {
  it("replaces the figures between its marks, and keeps the rest", () => {
    const page = "before\n<!-- bench:a -->\nold\n<!-- /bench:a -->\nafter"
    expect(fill(page, "a", "new")).toBe("before\n<!-- bench:a -->\nnew\n<!-- /bench:a -->\nafter")
  })

  it("reports missing marks", () => {
    expect(() => fill("nothing", "a", "new")).toThrow("no <!-- bench:a --> marks")
  })
})
