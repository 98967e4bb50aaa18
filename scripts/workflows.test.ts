import { describe, expect, it } from "@effect/vitest"
import { lint, workflows } from "./workflows.ts"

describe("the workflows in .github", () => {
  it.each(workflows)("%s has no mistakes", async (path, text) => {
    expect((await lint(path, text)).map(({ line, message }) => `${line}: ${message}`)).toEqual([])
  })

  const [path, text] = workflows.find(([path]) => path.endsWith("/ci.yml"))!
  it.each([
    ["a misspelt key", "branches:", "branch:", `unexpected key "branch"`],
    ["a permission that does not exist", "contents: read", "contents: reed", `"reed" is invalid for permission`],
    [
      "a machine that does not exist",
      "runs-on: ubuntu-latest",
      "runs-on: ubuntu-latset",
      `label "ubuntu-latset" is unknown`
    ],
    ["a key that the matrix lacks", "matrix.node", "matrix.nod", `property "nod" is not defined`],
    ["a job that does not exist", "  test:\n", "  test:\n    needs: chek\n", `job "test" needs job "chek"`],
    ["text from a stranger in a script", ".ci/run", `echo \${{ github.head_ref }}`, "potentially untrusted"],
    ["an action at a tag", /checkout@\w+ # v[\d.]+/, "checkout@v7", "'actions/checkout@v7' is not pinned"],
    ["an action without its version", / # v[\d.]+/, "", "is not pinned: write the commit and its version"]
  ])("finds %s", async (_, right, wrong, message) => {
    const planted = text.replace(right, () => wrong)
    expect(planted).not.toBe(text)
    const problems = await lint(path, planted)
    expect(problems.map((problem) => problem.message)).toContainEqual(expect.stringContaining(message))
  })
})
