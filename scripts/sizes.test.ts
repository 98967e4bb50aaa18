import { expect, it } from "vitest"
import { documented, type Measured, rows } from "./sizes.table.ts"

const cli: Measured = { packed: 61_556, unpacked: 223_000, packages: 14, installed: 8_440_000, bundled: undefined }
const client: Measured = { packed: 366_000, unpacked: 999_600, packages: 1, installed: 1_340_000, bundled: 2_590 }
const measured = new Map([
  ["stepgraph", client],
  ["@stepgraph/cli", cli]
])
const page = `| package | |\n|---|---|\n${rows(measured).join("\n")}\n`

it("prints a table that it finds again", () => {
  expect(rows(measured)).toEqual([
    "| `stepgraph` | 366 kB | 1.0 MB | 1 | 1.3 MB | 2.6 kB |",
    "| `@stepgraph/cli` | 62 kB | 223 kB | 14 | 8.4 MB | |"
  ])
  expect(documented(page, measured)).toEqual([])
})

it("finds a row that is missing, and each size that no longer holds", () => {
  expect(documented("", measured)).toEqual(rows(measured).map((row) => `lacks ${row}`))
  const changed = (more: Partial<Measured>) => documented(page, new Map([["@stepgraph/cli", { ...cli, ...more }]]))
  expect(changed({ installed: 9_100_000 })).toEqual([])
  expect(changed({ installed: 10_000_000 })).toEqual([
    "says | `@stepgraph/cli` | 62 kB | 223 kB | 14 | 8.4 MB | | instead of | `@stepgraph/cli` | 62 kB | 223 kB | 14 | 10 MB | |"
  ])
  expect(changed({ packed: 80_000 })).toHaveLength(1)
  expect(changed({ unpacked: 300_000 })).toHaveLength(1)
  expect(changed({ packages: 15 })).toHaveLength(1)
  expect(changed({ bundled: 4_000 })).toHaveLength(1)
})
