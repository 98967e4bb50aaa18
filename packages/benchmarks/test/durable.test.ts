// Fast is worthless if wrong: the durable candidates of this workspace do all that the benchmark measures.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import type { Candidate } from "../src/durable/candidate.ts"
import memory from "../src/durable/candidates/stepgraph-memory.ts"
import sqlite from "../src/durable/candidates/stepgraph-sqlite.ts"
import { contestants } from "../src/durable/candidates.ts"
import { type Results, table } from "../src/durable/report.ts"

const folder = mkdtempSync(join(tmpdir(), "durable-"))
afterAll(() => rmSync(folder, { recursive: true }))

const candidates: ReadonlyArray<readonly [string, Candidate]> = [
  ["stepgraph in memory", memory],
  ["stepgraph on SQLite", sqlite]
]

describe.each(candidates)("%s", (name, candidate) => {
  it("performs chains, a fan-out, and runs that wait", async () => {
    const steps: Array<number> = []
    const went: Array<string> = []
    const place = { folder: mkdtempSync(join(folder, `${name.replace(/\W/g, "-")}-`)) }
    const engine = await candidate.open(place, {
      step: (n) => {
        steps.push(n)
        return undefined
      },
      went: (id) => went.push(id)
    })
    try {
      expect(await engine.chain("chain", 3)).toBe(3)
      expect(steps).toEqual([1, 2, 3])
      expect(await engine.goOn("chain", 3)).toBe(3)
      expect(await engine.fan("fan", 5)).toBe(5)
      expect(steps.slice(3).sort()).toEqual([1, 2, 3, 4, 5])
      await engine.wait("wait-0", 0)
      await engine.wait("walk-0", 2)
      expect(went).toEqual([])
      await engine.answer("wait-0")
      await engine.answer("walk-0")
      await expect.poll(() => went).toEqual(["wait-0", "walk-0"])
      expect(steps.slice(8)).toEqual([1, 2])
    } finally {
      await engine.close()
    }
  })
})

it("a ratio says how many times as much as stepgraph an engine takes, whatever is counted", () => {
  const [own, other] = ["sqlite", "mastra"].map((id) => contestants.find((contestant) => contestant.id === id)!)
  const results: Results = new Map([
    [own!, { chain: [4, 1, 2], many: [1000], again: [0, 0] }],
    [other!, { chain: [3], many: [500], again: [0, 2] }]
  ])
  const rows = table(results, "sqlite", ["SQLite"]).split("\n")
  expect(rows.find((row) => row.startsWith("| chain"))).toBe("| chain, ms a step | **2.0** | 3.0 (1.5 ×) |")
  expect(rows.find((row) => row.startsWith("| 50"))).toBe("| 50 chains at once, steps/s | **1,000** | 500 (2.0 ×) |")
  expect(rows.find((row) => row.startsWith("| finished"))).toBe("| finished steps that ran again | **0** | 2 |")
  expect(rows.find((row) => row.startsWith("| kept"))).toBe("| kept, bytes a step | – | – |")
})
