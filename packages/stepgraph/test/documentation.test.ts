// Links in the documentation work, and generated files are current.
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { workspace } from "@stepgraph/conformance/support/compile"
import { errorsOf, tableLine } from "@stepgraph/conformance/support/documented"
import * as stepgraph from "stepgraph"
import { describe, expect, it } from "vitest"
import { files } from "../assistants.ts"

const documents = globSync(["*.md", "docs/**/*.md", "packages/*/*.md"], { cwd: workspace }).sort()
const read = (file: string) => readFileSync(join(workspace, file), "utf8")

/** A page without its code. */
const prose = (text: string) => text.replace(/^(\s*)(`{3,}|~{3,})[\s\S]*?^\1\2.*$/gm, "").replace(/`[^`\n]*`/g, "code")

const anchorsOf = (text: string) =>
  [...text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-")
  )

it.each(documents)("every link of %s leads somewhere", (document) => {
  const lost = [...prose(read(document)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [file, part] = target.split("#")
      const path = file === "" ? document : join(dirname(document), file!)
      if (!existsSync(join(workspace, path))) return true
      return part !== undefined && path.endsWith(".md") && !anchorsOf(read(path)).includes(part)
    })
  expect(lost).toEqual([])
})

it("every page of docs/ is in the list of pages", () => {
  const listed = [...read("docs/README.md").matchAll(/\]\(([\w/-]+\.md)\)/g)].map(([, file]) => file!)
  const pages = globSync("docs/**/*.md", { cwd: workspace }).map((file) =>
    file.slice("docs/".length).replaceAll("\\", "/")
  )
  expect(new Set(listed)).toEqual(new Set(pages.filter((page) => page !== "README.md")))
})

describe("every exported error is in a table of its page, with advice", () => {
  it.each(errorsOf(stepgraph))("%s", (name) => {
    expect(read("docs/errors.md")).toMatch(tableLine(name))
  })

  it("finds them all", () => {
    expect(errorsOf(stepgraph)).toEqual(expect.arrayContaining(["StepDefect", "OutsideScope", "FinalizerFailed"]))
  })
})

describe("troubleshooting", () => {
  const page = read("docs/troubleshooting.md")

  /** The texts in the code, with strings that are joined by a plus made one. */
  const said = globSync("packages/*/src/**/*.ts", { cwd: workspace })
    .map(read)
    .join("\n")
    .replace(/["'`]\s*\+\s*["'`]/g, "")
    .replaceAll("\\`", "`")

  const messages = page
    .slice(0, page.indexOf("\n## Without a message"))
    .split("\n")
    .flatMap((row) => /^\| (?:`` (.+?) ``|``(.+?) ``|`(.+?)`)/.exec(row)?.slice(1).filter(Boolean) ?? [])

  it.each(messages)("explains a message that exists: %s", (message) => {
    const parts = message!.split("…").map((part) => part.replace(/^[':, ]+|['\s]+$/g, ""))
    expect(parts.filter((part) => !said.includes(part))).toEqual([])
  })

  it.each(errorsOf(stepgraph))("explains %s", (name) => {
    expect(page).toContain(`\`${name}\``)
  })
})

describe("the documentation for coding assistants", () => {
  it.each(Object.entries(files))("%s is current: `pnpm assistants` makes it", (file, make) => {
    expect(read(file)).toBe(make())
  })
})
