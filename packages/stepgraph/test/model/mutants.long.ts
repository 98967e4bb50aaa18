// Shows that the laws bite: plants one mistake after another in the runtime, and the laws have to find each.
import { spawn } from "node:child_process"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { beforeAll, expect, it } from "vitest"
import { mutants } from "./mutants.ts"

const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs")
const config = join(import.meta.dirname, "mutant.config.ts")

const minute = 60_000
/** What most mutants are found with; those that survive it are tried on all. */
const few = 0.25

/** Whether the laws hold with this mutant; a runtime that does not come to an end does not keep them. */
const hold = (mutant: string, share: number, timeout: number) =>
  new Promise<boolean>((resolve) => {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST"))
    const env = { ...Object.fromEntries(inherited), MUTANT: mutant, SHARE: `${share}` }
    spawn(process.execPath, [vitest, "run", "--config", config], { env, stdio: "ignore", timeout }).on("exit", (code) =>
      resolve(code === 0)
    )
  })

/** How long honest laws take, of a few workflows and of all. */
const took = new Map<number, number>()
beforeAll(async () => {
  for (const share of [few, 1]) {
    const begin = performance.now()
    expect(await hold("", share, 5 * minute), "the laws hold without a mutant").toBe(true)
    took.set(share, performance.now() - begin)
  }
}, 10 * minute)

it.each(mutants)("a runtime that %s breaks a law", { timeout: 10 * minute }, async (name) => {
  const survives = (share: number) => hold(name, share, Math.round(4 * took.get(share)!))
  expect((await survives(few)) && (await survives(1))).toBe(false)
})
