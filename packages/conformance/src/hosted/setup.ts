// Durable mode: every run that has no host of its own is a durable run, and the tests that differ must fail.
import { relative, sep } from "node:path"
import { Host } from "stepgraph/host"
import { afterAll, beforeEach } from "vitest"
import { heeding } from "../differing.ts"
import { differing } from "./differing.ts"
import { hostOfAny } from "./doors.ts"

Object.assign(Host, { defaultValue: () => hostOfAny })

const tests = `${import.meta.dirname}/../../../stepgraph/test`
let file: string | undefined
const { after, before } = heeding(differing, "in durable mode")

beforeEach((context) => {
  const { task } = context
  file = relative(tests, task.file.filepath).split(sep).join("/")
  before(context, file, task.fullTestName.replaceAll(" > ", " "))
})

afterAll(() => {
  if (file !== undefined) after(file)
})
