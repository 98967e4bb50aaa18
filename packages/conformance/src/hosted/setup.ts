// Durable mode: every run that has no host of its own is a durable run, and the tests that differ must fail.
import { relative, sep } from "node:path"
import { Host } from "stepgraph/host"
import { afterAll, beforeEach } from "vitest"
import { type Differing, differing } from "./differing.ts"
import { hostOfAny } from "./doors.ts"

Object.assign(Host, { defaultValue: () => hostOfAny })

const tests = `${import.meta.dirname}/../../../stepgraph/test`
let file: string | undefined
const met = new Set<Differing>()

beforeEach(({ skip, task }) => {
  file = relative(tests, task.file.filepath).split(sep).join("/")
  const name = task.fullTestName.replaceAll(" > ", " ")
  const one = differing.find((other) => other.file === file && name.startsWith(other.test))
  if (one === undefined) return
  met.add(one)
  if (!one.tried) skip(`in durable mode, ${one.why}`)
  // One that passes is an error: the list stays true.
  Object.assign(task, { fails: true })
})

afterAll(() => {
  const stale = differing.filter((one) => one.file === file && !met.has(one))
  if (stale.length > 0) {
    throw new Error(`no test that has run begins so: ${stale.map(({ test }) => `'${test}'`).join(", ")}`)
  }
})
