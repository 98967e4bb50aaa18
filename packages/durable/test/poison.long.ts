// A run that ends its process each time is found and stopped, and takes nobody with it.
import { fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join as path } from "node:path"
import { expect, it } from "vitest"
import { openDurable, RunKeepsCrashing } from "../src/index.ts"
import { kinds, work } from "./support/poison.ts"

it("stops the run that ends its process, and lets its neighbours end well", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(path(tmpdir(), "poison-"))
  try {
    const sqlite = path(folder, "runs.db")
    const lives = () =>
      new Promise<boolean>((resolve, reject) => {
        const child = fork(new URL("support/poison.ts", import.meta.url), [sqlite], { execArgv: [] })
        child.once("exit", (code, signal) => {
          if (signal === "SIGKILL") resolve(false)
          else if (code === 0) resolve(true)
          else reject(new Error(`a process ended with ${code ?? signal}`))
        })
      })
    let crashes = 0
    while (!(await lives())) expect(++crashes).toBeLessThan(10)
    // It has to die alone twice, and more than three times in all.
    expect(crashes).toBeGreaterThanOrEqual(4)
    await using runs = await openDurable({ sqlite, performs: false }, [work])
    for (const { id, kind } of kinds) {
      const { result } = runs.run(work, id)
      if (kind !== "poison") expect(await result).toMatchObject({ kind })
      else
        await expect(result).rejects.toThrow(
          new RunKeepsCrashing({ run: id, workflow: "work", crashes, steps: ["work"] })
        )
    }
    // It may try as often again.
    await runs.run(work, "poison 0").resume()
    let again = 0
    while (!(await lives())) expect(++again).toBeLessThan(10)
    expect(again).toBe(4)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
