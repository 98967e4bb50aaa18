import { readFileSync } from "node:fs"
import { join } from "node:path"
import { workspace } from "@stepgraph/conformance/support/compile"
import { errorsOf, tableLine } from "@stepgraph/conformance/support/documented"
import { expect, it } from "vitest"
import * as durable from "../src/index.ts"

const page = readFileSync(join(workspace, "docs/durable.md"), "utf8")

it.each(errorsOf(durable))("%s is in a table of the page, with advice", (name) => expect(page).toMatch(tableLine(name)))

it("finds every error", () => {
  expect(errorsOf(durable)).toEqual(expect.arrayContaining(["GraphChanged", "UnknownRun"]))
})

it.each(errorsOf(durable))("%s is in the page on troubleshooting", (name) => {
  expect(readFileSync(join(workspace, "docs/troubleshooting.md"), "utf8")).toContain(`\`${name}\``)
})
