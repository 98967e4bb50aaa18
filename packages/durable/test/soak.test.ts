// A small share of the soak: real processes, killed at random.

import { hasPostgres } from "@stepgraph/conformance/support/postgres"
import { expect, it } from "vitest"
import { soak, soakMany } from "./soak/soak.ts"

it("ends each run as if nothing had happened, however often its process is killed", { timeout: 120_000 }, async () => {
  const soaked = await soak({ kills: 4, runs: 5, seed: 3 })
  expect(soaked.problems).toEqual([])
  expect(soaked).toMatchObject({ kills: 4, bootKills: 0 })
  expect(soaked.calls).toBeGreaterThan(50)
})

it.skipIf(!hasPostgres)("ends them in any of three processes", { timeout: 120_000 }, async () => {
  const soaked = await soakMany({ kills: 3, runs: 6, seed: 6 })
  expect(soaked.problems).toEqual([])
  expect(soaked.runs).toBeGreaterThan(12)
})
