// A small share of the soak: real processes, killed at random.
import { expect, it } from "vitest"
import { soak } from "./soak/soak.ts"

it("ends each run as if nothing had happened, however often its process is killed", { timeout: 120_000 }, async () => {
  const soaked = await soak({ kills: 4, runs: 5, seed: 3 })
  expect(soaked.problems).toEqual([])
  expect(soaked).toMatchObject({ kills: 4, bootKills: 0 })
  expect(soaked.calls).toBeGreaterThan(50)
})
