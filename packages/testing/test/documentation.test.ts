import { readFileSync } from "node:fs"
import { join } from "node:path"
import { workspace } from "@stepgraph/conformance/support/compile"
import { errorsOf, tableLine } from "@stepgraph/conformance/support/documented"
import * as testing from "@stepgraph/testing"
import { expect, it } from "vitest"

const page = readFileSync(join(workspace, "docs/testing.md"), "utf8")

it.each(errorsOf(testing).filter((name) => name !== "InjectedFault"))(
  "%s is in a table of the page, with advice",
  (name) => expect(page).toMatch(tableLine(name))
)

it("finds every error", () => {
  expect(errorsOf(testing)).toEqual(expect.arrayContaining(["ScheduleFailure", "InjectedFault"]))
})

it.each(errorsOf(testing))("%s is in the page on troubleshooting", (name) => {
  expect(readFileSync(join(workspace, "docs/troubleshooting.md"), "utf8")).toContain(`\`${name}\``)
})
