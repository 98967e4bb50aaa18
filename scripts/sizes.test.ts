import { expect, it } from "vitest"
import { documented, rows } from "./install-sizes.table.ts"

const measured = new Map([
  ["effect", { packages: 1, mebibytes: 53.85 }],
  ["@stepgraph/cli", { packages: 14, mebibytes: 8.44 }]
])
const page = `| package | packages | size |\n|---|---|---|\n${rows(measured).join("\n")}\n`

it("prints a table that it finds again", () => {
  expect(rows(measured)).toEqual(["| `effect` | 1 | 54 MiB |", "| `@stepgraph/cli` | 14 | 8.4 MiB |"])
  expect(documented(page, measured)).toEqual([])
})

it("finds a row that is missing, another number of packages, and another size", () => {
  expect(documented("", measured)).toEqual([
    "lacks | `effect` | 1 | 54 MiB |",
    "lacks | `@stepgraph/cli` | 14 | 8.4 MiB |"
  ])
  const grown = (more: object) => new Map([["@stepgraph/cli", { packages: 14, mebibytes: 8.44, ...more }]])
  expect(documented(page, grown({ mebibytes: 9.2 }))).toEqual([])
  expect(documented(page, grown({ mebibytes: 10 }))).toEqual([
    "says | `@stepgraph/cli` | 14 | 8.4 MiB | instead of | `@stepgraph/cli` | 14 | 10 MiB |"
  ])
  expect(documented(page, grown({ packages: 15 }))).toHaveLength(1)
})
