// The output of these programs.
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { it } from "vitest"

const lastLines = {
  "gather-all": "found a, found b, found c",
  "first-wins": "The run ended with the answer to Query 2.",
  "collect-three": "collect: the quick one, the one between, the slow one",
  "declared-order": "arrived c b a: ctx.collect gave from c, from a, from b; join gave from c, from a, from b",
  "loop-and-branch": "Given up, as it still says 'very': It is a very small example."
}

it.concurrent.for(Object.entries(lastLines))("node %s.ts", { timeout: 60_000 }, async ([name, last], { expect }) => {
  const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [file])
  expect(stdout.trimEnd().split("\n").at(-1)).toBe(last)
})
