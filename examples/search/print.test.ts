import { describe, expect, it } from "@effect/vitest"
import { printUnreadable } from "./print.ts"

describe("printUnreadable", () => {
  const files = (n: number) => Array.from({ length: n }, (_, i) => ({ file: `${i}.bin`, reason: "is binary" }))

  it("lists each file with its reason", () => {
    expect(printUnreadable(files(1))).toBe("1 file could not be searched:\n  0.bin is binary")
  })

  it("lists only so many", () => {
    expect(printUnreadable(files(1200)).split("\n")).toEqual([
      "1,200 files could not be searched:",
      ...files(5).map(({ file, reason }) => `  ${file} ${reason}`),
      "  and 1195 more"
    ])
  })
})
