// The output of this program.
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, it } from "vitest"

it("node main.ts", { timeout: 60_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL("./main.ts", import.meta.url))])
  expect(stdout).toBe(`review:
  fine: All is well.
  begins with a capital: no capital.
  ends with a full stop: No end
  begins with a capital, ends with a full stop: 
lenient-review:
  fine: All is well.
  fine: no capital.
  fine: No end
  says something: 
5 runs, 4 of them in step 'check'
`)
})
