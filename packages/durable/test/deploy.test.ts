// Two versions of a workflow are deployed one after the other, over processes of their own on one store.
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join as path } from "node:path"
import { expect, it } from "vitest"
import { openDurable } from "../src/index.ts"
import { Approval, versions } from "./support/deployed.ts"

const started = async (place: string, known: ReadonlyArray<string>, env = {}) => {
  const child = fork(new URL("support/deployed.ts", import.meta.url), [place, ...known], {
    execArgv: [],
    env: { ...process.env, ...env }
  })
  const said: Array<unknown> = []
  child.on("message", (what) => said.push(what))
  await until(() => said.includes("ready"))
  return { child, said }
}
const ends = async (child: ChildProcess, signal: NodeJS.Signals) => {
  const exit = once(child, "exit")
  child.kill(signal)
  return exit
}
const until = async (holds: () => boolean | Promise<boolean>) => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5))
}

it("ends each run with its own graph, whatever dies, and leaves a version to those who know it", async () => {
  const folder = mkdtempSync(path(tmpdir(), "deploy-"))
  const place = path(folder, "runs.db")
  const { 1: one, 2: two } = versions
  const children: Array<ChildProcess> = []
  try {
    const a = await started(place, ["1"], { HANGS: "yes" })
    children.push(a.child)
    await using outside = await openDurable({ sqlite: place, performs: false }, [one, two])
    for (const n of [1, 2]) await outside.start(one, `1.${n}`, { n })
    await until(() => a.said.includes("make 1") && a.said.includes("make 2"))
    // Nobody has the second version yet.
    await outside.start(two, "2.3", { n: 3 })
    const b = await started(place, ["1", "2"])
    children.push(b.child)
    await until(() => b.said.includes("make 3"))
    await outside.start(two, "2.4", { n: 4 })
    await until(() => b.said.includes("make 4"))
    expect(a.said).toEqual(["ready", "make 1", "make 2"])
    await ends(a.child, "SIGKILL")
    await outside.run(one, "1.1").send(Approval())
    await outside.run(two, "2.3").send(Approval())
    const by = b.child.pid
    expect(await outside.run(one, "1.1").result).toMatchObject({ n: 1, by, graph: "1" })
    expect(await outside.run(two, "2.3").result).toMatchObject({ n: 3, by, graph: "2" })
    await until(() => b.said.includes("make 2"))
    const c = await started(place, ["2"])
    children.push(c.child)
    expect(await ends(b.child, "SIGTERM")).toEqual([0, null])
    // Of the first version, one run goes on with what it has been sent, and one begins.
    await outside.start(one, "1.5", { n: 5 })
    for (const id of ["1.2", "1.5"]) await outside.run(one, id).send(Approval())
    await outside.run(two, "2.4").send(Approval())
    await outside.start(two, "2.6", { n: 6 })
    await outside.run(two, "2.6").send(Approval())
    expect(await outside.run(two, "2.4").result).toMatchObject({ n: 4, by, graph: "2" })
    expect(await outside.run(two, "2.6").result).toMatchObject({ n: 6, by: c.child.pid, graph: "2" })
    expect(c.said).toEqual(["ready", "make 6"])
    expect((await outside.list({ state: "active" })).map(({ id }) => id)).toEqual(["1.5", "1.2"])
    await using last = await openDurable({ sqlite: place }, [one])
    expect(await last.run(one, "1.2").result).toMatchObject({ n: 2, by, graph: "1" })
    expect(await last.run(one, "1.5").result).toMatchObject({ n: 5, by: process.pid, graph: "1" })
  } finally {
    for (const child of children) child.kill("SIGKILL")
    rmSync(folder, { recursive: true })
  }
})
