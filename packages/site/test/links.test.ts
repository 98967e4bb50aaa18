// Links of pages: where those that are written for GitHub lead on the site, and which of a built site lead nowhere.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { linkFrom, pages, repository } from "../.vitepress/repository.ts"
import { lostLinks } from "../links.ts"

describe("a link in a page", () => {
  const known = pages()
  it.each([
    ["docs/steps.md", "joins.md#by-hand-ctxcollect", "/docs/joins.md#by-hand-ctxcollect"],
    ["docs/steps.md", "README.md", "/docs/index.md"],
    ["docs/pictures.md", "../packages/viz", "/packages/viz/index.md"],
    ["packages/site/pages/index.md", "../../../docs/time.md", "/docs/time.md"],
    ["docs/steps.md", "../examples/seed", `${repository}/tree/main/examples/seed`],
    ["docs/steps.md", "../examples/seed/first-wins.ts", `${repository}/blob/main/examples/seed/first-wins.ts`],
    ["docs/steps.md", "https://example.org/a.md", "https://example.org/a.md"],
    ["docs/steps.md", "#part", "#part"],
    // The build complains of it.
    ["docs/steps.md", "gone.md", "gone.md"]
  ])("of %s to %s leads to %s", (file, target, place) => expect(linkFrom(file, target, known)).toBe(place))
})

describe("a built site", () => {
  const folder = mkdtempSync(join(tmpdir(), "stepgraph-site-"))
  afterAll(() => rmSync(folder, { recursive: true }))
  const put = (files: Readonly<Record<string, string>>) => {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), text)
    }
  }

  it("has no links that lead nowhere, to no part, or out of its folder; those to others are listed", () => {
    put({
      "index.html": [
        '<a href="/base/docs/a.html#part">there</a>',
        '<a href="/base/docs/">there</a>',
        '<a href="/base/docs/a.html#code=eJw">a program</a>',
        '<a href="/base/docs/a.html#lost">no part</a>',
        '<a href="/docs/a.html">outside</a>',
        '<img src="gone.png">',
        '<a href="https://example.org/?a=1&amp;b=2">elsewhere</a>',
        '<code>&lt;a href="nowhere"&gt;</code>'
      ].join("\n"),
      "docs/index.html": "",
      "docs/a.html": '<h2 id="part">Part</h2><a href="#part">here</a><a href="../index.html">up</a>'
    })
    const { elsewhere, lost } = lostLinks(folder, "/base/")
    expect(lost).toEqual([
      { page: "index.html", target: "/base/docs/a.html#lost", why: "the page has no such part" },
      { page: "index.html", target: "/docs/a.html", why: "it leaves /base/" },
      { page: "index.html", target: "gone.png", why: "nothing is there" }
    ])
    expect(elsewhere).toEqual(["https://example.org/?a=1&b=2"])
  })
})
