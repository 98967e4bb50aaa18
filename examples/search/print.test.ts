import { describe, expect, it } from "@effect/vitest"
import { mostAtOnce } from "./print.ts"

const spans = (...times: ReadonlyArray<readonly [number, number]>) =>
  times.map(([start, end]) => ({ step: "read", start, end }))

describe("mostAtOnce", () => {
  it("counts what overlaps", () => {
    expect(mostAtOnce(spans([0, 10], [2, 8], [3, 5], [9, 12]))).toBe(3)
  })

  it("does not count one that begins as another ends", () => {
    expect(mostAtOnce(spans([0, 5], [5, 9], [9, 10]))).toBe(1)
  })

  it("is 0 of none", () => {
    expect(mostAtOnce([])).toBe(0)
  })
})
