// Shows that the laws work: plants each mistake in the runtime. A law must detect it, or an example if only the order
// or the memory of a run shows it.
import { spawn } from "node:child_process"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { beforeAll, expect, it } from "vitest"
import { mutants } from "../src/mutants.ts"

const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs")
const config = join(import.meta.dirname, "mutant.config.ts")

const minute = 60_000
/** The tests in the order in which they run: those that detect most mutants first. */
const searches = [{ SHARE: "0.05" }, { SHARE: "0.25" }, { SHARE: "1" }, { EXAMPLES: "1" }] as const
type Search = (typeof searches)[number]

/** Whether the tests pass with this mutant; a runtime that never ends fails them. */
const pass = (mutant: string, search: Search, timeout: number) =>
  new Promise<boolean>((resolve) => {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST"))
    const env = { ...Object.fromEntries(inherited), MUTANT: mutant, ...search }
    spawn(process.execPath, [vitest, "run", "--config", config], { env, stdio: "ignore", timeout }).on("exit", (code) =>
      resolve(code === 0)
    )
  })

/** The duration of each search with the unchanged runtime. */
const took = new Map<Search, number>()
beforeAll(async () => {
  for (const search of searches) {
    const begin = performance.now()
    expect(await pass("", search, 15 * minute), "the tests pass without a mutant").toBe(true)
    took.set(search, performance.now() - begin)
  }
}, 30 * minute)

// All of them take half an hour on two cores, so a day has its sixth of them; MUTANTS=all runs the rest, too.
const parts = 6
const today = Math.floor(Date.now() / 86_400_000) % parts
const planted = process.env.MUTANTS === "all" ? mutants : mutants.filter((_, i) => i % parts === today)

it.concurrent.each(planted)("a runtime that %s is found", { timeout: 15 * minute }, async (name) => {
  for (const search of searches) {
    if (!(await pass(name, search, Math.round(4 * took.get(search)!)))) return
  }
  expect.fail("no law and no example finds it")
})
