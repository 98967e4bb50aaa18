// The pictures in the documentation match the current workflows.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { pathOf, pictures } from "../pictures.ts"

describe("the pictures of the documentation", async () => {
  const drawn = await pictures()

  it.for([...drawn])("%s is current", ([file, text]) => {
    const kept = existsSync(pathOf(file)) ? readFileSync(pathOf(file), "utf8") : ""
    expect(kept === text, `${file} is not what would be drawn now: run pnpm pictures`).toBe(true)
  })

  it("are all drawn by the command, and all used", () => {
    const files = readdirSync(pathOf("docs/pictures")).map((name) => `docs/pictures/${name}`)
    expect(files.filter((file) => !drawn.has(file))).toEqual([])
    const pages = ["README.md", "docs/pictures.md", "docs/agents.md"]
      .map((page) => readFileSync(pathOf(page), "utf8"))
      .join("\n")
    expect(files.filter((file) => !pages.includes(file.replace("docs/", "")))).toEqual([])
  })

  it("load nothing, because GitHub would block it", () => {
    for (const [file, text] of drawn) {
      if (file.endsWith(".svg"))
        expect(text.replace("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|<script|@import/)
    }
  })
})
